// The ids of items that were here (protocol 4, "two generations of 65 536 ids"), so that each is worked on once. Separate
// from the cache, so that an item that had to leave it does not come back. When the younger generation is full the older one
// is forgotten.

import type { ItemId } from './item.ts';

const GENERATION_MAX = 65_536;

export class SeenSet {
  readonly #generationMax: number;
  /** At most `generationMax` each. */
  #young = new Set<ItemId>();
  #old = new Set<ItemId>();

  constructor(generationMax = GENERATION_MAX) {
    this.#generationMax = generationMax;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  has(id: ItemId): boolean {
    return this.#young.has(id) || this.#old.has(id);
  }

  add(id: ItemId): void {
    this.#young.add(id);
    if (this.#young.size < this.#generationMax) return;
    this.#old = this.#young;
    this.#young = new Set();
  }

  /** It may come again. */
  forget(id: ItemId): void {
    this.#young.delete(id);
    this.#old.delete(id);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }
}

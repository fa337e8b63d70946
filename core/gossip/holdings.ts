// Every item that is here or was here: those that can be given on (cache.ts), those our modules are still looking at, and
// the ids of those that need not come again.

import { type Held, ItemCache } from './cache.ts';
import type { Item, ItemId } from './item.ts';
import { SeenSet } from './seen.ts';
import { PULL_IDS_MAX } from './wire.ts';

/** Protocol 4, "the last 3 epochs": three rounds of 300 s. */
const PULL_BACK_MIN = 15;
/** A guess: four PULLs. */
const RECENT_MAX = 4 * PULL_IDS_MAX;
/** Of items nobody here wants; they cost their sender no proof of work. A guess. */
const UNWANTED_MAX = 4096;

export class Holdings {
  readonly cache: ItemCache;
  readonly #seen = new SeenSet();
  readonly #unwanted = new SeenSet(UNWANTED_MAX);
  /** Bounded by what may be under validation. */
  readonly #pending = new Map<ItemId, Held>();
  /** When items that were seen had been made, for PULL; at most RECENT_MAX, in the order they came. */
  readonly #createdMin = new Map<ItemId, number>();

  constructor(itemsMax: number) {
    this.cache = new ItemCache({ itemsMax });
  }

  /** Whether it need not come again. */
  isKnown(id: ItemId): boolean {
    return this.#seen.has(id) || this.#unwanted.has(id);
  }

  find(id: ItemId): Held | undefined {
    return this.cache.find(id) ?? this.#pending.get(id);
  }

  /** It is being looked at from now on, until `accept`, `refuse` or `forget`. */
  begin(held: Held): void {
    const { id, createdMin } = held.item;
    this.#pending.set(id, held);
    this.#seen.add(id);
    this.#createdMin.set(id, createdMin);
    const [oldest] = this.#createdMin.keys();
    if (this.#createdMin.size > RECENT_MAX && oldest !== undefined) this.#createdMin.delete(oldest);
  }

  accept(held: Held): void {
    this.#pending.delete(held.item.id);
    this.cache.add(held);
  }

  refuse({ item }: Held): void {
    this.#pending.delete(item.id);
  }

  /** As if it had never come. */
  forget({ item }: Held): void {
    this.#pending.delete(item.id);
    this.#seen.forget(item.id);
    this.#createdMin.delete(item.id);
  }

  putUnwanted({ id }: Item): void {
    this.#unwanted.add(id);
  }

  /** Somebody here wants more than before. */
  clearUnwanted(): void {
    this.#unwanted.clear();
  }

  expire(wallMs: number): void {
    this.cache.expire(wallMs);
    for (const [id, createdMin] of this.#createdMin) {
      if (createdMin < pullFromMin(wallMs)) this.#createdMin.delete(id);
    }
  }

  /** All ids we know of items made since `sinceMin`, which is as early as they fit in a PULL. */
  recent(wallMs: number): { readonly sinceMin: number; readonly ids: readonly ItemId[] } {
    const earliestMin = pullFromMin(wallMs);
    const newestFirst = [...this.#createdMin]
      .filter(([, createdMin]) => createdMin >= earliestMin)
      .sort(([, a], [, b]) => b - a);
    const [, tooOldMin] = newestFirst[PULL_IDS_MAX] ?? [];
    const sinceMin = tooOldMin === undefined ? earliestMin : tooOldMin + 1;
    const listed = newestFirst.filter(([, createdMin]) => createdMin >= sinceMin);
    return { sinceMin, ids: listed.map(([id]) => id) };
  }
}

/** How far back items are given in return for a PULL. */
export function pullFromMin(wallMs: number): number {
  return Math.floor(wallMs / 60_000) - PULL_BACK_MIN;
}

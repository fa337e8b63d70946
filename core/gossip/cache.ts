// The items that we can give to others (protocol 4): at most `cache_size`, at most 32 MiB, the oldest out first. No
// neighbour fills more than a quarter of it; beyond that his own go first, so that one who sends much cannot drive out what
// the others brought.

import type { IdentityKey } from '../identity/index.ts';
import { type Item, type ItemId, isOver } from './item.ts';
import type { NeighbourId } from './neighbours.ts';

const BYTES_MAX = 32 << 20;
const SHARE_MAX = 1 / 4;

/** Who brought an item: a neighbour, a module of ours, or somebody through a tunnel that ends here. */
export type Source = IdentityKey | 'own' | 'tunnel';

/** An item at our node. */
export interface Held {
  readonly item: Item;
  readonly source: Source;
  /** Neighbours that have it, as far as we saw; bounded by the connections. */
  readonly holders: Set<NeighbourId>;
  /** How often it was sent to whom on IWANT; bounded by the connections. */
  readonly answers: Map<NeighbourId, number>;
}

export interface CacheLimits {
  readonly itemsMax: number;
  readonly bytesMax?: number;
}

export class ItemCache {
  readonly #itemsMax: number;
  readonly #bytesMax: number;
  readonly #shareMax: number;
  /** In the order they came; at most `itemsMax`, of `bytesMax` together. */
  readonly #items = new Map<ItemId, Held>();
  /** The same by who brought them. */
  readonly #bySource = new Map<Source, Set<ItemId>>();
  #bytes = 0;

  constructor({ itemsMax, bytesMax = BYTES_MAX }: CacheLimits) {
    this.#itemsMax = itemsMax;
    this.#bytesMax = bytesMax;
    this.#shareMax = Math.max(1, Math.floor(itemsMax * SHARE_MAX));
  }

  get size(): number {
    return this.#items.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  find(id: ItemId): Held | undefined {
    return this.#items.get(id);
  }

  values(): Iterable<Held> {
    return this.#items.values();
  }

  add(held: Held): void {
    const { item, source } = held;
    if (source !== 'own' && this.#ofSource(source).size >= this.#shareMax) {
      const [oldest] = this.#ofSource(source);
      if (oldest !== undefined) this.#remove(oldest);
    }
    this.#items.set(item.id, held);
    this.#bySource.set(source, this.#ofSource(source).add(item.id));
    this.#bytes += item.encoded.length;
    while (this.#items.size > this.#itemsMax || this.#bytes > this.#bytesMax) {
      const [oldest] = this.#items.keys();
      if (oldest === undefined) return;
      this.#remove(oldest);
    }
  }

  /** Removes what is over. */
  expire(wallMs: number): void {
    for (const [id, { item }] of this.#items) if (isOver(item, wallMs)) this.#remove(id);
  }

  #ofSource(source: Source): Set<ItemId> {
    return this.#bySource.get(source) ?? new Set();
  }

  #remove(id: ItemId): void {
    const held = this.#items.get(id);
    if (held === undefined) return;
    this.#items.delete(id);
    this.#bytes -= held.item.encoded.length;
    const ofSource = this.#ofSource(held.source);
    ofSource.delete(id);
    if (ofSource.size === 0) this.#bySource.delete(held.source);
  }
}

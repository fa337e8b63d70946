// What waits to be sent to one neighbour: ids of items, the most urgent first, sent no faster than he takes them. Our limits
// are below those he enforces (neighbours.ts), so that what the network holds up and then delivers at once is not too much
// for him. What came from different sources takes turns: whoever floods us does not hold up what others brought.

import type { Source } from './cache.ts';
import type { ItemId } from './item.ts';
import { Rate } from './rate.ts';

/** Against 20/s with a burst of 100, and 128 KiB/s: what was held up for 3 s still fits. */
const ITEMS = { perSecond: 16, burst: 40 };
const BYTES = { perSecond: 96 << 10, burst: 256 << 10 };
/** Of each urgency. A guess: a quarter of a minute at full rate. What does not fit comes by IHAVE or PULL. */
const WAITING_MAX = 256;

/** Asked for, in return for our IHAVE; just accepted here; in return for a PULL. */
const URGENCIES = ['wanted', 'fresh', 'backlog'] as const;

export type Urgency = (typeof URGENCIES)[number];

export class Outbox {
  readonly #items = new Rate(ITEMS);
  readonly #bytes = new Rate(BYTES);
  readonly #turns: Readonly<Record<Urgency, Turns>> = {
    wanted: new Turns(),
    fresh: new Turns(),
    backlog: new Turns(),
  };

  get size(): number {
    const { wanted, fresh, backlog } = this.#turns;
    return wanted.size + fresh.size + backlog.size;
  }

  has(id: ItemId): boolean {
    return URGENCIES.some((urgency) => this.#turns[urgency].has(id));
  }

  add(id: ItemId, source: Source, urgency: Urgency): void {
    if (!this.has(id)) this.#turns[urgency].add(id, source);
  }

  remove(id: ItemId): void {
    for (const urgency of URGENCIES) this.#turns[urgency].remove(id);
  }

  /** Takes out what may go now. `bytesOf` is undefined for what is not there any more. */
  take(bytesOf: (id: ItemId) => number | undefined, nowMs: number): ItemId[] {
    const taken: ItemId[] = [];
    if (this.size === 0) return taken;
    for (const urgency of URGENCIES) {
      const turns = this.#turns[urgency];
      for (let id = turns.next(); id !== undefined; id = turns.next()) {
        const bytes = bytesOf(id);
        if (bytes !== undefined && !this.#pay(bytes, nowMs)) return taken;
        if (bytes === undefined) turns.remove(id);
        else {
          turns.take(id);
          taken.push(id);
        }
      }
    }
    return taken;
  }

  #pay(bytes: number, nowMs: number): boolean {
    return (
      this.#items.has(1, nowMs) && this.#bytes.take(bytes, nowMs) && this.#items.take(1, nowMs)
    );
  }
}

/** A queue for each source; whose turn it is comes first. */
class Turns {
  readonly #bySource = new Map<Source, Set<ItemId>>();
  /** All of them; at most WAITING_MAX. */
  readonly #sources = new Map<ItemId, Source>();

  get size(): number {
    return this.#sources.size;
  }

  has(id: ItemId): boolean {
    return this.#sources.has(id);
  }

  /** If there are too many, the last of the longest queue goes. */
  add(id: ItemId, source: Source): void {
    this.#bySource.set(source, (this.#bySource.get(source) ?? new Set()).add(id));
    this.#sources.set(id, source);
    if (this.size <= WAITING_MAX) return;
    const longest = [...this.#bySource.values()].reduce((a, b) => (b.size > a.size ? b : a));
    const last = [...longest].at(-1);
    if (last !== undefined) this.remove(last);
  }

  next(): ItemId | undefined {
    const [first] = this.#bySource.values();
    return first?.values().next().value;
  }

  /** It goes out, and its source has had its turn. */
  take(id: ItemId): void {
    const source = this.#sources.get(id);
    this.remove(id);
    const queue = source && this.#bySource.get(source);
    if (source === undefined || queue === undefined) return;
    this.#bySource.delete(source);
    this.#bySource.set(source, queue);
  }

  remove(id: ItemId): void {
    const source = this.#sources.get(id);
    const queue = source && this.#bySource.get(source);
    if (source === undefined || queue === undefined) return;
    this.#sources.delete(id);
    queue.delete(id);
    if (queue.size === 0) this.#bySource.delete(source);
  }
}

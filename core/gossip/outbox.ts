// What waits to be sent to one neighbour: ids of items, the most urgent first, sent no faster than he takes them. Our limits
// are below those he enforces (spread.ts), so that what the network holds up and then delivers at once is not too much for
// him.

import type { ItemId } from './item.ts';
import { Rate } from './rate.ts';

/** Against 20/s with a burst of 100, and 128 KiB/s: what was held up for 3 s still fits. */
const ITEMS = { perSecond: 16, burst: 40 };
const BYTES = { perSecond: 96 << 10, burst: 256 << 10 };
/** A guess: a quarter of a minute at full rate. What does not fit comes by PULL. */
const WAITING_MAX = 256;

/** Asked for, in return for our IHAVE; just accepted here; in return for a PULL. */
const URGENCIES = ['wanted', 'fresh', 'backlog'] as const;

export type Urgency = (typeof URGENCIES)[number];

export class Outbox {
  readonly #items = new Rate(ITEMS);
  readonly #bytes = new Rate(BYTES);
  /** At most WAITING_MAX in all. */
  readonly #waiting: Readonly<Record<Urgency, Set<ItemId>>> = {
    wanted: new Set(),
    fresh: new Set(),
    backlog: new Set(),
  };

  get size(): number {
    const { wanted, fresh, backlog } = this.#waiting;
    return wanted.size + fresh.size + backlog.size;
  }

  has(id: ItemId): boolean {
    return URGENCIES.some((urgency) => this.#waiting[urgency].has(id));
  }

  add(id: ItemId, urgency: Urgency): void {
    if (this.has(id) || this.size >= WAITING_MAX) return;
    this.#waiting[urgency].add(id);
  }

  remove(id: ItemId): void {
    for (const urgency of URGENCIES) this.#waiting[urgency].delete(id);
  }

  /** Takes out what may go now. `bytesOf` is undefined for what is not there any more. */
  take(bytesOf: (id: ItemId) => number | undefined, nowMs: number): ItemId[] {
    const taken: ItemId[] = [];
    if (this.size === 0) return taken;
    for (const urgency of URGENCIES) {
      for (const id of this.#waiting[urgency]) {
        const bytes = bytesOf(id);
        if (bytes !== undefined) {
          if (!this.#items.has(1, nowMs) || !this.#bytes.take(bytes, nowMs)) return taken;
          this.#items.take(1, nowMs);
          taken.push(id);
        }
        this.#waiting[urgency].delete(id);
      }
    }
    return taken;
  }
}

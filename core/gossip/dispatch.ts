// Sending items to neighbours: whether one may go there at all, with which ttl, and how soon.

import type { Held } from './cache.ts';
import type { Holdings } from './holdings.ts';
import { type ItemId, isOver, withTtl } from './item.ts';
import type { Neighbour } from './neighbours.ts';
import type { Urgency } from './outbox.ts';
import type { Now, SendMessage } from './port.ts';
import { onwardTtl } from './ttl.ts';

export interface DispatchOptions {
  readonly holdings: Holdings;
  /** Whether it gets fresh items counted down (ttl.ts): always the same for one neighbour. */
  countsDown(neighbour: Neighbour): boolean;
  readonly send: SendMessage;
}

export class Dispatch {
  readonly #options: DispatchOptions;

  constructor(options: DispatchOptions) {
    this.#options = options;
  }

  mayGo(held: Held, to: Neighbour, { wallMs }: Now): boolean {
    return this.#ttl(held, to) !== undefined && !isOver(held.item, wallMs);
  }

  /** Goes when it is its turn; `flush` sends what may go now. */
  put(held: Held, to: Neighbour, urgency: Urgency, now: Now): void {
    if (this.mayGo(held, to, now)) to.outbox.add(held.item.id, held.source, urgency);
  }

  flush(to: Neighbour, { nowMs }: Now): void {
    const { cache } = this.#options.holdings;
    const bytesOf = (id: ItemId): number | undefined => cache.find(id)?.item.encoded.length;
    for (const id of to.outbox.take(bytesOf, nowMs)) {
      const held = cache.find(id);
      const ttl = held && this.#ttl(held, to);
      if (held === undefined || ttl === undefined) continue;
      this.#options.send(to, { type: 'push', item: withTtl(held.item.encoded, ttl) });
    }
  }

  #ttl({ item, source }: Held, to: Neighbour): number | undefined {
    return onwardTtl(item.ttl, source === 'own', this.#options.countsDown(to));
  }
}

// A flood of contacts without Gossip: what somebody announces reaches some of the others, and who begins to listen gets
// some of what was announced before, as by PULL.

import type { Flood, FloodListener } from '../../module-api/index.ts';
import { type Rng, shuffled, type Timers } from '../../runtime/index.ts';

/** Neighbours, and some of theirs. */
const REACHED = 12;
const KEPT = 64;
const GIVEN = 6;
const LATENCY_MS = 200;

export class ContactFlood {
  readonly #rng: Rng;
  readonly #listeners = new Set<FloodListener>();
  #kept: Uint8Array[] = [];

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  /** For one node; its timers end with it. */
  join(timers: Timers): { readonly flood: Flood; leave(): void } {
    let own: FloodListener | undefined;
    const flood: Flood = {
      listen: (_, listener) => {
        own = listener;
        this.#listeners.add(listener);
        const given = shuffled(this.#rng, this.#kept).slice(0, GIVEN);
        timers.after(LATENCY_MS, () => {
          listener.onUp();
          for (const data of given) tell(listener, data);
        });
      },
      announce: (_, data) => void timers.after(LATENCY_MS, () => this.#spread(data, own)),
    };
    const leave = (): void => {
      if (own !== undefined) this.#listeners.delete(own);
    };
    return { flood, leave };
  }

  #spread(data: Uint8Array, from: FloodListener | undefined): void {
    this.#kept = [...this.#kept.slice(1 - KEPT), data];
    const others = [...this.#listeners].filter((listener) => listener !== from);
    for (const listener of shuffled(this.#rng, others).slice(0, REACHED)) tell(listener, data);
  }
}

function tell(listener: FloodListener, data: Uint8Array): void {
  listener.onItem({ data, answer: () => {} });
}

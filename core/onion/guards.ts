// Entry guards (protocol 3.4): the first hop comes from a small set that is kept for weeks, so that a bad peer has one
// chance in a month to stand next to us and not one every round. `guards = 0` gives the specification's letter: every hop
// fresh, every round.

import type { IdentityKey } from '../identity/index.ts';
import { type Rng, randomBetween } from '../runtime/index.ts';
import type { Peer } from './peer.ts';

const DAY_MS = 24 * 3600 * 1000;
const LIFETIME_DAYS = { min: 20, max: 40 };
/** An attacker who keeps killing guards must not be able to walk us to his. */
const NEW_GUARDS_MAX = 6;
const NEW_GUARDS_WINDOW_MS = 30 * DAY_MS;

/** As it is kept on disk. Times are Unix milliseconds. */
export interface Guard {
  readonly peer: Peer;
  readonly sinceMs: number;
  readonly untilMs: number;
}

export interface GuardsOptions {
  readonly rng: Rng;
  /** How many are used; 0: none. */
  readonly count: number;
  readonly saved: readonly Guard[];
  /** Keeps the set; called whenever it changes. */
  save(guards: readonly Guard[]): void;
}

export class Guards {
  readonly #options: GuardsOptions;
  /** Also those whose time is over, for as long as they count against NEW_GUARDS_MAX. */
  #guards: readonly Guard[];

  constructor(options: GuardsOptions) {
    this.#options = options;
    this.#guards = options.saved;
  }

  /** The first guard that is not avoided now; undefined when there is none, or guards are off. */
  choose(isAvoided: (key: IdentityKey) => boolean): Peer | undefined {
    return this.#guards.find(({ peer, untilMs }) => untilMs > 0 && !isAvoided(peer.key))?.peer;
  }

  /** Offers peers that RPS gave; some become guards when places are free. */
  offer(peers: readonly Peer[], wallMs: number): void {
    const before = this.#guards;
    this.#expire(wallMs);
    for (const peer of peers) if (this.#mayTake(peer, wallMs)) this.#take(peer, wallMs);
    if (this.#guards !== before) this.#options.save(this.#guards);
  }

  #expire(wallMs: number): void {
    const keeps = ({ untilMs, sinceMs }: Guard): boolean =>
      wallMs < untilMs || wallMs < sinceMs + NEW_GUARDS_WINDOW_MS;
    if (this.#guards.every((guard) => keeps(guard) && wallMs < guard.untilMs)) return;
    this.#guards = this.#guards
      .filter(keeps)
      .map((guard) => (wallMs < guard.untilMs ? guard : { ...guard, untilMs: 0 }));
  }

  #mayTake({ key }: Peer, wallMs: number): boolean {
    const inUse = this.#guards.filter(({ untilMs }) => untilMs > 0);
    const recent = this.#guards.filter(({ sinceMs }) => wallMs < sinceMs + NEW_GUARDS_WINDOW_MS);
    return (
      inUse.length < this.#options.count &&
      recent.length < NEW_GUARDS_MAX &&
      !this.#guards.some(({ peer }) => peer.key === key)
    );
  }

  #take(peer: Peer, wallMs: number): void {
    const days = randomBetween(this.#options.rng, LIFETIME_DAYS.min, LIFETIME_DAYS.max);
    this.#guards = [...this.#guards, { peer, sinceMs: wallMs, untilMs: wallMs + days * DAY_MS }];
  }
}

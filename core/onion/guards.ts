// Entry guards (protocol 3.4): the first hop comes from a small set that is kept for weeks, so that a bad peer has one
// chance in a month to stand next to us and not one every round. Spares join only when none of the set can be used, and
// never more than six in 30 days: an attacker who keeps killing guards must not be able to walk us to his. `guards = 0`
// gives the specification's letter: every hop fresh, every round.
//
// When a guard can be used is for the caller to say (path-choice.ts).

import type { IdentityKey } from '../identity/index.ts';
import { type Rng, randomBetween } from '../runtime/index.ts';
import type { Peer } from './peer.ts';

const DAY_MS = 24 * 3600 * 1000;
const LIFETIME_DAYS = { min: 20, max: 40 };
/** Two primary ones and four spares: as many at once, and as many different ones in the window. */
const GUARDS_MAX = 6;
const WINDOW_MS = 30 * DAY_MS;

/** As it is kept on disk. Times are Unix milliseconds. */
export interface Guard {
  readonly peer: Peer;
  readonly sinceMs: number;
  readonly untilMs: number;
}

export interface GuardsOptions {
  readonly rng: Rng;
  /** How many are taken without need; 0: none, and no guards at all. */
  readonly count: number;
  readonly saved: readonly Guard[];
  /** Keeps the set; called whenever it changes. */
  save(guards: readonly Guard[]): void;
}

export class Guards {
  readonly #options: GuardsOptions;
  /** Oldest first, also those whose time is over while they count in the window: at most 2 · GUARDS_MAX. */
  #guards: readonly Guard[];

  constructor(options: GuardsOptions) {
    this.#options = options;
    this.#guards = options.saved;
  }

  /** Whether first hops may only be guards. */
  get areUsed(): boolean {
    return this.#options.count > 0;
  }

  /** Also when its time is over. */
  has({ key }: Peer): boolean {
    return this.#guards.some(({ peer }) => peer.key === key);
  }

  /** Whether its time is not over. */
  isInUse(key: IdentityKey, wallMs: number): boolean {
    return this.#inUse(wallMs).some(({ peer }) => peer.key === key);
  }

  keysInUse(wallMs: number): readonly IdentityKey[] {
    return this.#inUse(wallMs).map(({ peer }) => peer.key);
  }

  /** The guard to use now; new ones come from `candidates`, as RPS gave them. Undefined: there is none. */
  choose(
    candidates: readonly Peer[],
    isUsable: (peer: Peer) => boolean,
    wallMs: number,
  ): Peer | undefined {
    if (!this.areUsed) return undefined;
    const before = this.#guards;
    this.#forgetOld(wallMs);
    this.#followAddresses(candidates, isUsable);
    const usable = candidates.filter(isUsable);
    for (const peer of usable) {
      if (this.#inUse(wallMs).length < this.#options.count) this.#take(peer, wallMs);
    }
    const isReady = (): Guard | undefined => this.#inUse(wallMs).find(({ peer }) => isUsable(peer));
    const [spare] = usable;
    if (isReady() === undefined && spare !== undefined) this.#take(spare, wallMs);
    if (this.#guards !== before) this.#options.save(this.#guards);
    return isReady()?.peer;
  }

  #inUse(wallMs: number): readonly Guard[] {
    return this.#guards.filter(({ untilMs }) => wallMs < untilMs);
  }

  #forgetOld(wallMs: number): void {
    const keeps = ({ sinceMs, untilMs }: Guard): boolean =>
      wallMs < untilMs || wallMs < sinceMs + WINDOW_MS;
    if (!this.#guards.every(keeps)) this.#guards = this.#guards.filter(keeps);
  }

  /** A guard that cannot be used may have moved; who it is its link will prove. */
  #followAddresses(candidates: readonly Peer[], isUsable: (peer: Peer) => boolean): void {
    for (const candidate of candidates) {
      const { ip, port } = candidate.address;
      const hasMoved = ({ peer }: Guard): boolean =>
        peer.key === candidate.key &&
        (peer.address.ip !== ip || peer.address.port !== port) &&
        !isUsable(peer);
      if (!this.#guards.some(hasMoved)) continue;
      this.#guards = this.#guards.map((guard) =>
        hasMoved(guard) ? { ...guard, peer: candidate } : guard,
      );
    }
  }

  #take(peer: Peer, wallMs: number): void {
    const recent = this.#guards.filter(({ sinceMs }) => wallMs < sinceMs + WINDOW_MS);
    const isFull = recent.length >= GUARDS_MAX || this.#inUse(wallMs).length >= GUARDS_MAX;
    if (isFull || this.has(peer)) return;
    const days = randomBetween(this.#options.rng, LIFETIME_DAYS.min, LIFETIME_DAYS.max);
    const guard = { peer, sinceMs: wallMs, untilMs: wallMs + days * DAY_MS };
    this.#guards = [...this.#guards, guard];
  }
}

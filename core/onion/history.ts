// How other peers served our tunnels (protocol 3.8, "Local statistics"): exponentially weighted successes and failures,
// and who failed, or may have failed, just now. Never told to anybody. Who fails more than half the time is not chosen.
// Whatever its place in the path: a count for each place would be of too few uses to say anything for weeks.

import type { IdentityKey } from '../identity/index.ts';

/** Half of a count is forgotten in this time; the protocol's 7 days as a weight. */
const HALF_LIFE_MS = 7 * 24 * 3600 * 1000;
const USES_MIN = 10;
const FAILURE_MAX = 0.5;
/** Peers remembered, the least recently used forgotten first: more than RPS has samplers, many times. */
export const PEERS_MAX = 4096;

export type Outcome = 'good' | 'bad';

interface Uses {
  readonly good: number;
  readonly bad: number;
  readonly atMs: number;
  readonly pausedUntilMs: number;
  readonly suspectUntilMs: number;
}

const UNUSED: Uses = { good: 0, bad: 0, atMs: 0, pausedUntilMs: 0, suspectUntilMs: 0 };

export class History {
  /** At most PEERS_MAX, in the order of last use. */
  readonly #peers = new Map<IdentityKey, Uses>();

  record(key: IdentityKey, outcome: Outcome, nowMs: number): void {
    const before = this.#decayed(key, nowMs);
    this.#remember(key, { ...before, [outcome]: before[outcome] + 1 });
  }

  /** It did not do its part: it may be off, or busy, for the moment. */
  pause(key: IdentityKey, untilMs: number, nowMs: number): void {
    this.#remember(key, { ...this.#decayed(key, nowMs), pausedUntilMs: untilMs });
  }

  /** It or another one did not do its part. */
  suspect(key: IdentityKey, untilMs: number, nowMs: number): void {
    this.#remember(key, { ...this.#decayed(key, nowMs), suspectUntilMs: untilMs });
  }

  isPaused(key: IdentityKey, nowMs: number): boolean {
    return nowMs < (this.#peers.get(key)?.pausedUntilMs ?? nowMs);
  }

  isSuspect(key: IdentityKey, nowMs: number): boolean {
    return nowMs < (this.#peers.get(key)?.suspectUntilMs ?? nowMs);
  }

  isBad(key: IdentityKey, nowMs: number): boolean {
    return (this.failureShare(key, nowMs) ?? 0) > FAILURE_MAX;
  }

  /** Undefined after too few uses to say. */
  failureShare(key: IdentityKey, nowMs: number): number | undefined {
    const { good, bad } = this.#decayed(key, nowMs);
    // Decay takes a little off even the latest uses.
    return Math.round(good + bad) >= USES_MIN ? bad / (good + bad) : undefined;
  }

  #remember(key: IdentityKey, uses: Uses): void {
    this.#peers.delete(key);
    this.#peers.set(key, uses);
    const [oldest] = this.#peers.keys();
    if (this.#peers.size > PEERS_MAX && oldest !== undefined) this.#peers.delete(oldest);
  }

  #decayed(key: IdentityKey, nowMs: number): Uses {
    const uses = this.#peers.get(key) ?? UNUSED;
    const weight = 2 ** ((uses.atMs - nowMs) / HALF_LIFE_MS);
    return { ...uses, good: uses.good * weight, bad: uses.bad * weight, atMs: nowMs };
  }
}

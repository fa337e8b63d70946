// How other peers served our tunnels (protocol 3.8, "Local statistics"): exponentially weighted successes and failures.
// Never told to anybody. Who fails more than half the time is not chosen; who failed just now is left alone for a while.

import type { IdentityKey } from '../identity/index.ts';

/** Half of a count is forgotten in this time; the protocol's 7 days as a weight. */
const HALF_LIFE_MS = 7 * 24 * 3600 * 1000;
const USES_MIN = 10;
const FAILURE_MAX = 0.5;
/** A guess: long enough that a dead peer is gone from the samplers, short enough for a small network. */
const PAUSE_MS = 60_000;
/** Peers remembered, the least recently used forgotten first: more than RPS has samplers, many times. */
const PEERS_MAX = 4096;

interface Uses {
  readonly good: number;
  readonly bad: number;
  readonly atMs: number;
  readonly pausedUntilMs: number;
}

export class History {
  /** At most PEERS_MAX, in the order of last use. */
  readonly #peers = new Map<IdentityKey, Uses>();

  record(key: IdentityKey, outcome: 'good' | 'bad', nowMs: number): void {
    const before = this.#decayed(key, nowMs);
    this.#peers.delete(key);
    this.#peers.set(key, {
      good: before.good + (outcome === 'good' ? 1 : 0),
      bad: before.bad + (outcome === 'bad' ? 1 : 0),
      atMs: nowMs,
      pausedUntilMs: outcome === 'bad' ? nowMs + PAUSE_MS : 0,
    });
    const [oldest] = this.#peers.keys();
    if (this.#peers.size > PEERS_MAX && oldest !== undefined) this.#peers.delete(oldest);
  }

  isAvoided(key: IdentityKey, nowMs: number): boolean {
    const { good, bad, pausedUntilMs } = this.#decayed(key, nowMs);
    if (nowMs < pausedUntilMs) return true;
    return good + bad >= USES_MIN && bad / (good + bad) > FAILURE_MAX;
  }

  #decayed(key: IdentityKey, nowMs: number): Uses {
    const uses = this.#peers.get(key);
    if (uses === undefined) return { good: 0, bad: 0, atMs: nowMs, pausedUntilMs: 0 };
    const weight = 2 ** ((uses.atMs - nowMs) / HALF_LIFE_MS);
    return { ...uses, good: uses.good * weight, bad: uses.bad * weight };
  }
}

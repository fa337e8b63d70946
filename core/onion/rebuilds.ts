// How often and when a tunnel that failed is built again (protocol 3.8): after a random moment, so that the cause does
// not show, and twice per round at the most, because each rebuild is another sample for whoever kills tunnels he does not
// control.

import { type Rng, randomBetween } from '../runtime/index.ts';
import type { OnionTiming } from './timing.ts';

/** REBUILD_MAX_PER_ROUND. */
export const REBUILDS_MAX = 2;

export class Rebuilds {
  readonly #timing: OnionTiming;
  readonly #rng: Rng;
  /** The first tunnel of all is no rebuild. */
  #left = 1 + REBUILDS_MAX;
  #atMs: number;

  /** The first is due at once. */
  constructor(timing: OnionTiming, rng: Rng, nowMs: number) {
    this.#timing = timing;
    this.#rng = rng;
    this.#atMs = nowMs;
  }

  get areSpent(): boolean {
    return this.#left === 0;
  }

  onNewRound(): void {
    this.#left = REBUILDS_MAX;
  }

  plan(nowMs: number): void {
    const { rebuildEarliestMs, rebuildLatestMs } = this.#timing;
    const atMs = nowMs + randomBetween(this.#rng, rebuildEarliestMs, rebuildLatestMs);
    this.#atMs = Math.min(this.#atMs, atMs);
  }

  /** Which of these are to be built now. They count as rebuilt. */
  take(missing: readonly number[], nowMs: number): readonly number[] {
    if (nowMs < this.#atMs) return [];
    this.#atMs = Number.POSITIVE_INFINITY;
    const taken = missing.slice(0, this.#left);
    this.#left -= taken.length;
    return taken;
  }

  nextDeadlineMs(): number {
    return this.#atMs;
  }
}

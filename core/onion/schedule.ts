// When a round's events happen for us (protocol 2.2): the switch to the round's tunnel, the teardown of the last one, the
// moment at which the next is begun. Every moment is random within its window, drawn once per round, the same for calls
// and cover.

import { type Rng, randomBetween } from '../runtime/index.ts';
import { type OnionTiming, roundStartMs } from './timing.ts';

export interface RoundSchedule {
  readonly round: number;
  /** Wall times. */
  readonly switchMs: number;
  readonly teardownMs: number;
  readonly buildNextMs: number;
}

export function scheduleOf(timing: OnionTiming, round: number, rng: Rng): RoundSchedule {
  const startMs = roundStartMs(timing, round);
  const endMs = roundStartMs(timing, round + 1);
  const { switchOverlapMs, drainEarliestMs, drainLatestMs } = timing;
  // What is under way at the latest switch still has the shortest drain before it.
  const teardownEarliestMs = switchOverlapMs + drainEarliestMs;
  return {
    round,
    switchMs: startMs + randomBetween(rng, 0, switchOverlapMs),
    teardownMs: startMs + randomBetween(rng, teardownEarliestMs, drainLatestMs),
    buildNextMs: endMs - randomBetween(rng, timing.buildLatestMs, timing.buildEarliestMs),
  };
}

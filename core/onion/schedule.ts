// When a round's events happen for us (protocol 2.2): the moment the next tunnel is begun, the switch to it, the teardown
// of the last. Every moment is random within its window, drawn once per round, the same for calls and cover.

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
  return {
    round,
    switchMs: startMs + randomBetween(rng, 0, timing.switchOverlapMs),
    teardownMs:
      startMs +
      timing.switchOverlapMs +
      randomBetween(rng, timing.drainEarliestMs, timing.drainLatestMs),
    buildNextMs: endMs - randomBetween(rng, timing.buildLatestMs, timing.buildEarliestMs),
  };
}

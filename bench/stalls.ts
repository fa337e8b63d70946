// What the machine itself does to whoever wants to be on time: a program that does nothing but look at the clock is
// stopped now and then, by the system or by whoever shares the machine. No figure about lateness can be better.

import type { Recorder } from './harness.ts';

const RUNS = 3;
const RUN_MS = 1000;
/** The clock is looked at more often than this while nothing stops us. */
const GAP_MIN_MS = 0.1;

export function benchStalls(recorder: Recorder): void {
  const runs = Array.from({ length: RUNS }, stallsOf);
  const shares = runs.map((stalls) => stalls.reduce((sum, ms) => sum + ms, 0) / RUN_MS);
  const lateMs = runs.map((stalls) => lateAt99(stalls));
  recorder.add(
    'the machine itself: stalled',
    '%',
    shares.map((share) => 100 * share),
  );
  recorder.add('the machine itself: late by p99', 'ms', lateMs);
}

/** In milliseconds each, from a run with nothing else to do. */
function stallsOf(): number[] {
  const stalls: number[] = [];
  const endMs = performance.now() + RUN_MS;
  for (let lastMs = performance.now(); lastMs < endMs; ) {
    const nowMs = performance.now();
    if (nowMs - lastMs > GAP_MIN_MS) stalls.push(nowMs - lastMs);
    lastMs = nowMs;
  }
  return stalls;
}

/** By how much something due at any moment is late, but for one time in a hundred. */
function lateAt99(stalls: readonly number[]): number {
  const sorted = stalls.toSorted((a, b) => b - a);
  // At a lateness of x every longer stall has its first part, all but x, in which one would be later than that.
  let [longerMs, longer] = [0, 0];
  for (const stall of sorted) {
    if (longerMs - longer * stall > RUN_MS / 100) break;
    longerMs += stall;
    longer++;
  }
  return longer === 0 ? 0 : Math.max(0, (longerMs - RUN_MS / 100) / longer);
}

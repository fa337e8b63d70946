// The system's clock and timers.

import { performance } from 'node:perf_hooks';
import type { Clock, Timers } from './time.ts';

/** The longest delay `setTimeout` takes; it treats anything longer as 1 ms. */
const TIMEOUT_MAX_MS = 2 ** 31 - 1;

export const realClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
};

export const realTimers: Timers = {
  after(delayMs, run) {
    const deadlineMs = performance.now() + delayMs;
    let handle = setTimeout(step, Math.min(delayMs, TIMEOUT_MAX_MS));
    function step(): void {
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) run();
      else handle = setTimeout(step, Math.min(leftMs, TIMEOUT_MAX_MS));
    }
    return { cancel: () => clearTimeout(handle) };
  },
};

// Watches one tunnel of ours (protocol 3.8): is it alive, and does it lose more than it may? At 50 cells a second even
// 90 % loss leaves enough to tell a bad path from a dead one.

import type { Failing } from './plane-port.ts';
import type { OnionTiming } from './timing.ts';

/** Loss is measured over this, and must be high twice in a row. */
const WINDOW_MS = 5000;
const LOSS_MAX = 0.25;

export class Watch {
  readonly #timing: OnionTiming;
  #authentic = 0;
  #aliveMs: number | undefined;
  #window: { readonly startMs: number; readonly authentic: number } | undefined;
  #lossyWindows = 0;

  constructor(timing: OnionTiming) {
    this.#timing = timing;
  }

  /** `authentic` counts cells since the tunnel began. Answers what is wrong, if anything is. */
  judge(authentic: number, nowMs: number): Failing | undefined {
    if (authentic > this.#authentic || this.#aliveMs === undefined) this.#aliveMs = nowMs;
    this.#authentic = authentic;
    if (nowMs - this.#aliveMs >= this.#timing.tunnelTimeoutMs) return 'silent';
    return this.#isLossy(authentic, nowMs) ? 'lossy' : undefined;
  }

  /** There is another hop to judge: until its answer has come, what it sends cannot be opened. */
  restart(): void {
    this.#aliveMs = undefined;
    this.#window = undefined;
    this.#lossyWindows = 0;
  }

  #isLossy(authentic: number, nowMs: number): boolean {
    this.#window ??= { startMs: nowMs, authentic };
    const tookMs = nowMs - this.#window.startMs;
    if (tookMs >= WINDOW_MS) {
      const expected = tookMs / this.#timing.tickMs;
      const lost = 1 - (authentic - this.#window.authentic) / expected;
      this.#lossyWindows = lost > LOSS_MAX ? this.#lossyWindows + 1 : 0;
      this.#window = { startMs: nowMs, authentic };
    }
    return this.#lossyWindows >= 2;
  }
}

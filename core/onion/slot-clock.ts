// Runs the pacer on a runtime's timers: calls `send` for each stream in its slots, and gives up a stream that has ended.
// A slot in which a link cannot send is lost and nothing else: the stream goes on until its circuit ends.

import { type Runtime, randomBetween, type Timer } from '../runtime/index.ts';
import type { SlotStream } from './circuits.ts';
import { Pacer } from './pacer.ts';

export interface SlotClockOptions {
  readonly runtime: Pick<Runtime, 'clock' | 'timers' | 'rng'>;
  readonly tickMs: number;
  /** Whether there was a cell, and a link to send it on. */
  send(stream: SlotStream): boolean;
}

export class SlotClock {
  readonly #options: SlotClockOptions;
  readonly #pacer: Pacer<SlotStream>;
  readonly #ended: SlotStream[] = [];
  readonly #onTimer = (): void => this.#run();
  readonly #sendOne = (stream: SlotStream): void => this.#send(stream);
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(options: SlotClockOptions) {
    this.#options = options;
    this.#pacer = new Pacer(options.tickMs);
  }

  /** Slots lost to stalls since the start. */
  get skipped(): number {
    return this.#pacer.skipped;
  }

  /** From now on, at a random phase. */
  start(stream: SlotStream): void {
    const { runtime, tickMs } = this.#options;
    this.move(stream, randomBetween(runtime.rng, 0, tickMs));
  }

  move(stream: SlotStream, phaseMs: number): void {
    this.#pacer.place(stream, phaseMs, this.#nowMs());
    this.#schedule();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #nowMs(): number {
    return this.#options.runtime.clock.nowMs();
  }

  #schedule(): void {
    this.#timer?.cancel();
    const deadlineMs = this.#pacer.nextDeadlineMs();
    if (this.#isStopped || deadlineMs === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.max(0, deadlineMs - this.#nowMs());
    this.#timer = this.#options.runtime.timers.after(delayMs, this.#onTimer);
  }

  #run(): void {
    this.#pacer.run(this.#nowMs(), this.#sendOne);
    for (let ended = this.#ended.pop(); ended !== undefined; ended = this.#ended.pop()) {
      this.#pacer.remove(ended);
    }
    this.#schedule();
  }

  #send(stream: SlotStream): void {
    if (!this.#options.send(stream) && stream.isEnding) this.#ended.push(stream);
  }
}

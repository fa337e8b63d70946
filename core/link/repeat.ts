// Sending again what may have been lost: the side that asks does so by itself, the side that answers when the question
// comes again. Both only so often, because a link that is not verified yet takes no more than SETUP_CELLS_MAX cells.

import { equalBytes } from '../bytes/index.ts';

/** The gaps run from when it was really sent, so that a stall does not end in a burst. */
export class Repeat<T> {
  readonly #question: readonly T[];
  readonly #gapsMs: number[];
  #nextMs: number;

  /** Due at `nowMs`, then after each of the gaps. */
  constructor(question: readonly T[], gapsMs: readonly number[], nowMs: number) {
    this.#question = question;
    this.#gapsMs = [...gapsMs];
    this.#nextMs = nowMs;
  }

  get nextMs(): number {
    return this.#nextMs;
  }

  due(nowMs: number): readonly T[] {
    if (nowMs < this.#nextMs) return [];
    this.#nextMs = nowMs + (this.#gapsMs.shift() ?? Number.POSITIVE_INFINITY);
    return this.#question;
  }
}

export class Reply<T> {
  readonly #question: Uint8Array;
  readonly #answer: readonly T[];
  #left: number;

  /** Copies the question. */
  constructor(question: Uint8Array, answer: readonly T[], times: number) {
    this.#question = new Uint8Array(question);
    this.#answer = answer;
    this.#left = times;
  }

  isTo(question: Uint8Array): boolean {
    return equalBytes(this.#question, question);
  }

  give(): readonly T[] {
    if (this.#left === 0) return [];
    this.#left--;
    return this.#answer;
  }
}

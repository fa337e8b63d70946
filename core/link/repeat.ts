// Saying again what may have been lost, at fixed intervals and only so often.

/** The gaps run from when it was really said, so that a stall does not end in a burst. */
export class Repeat<T> {
  readonly #what: readonly T[];
  readonly #gapsMs: number[];
  #nextMs: number;

  /** Due at `nowMs`, then after each of the gaps. */
  constructor(what: readonly T[], gapsMs: readonly number[], nowMs: number) {
    this.#what = what;
    this.#gapsMs = [...gapsMs];
    this.#nextMs = nowMs;
  }

  get nextMs(): number {
    return this.#nextMs;
  }

  due(nowMs: number): readonly T[] {
    if (nowMs < this.#nextMs) return [];
    this.#nextMs = nowMs + (this.#gapsMs.shift() ?? Number.POSITIVE_INFINITY);
    return this.#what;
  }
}

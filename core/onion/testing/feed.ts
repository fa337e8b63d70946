// Waiting for what other processes do, for tests: a list that grows, and those who wait for something in it.

import { realRuntime } from '../../runtime/index.ts';

/** Far longer than anything in a test takes. */
const PATIENCE_MS = 120_000;

export class Feed<T> {
  readonly #entries: T[] = [];
  readonly #waiting = new Set<() => void>();

  get entries(): readonly T[] {
    return this.#entries;
  }

  add(entry: T): void {
    this.#entries.push(entry);
    for (const look of this.#waiting) look();
  }

  /** The place of the first entry, at `from` or behind it, that is so: one that is here, or comes. */
  async until(isSo: (entry: T) => boolean, what: string, from = 0): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    let at = from;
    const look = (): void => {
      while (at < this.#entries.length && !this.#isSo(isSo, at)) at++;
      if (at < this.#entries.length) resolve(at);
    };
    const timer = realRuntime.timers.after(PATIENCE_MS, () => reject(new Error(`never: ${what}`)));
    this.#waiting.add(look);
    look();
    return promise.finally(() => {
      timer.cancel();
      this.#waiting.delete(look);
    });
  }

  #isSo(isSo: (entry: T) => boolean, at: number): boolean {
    const entry = this.#entries[at];
    return entry !== undefined && isSo(entry);
  }
}

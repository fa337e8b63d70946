import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReplayWindow } from './replay.ts';

/** What the window does, as slowly and plainly as possible. */
class SlowWindow {
  readonly #size: number;
  readonly #seen = new Set<number>();

  constructor(size: number) {
    this.#size = size;
  }

  accept(counter: number): boolean {
    const highest = Math.max(-1, ...this.#seen);
    if (counter <= highest - this.#size || this.#seen.has(counter)) return false;
    this.#seen.add(counter);
    return true;
  }
}

const STARTS = [0, 2 ** 31 - 40, 2 ** 32 - 40, 2 ** 48 - 40];

describe('replay window', () => {
  it.each([32, 64, 1024, 2048])('of %d counters agrees with a set of all counters', (size) => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: -40, max: 40 }) },
      { weight: 2, arbitrary: fc.integer({ min: -size - 40, max: size + 40 }) },
      { weight: 1, arbitrary: fc.integer({ min: -size - 1, max: -size + 1 }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 5 * size }) },
    );
    fc.assert(
      fc.property(fc.constantFrom(...STARTS), fc.array(step, { maxLength: 80 }), (start, steps) => {
        const fast = new ReplayWindow(size);
        const slow = new SlowWindow(size);
        let highest = start;
        for (const offset of steps) {
          const counter = Math.max(0, highest + offset);
          expect(fast.accept(counter)).toBe(slow.accept(counter));
          highest = Math.max(highest, counter);
        }
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it('takes each counter once, in any order within the window', () => {
    const window = new ReplayWindow(64);
    const backwards = Array.from({ length: 64 }, (_, i) => 63 - i);
    expect(backwards.every((counter) => window.accept(counter))).toBe(true);
    expect(backwards.some((counter) => window.accept(counter))).toBe(false);
  });

  it('reaches exactly its size back', () => {
    const window = new ReplayWindow(64);
    window.accept(1000);
    expect(window.accept(1000 - 64)).toBe(false);
    expect(window.accept(1000 - 63)).toBe(true);
  });

  it('has a clean window behind any jump', () => {
    for (let jump = 1; jump < 300; jump++) {
      const window = new ReplayWindow(64);
      for (let counter = 0; counter < 200; counter++) window.accept(counter);
      const highest = 199 + jump;
      window.accept(highest);
      for (let counter = Math.max(200, highest - 63); counter < highest; counter++) {
        expect(window.accept(counter)).toBe(true);
      }
    }
  });

  it('forgets nothing across a jump to the last counter', () => {
    const window = new ReplayWindow(64);
    window.accept(5);
    expect(window.accept(Number.MAX_SAFE_INTEGER)).toBe(true);
    expect(window.accept(Number.MAX_SAFE_INTEGER)).toBe(false);
    expect(window.accept(Number.MAX_SAFE_INTEGER - 63)).toBe(true);
    expect(window.accept(5)).toBe(false);
  });

  it.each([0, 31, 33, -64, 1.5, Number.NaN])('refuses a size of %d', (size) => {
    expect(() => new ReplayWindow(size)).toThrow(RangeError);
  });

  it.each([-1, 0.5, 2 ** 53, Number.NaN])('refuses %d as a counter', (counter) => {
    expect(() => new ReplayWindow(64).accept(counter)).toThrow(RangeError);
  });
});

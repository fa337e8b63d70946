// Randomness. Everything that needs it takes an Rng: the real one draws from the operating system, the seeded one
// makes a simulated run repeatable. A seeded Rng never produces a secret outside the simulator and the tests.

import { getRandomValues } from 'node:crypto';

export interface Rng {
  /** Fills `target` with random bytes and returns it. */
  fill<T extends Uint8Array>(target: T): T;
}

/** `getRandomValues` refuses more than this in one call. */
const FILL_MAX = 65_536;

export const realRng: Rng = {
  fill(target) {
    for (let at = 0; at < target.length; at += FILL_MAX) {
      getRandomValues(target.subarray(at, at + FILL_MAX));
    }
    return target;
  },
};

export function randomBytes(rng: Rng, length: number): Uint8Array {
  return rng.fill(new Uint8Array(length));
}

/** Filled and read at once, so that a drawn number costs no buffer. */
const scratch = new Uint8Array(4);
const scratchView = new DataView(scratch.buffer);

export function randomU32(rng: Rng): number {
  rng.fill(scratch);
  return scratchView.getUint32(0);
}

/** Uniform in [0, 1), 53 bits. */
export function randomUnit(rng: Rng): number {
  return ((randomU32(rng) >>> 5) * 2 ** 26 + (randomU32(rng) >>> 6)) / 2 ** 53;
}

/** Uniform in [low, high). */
export function randomBetween(rng: Rng, low: number, high: number): number {
  return low + randomUnit(rng) * (high - low);
}

/** Uniform in 0 … count − 1, without bias (rejection). `count` is 1 … 2^32. */
export function randomBelow(rng: Rng, count: number): number {
  if (!Number.isInteger(count) || count < 1 || count > 2 ** 32) {
    throw new RangeError(`randomBelow(${count})`);
  }
  const limit = 2 ** 32 - (2 ** 32 % count);
  for (;;) {
    const value = randomU32(rng);
    if (value < limit) return value % count;
  }
}

/** A new array in uniformly random order (Fisher–Yates). */
export function shuffled<T>(rng: Rng, items: readonly T[]): T[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = randomBelow(rng, i + 1);
    const swapped = result[i] as T;
    result[i] = result[j] as T;
    result[j] = swapped;
  }
  return result;
}

/** A uniformly random element, or undefined of an empty list. */
export function pick<T>(rng: Rng, items: readonly T[]): T | undefined {
  return items.length === 0 ? undefined : items[randomBelow(rng, items.length)];
}

/**
 * Repeatable randomness for simulations and tests: xoshiro128** (Blackman & Vigna 2018), seeded through
 * splitmix32. Fast and statistically sound, and no secret: 16 bytes of output give away the rest.
 */
export class SeededRng implements Rng {
  readonly #state: Uint32Array;

  constructor(seed: number) {
    this.#state = new Uint32Array(4);
    let mixed = seed >>> 0;
    for (let i = 0; i < 4; i++) {
      mixed = (mixed + 0x9e37_79b9) >>> 0;
      let z = mixed;
      z = Math.imul(z ^ (z >>> 16), 0x85eb_ca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2_ae35);
      this.#state[i] = (z ^ (z >>> 16)) >>> 0;
    }
  }

  fill<T extends Uint8Array>(target: T): T {
    let word = 0;
    for (let i = 0; i < target.length; i++) {
      if (i % 4 === 0) word = this.#next();
      target[i] = word & 0xff;
      word >>>= 8;
    }
    return target;
  }

  #next(): number {
    const s = this.#state;
    const [a = 0, b = 0, c = 0, d = 0] = s;
    const scrambled = Math.imul(b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const c1 = c ^ a;
    const d1 = d ^ b;
    s[1] = b ^ c1;
    s[0] = a ^ d1;
    s[2] = c1 ^ (b << 9);
    s[3] = (d1 << 11) | (d1 >>> 21);
    return result;
  }
}

import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import {
  pick,
  type Rng,
  randomBelow,
  randomBytes,
  randomUnit,
  realRng,
  SeededRng,
  shuffled,
} from './rng.ts';

describe('SeededRng', () => {
  it('repeats itself for a seed and differs between seeds', () => {
    const draw = (seed: number) => toHex(randomBytes(new SeededRng(seed), 32));
    expect(draw(7)).toBe(draw(7));
    expect(draw(7)).not.toBe(draw(8));
  });

  it('gives every byte value about equally often', () => {
    const counts = new Array<number>(256).fill(0);
    for (const byte of randomBytes(new SeededRng(1), 256_000))
      counts[byte] = (counts[byte] ?? 0) + 1;
    const chiSquare = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chiSquare).toBeLessThan(330); // 255 degrees of freedom: p = 0.001
    expect(chiSquare).toBeGreaterThan(190);
  });
});

describe('drawing', () => {
  it('fills more than the system gives in one call', () => {
    const bytes = randomBytes(realRng, 200_000);
    expect(bytes.subarray(199_000).some((byte) => byte !== 0)).toBe(true);
  });

  it('stays below the count, without bias towards small numbers', () => {
    // Draws of 2^32 − 1 must be rejected for a count of 3, since 2^32 is no multiple of it.
    const draws = [0xffff_ffff, 5];
    const rng: Rng = {
      fill(target) {
        new DataView(target.buffer).setUint32(0, draws.shift() ?? 0);
        return target;
      },
    };
    expect(randomBelow(rng, 3)).toBe(2);
    expect(draws).toHaveLength(0);
  });

  it('refuses a count it cannot serve', () => {
    for (const count of [0, -1, 1.5, 2 ** 33]) {
      expect(() => randomBelow(new SeededRng(1), count)).toThrow(RangeError);
    }
  });

  it('is uniform in [0, 1)', () => {
    const rng = new SeededRng(3);
    const draws = Array.from({ length: 10_000 }, () => randomUnit(rng));
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...draws)).toBeLessThan(1);
    expect(draws.reduce((a, b) => a + b) / draws.length).toBeCloseTo(0.5, 1);
  });

  it('shuffles every order equally often and loses nothing', () => {
    const rng = new SeededRng(5);
    const seen = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = shuffled(rng, ['a', 'b', 'c']).join('');
      seen.set(order, (seen.get(order) ?? 0) + 1);
    }
    expect([...seen.keys()].sort()).toEqual(['abc', 'acb', 'bac', 'bca', 'cab', 'cba']);
    for (const count of seen.values()) expect(Math.abs(count - 1000)).toBeLessThan(120);
  });

  it('picks nothing from nothing', () => {
    expect(pick(new SeededRng(1), [])).toBeUndefined();
    expect(pick(new SeededRng(1), ['x'])).toBe('x');
  });
});

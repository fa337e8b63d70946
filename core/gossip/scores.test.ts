import { describe, expect, it } from 'vitest';
import type { IdentityKey } from '../identity/index.ts';
import { Scores } from './scores.ts';

const KEY = 'alice' as IdentityKey;
const MINUTE_MS = 60_000;

describe('a score', () => {
  it('is nothing for a stranger', () => {
    expect(new Scores().of(KEY, 1, 0)).toBe(0);
  });

  it('grows with minutes in the mesh, up to 10', () => {
    const scores = new Scores();
    scores.inMesh(KEY, 30 * MINUTE_MS, 0);
    expect(scores.of(KEY, 1, 0)).toBeCloseTo(3);
    scores.inMesh(KEY, 300 * MINUTE_MS, 0);
    expect(scores.of(KEY, 1, 0)).toBe(10);
  });

  it('grows with first deliveries, up to 20', () => {
    const scores = new Scores();
    for (let i = 0; i < 5; i++) scores.delivered(KEY, 0);
    expect(scores.of(KEY, 1, 0)).toBeCloseTo(0.5);
    for (let i = 0; i < 500; i++) scores.delivered(KEY, 0);
    expect(scores.of(KEY, 1, 0)).toBe(20);
  });

  it('falls with the square of invalid items and of broken promises', () => {
    const scores = new Scores();
    const fall = [0, 1, 2].map(() => {
      scores.invalid(KEY, 0);
      return scores.of(KEY, 1, 0);
    });
    expect(fall).toEqual([-10, -40, -90]);
    scores.brokePromise(KEY, 0);
    scores.brokePromise(KEY, 0);
    expect(scores.of(KEY, 1, 0)).toBe(-110);
  });

  it('forgives a tenth of them every minute', () => {
    const scores = new Scores();
    scores.invalid(KEY, 0);
    scores.brokePromise(KEY, 0);
    expect(scores.of(KEY, 1, MINUTE_MS)).toBeCloseTo(-15 * 0.9 ** 2);
    expect(scores.of(KEY, 1, 10 * MINUTE_MS)).toBeCloseTo(-15 * 0.9 ** 20);
  });

  it.each([
    [1, 0],
    [2, 0],
    [3, -5],
    [5, -45],
  ])('of one among %i in its subnet is %i', (inSubnet, score) => {
    expect(new Scores().of(KEY, inSubnet, 0)).toBe(score);
  });

  it('is remembered for an hour, and as long as somebody is here', () => {
    const scores = new Scores();
    scores.inMesh(KEY, 30 * MINUTE_MS, 0);
    scores.sweep([], 59 * MINUTE_MS);
    expect(scores.of(KEY, 1, 0)).toBeCloseTo(3);
    scores.sweep([KEY], 60 * MINUTE_MS);
    scores.sweep([], 119 * MINUTE_MS);
    expect(scores.of(KEY, 1, 0)).toBeCloseTo(3);
    scores.sweep([], 120 * MINUTE_MS);
    expect(scores.of(KEY, 1, 0)).toBe(0);
  });

  it('is kept of at most 4096, the longest unseen forgotten first', () => {
    const scores = new Scores();
    for (let i = 0; i <= 4096; i++) scores.delivered(`${i}` as IdentityKey, i);
    expect(scores.of('0' as IdentityKey, 1, 5000)).toBe(0);
    expect(scores.of('1' as IdentityKey, 1, 5000)).toBeCloseTo(0.1);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Quota, TokenBuckets } from './quota.ts';

describe('Quota', () => {
  it('gives each group its places and all together theirs', () => {
    const quota = new Quota({ max: 3, perGroupMax: 2 });
    expect(['a', 'a', 'a', 'b', 'c'].map((group) => quota.take(group))).toEqual([
      ...[true, true, false, true, false],
    ]);
    quota.release('a');
    expect([quota.take('c'), quota.used]).toEqual([true, 3]);
  });

  it('treats giving back what was not taken as a bug', () => {
    const quota = new Quota({ max: 3, perGroupMax: 2 });
    quota.take('a');
    quota.release('a');
    expect(() => quota.release('a')).toThrow(RangeError);
  });
});

describe('TokenBuckets', () => {
  const RATE = { perSecond: 20, burst: 5, max: 3 };

  it('let a burst through, then so many per second', () => {
    const buckets = new TokenBuckets(RATE);
    const at = (nowMs: number) => buckets.take('a', nowMs);
    expect([0, 0, 0, 0, 0, 0].map(at)).toEqual([true, true, true, true, true, false]);
    expect([49, 50, 50, 150, 150, 150].map(at)).toEqual([false, true, false, true, true, false]);
  });

  it('say whether there is one left, and take none for it', () => {
    const buckets = new TokenBuckets(RATE);
    for (let i = 0; i < 9; i++) expect(buckets.has('a', 0)).toBe(true);
    for (let i = 0; i < 5; i++) buckets.take('a', 0);
    expect([0, 49, 50].map((nowMs) => buckets.has('a', nowMs))).toEqual([false, false, true]);
  });

  it('never let more through than rate and burst allow', () => {
    const gaps = fc.array(fc.nat(120), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(gaps, (gapsMs) => {
        const buckets = new TokenBuckets(RATE);
        let nowMs = 0;
        let taken = 0;
        for (const gapMs of gapsMs) {
          nowMs += gapMs;
          if (buckets.take('a', nowMs)) taken++;
        }
        expect(taken).toBeLessThanOrEqual(RATE.burst + (nowMs * RATE.perSecond) / 1000);
      }),
      { seed: 1 },
    );
  });

  it('keep no more than their limit, and forget who has been quiet', () => {
    const buckets = new TokenBuckets(RATE);
    expect(['a', 'b', 'c', 'd'].map((group) => buckets.take(group, 0))).toEqual([
      ...[true, true, true, false],
    ]);
    expect(buckets.size).toBe(3);
    expect(buckets.take('d', 50)).toBe(true);
    expect(buckets.size).toBe(1);
  });
});

import { describe, expect, it } from 'vitest';
import { initialTtl, isTtl, onwardTtl, TTL_UNLIMITED } from './ttl.ts';

/** How many nodes in a row get an item; the coins are those of the sender and of each of them. */
function reach(hops: number, hidesOrigin: boolean, countsDown: readonly boolean[]): number {
  let ttl: number | undefined = initialTtl(hops, hidesOrigin);
  for (const [reached, coin] of countsDown.entries()) {
    ttl = onwardTtl(ttl, reached === 0, coin);
    if (ttl === undefined) return reached;
  }
  return countsDown.length;
}

describe('ttl', () => {
  it.each([1, 2, 3, 126])('lets %i nodes in a row have it, exactly', (hops) => {
    expect(reach(hops, false, new Array(200).fill(true))).toBe(hops);
  });

  it('without limit is never counted down', () => {
    expect(reach(0, false, new Array(300).fill(true))).toBe(300);
    expect(reach(0, true, new Array(300).fill(true))).toBe(300);
  });

  it('takes more than 126 hops for 126', () => {
    expect(initialTtl(255, false)).toBe(126);
    expect(initialTtl(127, true)).not.toBe(TTL_UNLIMITED);
  });

  it('that hides the origin starts to count where a coin says so', () => {
    expect(reach(2, true, [true, true, true])).toBe(1);
    expect(reach(2, true, [false, true, true])).toBe(2);
    expect(reach(2, true, [false, false, true, true])).toBe(3);
  });

  it('that hides the origin reaches neighbours at least', () => {
    expect(reach(1, true, [true, true, true])).toBe(1);
  });

  it('that hides the origin shows the same at the origin and behind it', () => {
    const fresh = initialTtl(3, true);
    expect(onwardTtl(fresh, true, false)).toBe(onwardTtl(fresh, false, false));
    expect(onwardTtl(fresh, true, true)).toBe(onwardTtl(fresh, false, true));
  });

  it('is fresh or not, and never 0', () => {
    expect([0, 1, 126, 127, 128, 129, 254, 255].filter(isTtl)).toEqual([
      1, 126, 127, 129, 254, 255,
    ]);
  });
});

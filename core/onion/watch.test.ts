import { describe, expect, it } from 'vitest';
import type { Failing } from './plane-port.ts';
import { onionTiming } from './timing.ts';
import { Watch } from './watch.ts';

const timing = onionTiming(300);

/** What a tunnel is judged to be, second by second, that gets so many cells in each of them. */
function judged(cellsPerSecond: readonly number[], watch = new Watch(timing)) {
  let authentic = 0;
  const verdicts: (Failing | undefined)[] = [watch.judge(0, 0)];
  cellsPerSecond.forEach((cells, second) => {
    authentic += cells;
    verdicts.push(watch.judge(authentic, (second + 1) * 1000));
  });
  return verdicts;
}

function every(seconds: number, cells: number): number[] {
  return Array(seconds).fill(cells);
}

describe('a tunnel', () => {
  it('is well with every cell, with 20 % of them lost, and with bursts of loss', () => {
    for (const cells of [50, 40]) {
      expect(judged(every(60, cells)).every((verdict) => verdict === undefined)).toBe(true);
    }
    const bursts = every(60, 50).map((cells, second) => (second % 10 < 2 ? 0 : cells));
    expect(judged(bursts).every((verdict) => verdict === undefined)).toBe(true);
  });

  it('is dead after three seconds of silence, even from the start', () => {
    expect(judged(every(4, 0))).toEqual([undefined, undefined, undefined, 'silent', 'silent']);
    expect(judged([50, 50, 0, 0, 0]).at(-1)).toBe('silent');
    expect(judged([50, 50, 0, 0, 1, 0, 0]).at(-1)).toBeUndefined();
  });

  it('is alive with nine of ten cells lost, but fails after ten seconds', () => {
    const verdicts = judged(every(11, 5));
    expect(verdicts.slice(0, 10).every((verdict) => verdict === undefined)).toBe(true);
    expect(verdicts.slice(10)).toEqual(['lossy', 'lossy']);
  });

  it('fails above 25 % of loss, twice five seconds in a row', () => {
    expect(judged(every(30, 38)).every((verdict) => verdict === undefined)).toBe(true);
    expect(judged(every(30, 37)).at(-1)).toBe('lossy');
    const everyOther = Array.from({ length: 30 }, (_, second) =>
      Math.floor(second / 5) % 2 === 0 ? 30 : 50,
    );
    expect(judged(everyOther).every((verdict) => verdict === undefined)).toBe(true);
  });

  it('is not blamed for what was before its last hop', () => {
    const watch = new Watch(timing);
    expect(judged(every(12, 20), watch).at(-1)).toBe('lossy');
    watch.restart();
    expect(watch.judge(240, 13_000)).toBeUndefined();
    expect(watch.judge(290, 14_000)).toBeUndefined();
  });

  it('may recover', () => {
    const verdicts = judged([...every(12, 20), ...every(8, 50)]);
    expect(verdicts[12]).toBe('lossy');
    expect(verdicts.at(-1)).toBeUndefined();
  });

  it('is expected to carry fewer cells where ticks are slower', () => {
    const slow = new Watch(onionTiming(300, 100));
    expect(judged(every(20, 10), slow).every((verdict) => verdict === undefined)).toBe(true);
    const silent = judged([10, 0, 0, 0, 0, 0], new Watch(onionTiming(300, 100)));
    expect([silent[4], silent.at(-1)]).toEqual([undefined, 'silent']);
  });
});

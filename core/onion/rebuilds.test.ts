import { describe, expect, it } from 'vitest';
import { SeededRng } from '../runtime/index.ts';
import { Rebuilds } from './rebuilds.ts';
import { onionTiming } from './timing.ts';

function rebuildsOf(seed = 1): Rebuilds {
  return new Rebuilds(onionTiming(300), new SeededRng(seed), 100);
}

describe('rebuilds', () => {
  it('begin with the first tunnel, which is none', () => {
    const rebuilds = rebuildsOf();
    expect(rebuilds.take([7], 99)).toEqual([]);
    expect(rebuilds.take([7], 100)).toEqual([7]);
    expect(rebuilds.take([7], 200)).toEqual([]);
    for (const atMs of [10_000, 20_000]) {
      expect(rebuilds.areSpent).toBe(false);
      rebuilds.plan(atMs);
      expect(rebuilds.take([7], atMs + 3000)).toEqual([7]);
    }
    expect(rebuilds.areSpent).toBe(true);
    rebuilds.plan(30_000);
    expect(rebuilds.take([7], 40_000)).toEqual([]);
  });

  it('are two in each round after', () => {
    const rebuilds = rebuildsOf();
    rebuilds.onNewRound();
    expect(rebuilds.take([7, 8, 9], 100)).toEqual([7, 8]);
    expect(rebuilds.areSpent).toBe(true);
  });

  it('are not put off by a further reason', () => {
    for (let seed = 0; seed < 10; seed++) {
      const rebuilds = rebuildsOf(seed);
      rebuilds.take([7], 100);
      rebuilds.plan(1000);
      const dueMs = rebuilds.nextDeadlineMs();
      for (const atMs of [1400, 1500]) rebuilds.plan(atMs);
      expect(rebuilds.nextDeadlineMs()).toBeLessThanOrEqual(dueMs);
    }
  });
});

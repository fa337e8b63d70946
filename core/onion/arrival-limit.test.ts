import { describe, expect, it } from 'vitest';
import { ArrivalLimit } from './arrival-limit.ts';

function taken(limit: ArrivalLimit, cells: number, nowMs: number): number {
  return Array.from({ length: cells }, () => limit.take(nowMs)).filter(Boolean).length;
}

describe('the cells a neighbour may bring', () => {
  it('are one per slot, for as long as it likes, and with any delay on the way', () => {
    const limit = new ArrivalLimit(20, 0);
    const times = Array.from({ length: 20_000 }, (_, slot) => slot * 20 + ((slot * 7919) % 200));
    for (const nowMs of times.sort((a, b) => a - b)) expect(limit.take(nowMs)).toBe(true);
  });

  it('may come from a clock that is faster', () => {
    const limit = new ArrivalLimit(20, 0);
    for (let slot = 1; slot < 20_000; slot++) expect(limit.take(slot * 19.99)).toBe(true);
  });

  it('may wait for a second and come at once', () => {
    const limit = new ArrivalLimit(20, 0);
    for (let second = 2; second < 20; second++) expect(taken(limit, 50, second * 1000)).toBe(50);
  });

  it('are no more than that', () => {
    const limit = new ArrivalLimit(20, 0);
    expect(taken(limit, 1000, 0)).toBe(64);
    expect(taken(limit, 1000, 1000)).toBe(50);
    expect(taken(limit, 1000, 1_000_000)).toBe(64);
  });

  it('go by the tick', () => {
    const limit = new ArrivalLimit(100, 0);
    taken(limit, 1000, 0);
    expect(taken(limit, 1000, 1000)).toBe(10);
  });
});

import { describe, expect, it } from 'vitest';
import { delaySpreadMs, sendDelayMs } from './timing.ts';

const periodMs = 300_000;

describe('the delay before a node speaks', () => {
  it.each([
    ['as near as expected', 10, 150],
    ['a bit nearer', 11, 75],
    ['a bit further', 9, 225],
    ['ten bits nearer', 20, 9.5],
    ['as far as can be', 0, 290.5],
  ])('is GNUnet’s for a node that is %s', (_, bits, seconds) => {
    expect(sendDelayMs({ bits, sizeBits: 10, periodMs }) / 1000).toBeCloseTo(seconds, 1);
  });

  it('is drawn out by a fifth of what a node one bit further waits', () => {
    expect(delaySpreadMs({ bits: 11, sizeBits: 10, periodMs })).toBe(30_000);
  });
});

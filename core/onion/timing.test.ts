import { describe, expect, it } from 'vitest';
import { onionTiming, roundAt, roundIsAcceptable, roundStartMs } from './timing.ts';

describe('the onion’s durations', () => {
  it('are the protocol’s for rounds of 300 s', () => {
    expect(onionTiming(300)).toEqual({
      tickMs: 20,
      roundMs: 300_000,
      buildEarliestMs: 60_000,
      buildLatestMs: 10_000,
      extendGapMaxMs: 4000,
      switchOverlapMs: 1000,
      drainEarliestMs: 3000,
      drainLatestMs: 15_000,
      rebuildEarliestMs: 500,
      rebuildLatestMs: 3000,
      tunnelTimeoutMs: 3000,
      marginMinMs: 2,
      marginMaxMs: 10,
      handshakeWaitsMs: [800, 1600, 3200],
      handshakeLifeMs: 10_000,
      cellsPerLife: 18_750,
    });
  });

  it.each([5, 10, 30, 60, 300, 3600])('keep their order in rounds of %i s', (seconds) => {
    const timing = onionTiming(seconds);
    expect(timing.buildLatestMs).toBeLessThan(timing.buildEarliestMs);
    expect(timing.buildEarliestMs).toBeLessThanOrEqual(timing.roundMs / 2);
    expect(timing.switchOverlapMs + timing.drainEarliestMs).toBeLessThan(timing.drainLatestMs);
    expect(timing.rebuildEarliestMs).toBeLessThan(timing.rebuildLatestMs);
    // Two further hops with their pauses fit between the latest start and the boundary.
    expect(2 * timing.extendGapMaxMs).toBeLessThan(timing.buildLatestMs);
    expect(timing.drainLatestMs + timing.buildEarliestMs).toBeLessThan(timing.roundMs);
  });

  it('give hops on a slow tick more time to answer, and remember their answers for longer', () => {
    const slow = onionTiming(300, 100);
    expect(slow.handshakeWaitsMs).toEqual([4000, 8000, 16_000]);
    expect(slow.handshakeLifeMs).toBe(50_000);
  });

  it('number rounds by wall time', () => {
    const timing = onionTiming(300);
    expect(roundAt(timing, 299_999)).toBe(0);
    expect(roundAt(timing, 300_000)).toBe(1);
    expect(roundStartMs(timing, 7)).toBe(2_100_000);
  });

  it('accept circuits for this round and the next, within 10 s of skew', () => {
    const timing = onionTiming(300);
    const middle = roundStartMs(timing, 10) + 150_000;
    expect([9, 10, 11, 12].map((round) => roundIsAcceptable(timing, round, middle))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    const start = roundStartMs(timing, 10) + 5000;
    expect(roundIsAcceptable(timing, 9, start)).toBe(true);
    const end = roundStartMs(timing, 11) - 5000;
    expect(roundIsAcceptable(timing, 12, end)).toBe(true);
  });
});

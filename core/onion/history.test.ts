import { describe, expect, it } from 'vitest';
import { History, type Outcome, PEERS_MAX } from './history.ts';
import { somePeer } from './testing/peers.ts';

const DAY_MS = 24 * 3600 * 1000;
const { key } = somePeer(1);
const other = somePeer(2).key;

function historyOf(outcomes: readonly Outcome[]): History {
  const history = new History();
  outcomes.forEach((outcome, i) => {
    history.record(key, outcome, i * 1000);
  });
  return history;
}

function outcomes(good: number, bad: number): Outcome[] {
  return [...new Array<Outcome>(good).fill('good'), ...new Array<Outcome>(bad).fill('bad')];
}

describe('a peer’s history', () => {
  it.each([
    [0, 9, false],
    [0, 10, true],
    [4, 5, false],
    [4, 6, true],
    [6, 5, false],
    [9, 10, true],
    [10, 9, false],
    [1000, 900, false],
  ])('of %i successes and %i failures makes it bad: %s', (good, bad, expected) => {
    const history = historyOf(outcomes(good, bad));
    const nowMs = (good + bad) * 1000;
    expect(history.isBad(key, nowMs)).toBe(expected);
    expect(history.isBad(other, nowMs)).toBe(false);
  });

  it('says how often it fails, once there is enough of it', () => {
    expect(historyOf(outcomes(6, 3)).failureShare(key, 9000)).toBeUndefined();
    expect(historyOf(outcomes(6, 4)).failureShare(key, 10_000)).toBeCloseTo(0.4);
  });

  it('fades: half of it is gone in 7 days', () => {
    const history = historyOf(outcomes(0, 19));
    expect(history.isBad(key, 6 * DAY_MS)).toBe(true);
    expect(history.isBad(key, 8 * DAY_MS)).toBe(false);
    for (let i = 0; i < 10; i++) history.record(key, 'good', 7 * DAY_MS);
    expect(history.isBad(key, 7 * DAY_MS)).toBe(false);
    history.record(key, 'bad', 7 * DAY_MS);
    expect(history.isBad(key, 7 * DAY_MS)).toBe(true);
  });

  it('knows who failed just now, whatever came before', () => {
    const history = historyOf(outcomes(20, 0));
    history.pause(key, 90_000, 30_000);
    expect([30_000, 89_999, 90_000].map((ms) => history.isPaused(key, ms))).toEqual([
      true,
      true,
      false,
    ]);
    expect(history.isPaused(other, 30_000)).toBe(false);
    history.record(key, 'good', 40_000);
    expect(history.isPaused(key, 50_000)).toBe(true);
  });

  it('knows who may have failed just now, which is another thing', () => {
    const history = new History();
    history.suspect(key, 60_000, 0);
    history.pause(other, 60_000, 0);
    expect([key, other].map((one) => history.isSuspect(one, 59_999))).toEqual([true, false]);
    expect([key, other].map((one) => history.isPaused(one, 59_999))).toEqual([false, true]);
    expect(history.isSuspect(key, 60_000)).toBe(false);
  });

  it('is kept of so many peers, the longest unused forgotten first', () => {
    const history = historyOf(outcomes(0, 20));
    const fill = (from: number): void => {
      for (let i = 0; i < PEERS_MAX - 1; i++) {
        const { key: one } = { key: `${from + i}` as typeof key };
        history.record(one, 'good', 20_000);
      }
    };
    fill(0);
    history.record(key, 'bad', 20_000);
    fill(PEERS_MAX);
    expect(history.isBad(key, 20_000)).toBe(true);
    history.record(other, 'good', 20_000);
    expect(history.isBad(key, 20_000)).toBe(false);
  });
});

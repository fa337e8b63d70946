import { describe, expect, it } from 'vitest';
import { SeededRng } from '../runtime/index.ts';
import { Publishing } from './publishing.ts';

const ROUND = 7;

/** What is published until `untilMs`, asked as often as the machine wants to be. */
function run(publishing: Publishing, fromMs: number, untilMs: number): [number, number][] {
  const published: [number, number][] = [];
  let nowMs = fromMs;
  while (publishing.nextDeadlineMs() <= untilMs) {
    nowMs = Math.max(nowMs, publishing.nextDeadlineMs());
    for (const round of publishing.onTick(nowMs)) published.push([nowMs, round]);
  }
  return published;
}

describe('publishing presence', () => {
  it('happens once for every round, a moment after its meeting point is known', () => {
    const delays = Array.from({ length: 200 }, (_, seed) => {
      const publishing = new Publishing(new SeededRng(seed));
      expect(run(publishing, 0, 100_000)).toEqual([]);
      publishing.onMeetingPoint(ROUND, 1000);
      const [first, ...more] = run(publishing, 1000, 100_000);
      expect([first?.[1], more]).toEqual([ROUND, []]);
      return (first?.[0] ?? 0) - 1000;
    });
    expect(Math.min(...delays)).toBeLessThan(200);
    expect(Math.max(...delays)).toBeGreaterThan(3800);
  });

  it('happens again after changes, all of ten seconds together', () => {
    const publishing = new Publishing(new SeededRng(1));
    publishing.onMeetingPoint(ROUND, 0);
    const [[firstMs] = [0]] = run(publishing, 0, 5000);
    for (let nowMs = 5000; nowMs < 9000; nowMs += 100) publishing.onChange(nowMs);
    const again = run(publishing, 9000, 100_000);
    expect(again).toHaveLength(1);
    expect(again[0]?.[0]).toBeGreaterThanOrEqual(firstMs + 10_000);
  });

  it('speaks of this round and the next, and of none that is over', () => {
    const publishing = new Publishing(new SeededRng(2));
    publishing.onMeetingPoint(ROUND, 0);
    publishing.onMeetingPoint(ROUND + 1, 0);
    expect(
      run(publishing, 0, 9000)
        .map(([, round]) => round)
        .sort(),
    ).toEqual([ROUND, ROUND + 1]);
    publishing.onRound(ROUND + 1);
    publishing.onChange(50_000);
    expect(run(publishing, 50_000, 90_000).map(([, round]) => round)).toEqual([ROUND + 1]);
  });
});

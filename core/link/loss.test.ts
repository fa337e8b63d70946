// Handshakes over a network that loses, doubles, delays and reorders: whatever happens, both sides come to an end.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fuzz } from '../bytes/testing/hostile.ts';
import { randomBetween, randomUnit, SeededRng } from '../runtime/index.ts';
import { CALL_TIMEOUT_MS, SETUP_TIMEOUT_MS } from './handshake.ts';
import { LinkEnd } from './testing/end.ts';
import { ALICE, BOB, optionsOf } from './testing/nodes.ts';
import { type Fate, Line, run } from './testing/run.ts';

interface Weather {
  readonly loss: number;
  readonly doubling: number;
  readonly delayMs: number;
  readonly jitterMs: number;
  readonly seed: number;
}

/** Jitter reorders: each packet draws its own. */
function weather({ loss, doubling, delayMs, jitterMs, seed }: Weather): Fate {
  const rng = new SeededRng(seed);
  return (_packet, _from, nowMs) => {
    const copies = randomUnit(rng) < doubling ? 2 : 1;
    const arrivals = Array.from({ length: copies }, () => {
      const isLost = randomUnit(rng) < loss;
      return isLost ? undefined : nowMs + delayMs + randomBetween(rng, 0, jitterMs);
    });
    return arrivals.filter((atMs) => atMs !== undefined);
  };
}

function pair() {
  return {
    a: new LinkEnd(optionsOf(ALICE, 11), BOB.descriptor.identity),
    b: new LinkEnd(optionsOf(BOB, 12)),
  };
}

function opens(conditions: Weather): boolean {
  const { a, b } = pair();
  run({ a, b }, { fate: weather(conditions), untilMs: 20_000 });
  return a.isOpen && b.isOpen && !a.output('failed');
}

describe('a handshake in any weather', () => {
  it('ends in time, open at both sides or failed, and never in a quarrel', () => {
    const conditions = fc.record({
      loss: fc.double({ min: 0, max: 0.9, noNaN: true }),
      doubling: fc.double({ min: 0, max: 0.5, noNaN: true }),
      delayMs: fc.double({ min: 0, max: 1500, noNaN: true }),
      jitterMs: fc.double({ min: 0, max: 800, noNaN: true }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(conditions, (one) => {
        const { a, b } = pair();
        const endMs = run({ a, b }, { fate: weather(one), untilMs: 60_000 });
        expect(endMs).toBeLessThan(CALL_TIMEOUT_MS + 2 * SETUP_TIMEOUT_MS);
        for (const end of [a, b]) {
          expect(end.nextDeadlineMs()).toBe(Number.POSITIVE_INFINITY);
          const why = end.output('failed')?.why;
          expect([undefined, 'no answer', 'timeout']).toContain(why);
        }
        if (b.isOpen) expect(a.isOpen).toBe(true);
        if (a.isOpen && !a.output('failed')) expect(b.isOpen).toBe(true);
      }),
      fuzz({ runs: 150 }),
    );
  });

  it.each<[string, Partial<Weather>, number]>([
    ['good', { loss: 0.02 }, 1],
    ['bad', { loss: 0.1, doubling: 0.05, jitterMs: 40 }, 0.97],
    ['awful', { loss: 0.3, doubling: 0.1, jitterMs: 100 }, 0.6],
    ['slow', { delayMs: 300, jitterMs: 100 }, 1],
  ])('mostly opens in %s weather', (_, one, share) => {
    const usual = { loss: 0, doubling: 0, delayMs: 40, jitterMs: 10 };
    const seeds = Array.from({ length: 40 }, (__, seed) => seed);
    const opened = seeds.filter((seed) => opens({ ...usual, ...one, seed }));
    expect(opened.length / seeds.length).toBeGreaterThanOrEqual(share);
  });
});

describe('a link in bad weather', () => {
  it('loses no cell that the network does not lose, across three rekeyings', () => {
    const { a, b } = pair();
    const fate = weather({ loss: 0, doubling: 0.2, delayMs: 30, jitterMs: 60, seed: 1 });
    const line = new Line({ a, b }, { fate });
    line.run(10_000);
    for (let i = 0; i < 400; i++) {
      const nowMs = 10_000 + 1000 * i;
      if (i % 120 === 60) a.rekey({ type: 'due' }, nowMs);
      a.sendBody(new Uint8Array(512).fill(i % 251), nowMs);
      b.sendBody(new Uint8Array(512).fill(i % 251), nowMs);
      line.run(nowMs + 999);
    }
    expect([a.rekeyings, b.rekeyings]).toEqual([3, 3]);
    for (const { bodies } of [a, b]) {
      expect(bodies.map(([mark]) => mark)).toEqual(Array.from({ length: 400 }, (_, i) => i % 251));
    }
  });
});

import { describe, expect, it } from 'vitest';
import { type Rng, randomUnit, SeededRng } from '../runtime/index.ts';
import { estimateSize, sampleDeviation } from './estimator.ts';

/** The minimum of `nodes` uniform numbers, drawn at once. */
function minimum(rng: Rng, nodes: number): number {
  return -Math.expm1(Math.log1p(-randomUnit(rng)) / nodes);
}

interface Simulated {
  readonly mean: number;
  /** In parts of the mean. */
  readonly deviation: number;
  /** How many were further from the truth than a factor of 2. */
  readonly wild: number;
}

const TRIALS = 2000;

/** Estimates over the true size. `tamper` is what an attacker makes of the minimum of a round. */
function simulated(
  sizes: readonly number[],
  tamper: (fraction: number, round: number) => number = (fraction) => fraction,
): Simulated {
  const rng = new SeededRng(1);
  const truth = sizes.at(-1) ?? 0;
  const ratios = Array.from({ length: TRIALS }, () => {
    const minima = sizes.map((nodes, round) => tamper(minimum(rng, nodes), round));
    return (estimateSize(minima) ?? 0) / truth;
  });
  const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / TRIALS;
  const wild = ratios.filter((ratio) => ratio > 2 || ratio < 1 / 2).length / TRIALS;
  return { mean, deviation: sampleDeviation(ratios) / mean, wild };
}

function rounds(count: number, nodes: number): number[] {
  return Array.from({ length: count }, () => nodes);
}

const inEveryEighth = (act: (fraction: number) => number) => (fraction: number, round: number) =>
  round % 8 === 0 ? act(fraction) : fraction;

describe('the estimate over 64 rounds (protocol 6)', () => {
  it.each([3, 20, 1000, 10_000])(
    'of %i nodes is right on average and off by 0.13 at most',
    (nodes) => {
      const { mean, deviation } = simulated(rounds(64, nodes));
      expect(mean).toBeGreaterThan(0.98);
      expect(mean).toBeLessThan(1.02);
      expect(deviation).toBeGreaterThan(0.115);
      expect(deviation).toBeLessThan(0.13);
    },
  );

  it('grows by a fifth at most when identities 20 bits nearer are ground for 8 rounds', () => {
    const { mean } = simulated(
      rounds(64, 1000),
      inEveryEighth((fraction) => fraction / 2 ** 20),
    );
    expect(mean).toBeGreaterThan(1.1);
    expect(mean).toBeLessThan(1.2);
  });

  it('does not fall below 0.55 when the winner is kept from us in 8 rounds', () => {
    const { mean } = simulated(
      rounds(64, 1000),
      inEveryEighth((fraction) => Math.min(50 * fraction, 0.999)),
    );
    expect(mean).toBeGreaterThan(0.55);
    expect(mean).toBeLessThan(0.75);
  });

  it('is not even doubled when every third round is ground, however far', () => {
    const { mean } = simulated(rounds(64, 1000), (fraction, round) =>
      round % 3 === 0 ? fraction / 2 ** 40 : fraction,
    );
    expect(mean).toBeGreaterThan(1.5);
    expect(mean).toBeLessThan(2);
  });
});

describe('the estimate over a few rounds', () => {
  it('is within a factor of 2 after 10 rounds, in 19 of 20 networks of 20', () => {
    expect(simulated(rounds(10, 20)).wild).toBeLessThan(0.05);
  });

  it('is so again 3 rounds after a third of them was killed, in 9 of 10', () => {
    const { wild, mean } = simulated([...rounds(10, 20), ...rounds(3, 13)]);
    expect(wild).toBeLessThan(0.1);
    expect(mean).toBeLessThan((0.95 * 20) / 13);
  });

  it('is GNUnet’s mean of bits until there are 4', () => {
    const of = (...bits: number[]) => estimateSize(bits.map((each) => 2 ** -(each + 0.9)));
    expect(of(4)).toBeCloseTo(2 ** (4 - 0.332747));
    expect(of(4, 7, 5)).toBeCloseTo(2 ** (16 / 3 - 0.332747));
    expect(of(4, 4, 4, 4)).toBeCloseTo(3 / (-4 * Math.log1p(-(2 ** -4.9))));
  });

  it('is none without any', () => {
    expect(estimateSize([])).toBeUndefined();
  });
});

describe('clipping', () => {
  const likelihood = (...bits: number[]) =>
    (bits.length - 1) / bits.reduce((sum, each) => sum - Math.log1p(-(2 ** -each)), 0);

  it.each<[string, number[], number[]]>([
    ['leaves what is near the median', [7, 8.5, 10, 11.5, 16], [7, 8.5, 10, 11.5, 16]],
    ['pulls in what is not', [2, 8, 10, 12, 52], [7, 8, 10, 12, 16]],
    ['takes the middle of an even number', [1, 8, 9, 50], [5.5, 8, 9, 14.5]],
  ])('%s', (_, given, clipped) => {
    const estimate = estimateSize(given.map((each) => 2 ** -each));
    expect(estimate).toBeCloseTo(likelihood(...clipped), 6);
  });
});

describe('the deviation', () => {
  it('is that of a sample', () => {
    expect(sampleDeviation([2, 4, 4, 4, 5, 5, 7, 9])).toBeCloseTo(Math.sqrt(32 / 7));
  });

  it('is 0 until there are two values', () => {
    expect([sampleDeviation([]), sampleDeviation([5]), sampleDeviation([5, 7])]).toEqual([
      0,
      0,
      Math.SQRT2,
    ]);
  });
});

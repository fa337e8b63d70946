// Many nodes, without links (testing/large-network.ts): how uniform answers are, how fast they follow, and what a share of
// colluding nodes makes of them. The full figures are those of `npm run bench -- sampling`.

import { describe, expect, it } from 'vitest';
import { shuffled } from '../runtime/index.ts';
import { chiSquare, chiSquareMax } from './testing/chi-square.ts';
import { LargeNetwork, type Member } from './testing/large-network.ts';

/** How often each member was named, of `answers` of every honest node. */
function named(network: LargeNetwork, answers: number): Map<Member | undefined, number> {
  const counts = new Map<Member | undefined, number>(network.honest.map((one) => [one, 0]));
  for (const { node } of network.honest) {
    for (let i = 0; i < answers; i++) {
      const found = node?.sample();
      const member = found && network.members.get(found.contact.key);
      counts.set(member, (counts.get(member) ?? 0) + 1);
    }
  }
  return counts;
}

describe('peer sampling of 20 nodes', () => {
  it('answers uniformly over the living: 1000 queries at each, chi-square', async () => {
    for (const seed of [1, 2]) {
      const network = new LargeNetwork({ seed });
      await network.grow(20);
      await network.time.runFor(60_000);
      const counts = named(network, 1000);
      expect(counts.get(undefined) ?? 0).toBe(0);
      expect(chiSquare([...counts.values()]), `seed ${seed}`).toBeLessThan(chiSquareMax(19));
    }
  });

  it('names none that is gone 3 minutes after a third was killed, and all that are left', async () => {
    const network = new LargeNetwork({ seed: 4 });
    await network.grow(20);
    await network.time.runFor(60_000);
    for (const member of shuffled(network.rng, network.honest).slice(0, 7)) member.stop();
    await network.time.runFor(180_000);
    const counts = named(network, 1000);
    expect(counts.get(undefined) ?? 0).toBe(0);
    expect(counts.size).toBe(13);
    expect(chiSquare([...counts.values()])).toBeLessThan(chiSquareMax(12));
  });

  it('has warned of nothing', async () => {
    const network = new LargeNetwork({ seed: 5, networkSize: 20 });
    await network.grow(20);
    await network.time.runFor(240_000);
    named(network, 3000);
    expect(network.honest.flatMap(({ node }) => node?.status.warnings ?? [])).toEqual([]);
  });
});

describe('hostile nodes that push and tell only of each other (attack 19)', () => {
  it.each([
    [0.2, 3, 1.1],
    [0.3, 1, 1.25],
  ])(
    'of %f, at %i times the honest rate, make at most %f times as many answers',
    async (share, flood, factor) => {
      const network = new LargeNetwork({ seed: 6, networkSize: 80, flood });
      await network.grow(80, { hostileShare: share });
      await network.time.runFor(180_000);
      expect(network.badShare().hostile).toBeLessThanOrEqual(factor * share);
      expect(network.isolated()).toBe(0);
    },
  );
});

describe('a network that changes', () => {
  it('is followed at 10 % a minute', async () => {
    const network = new LargeNetwork({ seed: 7, networkSize: 40 });
    await network.grow(40);
    for (let minute = 0; minute < 5; minute++) {
      for (const member of shuffled(network.rng, network.honest).slice(0, 4)) {
        member.stop();
        network.join();
        await network.time.runFor(15_000);
      }
    }
    const settled = network.honest.filter(({ node }) => (node?.status.live ?? 0) > 10);
    expect(settled.length).toBeGreaterThanOrEqual(38);
    expect(network.badShare().gone).toBeLessThan(0.15);
  });

  it('has nodes that come back with what they knew, though everybody else is elsewhere', async () => {
    const network = new LargeNetwork({ seed: 8 });
    await network.grow(20);
    await network.time.runFor(120_000);
    const [member] = network.honest;
    if (member === undefined) throw new Error('nobody is there');
    member.stop();
    const knew = member.saved?.known.length ?? 0;
    expect(knew).toBeGreaterThan(15);
    const again = network.join({ before: member });
    await network.time.runFor(10_000);
    expect(again.node?.status.live).toBeGreaterThan(15);
  });

  it('stands clocks that are 15 s off (attack 24)', async () => {
    const network = new LargeNetwork({ seed: 9 });
    for (let i = 0; i < 20; i++) network.join({ offsetMs: i % 2 === 0 ? 15_000 : -15_000 });
    await network.time.runFor(240_000);
    const statuses = network.honest.map(({ node }) => node?.status);
    expect(Math.min(...statuses.map((status) => status?.live ?? 0))).toBeGreaterThanOrEqual(15);
    expect(statuses.reduce((sum, status) => sum + (status?.renewals ?? 0), 0)).toBeGreaterThan(200);
  });
});

describe('an eclipse (attack 19)', () => {
  it('of many addresses of one netgroup is warned of', async () => {
    const network = new LargeNetwork({
      seed: 10,
      ipOf: (i) => (i % 3 === 0 ? `66.7.${i}.1` : `20.${i}.1.1`),
    });
    await network.grow(40);
    await network.time.runFor(240_000);
    const warned = network.honest.filter(({ node }) =>
      node?.status.warnings.includes('one netgroup prevails'),
    );
    expect(warned.length).toBeGreaterThan(30);
  });

  it('is warned of when all that a node hears of are few, and NSE knows of many', async () => {
    const network = new LargeNetwork({ seed: 11, networkSize: 1000 });
    await network.grow(20);
    await network.time.runFor(240_000);
    const warned = network.honest.filter(({ node }) =>
      node?.status.warnings.includes('size disagrees'),
    );
    expect(warned.length).toBe(20);
  });
});

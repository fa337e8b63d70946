// Whole nodes with real links, certificates and dial-backs in a simulated world: 20 of them, some behind translators. What
// needs more nodes is in large.sim.test.ts.

import { describe, expect, it } from 'vitest';
import { simulate } from '../sim/index.ts';
import { SimSampling } from './testing/sim-sampling.ts';

const NODES = 20;
const HIDDEN = 3;

describe('20 nodes, 3 of them behind translators', () => {
  it('know each other within 90 s, name only who can be reached, and know who can', async () => {
    await simulate({ seed: 1 }, async (world) => {
      const sampling = new SimSampling(world);
      for (let i = 0; i < NODES; i++) await sampling.start(i, { isHidden: i < HIDDEN });
      await world.runFor(90_000);
      const reach = sampling.nodes.map(({ node }) => node.status.reach);
      expect(reach.slice(0, HIDDEN)).toEqual(Array(HIDDEN).fill('unreachable'));
      expect(reach.slice(HIDDEN)).toEqual(Array(NODES - HIDDEN).fill('reachable'));
      for (const [i, { node }] of sampling.nodes.entries()) {
        const named = new Set(Array.from({ length: 400 }, () => sampling.numberOf(node.sample())));
        const others = [...sampling.nodes.keys()].filter((j) => j >= HIDDEN && j !== i);
        expect(
          [...named].toSorted((a, b) => Number(a) - Number(b)),
          `node ${i}`,
        ).toEqual(others);
      }
    });
  });

  it('follow when a third is gone, and one that comes back finds them again', async () => {
    await simulate({ seed: 2 }, async (world) => {
      const sampling = new SimSampling(world);
      for (let i = 0; i < NODES; i++) await sampling.start(i);
      await world.runFor(40_000);
      for (let i = 0; i < 7; i++) sampling.crash(i);
      await world.runFor(180_000);
      for (const { node } of sampling.nodes.slice(7)) {
        const named = Array.from({ length: 300 }, () => sampling.numberOf(node.sample()) ?? -1);
        expect(Math.min(...named)).toBeGreaterThanOrEqual(7);
        expect(new Set(named).size).toBe(NODES - 8);
      }
      await sampling.start(0);
      await world.runFor(20_000);
      expect(sampling.nodes[0]?.node.status.live).toBeGreaterThanOrEqual(12);
    });
  });
});

// Whole networks over an ideal flood, with the production driver: issue "Knowing the others", and attacks 23 and 24 of
// protocol 12.

import { describe, expect, it } from 'vitest';
import { compareBytes } from '../bytes/index.ts';
import { simulate, type World } from '../sim/index.ts';
import { distanceOf } from './distance.ts';
import { fakeHostkey } from './testing/hostkeys.ts';
import { floodMessage, networkId, periodS } from './testing/messages.ts';
import { Network } from './testing/network.ts';
import { roundAt } from './timing.ts';
import { NSE_DATA_TYPE } from './wire.ts';

const PERIOD_MS = periodS * 1000;
const NODES = 20;
const SEEDS = [1, 2, 3];
const FAULTS = ['malformed', 'bits', 'signature', 'proof'];

/** All that live are within this factor of the truth. */
function expectWithin(factor: number, size: number, { estimates }: Network): void {
  expect(Math.max(...estimates)).toBeLessThanOrEqual(factor * size);
  expect(Math.min(...estimates)).toBeGreaterThanOrEqual(size / factor);
}

function expectNobodyBlamed(network: Network): void {
  expect(network.reasons.filter((why) => FAULTS.includes(why))).toEqual([]);
}

describe('a network of 20', () => {
  it('knows its size within a factor of 2 after 10 periods, and 3 after a third has died', async () => {
    await simulate({ seed: SEEDS }, async (world) => {
      const network = new Network(world);
      network.startAll(NODES);
      await world.runFor(10 * PERIOD_MS);
      expectWithin(2, NODES, network);
      for (const { host } of network.nodes.slice(0, 7)) host.crash();
      await world.runFor(3 * PERIOD_MS);
      expect(network.estimates).toHaveLength(13);
      expectWithin(2, 13, network);
      expectNobodyBlamed(network);
    });
  });

  it('hears little more than one message in a period, and agrees', async () => {
    await simulate({ seed: SEEDS }, async (world) => {
      const network = new Network(world);
      network.startAll(NODES);
      await world.runFor(4 * PERIOD_MS);
      const before = network.mesh.announcements;
      await world.runFor(20 * PERIOD_MS);
      expect(network.mesh.announcements - before).toBeLessThan(1.6 * 20);
      const rounds = network.nodes.map(({ nse }) => nse.status.rounds);
      // All but those that a node has won itself.
      expect(Math.min(...rounds)).toBeGreaterThan(24 - 8);
      expectWithin(1.3, Math.max(...network.estimates), network);
    });
  });

  it('answers a newcomer within seconds, and keeps no more rounds than it is told to', async () => {
    await simulate({ seed: 1 }, async (world) => {
      const network = new Network(world, { history: 10 });
      network.startAll(NODES);
      await world.runFor(30 * PERIOD_MS);
      const newcomer = network.start();
      expect(newcomer.nse.estimate()).toEqual({ peers: 1, deviation: 0 });
      await world.runFor(2000);
      expect(newcomer.nse.estimate().peers).toBeGreaterThan(2);
      await world.runFor(10 * PERIOD_MS);
      for (const { nse } of network.nodes) {
        expect(nse.status.rounds).toBeLessThanOrEqual(10);
        expect(nse.status.deviation).toBeGreaterThan(0);
      }
      expectWithin(2, NODES + 1, network);
    });
  });
});

describe('attack 24: clocks that differ', () => {
  it.each([
    ['15 s each way', (i: number) => ((i % 3) - 1) * 15_000],
    ['a round ahead for every second node', (i: number) => (i % 2) * PERIOD_MS],
    ['a round behind for every fourth', (i: number) => (i % 4 === 0 ? -PERIOD_MS : 0)],
  ])('by %s cost nothing, and nobody is blamed', async (_, offsetMs) => {
    await simulate({ seed: SEEDS }, async (world) => {
      const network = new Network(world);
      network.startAll(NODES, offsetMs);
      await world.runFor(12 * PERIOD_MS);
      expectWithin(2, NODES, network);
      expectNobodyBlamed(network);
    });
  });

  it('by more keep the one who is wrong out, and still nobody is blamed', async () => {
    await simulate({ seed: 1 }, async (world) => {
      const network = new Network(world);
      network.startAll(NODES);
      const { nse } = network.start(-3 * PERIOD_MS);
      await world.runFor(12 * PERIOD_MS);
      expect(nse.status).toMatchObject({ peers: 1, rounds: 0 });
      expect(network.reasons.toSorted()).toEqual(['not better', 'round']);
    });
  });

  it('or are set, in all nodes at once, cost some rounds', async () => {
    await simulate({ seed: 1 }, async (world) => {
      const network = new Network(world);
      network.startAll(NODES);
      await world.runFor(10 * PERIOD_MS);
      for (const { host } of network.nodes) host.stepWall(5.5 * PERIOD_MS);
      await world.runFor(PERIOD_MS);
      expectWithin(2, NODES, network);
      for (const { host } of network.nodes) host.stepWall(-3.5 * PERIOD_MS);
      await world.runFor(5 * PERIOD_MS);
      expectWithin(2, NODES, network);
      expectNobodyBlamed(network);
    });
  });
});

/** Has looked for identities near the targets for long, and shows the nearest of them in every eighth round. */
function startGrinder(
  network: Network,
  world: World,
  { isSilent }: { readonly isSilent: boolean },
) {
  const rng = world.rng('ground');
  const ground = Array.from({ length: 600 }, () => fakeHostkey(rng));
  world.host('grinder').start(({ runtime }) => {
    const flood = network.mesh.join(runtime);
    const show = (): void => {
      const round = roundAt(periodS, runtime.clock.wallMs());
      const distances = ground.map(({ identity }) => distanceOf(networkId, round, identity));
      const [nearest] = distances.toSorted(compareBytes);
      const best = ground.find((_, i) => distances[i] === nearest);
      if (best !== undefined && !isSilent) flood.announce(NSE_DATA_TYPE, floodMessage(best, round));
      runtime.timers.after(8 * PERIOD_MS, show);
    };
    runtime.timers.after(1000, show);
    return undefined;
  });
}

describe('attack 23: identities ground for a round in eight', () => {
  it('raise the estimate by less than a third', async () => {
    const mean = async (isSilent: boolean): Promise<number> => {
      let sum = 0;
      await simulate({ seed: 1 }, async (world) => {
        const network = new Network(world);
        network.startAll(NODES);
        startGrinder(network, world, { isSilent });
        await world.runFor(64 * PERIOD_MS);
        sum = network.estimates.reduce((total, estimate) => total + estimate, 0);
      });
      return sum / NODES;
    };
    const ratio = (await mean(false)) / (await mean(true));
    expect(ratio).toBeGreaterThan(1.05);
    expect(ratio).toBeLessThan(1.3);
  });
});

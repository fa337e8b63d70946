// The production drivers and data planes in one world. Ticks are slow and rounds short, in proportions that leave a
// build time to repeat what is lost. What goes wrong is in onion-trouble.sim.test.ts.

import { describe, expect, it } from 'vitest';
import { findLeaks } from '../log/testing/index.ts';
import { simulate } from '../sim/index.ts';
import { heard, SimCall } from './testing/sim-call.ts';
import { SimNetworkOfOnions } from './testing/sim-onion.ts';

const ROUND_MS = 20_000;
/** In slots: where in a tick the three senders of a new path and its first slot happen to be. */
const PHASES = 4;
/** Two relays and an endpoint. */
const CIRCUITS = 3;

describe('a network of nodes', () => {
  it('has a tunnel for every node in every round, and no circuit more', async () => {
    await simulate({ seed: 1 }, async (world) => {
      const network = new SimNetworkOfOnions(world, 8, { roundSeconds: 20, tickMs: 50 });
      await world.runFor(ROUND_MS / 3);
      const [first] = network.nodes.map(({ status }) => status.round);
      for (let i = 0; i < 3; i++) {
        for (const { status } of network.nodes) {
          expect(status.tunnel?.round).toBe((first ?? 0) + i);
        }
        const relayed = network.nodes.reduce((sum, { status }) => sum + status.relayed, 0);
        expect(relayed).toBe(network.nodes.length * CIRCUITS);
        await world.runFor(ROUND_MS);
      }
      const levels = network.nodes.flatMap(({ log }) => log.records.map(({ level }) => level));
      expect(new Set(levels)).toEqual(new Set(['debug', 'info']));
      expect(findLeaks(network.log)).toEqual([]);
    });
  });
});

describe('data on a tunnel', () => {
  it('comes once each, in order, both ways, across three switches', async () => {
    await simulate({ seed: 1 }, async (world) => {
      const call = await SimCall.begin(
        world,
        new SimNetworkOfOnions(world, 5, { roundSeconds: 20, tickMs: 25 }),
      );
      await call.talk(3.2 * ROUND_MS);
      await call.listen();
      const { from, to, said } = call;
      expect(heard(from, 1)).toEqual(said);
      for (const client of [1, 2]) expect(heard(to, client)).toEqual(said);
      const types = [...from.messages, ...to.messages].filter(({ type }) => type !== 'data');
      expect(types.map(({ type }) => type)).toEqual(['ready', 'incoming', 'incoming']);
    });
  });
});

describe('a client that fills every slot', () => {
  it('waits no longer after five switches than before', async () => {
    await simulate({ seed: 1 }, async (world) => {
      const tickMs = 50;
      const network = new SimNetworkOfOnions(world, 5, { roundSeconds: 20, tickMs });
      const call = await SimCall.begin(world, network);
      await call.talk(ROUND_MS / 2, tickMs);
      const before = call.underWay;
      await call.talk(5 * ROUND_MS, tickMs);
      for (const [side, slots] of call.underWay.entries()) {
        expect(slots - (before[side] ?? 0)).toBeLessThanOrEqual(PHASES);
      }
    });
  });
});

describe('cover', () => {
  it('comes back to the client that asked, and to no other', async () => {
    await simulate({ seed: 1 }, async (world) => {
      const network = new SimNetworkOfOnions(world, 4, { roundSeconds: 20, tickMs: 50 });
      const [node] = network.nodes;
      if (node === undefined) throw new Error('nobody');
      await world.until(() => node.isUp && node.status.tunnel !== undefined);
      for (const client of [1, 2]) node.connect(client);
      node.cover(2, 2000);
      await world.until(() => node.messages.length > 0);
      const data = expect.any(Uint8Array);
      expect(node.messages).toEqual([{ type: 'data', client: 2, tunnel: 0, data }]);
      expect(node.events('data')[0]?.data).toHaveLength(2000);
    });
  });
});

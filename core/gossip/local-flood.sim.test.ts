import { describe, expect, it } from 'vitest';
import { utf8 } from '../bytes/index.ts';
import type { Opinion } from '../module-api/index.ts';
import { LocalFlood } from './local-flood.ts';
import { FREE_TYPE } from './testing/fixtures.ts';
import { NAMES, SimNode, selfOf, simulateGossip, startLine } from './testing/sim-node.ts';

class Ear {
  readonly heard: string[] = [];
  isUp = false;
  readonly flood: LocalFlood;

  constructor({ node }: SimNode, opinion: Opinion) {
    this.flood = new LocalFlood(node);
    this.flood.listen(FREE_TYPE, {
      onItem: ({ data, answer }) => {
        this.heard.push(new TextDecoder().decode(data));
        answer(opinion);
      },
      onUp: () => {
        this.isUp = true;
      },
      onDown: () => {
        this.isUp = false;
      },
    });
  }
}

describe('a module in the process of Gossip', () => {
  it.each([
    ['pass on', ['hello']],
    ['ignore', []],
    ['refuse', []],
  ] as const)('hears and says things, and answers "%s"', async (opinion, far) => {
    await simulateGossip({ seed: 1 }, async (world) => {
      const nodes = await startLine(world, NAMES.slice(0, 3));
      const ears = nodes.map((node) => new Ear(node, opinion));
      const [first, second, third] = ears;
      expect(ears.every(({ isUp }) => isUp)).toBe(true);
      first?.flood.announce(FREE_TYPE, utf8('hello'));
      await world.runFor(3000);
      expect([first?.heard, second?.heard, third?.heard]).toEqual([[], ['hello'], far]);
      expect(nodes[1]?.node.status.waiting).toBe(0);
    });
  });

  it('is not called back from within its own calls, nor after it has stopped', async () => {
    await simulateGossip({ seed: 1 }, async (world) => {
      const nodes = await startLine(world, ['alice', 'bob']);
      const [first, second] = nodes.map((node) => new Ear(node, 'pass on'));
      const beside = nodes.map((node) => new Ear(node, 'pass on'));
      first?.flood.announce(FREE_TYPE, utf8('hello'));
      expect(beside[0]?.heard).toEqual([]);
      second?.flood.stop();
      await world.runFor(3000);
      expect([second?.heard, beside[0]?.heard, beside[1]?.heard]).toEqual([
        [],
        ['hello'],
        ['hello'],
      ]);
    });
  });

  it('is served while the proof of the identity is being found, and heard afterwards', async () => {
    await simulateGossip({ seed: 1 }, async (world) => {
      const bob = new SimNode(world, 'bob', {});
      const proven = Promise.withResolvers<{ readonly self: ReturnType<typeof selfOf> }>();
      const alice = new SimNode(world, 'alice', {
        credentials: proven.promise,
        bootstrappers: [{ host: bob.host.ip, port: 6001 }],
      });
      await world.runFor(20_000);
      const [near, far] = [new Ear(alice, 'pass on'), new Ear(bob, 'pass on')];
      near.flood.announce(FREE_TYPE, utf8('early'));
      await world.runFor(5000);
      expect([alice.neighbours, far.heard]).toEqual([0, []]);
      proven.resolve({ self: selfOf('alice', undefined) });
      await world.until(() => far.heard.length === 1, 5000);
      expect(near.heard).toEqual([]);
    });
  });
});

// Whole nodes in simulated worlds: a line of eight, and how nodes find each other. What attackers try is in
// gossip-attacks.sim.test.ts.

import { describe, expect, it } from 'vitest';
import { utf8 } from '../bytes/index.ts';
import { findLeaks } from '../log/testing/index.ts';
import { EU, type PathProfile, WAN } from '../sim/index.ts';
import { FREE_TYPE } from './testing/fixtures.ts';
import { NAMES, PORT, SimNode, simulateGossip, startLine, TestModule } from './testing/sim-node.ts';

const TYPE = 1337;
const FAR: PathProfile = { latency: { type: 'constant', ms: 20 } };

function announce(node: SimNode | undefined, text: string, hops = 0, dataType = TYPE): void {
  node?.module.client.announce({ hops, dataType, data: utf8(text) });
}

function subscribe(nodes: readonly SimNode[], dataType = TYPE): void {
  for (const { module } of nodes) module.client.notify(dataType);
}

/** What each has got. */
function texts(nodes: readonly SimNode[]): string[][] {
  return nodes.map(({ module }) => module.texts);
}

describe('eight nodes in a line, each of which knows one', () => {
  it('bring an announcement without limit from one end to the other', async () => {
    await simulateGossip({ seed: [1, 2], profile: FAR }, async (world) => {
      const nodes = await startLine(world, NAMES);
      subscribe(nodes);
      announce(nodes[0], 'hello');
      await world.until(() => nodes.at(-1)?.module.received.length === 1, 2000);
      await world.runFor(60_000);
      expect(texts(nodes)).toEqual([[], ...new Array(7).fill(['hello'])]);
      for (const { sink } of nodes) expect(findLeaks(sink.lines)).toEqual([]);
    });
  });

  it('stop an announcement of two hops after two hops', async () => {
    await simulateGossip({ seed: [1, 2], profile: FAR }, async (world) => {
      const nodes = await startLine(world, NAMES);
      subscribe(nodes);
      announce(nodes[3], 'near', 2);
      await world.runFor(60_000);
      const got = [['near'], ['near']];
      expect(texts(nodes)).toEqual([[], ...got, [], ...got, [], []]);
    });
  });

  it('bring a type that nobody wants nowhere, and no further than to who wants it', async () => {
    await simulateGossip({ seed: 1, profile: FAR }, async (world) => {
      const nodes = await startLine(world, NAMES);
      const [, second, , fourth] = nodes;
      subscribe(nodes.filter((node) => node === second || node === fourth));
      announce(nodes[0], 'hello');
      await world.runFor(60_000);
      expect(texts(nodes)).toEqual([[], ['hello'], [], [], [], [], [], []]);
    });
  });

  it('stop what a module objects to, and think less of who sent it', async () => {
    await simulateGossip({ seed: 1, profile: FAR }, async (world) => {
      const nodes = await startLine(world, NAMES);
      subscribe(nodes);
      const third = nodes[2];
      if (third === undefined) throw new Error('no third node');
      third.module.judgement = () => 'refuse';
      announce(nodes[0], 'bad');
      await world.runFor(10_000);
      expect(texts(nodes)).toEqual([[], ['bad'], ['bad'], [], [], [], [], []]);
      const scores = third.node.status.neighbours.map(({ score }) => score);
      expect(Math.min(...scores)).toBeLessThan(-9);
      expect(Math.max(...scores)).toBeGreaterThanOrEqual(0);
    });
  });

  it('notify two modules of one node, and other modules of the node that announces', async () => {
    await simulateGossip({ seed: 1, profile: FAR }, async (world) => {
      const nodes = await startLine(world, NAMES.slice(0, 2));
      subscribe(nodes);
      const [first, second] = nodes.map(({ node }) => new TestModule(node));
      for (const module of [first, second]) module?.client.notify(TYPE);
      announce(nodes[0], 'hello');
      await world.runFor(5000);
      expect(texts(nodes)).toEqual([[], ['hello']]);
      expect([first?.texts, second?.texts]).toEqual([['hello'], ['hello']]);
    });
  });

  it.each([
    ['64 KiB over a lossy network', EU, 65_527, {}],
    ['64 KiB over a bursty network', WAN, 65_527, {}],
    ['a few bytes, byte by byte', FAR, 500, { segmentBytes: 1 }],
  ])('bring %s', async (_, profile, length, host) => {
    await simulateGossip({ seed: 1, profile }, async (world) => {
      const nodes = await startLine(world, NAMES.slice(0, 4), { host });
      subscribe(nodes, FREE_TYPE);
      const long = 'x'.repeat(length);
      announce(nodes[0], long, 0, FREE_TYPE);
      await world.until(() => nodes.at(-1)?.module.received.length === 1, 30_000);
      expect(nodes.at(-1)?.module.texts).toEqual([long]);
    });
  });

  it('bring what was announced before to who joins later', async () => {
    await simulateGossip({ seed: 1, profile: FAR }, async (world) => {
      const nodes = await startLine(world, NAMES.slice(0, 3));
      subscribe(nodes);
      announce(nodes[0], 'early');
      await world.runFor(5000);
      const late = new SimNode(world, 'heidi', {
        bootstrappers: [{ host: nodes[2]?.host.ip ?? '', port: PORT }],
      });
      await world.until(() => late.isRunning);
      late.module.client.notify(TYPE);
      await world.until(() => late.module.received.length === 1, 5000);
      expect(late.module.texts).toEqual(['early']);
    });
  });
});

describe('nodes', () => {
  it('that know one bootstrapper find each other', async () => {
    await simulateGossip({ seed: [1, 2], profile: FAR }, async (world) => {
      const first = new SimNode(world, 'alice', { isPublic: true });
      const bootstrappers = [{ host: first.host.ip, port: PORT }];
      const others = NAMES.slice(1).map(
        (name) => new SimNode(world, name, { isPublic: true, bootstrappers }),
      );
      await world.until(() => others.every(({ neighbours }) => neighbours >= 4), 150_000);
      expect(first.node.status.clockAheadS).toBe(0);
    });
  });

  it('keep trying while their bootstrapper is away, and say so once', async () => {
    await simulateGossip({ seed: 1, profile: FAR }, async (world) => {
      const alice = new SimNode(world, 'alice', {});
      await world.complete(alice.host.stop());
      const bob = new SimNode(world, 'bob', {
        bootstrappers: [{ host: alice.host.ip, port: PORT }],
      });
      await world.runFor(300_000);
      expect(bob.neighbours).toBe(0);
      alice.host.start();
      await world.until(() => bob.neighbours === 1, 70_000);
      await world.runFor(20_000);
      expect(bob.sink.records.map(({ message }) => message)).toEqual([
        'no other node can be reached; trying on',
        'other nodes can be reached',
      ]);
    });
  });

  it('find each other after a restart without any bootstrapper', async () => {
    await simulateGossip({ seed: 1, profile: FAR }, async (world) => {
      const alice = new SimNode(world, 'alice', { isPublic: true });
      const bootstrappers = [{ host: alice.host.ip, port: PORT }];
      const others = (['bob', 'carol', 'dave'] as const).map(
        (name) => new SimNode(world, name, { isPublic: true, bootstrappers }),
      );
      await world.until(() => others.every(({ neighbours }) => neighbours === 3), 150_000);
      await world.complete(alice.host.stop());
      const [bob] = others;
      await world.complete(bob?.host.stop() ?? Promise.resolve());
      bob?.host.start();
      await world.until(() => bob?.neighbours === 2, 10_000);
    });
  });

  it('join again by themselves when a partition is healed, and catch up', async () => {
    await simulateGossip({ seed: 1, profile: FAR }, async (world) => {
      const nodes = await startLine(world, NAMES.slice(0, 4));
      subscribe(nodes);
      const [left, right] = [nodes.slice(0, 2), nodes.slice(2)];
      const heal = world.partition(
        left.map(({ host }) => host),
        right.map(({ host }) => host),
      );
      await world.runFor(90_000);
      announce(nodes[0], 'during');
      await world.runFor(210_000);
      expect(texts(right)).toEqual([[], []]);
      heal();
      await world.until(() => nodes.at(-1)?.module.received.length === 1, 130_000);
    });
  });

  it('of which two call each other keep one channel', async () => {
    await simulateGossip({ seed: [1, 2, 3], profile: FAR }, async (world) => {
      const [aliceIp, bobIp] = ['30.0.0.1', '31.0.0.1'];
      const nodes = [
        new SimNode(world, 'alice', {
          host: { ips: [aliceIp] },
          bootstrappers: [{ host: bobIp, port: PORT }],
        }),
        new SimNode(world, 'bob', {
          host: { ips: [bobIp] },
          bootstrappers: [{ host: aliceIp, port: PORT }],
        }),
      ];
      await world.runFor(30_000);
      expect(nodes.map(({ neighbours }) => neighbours)).toEqual([1, 1]);
    });
  });

  it('whose clock is 15 s off take part', async () => {
    await simulateGossip({ seed: 1, profile: FAR }, async (world) => {
      for (const offsetMs of [-15_000, 15_000]) {
        const name = offsetMs < 0 ? 'alice' : 'carol';
        const ahead = new SimNode(world, name, { host: { offsetMs } });
        const straight = new SimNode(world, offsetMs < 0 ? 'bob' : 'dave', {
          bootstrappers: [{ host: ahead.host.ip, port: PORT }],
        });
        await world.until(() => straight.neighbours === 1);
        subscribe([ahead, straight]);
        announce(ahead, 'from there');
        announce(straight, 'from here');
        await world.until(
          () => ahead.module.received.length + straight.module.received.length === 2,
        );
      }
    });
  });

  it('say goodbye, and end at once', async () => {
    await simulateGossip({ seed: 1, profile: FAR }, async (world) => {
      const [alice, bob] = await startLine(world, ['alice', 'bob']);
      const fromMs = world.nowMs();
      await world.complete(bob?.host.stop() ?? Promise.resolve());
      expect(world.nowMs() - fromMs).toBeLessThan(1000);
      await world.runFor(100);
      expect(alice?.neighbours).toBe(0);
    });
  });
});

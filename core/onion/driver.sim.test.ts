import { describe, expect, it } from 'vitest';
import { chooseProvider } from '../crypto/index.ts';
import { testHostkey } from '../identity/testing/keys.ts';
import { createLogger } from '../log/index.ts';
import { memorySink } from '../log/testing/index.ts';
import { simulate, type World } from '../sim/index.ts';
import { OnionNode, type OnionNodeOptions } from './driver.ts';
import { INNER_DATA_MAX } from './geometry.ts';
import type { Peer } from './peer.ts';
import { startPlaneHere } from './plane-driver.ts';
import { SimOnion } from './testing/sim-onion.ts';

const CLIENT = 1;
/** Slow slots: there is less to simulate. */
const OPTIONS = { roundSeconds: 20, tickMs: 100 };

function optionsFor(world: World, hostName: string): OnionNodeOptions {
  const host = world.host(hostName);
  const runtime = host.start();
  const address = { ip: host.ip, port: 4000 };
  return {
    ...OPTIONS,
    runtime,
    provider: chooseProvider(),
    log: createLogger({ sink: memorySink(), clock: runtime.clock, level: 'info' }),
    hostkey: testHostkey('alice'),
    network: 'sim',
    hops: 2,
    maxCircuits: 32,
    allowPrivate: false,
    listen: { udp: address, tcp: address },
    guards: { count: 0, saved: [], save: () => {} },
    startPlane: startPlaneHere(runtime),
    samplePeers: async () => [],
    solve: async () => new Uint8Array(8),
    verify: () => true,
  };
}

/** Four of them, up. Each hears of so many others from RPS. */
async function network(world: World, known: { peers: number }): Promise<readonly SimOnion[]> {
  const nodes = (['alice', 'bob', 'carol', 'dave'] as const).map(
    (name) => new SimOnion(world.host(name), testHostkey(name)),
  );
  for (const node of nodes) {
    const others = nodes.filter((other) => other !== node).map(({ peer }) => peer);
    node.start(OPTIONS, () => others.slice(0, known.peers));
  }
  await world.until(() => nodes.every(({ isUp }) => isUp));
  return nodes;
}

describe('an onion node', () => {
  it('says once that RPS gives too few peers, until there were enough for a tunnel', () =>
    simulate({ seed: 1 }, async (world) => {
      const known = { peers: 0 };
      const nodes = await network(world, known);
      const saidAfter = async (peers: number, ms: number): Promise<number[]> => {
        known.peers = peers;
        await world.runFor(ms);
        return nodes.map(
          ({ log }) => log.records.filter((one) => one.message.includes('too few peers')).length,
        );
      };
      expect(await saidAfter(0, 50_000)).toEqual([1, 1, 1, 1]);
      expect(await saidAfter(2, 50_000)).toEqual([1, 1, 1, 1]);
      expect(await saidAfter(3, 30_000)).toEqual([1, 1, 1, 1]);
      expect(nodes.every(({ status }) => status.tunnel !== undefined)).toBe(true);
      expect(await saidAfter(0, 30_000)).toEqual([2, 2, 2, 2]);
    }));

  it('says, and shows, that its links had to take streams', () =>
    simulate({ seed: 1 }, async (world) => {
      world.block({ protocol: 'udp' });
      const [alice] = await network(world, { peers: 3 });
      if (alice === undefined) throw new RangeError('four nodes were made');
      await world.until(() => alice.status.tunnel !== undefined, 50_000);
      const { links } = alice.node.status.links;
      expect(new Set(links.map(({ transport }) => transport))).toEqual(new Set(['tcp']));
      const told = alice.log.records.filter(({ message }) => message.includes('over a stream'));
      expect(told[0]).toMatchObject({ level: 'info', fields: { via: 'tcp' } });
    }));

  it('leaves it to RPS to say that RPS is away', () =>
    simulate({ seed: 1 }, async (world) => {
      const node = new SimOnion(world.host('alice'), testHostkey('alice'));
      node.start(OPTIONS, () => undefined);
      await world.runFor(50_000);
      expect(node.log.records.filter(({ level }) => level === 'warn')).toEqual([]);
    }));

  it('asks RPS one question at a time', () =>
    simulate({ seed: 1 }, async (world) => {
      const { promise, resolve } = Promise.withResolvers<readonly Peer[]>();
      let asked = 0;
      const samplePeers = () => {
        asked++;
        return promise;
      };
      await world.complete(OnionNode.start({ ...optionsFor(world, 'a'), samplePeers }, () => {}));
      await world.runFor(10_000);
      expect(asked).toBe(1);
      resolve([]);
      await world.runFor(10_000);
      expect(asked).toBeGreaterThan(1);
    }));

  it('counts the messages that had to go because more came than the slots carry', () =>
    simulate({ seed: 1 }, async (world) => {
      const [alice, bob] = await network(world, { peers: 3 });
      if (alice === undefined || bob === undefined) throw new RangeError('four nodes were made');
      for (const node of [alice, bob]) node.connect(CLIENT);
      alice.build(CLIENT, bob);
      await world.until(() => bob.events('incoming').length > 0, 50_000);
      const tunnel = alice.events('ready')[0]?.tunnel ?? 0;
      for (let i = 0; i < 300; i++) alice.send(CLIENT, tunnel, new Uint8Array(INNER_DATA_MAX));
      await world.runFor(20_000);
      const { dataDropped } = alice.node.status;
      expect(dataDropped).toBeGreaterThan(100);
      // A relay that finds the phase of its slots meanwhile may lose one.
      expect(300 - dataDropped - bob.events('data').length).toBeOneOf([0, 1, 2]);
    }));

  it('that cannot listen leaves nothing running', () =>
    simulate({ seed: 1 }, async (world) => {
      const options = optionsFor(world, 'a');
      let running = 0;
      const startPlane: OnionNodeOptions['startPlane'] = (settings, onEvent) => {
        running++;
        const plane = options.startPlane(settings, onEvent);
        return {
          ...plane,
          stop: async () => {
            await plane.stop();
            running--;
          },
        };
      };
      await world.complete(OnionNode.start(options, () => {}));
      const second = world.complete(OnionNode.start({ ...options, startPlane }, () => {}));
      await expect(second).rejects.toThrow('address in use');
      expect(running).toBe(0);
    }));
});

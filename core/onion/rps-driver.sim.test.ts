import { describe, expect, it } from 'vitest';
import { testHostkey } from '../identity/testing/keys.ts';
import { createLogger } from '../log/index.ts';
import { memorySink } from '../log/testing/index.ts';
import { ApiServer, type Connection, type MessageOf, RPS_API } from '../module-api/index.ts';
import { simulate, type World } from '../sim/index.ts';
import { RpsPeers } from './rps-driver.ts';

type Answer = Omit<MessageOf<'rps peer'>, 'type'>;

const ADDRESS = { ip: '127.0.0.1', port: 7101 };
const ALICE: Answer = {
  address: { ip: '20.1.0.1', port: 4000 },
  portmap: [],
  hostkey: testHostkey('alice').publicKey,
};

/** An RPS module that a test speaks for, and who asks it. */
async function joined(world: World) {
  const runtime = world.host('a').start();
  const sink = memorySink();
  const log = createLogger({ sink, clock: runtime.clock, level: 'info' });
  const connections: Connection<'rps peer'>[] = [];
  let queries = 0;
  const server = new ApiServer({
    api: RPS_API,
    address: ADDRESS,
    runtime,
    log,
    handler: {
      onConnect: (connection) => void connections.push(connection),
      onMessage: () => void queries++,
    },
  });
  await server.listen();
  const rps = new RpsPeers({ runtime, address: ADDRESS, log, allowPrivate: false });
  await world.runFor(1000);
  const answer = (...answers: readonly Answer[]): void => {
    for (const one of answers) connections.at(-1)?.send({ type: 'rps peer', ...one });
  };
  const samples: { count: number; atMs: number }[] = [];
  const sample = (count: number): void => {
    void rps.sample(count).then((peers) => {
      samples.push({ count: peers?.length ?? -1, atMs: world.nowMs() });
    });
  };
  return { rps, server, sink, answer, sample, samples, queries: () => queries };
}

describe('asking RPS for peers', () => {
  it('asks once for each, and is done when all have come', () =>
    simulate({ seed: 1 }, async (world) => {
      const { answer, sample, samples, queries } = await joined(world);
      sample(3);
      await world.runFor(100);
      expect(queries()).toBe(3);
      answer(ALICE, ALICE);
      await world.runFor(100);
      expect(samples).toEqual([]);
      answer(ALICE);
      await world.runFor(100);
      expect(samples).toMatchObject([{ count: 3 }]);
    }));

  it('takes what has come when nothing more does', () =>
    simulate({ seed: 1 }, async (world) => {
      const { answer, sample, samples } = await joined(world);
      sample(3);
      answer(ALICE);
      await world.runFor(10_000);
      expect(samples).toMatchObject([{ count: 1 }]);
    }));

  it('gives late answers, and those to lost questions, to whoever asks then', () =>
    simulate({ seed: 1 }, async (world) => {
      const { answer, sample, samples } = await joined(world);
      for (let i = 0; i < 3; i++) sample(2);
      await world.runFor(10_000);
      answer(ALICE);
      sample(2);
      await world.runFor(100);
      answer(ALICE, ALICE);
      await world.runFor(100);
      expect(samples.map(({ count }) => count)).toEqual([0, 0, 0, 2]);
    }));

  it('leaves out what cannot be a peer', () =>
    simulate({ seed: 1 }, async (world) => {
      const { answer, sample, samples } = await joined(world);
      sample(4);
      const private4 = { ip: '10.0.0.1', port: 4000 };
      answer(
        { ...ALICE, hostkey: ALICE.hostkey.slice(1) },
        { ...ALICE, address: private4 },
        { ...ALICE, address: { ...ALICE.address, port: 0 } },
        { ...ALICE, portmap: [{ app: 560, port: 0 }] },
      );
      await world.runFor(100);
      expect(samples).toMatchObject([{ count: 0 }]);
    }));

  it('calls peers on the port of their Onion module', () =>
    simulate({ seed: 1 }, async (world) => {
      const { rps, answer } = await joined(world);
      const sampled = rps.sample(1);
      const portmap = [
        { app: 500, port: 5000 },
        { app: 560, port: 5600 },
      ];
      answer({ ...ALICE, portmap });
      const [peer] = (await world.complete(sampled)) ?? [];
      expect(peer?.address).toEqual({ ip: '20.1.0.1', port: 5600 });
    }));

  it('says once that RPS is away, and asks again when it is back', () =>
    simulate({ seed: 1 }, async (world) => {
      const { server, sink, sample, samples, answer } = await joined(world);
      sample(1);
      await world.complete(server.stop());
      await world.runFor(10);
      sample(1);
      await world.runFor(20_000);
      expect(samples.map(({ count }) => count)).toEqual([0, -1]);
      expect(sink.records.filter(({ message }) => message.includes('away'))).toHaveLength(1);
      await server.listen();
      await world.runFor(10_000);
      sample(1);
      answer(ALICE);
      await world.runFor(10);
      expect(samples.map(({ count }) => count)).toEqual([0, -1, 1]);
    }));
});

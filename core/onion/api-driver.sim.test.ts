import { describe, expect, it } from 'vitest';
import { testHostkey } from '../identity/testing/keys.ts';
import { createLogger } from '../log/index.ts';
import { memorySink } from '../log/testing/index.ts';
import { connectApi, type MessageOf, ONION_API } from '../module-api/index.ts';
import { simulate, type World } from '../sim/index.ts';
import { OnionApi } from './api-driver.ts';
import type { OnionNode } from './driver.ts';
import { SimOnion } from './testing/sim-onion.ts';

type Received = MessageOf<(typeof ONION_API.sends)[number]>;

const ADDRESS = { ip: '127.0.0.1', port: 7301 };
const PUBLIC = { ip: '20.1.0.9', port: 4000 };
const { publicKey: hostkey } = testHostkey('bob');
const DATA = new Uint8Array(3).fill(7);

/** The API of a node that knows nobody, and runs from `begin` on. */
async function served(world: World) {
  const runtime = world.host('api').start();
  const log = createLogger({ sink: memorySink(), clock: runtime.clock, level: 'warn' });
  const onion = new SimOnion(world.host('onion'), testHostkey('alice'));
  const node = Promise.withResolvers<OnionNode>();
  const common = { runtime, address: ADDRESS, log };
  const api = new OnionApi({ ...common, allowPrivate: false, node: node.promise });
  await api.listen();
  const begin = async (): Promise<void> => {
    onion.start({ roundSeconds: 20, tickMs: 100 }, () => undefined);
    await world.until(() => onion.isUp);
    node.resolve(onion.node);
  };
  const connect = async () => {
    const received: Received[] = [];
    const onMessage = (_: unknown, message: Received) => void received.push(message);
    const handler = { onMessage };
    const connecting = connectApi({ ...common, api: ONION_API, handler });
    return { connection: await world.complete(connecting), received };
  };
  /** Until all that was asked is answered. */
  const settle = async (): Promise<void> => {
    await world.runFor(100);
    for (const event of onion.messages.splice(0)) api.onEvent(event);
    await world.runFor(100);
  };
  return { api, onion, begin, connect, settle };
}

function error(requestType: number, tunnelId: number): Received {
  return { type: 'onion error', requestType, tunnelId };
}

describe('the Onion API', () => {
  it.each([
    ['a private address', { ...PUBLIC, ip: '10.0.0.1' }, hostkey],
    ['no port', { ...PUBLIC, port: 0 }, hostkey],
    ['no hostkey of ours', PUBLIC, hostkey.slice(1)],
  ])('refuses at once to build a tunnel to %s', (_, address, key) =>
    simulate({ seed: 1 }, async (world) => {
      const { begin, connect, settle } = await served(world);
      await begin();
      const { connection, received } = await connect();
      connection.send({ type: 'onion tunnel build', address, hostkey: key });
      await settle();
      expect(received).toEqual([error(560, 0)]);
    }),
  );

  it('waits with any other BUILD for what becomes of it', () =>
    simulate({ seed: 1 }, async (world) => {
      const { onion, begin, connect, settle } = await served(world);
      await begin();
      const { connection, received } = await connect();
      connection.send({ type: 'onion tunnel build', address: PUBLIC, hostkey });
      await settle();
      expect(received).toEqual([]);
      expect(onion.status.api.own).toBe('wanted');
    }));

  it('names the request and the tunnel in an error', () =>
    simulate({ seed: 1 }, async (world) => {
      const { begin, connect, settle } = await served(world);
      await begin();
      const { connection, received } = await connect();
      connection.send({ type: 'onion tunnel destroy', tunnelId: 5 });
      connection.send({ type: 'onion tunnel data', tunnelId: 6, data: DATA });
      connection.send({ type: 'onion cover', coverBytes: 7 });
      await settle();
      expect(received).toEqual([error(563, 5), error(564, 6), error(566, 0)]);
    }));

  it('answers what was asked before its node ran', () =>
    simulate({ seed: 1 }, async (world) => {
      const { onion, begin, connect, settle } = await served(world);
      const { connection, received } = await connect();
      connection.send({ type: 'onion tunnel destroy', tunnelId: 5 });
      await world.runFor(1000);
      expect(received).toEqual([]);
      await begin();
      await settle();
      expect(received).toEqual([error(563, 5)]);
      expect(onion.status.api.clients).toBe(1);
    }));

  it('gives each client what is its own', () =>
    simulate({ seed: 1 }, async (world) => {
      const { api, onion, begin, connect, settle } = await served(world);
      await begin();
      const first = await connect();
      const second = await connect();
      await settle();
      const { peer: destination } = onion;
      api.onEvent({ type: 'ready', client: 1, tunnel: 5, destination });
      api.onEvent({ type: 'data', client: 1, tunnel: 5, data: DATA });
      api.onEvent({ type: 'incoming', client: 2, tunnel: 6 });
      api.onEvent({ type: 'error', client: 2, request: 'data', tunnel: 6 });
      await settle();
      expect(first.received).toEqual([
        { type: 'onion tunnel ready', tunnelId: 5, hostkey: destination.publicKey },
        { type: 'onion tunnel data', tunnelId: 5, data: DATA },
      ]);
      expect(second.received).toEqual([
        { type: 'onion tunnel incoming', tunnelId: 6 },
        error(564, 6),
      ]);
    }));

  it('gives the echo of the largest COVER in two messages', () =>
    simulate({ seed: 1 }, async (world) => {
      const { api, begin, connect, settle } = await served(world);
      await begin();
      const { received } = await connect();
      await settle();
      const data = new Uint8Array(65_535).map((_, i) => i);
      api.onEvent({ type: 'data', client: 1, tunnel: 0, data });
      await settle();
      const [one, two] = [data.slice(0, 65_527), data.slice(65_527)];
      expect(received).toEqual(
        [one, two].map((part) => ({ type: 'onion tunnel data', tunnelId: 0, data: part })),
      );
    }));

  it('tells the node which clients have gone', () =>
    simulate({ seed: 1 }, async (world) => {
      const { api, onion, begin, connect, settle } = await served(world);
      await begin();
      const { connection } = await connect();
      const { received } = await connect();
      await settle();
      expect(onion.status.api.clients).toBe(2);
      connection.end();
      await settle();
      expect(onion.status.api.clients).toBe(1);
      for (const client of [1, 2]) api.onEvent({ type: 'incoming', client, tunnel: 5 });
      await settle();
      expect(received).toEqual([{ type: 'onion tunnel incoming', tunnelId: 5 }]);
    }));
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fromHex } from '../bytes/index.ts';
import { createLogger } from '../log/index.ts';
import { findLeaks, type MemorySink, memorySink } from '../log/testing/index.ts';
import {
  type Address,
  NetworkError,
  randomBytes,
  realRuntime,
  SeededRng,
} from '../runtime/index.ts';
import { VirtualTime } from '../sim/index.ts';
import { type ApiHandler, PARTIAL_MESSAGE_MS } from './connection.ts';
import { encodeMessage, type SentBy, type TakenBy } from './message.ts';
import { ONION_API, TUNNEL_DATA_BYTES_MAX } from './onion.ts';
import { ApiServer, CONNECTIONS_MAX } from './server.ts';
import { type RawClient, rawClient } from './testing/raw-client.ts';

type In = TakenBy<typeof ONION_API>;
type Out = SentBy<typeof ONION_API>;

const LOOPBACK: Address = { ip: '127.0.0.1', port: 0 };
const DATA = encodeMessage({ type: 'onion tunnel data', tunnelId: 7, data: fromHex('c0ffee') });

let time: VirtualTime;
let sink: MemorySink;
let events: string[];
let server: ApiServer<In, Out>;
let at: Address;
let clients: RawClient<Out>[];

/** Echoes data, and answers COVER with that many messages of the largest size. */
const echo: ApiHandler<In, Out> = {
  onConnect: ({ id }) => void events.push(`connect ${id}`),
  onMessage(connection, message) {
    if (message.type === 'onion tunnel data') connection.send(message);
    if (message.type !== 'onion cover') return;
    const data = new Uint8Array(TUNNEL_DATA_BYTES_MAX);
    for (let i = 0; i < message.coverBytes; i++) {
      connection.send({ type: 'onion tunnel data', tunnelId: 0, data });
    }
  },
  onClose: ({ id }) => void events.push(`close ${id}`),
};

function makeServer(address: Address): ApiServer<In, Out> {
  const log = createLogger({ sink, clock: time, level: 'debug' }).child('onion').child('api');
  const runtime = { network: realRuntime.network, timers: time };
  return new ApiServer({ api: ONION_API, address, runtime, log, handler: echo });
}

async function connect(): Promise<RawClient<Out>> {
  const client = await rawClient(at, ONION_API.sends);
  clients.push(client);
  return client;
}

/** Patient, because the machine may be busy, and asks often, because it rarely is. */
function eventually<T>(actual: () => T) {
  return expect.poll(actual, { interval: 5, timeout: 20_000 });
}

/** Sends one message and waits for its echo. */
async function expectServed(client: RawClient<Out>): Promise<void> {
  const before = client.received.length;
  client.send(DATA);
  await eventually(() => client.received.length).toBe(before + 1);
}

function logged(): string[] {
  return sink.records.map(({ message }) => message);
}

beforeEach(async () => {
  time = new VirtualTime();
  sink = memorySink();
  events = [];
  clients = [];
  server = makeServer(LOOPBACK);
  at = await server.listen();
});

afterEach(async () => {
  for (const client of clients) client.destroy();
  await server.stop();
  expect(time.pending).toBe(0);
  // Whatever a test did: no line says who or where somebody is, or what was sent.
  expect(findLeaks(sink.lines)).toEqual([]);
});

describe('the server of a module API', () => {
  it('serves several clients, each its own', async () => {
    const [a, b] = [await connect(), await connect()];
    a.send(DATA, DATA);
    b.send(encodeMessage({ type: 'onion tunnel data', tunnelId: 8, data: fromHex('') }));
    await eventually(() => a.received.length).toBe(2);
    await eventually(() => b.received).toMatchObject([{ tunnelId: 8 }]);
    expect([...server.connections].map(({ id }) => id)).toEqual([1, 2]);
    a.destroy();
    await eventually(() => events).toEqual(['connect 1', 'connect 2', 'close 1']);
    expect([...server.connections].map(({ id }) => id)).toEqual([2]);
    expect(logged()).toEqual([]);
  });

  it.each([
    ['0000', 'a message says it is shorter than its header'],
    ['000403e7', 'a message has an unknown type'],
    ['00040208', 'a message has a type that is not taken here'],
    ['00080231', 'a message has a type that is not taken here'],
    ['ffff0233', 'the size of a message does not fit its type'],
    ['00100230000102030405060708090a0b', 'the fields of a message cannot be read'],
  ])('answers %s by closing that connection: %s', async (hex, reason) => {
    const [honest, wrong] = [await connect(), await connect()];
    wrong.send(DATA, fromHex(hex));
    await eventually(() => wrong.isClosed).toBe(true);
    await expectServed(honest);
    expect(events).toEqual(['connect 1', 'connect 2', 'close 2']);
    expect(logged()).toEqual([reason]);
  });

  it('survives garbage, half messages and single bytes while others are served', async () => {
    const rng = new SeededRng(1);
    const honest = await connect();
    const slow = await connect();
    const half = await connect();
    half.send(DATA.subarray(0, 6));
    for (const byte of DATA) {
      const garbage = await connect();
      garbage.send(randomBytes(rng, 1000));
      slow.send(Uint8Array.of(byte));
      await expectServed(honest);
      await eventually(() => garbage.isClosed).toBe(true);
    }
    await eventually(() => slow.received.length).toBe(1);
    half.send(DATA.subarray(6));
    await eventually(() => half.received.length).toBe(1);
    expect(honest.received).toHaveLength(DATA.length);
    expect(events.filter((event) => event.startsWith('close'))).toHaveLength(DATA.length);
    expect(logged()).toHaveLength(DATA.length);
  });

  it('closes a connection with half a message after 10 s, and no other', async () => {
    const [honest, half] = [await connect(), await connect()];
    half.send(DATA.subarray(0, 6));
    await eventually(() => time.pending).toBe(1);
    time.advance(PARTIAL_MESSAGE_MS - 1);
    await expectServed(honest);
    expect(half.isClosed).toBe(false);
    time.advance(1);
    await eventually(() => half.isClosed).toBe(true);
    await expectServed(honest);
    expect(logged()).toEqual(['a message is not complete after 10 s']);
  });

  it('closes the connection of a client that does not read, and no other', async () => {
    const [honest, deaf] = [await connect(), await connect()];
    deaf.pause();
    // 64 MB: more than the system buffers for the two sockets, and 4 MiB.
    deaf.send(encodeMessage({ type: 'onion cover', coverBytes: 1000 }));
    await eventually(() => events).toEqual(['connect 1', 'connect 2', 'close 2']);
    await expectServed(honest);
    expect(logged()).toEqual(['more than 4 MiB are waiting to be read']);
    deaf.resume();
    await eventually(() => deaf.isClosed).toBe(true);
  });

  it('delivers a great deal to a client that reads', async () => {
    const reader = await connect();
    for (let i = 0; i < 8; i++) {
      reader.send(encodeMessage({ type: 'onion cover', coverBytes: 60 }));
      await eventually(() => reader.received.length).toBe(60 * (i + 1));
    }
    expect(logged()).toEqual([]);
  });

  it('closes the 17th connection at once, and has room again when one has gone', async () => {
    for (let i = 0; i < CONNECTIONS_MAX; i++) await connect();
    const late = await connect();
    await eventually(() => late.isClosed).toBe(true);
    expect(logged()).toEqual(['a connection too many was closed at once']);
    for (const client of clients.slice(0, CONNECTIONS_MAX)) await expectServed(client);
    clients[3]?.destroy();
    await eventually(() => events.at(-1)).toBe('close 4');
    await expectServed(await connect());
    expect(events).not.toContain('close 17');
  });

  it('closes everything when it stops', async () => {
    const client = await connect();
    (await connect()).send(DATA.subarray(0, 6));
    await eventually(() => time.pending).toBe(1);
    await server.stop();
    expect(events.toSorted()).toEqual(['close 1', 'close 2', 'connect 1', 'connect 2']);
    await eventually(() => client.isClosed).toBe(true);
    await expect(connect()).rejects.toThrow(new NetworkError('refused'));
    expect(logged()).toEqual([]);
  });

  it('says when an address is taken', async () => {
    await expect(makeServer(at).listen()).rejects.toThrow(new NetworkError('address in use'));
  });

  it.each([
    ['127.0.0.1', 0],
    ['127.0.0.2', 0],
    ['::1', 0],
    ['0.0.0.0', 1],
    ['::', 1],
  ])('warns of addresses that others can reach: %s', async (ip, warnings) => {
    const other = makeServer({ ip, port: 0 });
    await other.listen();
    await other.stop();
    expect(logged()).toHaveLength(warnings);
  });
});

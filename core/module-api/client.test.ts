import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fromHex } from '../bytes/index.ts';
import { createLogger } from '../log/index.ts';
import { findLeaks, memorySink } from '../log/testing/index.ts';
import { type Address, NetworkError, realRuntime } from '../runtime/index.ts';
import { connectApi } from './client.ts';
import type { ApiHandler } from './connection.ts';
import type { SentBy, TakenBy } from './message.ts';
import { NSE_API, type NseEstimate } from './nse.ts';
import { ApiServer } from './server.ts';

const LOOPBACK: Address = { ip: '127.0.0.1', port: 0 };
const ESTIMATE: NseEstimate = { type: 'nse estimate', peers: 1000, deviation: 37 };

const sink = memorySink();
const log = createLogger({ sink, clock: realRuntime.clock, level: 'debug' });
let stop: () => Promise<void>;

afterEach(async () => {
  await stop();
  expect(findLeaks(sink.lines)).toEqual([]);
});

type NseClient = ApiHandler<SentBy<typeof NSE_API>, TakenBy<typeof NSE_API>>;

function connect(address: Address, handler: NseClient) {
  return connectApi({ api: NSE_API, address, runtime: realRuntime, log, handler });
}

describe('a client of a module API', () => {
  let at: Address;

  beforeEach(async () => {
    const server = new ApiServer({
      api: NSE_API,
      address: LOOPBACK,
      runtime: realRuntime,
      log,
      handler: { onMessage: (connection) => connection.send(ESTIMATE) },
    });
    at = await server.listen();
    stop = () => server.stop();
  });

  it('asks and is answered', async () => {
    const events: unknown[] = [];
    const connection = await connect(at, {
      onConnect: (own) => own.send({ type: 'nse query' }),
      onMessage: (own, message) => {
        events.push(message);
        own.end();
      },
      onClose: ({ id }) => void events.push(`close ${id}`),
    });
    await connection.closed;
    expect(events).toEqual([ESTIMATE, 'close 1']);
  });

  it('says what it had to say before it ends', async () => {
    const asked = Promise.withResolvers<void>();
    const server = new ApiServer({
      api: NSE_API,
      address: LOOPBACK,
      runtime: realRuntime,
      log,
      handler: { onMessage: () => asked.resolve() },
    });
    const connection = await connect(await server.listen(), { onMessage: () => {} });
    connection.send({ type: 'nse query' });
    connection.end();
    await asked.promise;
    await connection.closed;
    await server.stop();
  });

  it('is told when nobody listens', async () => {
    await stop();
    const refused = new NetworkError('refused');
    await expect(connect(at, { onMessage: () => {} })).rejects.toThrow(refused);
  });

  it('is told when the server stops', async () => {
    const connection = await connect(at, { onMessage: () => {} });
    await stop();
    await connection.closed;
  });
});

describe('a client of a module that breaks the rules', () => {
  it.each([
    ['00040208', 'a message has a type that is not taken here'],
    ['ffff0209', 'the size of a message does not fit its type'],
  ])('closes the connection at %s', async (hex, reason) => {
    const listener = await realRuntime.network.listenTcp(LOOPBACK, (stream) => {
      stream.write(fromHex(hex));
      return { onData: () => {}, onClose: () => {} };
    });
    stop = () => listener.close();
    const connection = await connect(listener.local, { onMessage: () => {} });
    await connection.closed;
    expect(sink.records.at(-1)?.message).toBe(reason);
  });
});

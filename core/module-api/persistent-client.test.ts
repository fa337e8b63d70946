import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '../log/index.ts';
import { findLeaks, type MemorySink, memorySink } from '../log/testing/index.ts';
import {
  type DialOptions,
  type Network,
  NetworkError,
  realRuntime,
  type StreamHandlers,
  type TcpStream,
} from '../runtime/index.ts';
import { settled, VirtualTime } from '../sim/index.ts';
import type { ApiHandler } from './connection.ts';
import { GOSSIP_API } from './gossip.ts';
import { encodeMessage, type SentBy, type TakenBy } from './message.ts';
import { PersistentClient } from './persistent-client.ts';

const NOTIFY = { type: 'gossip notify', dataType: 1337 } as const;
const ADDRESS = { ip: '127.0.0.1', port: 7001 };

let time: VirtualTime;
let sink: MemorySink;
let events: string[];
let client: PersistentClient<TakenBy<typeof GOSSIP_API>, SentBy<typeof GOSSIP_API>>;
/** The module at the other end: whether it runs, and what it holds of an open connection. */
let runs: boolean;
/** How long it takes to answer a dial. */
let dialMs: number;
let module: { readonly handlers: StreamHandlers; readonly close: () => void } | undefined;

const network: Network = {
  ...realRuntime.network,
  async dialTcp(to, { handlers }: DialOptions): Promise<TcpStream> {
    expect(to).toEqual(ADDRESS);
    events.push(`dial ${time.nowMs()}`);
    if (dialMs > 0) await new Promise<void>((resolve) => void time.after(dialMs, resolve));
    if (!runs) throw new NetworkError('refused');
    const close = (): void => {
      if (module === undefined) return;
      module = undefined;
      time.after(0, () => handlers.onClose());
    };
    module = { handlers, close };
    return {
      remote: to,
      bufferedBytes: 0,
      write: (bytes) => void events.push(`write ${bytes.length}`),
      pause: () => {},
      resume: () => {},
      end: close,
      destroy: close,
    };
  },
};

const handler: ApiHandler<SentBy<typeof GOSSIP_API>, TakenBy<typeof GOSSIP_API>> = {
  onConnect: (connection) => {
    events.push(`connect ${connection.id}`);
    connection.send(NOTIFY);
  },
  onMessage: ({ id }, { messageId }) => void events.push(`${id} got ${messageId}`),
  onClose: ({ id }) => void events.push(`close ${id}`),
};

function logged(): string[] {
  return sink.records.map(({ message }) => message);
}

/** What happened since the last call. */
function news(): string[] {
  return events.splice(0);
}

beforeEach(() => {
  time = new VirtualTime();
  sink = memorySink();
  events = [];
  runs = true;
  dialMs = 0;
  module = undefined;
  client = new PersistentClient({
    api: GOSSIP_API,
    address: ADDRESS,
    runtime: { network, timers: time, clock: time },
    log: createLogger({ sink, clock: time, level: 'debug' }).child('gossip'),
    handler,
  });
});

afterEach(async () => {
  const stopping = client.stop();
  await time.runFor(1);
  await stopping;
  expect(time.pending).toBe(0);
  expect(findLeaks(sink.lines)).toEqual([]);
});

describe('a client that stays', () => {
  it('connects, asks for what it needs and takes what comes', async () => {
    client.start();
    await settled();
    module?.handlers.onData(
      encodeMessage({
        type: 'gossip notification',
        messageId: 5,
        dataType: 1337,
        data: new Uint8Array(),
      }),
    );
    expect(client.send(NOTIFY)).toBe(true);
    expect(news()).toEqual(['dial 0', 'connect 1', 'write 8', '1 got 5', 'write 8']);
    expect(logged()).toEqual([]);
  });

  it('tries again with growing pauses, and says only once that it has to', async () => {
    runs = false;
    client.start();
    await time.runFor(20_000);
    const dials = [0, 100, 300, 700, 1500, 3100, 6300, 11_300, 16_300];
    expect(news()).toEqual(dials.map((ms) => `dial ${ms}`));
    expect(logged()).toEqual(['the module is away; trying again until it is back']);
    expect(client.send(NOTIFY)).toBe(false);
    runs = true;
    await time.runFor(5000);
    expect(news()).toEqual(['dial 21300', 'connect 10', 'write 8']);
    expect(logged().slice(1)).toEqual(['the module is back']);
  });

  it('connects and asks again when the module comes back', async () => {
    client.start();
    await time.runFor(60_000);
    module?.close();
    runs = false;
    await time.runFor(150);
    expect(client.send(NOTIFY)).toBe(false);
    runs = true;
    await time.runFor(200);
    expect(news()).toEqual([
      'dial 0',
      'connect 1',
      'write 8',
      'close 1',
      'dial 60100',
      'dial 60300',
      'connect 3',
      'write 8',
    ]);
    expect(logged()).toEqual([
      'the module is away; trying again until it is back',
      'the module is back',
    ]);
  });

  it('does not hurry back to a module that closes at once', async () => {
    client.start();
    for (let i = 0; i < 4; i++) {
      await time.runFor(0);
      module?.close();
      await time.runFor(100 * 2 ** i);
    }
    expect(news().filter((event) => event.startsWith('dial'))).toEqual([
      'dial 0',
      'dial 100',
      'dial 300',
      'dial 700',
      'dial 1500',
    ]);
  });

  it('leaves a module that breaks the rules, and comes back', async () => {
    client.start();
    await settled();
    module?.handlers.onData(encodeMessage({ type: 'nse query' }));
    await time.runFor(100);
    expect(news()).toEqual([
      'dial 0',
      'connect 1',
      'write 8',
      'close 1',
      'dial 100',
      'connect 2',
      'write 8',
    ]);
    expect(logged()).toEqual([
      'a message has a type that is not taken here',
      'the module is away; trying again until it is back',
      'the module is back',
    ]);
  });

  it('stops in a pause', async () => {
    runs = false;
    client.start();
    await time.runFor(50);
    await client.stop();
    expect(time.pending).toBe(0);
    await time.runFor(60_000);
    expect(news()).toEqual(['dial 0']);
  });

  it('stops while it dials, and tells nobody of a connection that comes of it', async () => {
    dialMs = 1000;
    client.start();
    await time.runFor(500);
    const stopping = client.stop();
    await time.runFor(60_000);
    await stopping;
    expect(module).toBeUndefined();
    expect(news()).toEqual(['dial 0']);
  });

  it('stops while it is connected, without a word', async () => {
    client.start();
    await time.runFor(50);
    const stopping = client.stop();
    await time.runFor(60_000);
    await stopping;
    expect(news()).toEqual(['dial 0', 'connect 1', 'write 8', 'close 1']);
    expect(logged()).toEqual([]);
  });

  it('stops before it was started', async () => {
    await client.stop();
    client.start();
    await time.runFor(60_000);
    expect(news()).toEqual([]);
  });
});

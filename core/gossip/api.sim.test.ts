// The Gossip API under clients that are slow, wrong or hostile (protocol 12, attacks 21 and 28).

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, fromHex, utf8 } from '../bytes/index.ts';
import { createLogger } from '../log/index.ts';
import { memorySink } from '../log/testing/index.ts';
import {
  type Connection,
  connectApi,
  encodeMessage,
  GOSSIP_API,
  type MessageOf,
  type TakenBy,
} from '../module-api/index.ts';
import { pick, randomBelow, SeededRng, type TcpStream } from '../runtime/index.ts';
import { simulate, type World } from '../sim/index.ts';
import { GossipApi } from './api-driver.ts';
import type { GossipClient } from './driver.ts';
import { FREE_TYPE } from './testing/fixtures.ts';
import { API_PORT, type SimNode, simulateGossip, startLine } from './testing/sim-node.ts';

type Request = TakenBy<typeof GOSSIP_API>;

const request: fc.Arbitrary<MessageOf<Request>> = fc.oneof(
  fc.record({
    type: fc.constant('gossip announce' as const),
    ttl: fc.nat(255),
    dataType: fc.nat(65_535),
    data: fc.uint8Array({ maxLength: 40 }),
  }),
  fc.record({ type: fc.constant('gossip notify' as const), dataType: fc.nat(65_535) }),
  fc.record({
    type: fc.constant('gossip validation' as const),
    messageId: fc.nat(65_535),
    wellFormed: fc.boolean(),
  }),
);

/** What the API makes of a request. */
function callOf(message: MessageOf<Request>): string {
  if (message.type === 'gossip notify') return `notify ${message.dataType}`;
  if (message.type === 'gossip validation') {
    return `validate ${message.messageId} ${message.wellFormed ? 'pass on' : 'refuse'}`;
  }
  return `announce ${message.ttl} ${message.dataType} ${message.data.join()}`;
}

/** An API in front of a node that only notes what it is told, and a stream to it. */
async function served(
  world: World,
): Promise<{ readonly calls: string[]; dial(): Promise<Dialled> }> {
  const calls: string[] = [];
  const host = world.host('module');
  const address = { ip: host.ip, port: API_PORT };
  const client: GossipClient = {
    announce: ({ hops, dataType, data }) =>
      calls.push(`announce ${hops} ${dataType} ${data.join()}`),
    notify: (dataType) => calls.push(`notify ${dataType}`),
    validate: (messageId, opinion) => calls.push(`validate ${messageId} ${opinion}`),
    close: () => calls.push('close'),
  };
  host.start(async ({ runtime }) => {
    const log = createLogger({ sink: memorySink(), clock: runtime.clock, level: 'error' });
    const api = new GossipApi({ runtime, address, log, node: { connect: () => client } });
    await api.listen();
    return api;
  });
  const { network } = world.host('client').start();
  await world.runFor(0);
  const dial = async (): Promise<Dialled> => {
    const dialled: Dialled = { isClosed: false, stream: undefined };
    const onClose = (): void => {
      dialled.isClosed = true;
    };
    const handlers = { onData: () => {}, onClose };
    dialled.stream = await world.complete(network.dialTcp(address, { timeoutMs: 5000, handlers }));
    return dialled;
  };
  return { calls, dial };
}

interface Dialled {
  isClosed: boolean;
  stream: TcpStream | undefined;
}

describe('the Gossip API', () => {
  it('attack 28: takes requests cut anywhere, many at once or byte by byte', async () => {
    const cut = fc.array(fc.nat(300), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(fc.array(request, { maxLength: 8 }), cut, async (requests, cuts) => {
        await simulate({ seed: 1 }, async (world) => {
          const { calls, dial } = await served(world);
          const { stream } = await dial();
          const bytes = concatBytes(...requests.map(encodeMessage));
          let from = 0;
          for (const to of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
            stream?.write(bytes.slice(from, to));
            from = Math.max(from, Math.min(to, bytes.length));
            await world.runFor(100);
          }
          expect(calls).toEqual(requests.map(callOf));
        });
      }),
      { numRuns: 60 },
    );
  });

  it('attack 28: closes a connection for any request that cannot be right, and no other', async () => {
    const noise = fc.tuple(request, fc.nat(7), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(noise, async ([first, place, value]) => {
        await simulate({ seed: 1 }, async (world) => {
          const { calls, dial } = await served(world);
          const [hostile, honest] = [await dial(), await dial()];
          const bytes = encodeMessage(first).with(place, value);
          hostile.stream?.write(bytes);
          await world.runFor(20_000);
          const sizeIsRight = new DataView(bytes.buffer).getUint16(0) === bytes.length;
          const isKnown = [500, 501, 503].includes(new DataView(bytes.buffer).getUint16(2));
          if (!sizeIsRight || !isKnown) expect(hostile.isClosed).toBe(true);
          honest.stream?.write(encodeMessage({ type: 'gossip notify', dataType: 99 }));
          await world.runFor(1000);
          expect([honest.isClosed, calls.at(-1)]).toEqual([false, 'notify 99']);
        });
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ['a size of 3', '0003 01f4'],
    ['a size of 0', '0000 01f4'],
    ['a NOTIFY too long', '0009 01f5 0000 0001 00'],
    ['a VALIDATION too short', '0006 01f7 0001'],
    ['an answer instead of a request', '0009 01f6 0001 0001 00'],
    ['another module’s message', '0004 0208'],
  ])('attack 28: closes the connection that sends %s', async (_, hex) => {
    await simulate({ seed: 1 }, async (world) => {
      const { calls, dial } = await served(world);
      const dialled = await dial();
      dialled.stream?.write(fromHex(hex.replaceAll(' ', '')));
      await world.runFor(1000);
      expect([dialled.isClosed, calls]).toEqual([true, ['close']]);
    });
  });
});

/** A client of that node's API, that answers notifications as `answers` says. */
async function connect(
  world: World,
  node: SimNode,
  answers: (connection: Connection<Request>, messageId: number) => void,
): Promise<{ readonly texts: string[]; readonly connection: Connection<Request> }> {
  const runtime = world.host(`client ${world.hosts.size}`).start();
  const texts: string[] = [];
  const dialled = connectApi({
    api: GOSSIP_API,
    address: { ip: node.host.ip, port: API_PORT },
    runtime,
    log: createLogger({ sink: memorySink(), clock: runtime.clock, level: 'error' }),
    handler: {
      onMessage: (connection, { messageId, data }) => {
        texts.push(new TextDecoder().decode(data));
        answers(connection, messageId);
      },
    },
  });
  const connection = await world.complete(dialled);
  connection.send({ type: 'gossip notify', dataType: FREE_TYPE });
  await world.runFor(100);
  return { texts, connection };
}

function validate(connection: Connection<Request>, messageId: number, wellFormed = true): void {
  connection.send({ type: 'gossip validation', messageId: messageId & 0xffff, wellFormed });
}

describe('a module that answers VALIDATION as it likes', () => {
  it('attack 21: wrongly, twice, never or about nothing decides about its own items only', async () => {
    await simulateGossip({ seed: [1, 2, 3] }, async (world) => {
      const rng = new SeededRng(5);
      const [origin, middle, last] = await startLine(world, ['alice', 'bob', 'carol'], {
        hasApi: true,
      });
      if (origin === undefined || middle === undefined) throw new Error('no node');
      last?.module.client.notify(FREE_TYPE);
      const passedOn: number[] = [];
      const rogue = await connect(world, middle, (connection, messageId) => {
        const ways: (() => void)[] = [
          () => {},
          () => validate(connection, messageId + 1000),
          () => validate(connection, messageId, false),
          () => {
            passedOn.push(rogue.texts.length - 1);
            validate(connection, messageId);
            validate(connection, messageId, false);
          },
        ];
        pick(rng, ways)?.();
        for (let i = randomBelow(rng, 3); i > 0; i--) {
          validate(connection, messageId + 2000 + i, i > 1);
        }
      });
      for (let i = 0; i < 28; i++) {
        // Its score falls with every refusal; hours let it rise again.
        origin.module.client.announce({ hops: 0, dataType: FREE_TYPE, data: utf8(`item ${i}`) });
        await world.runFor(600_000);
      }
      const expected = passedOn.map((place) => rogue.texts[place]);
      expect(expected.length).toBeGreaterThan(2);
      expect(new Set(last?.module.texts)).toEqual(new Set(expected));
      expect(middle.node.status.waiting).toBe(0);
      expect(middle.node.status.dropped.get('no such notification')).toBeGreaterThan(5);
    });
  });

  it('attack 21: is no burden after it has gone', async () => {
    await simulateGossip({ seed: 1 }, async (world) => {
      const [origin, middle, last] = await startLine(world, ['alice', 'bob', 'carol'], {
        hasApi: true,
      });
      if (origin === undefined || middle === undefined) throw new Error('no node');
      const mute = await connect(world, middle, () => {});
      for (const { module } of [middle, last ?? middle]) module.client.notify(FREE_TYPE);
      const announce = (text: string): void =>
        origin.module.client.announce({ hops: 0, dataType: FREE_TYPE, data: utf8(text) });
      announce('held up');
      await world.runFor(10_000);
      expect([mute.texts, last?.module.texts]).toEqual([['held up'], []]);
      announce('let go');
      await world.runFor(1000);
      mute.connection.end();
      await world.runFor(1000);
      expect(last?.module.texts).toEqual(['let go']);
    });
  });
});

// The RPS API in a simulated world, and the client of NSE's.

import { describe, expect, it } from 'vitest';
import type { IdentityKey } from '../identity/index.ts';
import { ALICE, BOB } from '../link/testing/nodes.ts';
import { createLogger } from '../log/index.ts';
import { memorySink } from '../log/testing/index.ts';
import {
  ApiServer,
  type Connection,
  connectApi,
  type MessageOf,
  NSE_API,
  RPS_API,
} from '../module-api/index.ts';
import { simulate, type World } from '../sim/index.ts';
import { RpsApi } from './api-driver.ts';
import { contactAt } from './contact.ts';
import { NseSize } from './nse-driver.ts';
import type { Sampled } from './port.ts';

const PORT = 7101;

const [ONE, TWO] = [ALICE, BOB].map(({ descriptor }, i): Sampled => {
  const ports = { dht: 4000, gossip: 4001, nse: 0, onion: 4002 };
  const contact = contactAt(descriptor.identity, { ip: `20.1.1.${i + 1}`, port: 4000 });
  return { contact, descriptor: { ...descriptor, ports } };
}) as [Sampled, Sampled];

async function playground(
  world: World,
  sample: (except: ReadonlySet<IdentityKey>) => Sampled | undefined,
) {
  const host = world.host('module');
  const sink = memorySink();
  const clock = { wallMs: () => world.time.wallMs(), nowMs: () => world.nowMs() };
  const log = createLogger({ sink, clock, level: 'debug' });
  const address = { ip: host.ip, port: PORT };
  const api = new RpsApi({ runtime: host.start(() => undefined), address, log, sample });
  await world.complete(api.listen());
  const peers: MessageOf<'rps peer'>[] = [];
  let isClosed = false;
  const connection: Connection<'rps query'> = await world.complete(
    connectApi({
      api: RPS_API,
      address,
      runtime: world.host('client').start(() => undefined),
      log,
      handler: {
        onMessage: (_, message) => void peers.push(message),
        onClose: () => {
          isClosed = true;
        },
      },
    }),
  );
  const query = (): void => connection.send({ type: 'rps query' });
  return { api, peers, query, sink, log, isClosed: () => isClosed };
}

describe('a query', () => {
  it('is answered with a peer, its Rpc address and the ports it has', async () => {
    await simulate({ seed: 1 }, async (world) => {
      const { peers, query } = await playground(world, () => ONE);
      query();
      await world.until(() => peers.length === 1);
      expect(peers[0]).toEqual({
        type: 'rps peer',
        address: { ip: '20.1.1.1', port: 4000 },
        portmap: [
          { app: 650, port: 4000 },
          { app: 500, port: 4001 },
          { app: 560, port: 4002 },
        ],
        hostkey: ALICE.descriptor.publicKey,
      });
    });
  });

  it('is never answered twice in a row with the same, while there are others', async () => {
    await simulate({ seed: 1 }, async (world) => {
      const { peers, query } = await playground(world, (except) =>
        except.has(ONE.contact.key) ? TWO : ONE,
      );
      for (let i = 0; i < 6; i++) query();
      await world.until(() => peers.length === 6);
      expect(peers.map(({ address }) => address.ip.at(-1))).toEqual(['1', '2', '1', '2', '1', '2']);
    });
  });

  it('waits for the first peer', async () => {
    await simulate({ seed: 1 }, async (world) => {
      let found: Sampled | undefined;
      const { peers, query, isClosed } = await playground(world, () => found);
      query();
      query();
      await world.runFor(4500);
      expect([peers.length, isClosed()]).toEqual([0, false]);
      found = ONE;
      await world.runFor(300);
      expect([peers.length, isClosed()]).toEqual([2, false]);
    });
  });

  it('ends its connection after 5 s without any, with a line in the log and nothing false', async () => {
    await simulate({ seed: 1 }, async (world) => {
      const { peers, query, isClosed, sink } = await playground(world, () => undefined);
      query();
      await world.runFor(5500);
      expect([peers.length, isClosed()]).toEqual([0, true]);
      expect(JSON.stringify(sink.records)).toContain('no peer is known');
    });
  });

  it('costs the connection when hundreds of them wait (attack 28)', async () => {
    await simulate({ seed: 1 }, async (world) => {
      const { query, isClosed } = await playground(world, () => undefined);
      for (let i = 0; i < 257; i++) query();
      await world.until(isClosed, 1000);
    });
  });
});

describe('the size of the network', () => {
  it('is what NSE said last, also when that is away', async () => {
    await simulate({ seed: 1 }, async (world) => {
      const { log } = await playground(world, () => undefined);
      const nse = world.host('nse');
      const address = { ip: nse.ip, port: 7201 };
      const server = new ApiServer({
        api: NSE_API,
        address,
        runtime: nse.start(() => undefined),
        log,
        handler: {
          onMessage: (client) => client.send({ type: 'nse estimate', peers: 321, deviation: 0 }),
        },
      });
      const size = new NseSize({
        runtime: world.host('asker').start(() => undefined),
        address,
        log,
      });
      expect(size.peers).toBeUndefined();
      await world.complete(server.listen());
      await world.until(() => size.peers === 321);
      nse.crash();
      await world.runFor(60_000);
      expect(size.peers).toBe(321);
    });
  });
});

import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TEST_HOSTKEY_PEMS } from '../identity/testing/keys.ts';
import { createLogger } from '../log/index.ts';
import { memorySink } from '../log/testing/index.ts';
import {
  ApiServer,
  type Connection,
  connectApi,
  GOSSIP_API,
  type MessageOf,
  RPS_API,
} from '../module-api/index.ts';
import { realRuntime } from '../runtime/index.ts';
import { commands, runCommand } from './index.ts';

const log = createLogger({ sink: memorySink(), clock: realRuntime.clock, level: 'error' });
const NAMES = ['alice', 'bob', 'carol'] as const;

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voidphone-rps-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** One Gossip for all: each hears what the others announced, before it came too. */
class GossipStub {
  readonly #announced: Uint8Array[] = [];
  readonly #clients = new Set<Connection<'gossip notification'>>();
  readonly server = new ApiServer({
    api: GOSSIP_API,
    address: { ip: '127.0.0.1', port: 0 },
    runtime: realRuntime,
    log,
    handler: {
      onMessage: (client, message) => {
        if (message.type === 'gossip notify') {
          this.#clients.add(client);
          for (const data of this.#announced) notify(client, data);
        } else if (message.type === 'gossip announce') {
          this.#announced.push(message.data);
          for (const other of this.#clients) if (other !== client) notify(other, message.data);
        }
      },
      onClose: (client) => void this.#clients.delete(client),
    },
  });
}

function notify(client: Connection<'gossip notification'>, data: Uint8Array): void {
  client.send({ type: 'gossip notification', messageId: 1, dataType: 5400, data });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Runs the command in a folder of its own until `stopped`. */
async function voidphoneRps(name: string, config: readonly string[], stopped: Promise<void>) {
  await mkdir(join(folder, name));
  const file = join(folder, name, 'rps.conf');
  await writeFile(file, config.join('\n'));
  const notes: string[] = [];
  const code = await runCommand(commands, ['rps', '-c', file], {
    out: () => {},
    note: (text) => notes.push(text),
    env: {},
    untilStopped: () => stopped,
  });
  return { code, notes: notes.join('\n') };
}

/** Asks until there is an answer: a connection is closed after 5 s without one. */
async function ask(port: number): Promise<MessageOf<'rps peer'>> {
  for (;;) {
    const found = Promise.withResolvers<MessageOf<'rps peer'> | undefined>();
    const connection = await connectApi({
      api: RPS_API,
      address: { ip: '127.0.0.1', port },
      runtime: realRuntime,
      log,
      handler: {
        onMessage: (_, message) => found.resolve(message),
        onClose: () => found.resolve(undefined),
      },
    });
    connection.send({ type: 'rps query' });
    const peer = await found.promise;
    connection.end();
    if (peer !== undefined) return peer;
  }
}

describe('voidphone rps', () => {
  it('says all that is missing', async () => {
    const { code, notes } = await voidphoneRps('x', ['[nse]', 'period = 10'], Promise.resolve());
    expect(code).toBe(2);
    const all = ['hostkey', '[rps] p2p_address', '[rps] api_address', '[gossip] api_address'];
    for (const name of all) expect(notes).toContain(`rps.conf: ${name} is missing`);
  });

  it('finds others through Gossip, names them with their ports, and keeps whom it knew', async () => {
    const gossip = new GossipStub();
    const { port: gossipPort } = await gossip.server.listen();
    const stopping = Promise.withResolvers<void>();
    const ports = await Promise.all(NAMES.map(async () => [await freePort(), await freePort()]));
    const runs = NAMES.map(async (name, i) => {
      const [p2p = 0, api = 0] = ports[i] ?? [];
      await writeFile(join(folder, `${name}.pem`), TEST_HOSTKEY_PEMS[name], { mode: 0o600 });
      const config = [
        `hostkey = ../${name}.pem`,
        'allow_private = yes',
        '[rps]',
        `p2p_address = 127.0.0.1:${p2p}`,
        `api_address = 127.0.0.1:${api}`,
        '[gossip]',
        `p2p_address = 127.0.0.1:${5000 + i}`,
        `api_address = 127.0.0.1:${gossipPort}`,
        '[onion]',
        `p2p_port = ${6000 + i}`,
      ];
      return voidphoneRps(name, config, stopping.promise);
    });
    await expect.poll(async () => isListening(ports[0]?.[1] ?? 0), { timeout: 20_000 }).toBe(true);
    const peer = await ask(ports[0]?.[1] ?? 0);
    const named = ports.findIndex(([p2p]) => p2p === peer.address.port);
    expect(named).toBeGreaterThan(0);
    expect(peer.address.ip).toBe('127.0.0.1');
    expect(peer.portmap).toEqual([
      { app: 500, port: 5000 + named },
      { app: 520, port: 5000 + named },
      { app: 560, port: 6000 + named },
    ]);
    stopping.resolve();
    for (const { code, notes } of await Promise.all(runs))
      expect([code, notes]).toEqual([0, expect.any(String)]);
    const { size } = await stat(join(folder, NAMES[0], 'rps.conf.rps'));
    expect(size).toBeGreaterThan(128 * 32 + 1000);
    await gossip.server.stop();
  });
});

async function isListening(port: number): Promise<boolean> {
  try {
    const connection = await connectApi({
      api: RPS_API,
      address: { ip: '127.0.0.1', port },
      runtime: realRuntime,
      log,
      handler: { onMessage: () => {} },
    });
    connection.end();
    return true;
  } catch {
    return false;
  }
}

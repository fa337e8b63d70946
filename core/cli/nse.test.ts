import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TEST_HOSTKEY_PEMS } from '../identity/testing/keys.ts';
import { createLogger } from '../log/index.ts';
import { memorySink } from '../log/testing/index.ts';
import { ApiServer, connectApi, GOSSIP_API, type Message, NSE_API } from '../module-api/index.ts';
import { realRuntime } from '../runtime/index.ts';
import { commands, runCommand } from './index.ts';

const log = createLogger({ sink: memorySink(), clock: realRuntime.clock, level: 'error' });
const ANY_PORT = { ip: '127.0.0.1', port: 0 };

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voidphone-nse-'));
  await writeFile(join(folder, 'hostkey.pem'), TEST_HOSTKEY_PEMS.alice, { mode: 0o600 });
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** Runs the command until `whileRunning` is done. */
async function voidphoneNse(
  config: readonly string[],
  whileRunning: () => Promise<void> = async () => {},
): Promise<{ readonly code: number; readonly notes: string }> {
  const file = join(folder, 'nse.conf');
  await writeFile(file, config.join('\n'));
  const notes: string[] = [];
  const code = await runCommand(commands, ['nse', '-c', file], {
    out: () => {},
    note: (text) => notes.push(text),
    env: {},
    untilStopped: whileRunning,
  });
  return { code, notes: notes.join('\n') };
}

/** Somebody else who listens. */
async function occupant(): Promise<{ readonly port: number; leave(): Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    leave: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}

describe('voidphone nse', () => {
  it('says all that is missing', async () => {
    const { code, notes } = await voidphoneNse(['[nse]', 'period = 10']);
    expect(code).toBe(2);
    for (const name of ['hostkey', '[nse] api_address', '[gossip] api_address']) {
      expect(notes).toContain(`nse.conf: ${name} is missing`);
    }
  });

  it('subscribes at Gossip and answers a query at once', async () => {
    const told = Promise.withResolvers<Message>();
    const gossip = new ApiServer({
      api: GOSSIP_API,
      address: ANY_PORT,
      runtime: realRuntime,
      log,
      handler: { onMessage: (_, message) => told.resolve(message) },
    });
    const { port: gossipPort } = await gossip.listen();
    const { port, leave } = await occupant();
    await leave();
    const config = [
      'hostkey = hostkey.pem',
      '[nse]',
      `api_address = 127.0.0.1:${port}`,
      '[gossip]',
      `api_address = 127.0.0.1:${gossipPort}`,
    ];
    const answer = Promise.withResolvers<Message>();
    const { code } = await voidphoneNse(config, async () => {
      const connection = await connectApi({
        api: NSE_API,
        address: { ip: '127.0.0.1', port },
        runtime: realRuntime,
        log,
        handler: { onMessage: (_, message) => answer.resolve(message) },
      });
      connection.send({ type: 'nse query' });
      expect(await answer.promise).toEqual({ type: 'nse estimate', peers: 1, deviation: 0 });
      expect(await told.promise).toEqual({ type: 'gossip notify', dataType: 5200 });
    });
    expect(code).toBe(0);
    await gossip.stop();
  });

  it('ends when its address is taken, and says which option that was', async () => {
    const { port, leave } = await occupant();
    const { code, notes } = await voidphoneNse([
      'hostkey = hostkey.pem',
      '[nse]',
      `api_address = 127.0.0.1:${port}`,
      '[gossip]',
      'api_address = 127.0.0.1:1',
    ]);
    expect(code).toBe(1);
    expect(notes).toContain('[nse] api_address: address in use');
    await leave();
  });
});

import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TEST_HOSTKEY_PEMS } from '../identity/testing/keys.ts';
import { commands, runCommand } from './index.ts';

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voidphone-dht-'));
  await writeFile(join(folder, 'hostkey.pem'), TEST_HOSTKEY_PEMS.alice, { mode: 0o600 });
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function voidphoneDht(config: readonly string[]) {
  const file = join(folder, 'dht.conf');
  await writeFile(file, config.join('\n'));
  const notes: string[] = [];
  const code = await runCommand(commands, ['dht', '-c', file], {
    out: () => {},
    note: (text) => notes.push(text),
    env: {},
    untilStopped: async () => {},
  });
  return { code, notes: notes.join('\n') };
}

describe('voidphone dht', () => {
  it('says all that is missing', async () => {
    const { code, notes } = await voidphoneDht(['[dht]', 'paths = 8']);
    expect(code).toBe(2);
    for (const name of ['hostkey', '[dht] p2p_address', '[dht] api_address']) {
      expect(notes).toContain(`dht.conf: ${name} is missing`);
    }
  });

  it('ends when its address is taken, and says which option that was', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const { code, notes } = await voidphoneDht([
      'hostkey = hostkey.pem',
      'allow_private = yes',
      '[dht]',
      `p2p_address = 127.0.0.1:${port}`,
      'api_address = 127.0.0.1:1',
    ]);
    expect(code).toBe(1);
    expect(notes).toContain('[dht] p2p_address: address in use');
    expect(await readdir(folder)).toContain('dht.conf.dht');
    await new Promise((resolve) => void server.close(resolve));
  });
});

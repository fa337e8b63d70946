import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testHostkey } from '../identity/testing/keys.ts';
import { realRuntime } from '../runtime/index.ts';
import { commands, runCommand } from './index.ts';

const GLOBAL = ['hostkey = hostkey.pem'];
const ONION = ['p2p_hostname = 127.0.0.1', 'p2p_port = 1', 'api_address = 127.0.0.1:1'];
const RPS = ['api_address = 127.0.0.1:2'];

let folder = '';
let file = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voidphone-cli-onion-'));
  file = join(folder, 'onion.ini');
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

function configuration({ global = GLOBAL, onion = ONION, rps = RPS }): string {
  return [...global, '[onion]', ...onion, '[rps]', ...rps, ''].join('\n');
}

async function voidphone(...args: readonly string[]) {
  const notes: string[] = [];
  const code = await runCommand(commands, args, {
    out: (text) => notes.push(text),
    note: (text) => notes.push(text),
    env: {},
    untilStopped: async () => {},
  });
  return { code, notes: notes.join('\n') };
}

/** As a process of its own, so that what is left open keeps it from ending. */
async function voidphoneProcess(...args: readonly string[]) {
  const cli = join(import.meta.dirname, '..', 'cli.ts');
  const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  let notes = '';
  for await (const chunk of child.stderr) notes += String(chunk);
  return { code: await ended, notes };
}

describe('voidphone onion', () => {
  it('says that it needs a configuration', async () => {
    const { code, notes } = await voidphone('onion');
    expect({ code, notes }).toEqual({
      code: 2,
      notes: 'no configuration given: voidphone onion -c FILE',
    });
  });

  it('names the configuration that is not there', async () => {
    const { code, notes } = await voidphone('onion', '-c', file);
    expect(code).toBe(2);
    expect(notes).toContain(file);
  });

  it.each([
    ['hostkey', { global: [] }],
    ['[onion] p2p_hostname', { onion: ONION.slice(1) }],
    ['[onion] p2p_port', { onion: ONION.toSpliced(1, 1) }],
    ['[onion] api_address', { onion: ONION.slice(0, 2) }],
    ['[rps] api_address', { rps: [] }],
  ])('names the file, the section and the option when %s is missing', async (name, without) => {
    await writeFile(file, configuration(without));
    expect(await voidphone('onion', '-c', file)).toEqual({
      code: 2,
      notes: `${file}: ${name} is missing`,
    });
  });

  it('names all that is missing at once', async () => {
    await writeFile(file, '');
    const { code, notes } = await voidphone('onion', '-c', file);
    expect(code).toBe(2);
    expect(notes.split('\n')).toHaveLength(5);
  });

  it('names the hostkey’s file when it is not there', async () => {
    await writeFile(file, configuration({}));
    const { code, notes } = await voidphone('onion', '-c', file);
    expect(code).toBe(1);
    expect(notes).toContain(join(folder, 'hostkey.pem'));
  });

  it('names the option whose address is taken, and ends', async () => {
    const nobody = () => ({ onData() {}, onClose() {} });
    const { network } = realRuntime;
    const taken = await network.listenTcp({ ip: '127.0.0.1', port: 0 }, nobody);
    const { port } = taken.local;
    const onion = ONION.with(2, `api_address = 127.0.0.1:${port}`);
    await writeFile(join(folder, 'hostkey.pem'), testHostkey('alice').encodePem(), { mode: 0o600 });
    await writeFile(file, configuration({ onion }));
    const { code, notes } = await voidphoneProcess('onion', '-c', file);
    expect({ code, notes }).toEqual({ code: 1, notes: '[onion] api_address: address in use\n' });
    await taken.close();
  });
});

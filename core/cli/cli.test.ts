import { spawn } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testHostkey } from '../identity/testing/keys.ts';
import { commands, type Io, runCommand } from './index.ts';

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voidphone-cli-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

interface Run {
  readonly code: number;
  readonly out: string;
  readonly notes: string;
}

async function voidphone(args: readonly string[], env: Io['env'] = {}): Promise<Run> {
  const out: string[] = [];
  const notes: string[] = [];
  const code = await runCommand(commands, args, {
    out: (text) => out.push(text),
    note: (text) => notes.push(text),
    env,
    untilStopped: async () => {},
  });
  return { code, out: out.join('\n'), notes: notes.join('\n') };
}

describe('voidphone', () => {
  it('lists every command, with the exit codes, for help and for nothing at all', async () => {
    const { code, out } = await voidphone(['help']);
    expect(code).toBe(0);
    for (const { name, summary } of commands) expect(out).toMatch(`${name.padEnd(8)}  ${summary}`);
    expect(out).toContain('Exit codes:');
    expect(await voidphone(['--help'])).toEqual({ code: 0, out, notes: '' });
    expect(await voidphone([])).toEqual({ code: 2, out: '', notes: out });
  });

  it('explains one command', async () => {
    const { out } = await voidphone(['help', 'keygen']);
    expect(out).toMatch(/^Usage: voidphone keygen \[--out FILE\]/);
    expect(await voidphone(['keygen', '--help'])).toEqual({ code: 0, out, notes: '' });
  });

  it('prints the configuration reference exactly as it stands in docs/', async () => {
    const { out } = await voidphone(['help', 'config']);
    const file = join(import.meta.dirname, '..', '..', 'docs', 'configuration.md');
    expect(`${out}\n`).toBe(await readFile(file, 'utf8'));
  });

  it.each([
    [['fly'], 'There is no command "fly".'],
    [['help', 'fly'], 'There is no command "fly".'],
    [['version', '--loud'], "Unknown option '--loud'."],
    [['version', 'extra'], '"extra" is one argument too many.'],
    [['keygen', '--out'], "Option '--out <value>' argument missing."],
    [['selftest', '--port', '65536'], '--port "65536": wanted a whole number from 1 to 65535.'],
    [['selftest', '--port', '1e3'], '--port "1e3": wanted a whole number from 1 to 65535.'],
  ])('refuses %j with exit code 2', async (args, message) => {
    const { code, out, notes } = await voidphone(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(notes).toContain(message);
  });
});

describe('voidphone version', () => {
  it('prints its version and what it runs on', async () => {
    const { out } = await voidphone(['version', '--json']);
    expect(JSON.parse(out)).toEqual({
      voidphone: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      node: process.versions.node,
      platform: `${process.platform} ${process.arch}`,
      crypto: 'libsodium',
    });
    expect((await voidphone(['--version'])).out).toContain(`node ${process.versions.node}`);
  });
});

describe('voidphone keygen and identity', () => {
  it('make a hostkey only its owner can read, and tell whose it is', async () => {
    const file = join(folder, 'mine.pem');
    const made = await voidphone(['keygen', '--out', file, '--json']);
    expect(made.code).toBe(0);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const { out } = await voidphone(['identity', file, '--json']);
    expect(JSON.parse(out).identity).toBe(JSON.parse(made.out).identity);
    expect(JSON.parse(out).publicKey).toMatch(/^-----BEGIN PUBLIC KEY-----\n/);
    expect((await voidphone(['identity', file])).out).toContain(
      JSON.parse(out).publicKey.trimEnd(),
    );
  });

  it('never overwrite a hostkey', async () => {
    const file = join(folder, 'mine.pem');
    await writeFile(file, testHostkey('alice').encodePem(), { mode: 0o600 });
    const { code, notes } = await voidphone(['keygen', '--out', file]);
    expect(code).toBe(1);
    expect(notes).toContain('a hostkey is never overwritten');
    expect(await readFile(file, 'utf8')).toBe(testHostkey('alice').encodePem());
  });

  it('warn about a hostkey that others can read', async () => {
    const file = join(folder, 'open.pem');
    await writeFile(file, testHostkey('alice').encodePem());
    await chmod(file, 0o644);
    expect((await voidphone(['identity', file])).notes).toContain('other users');
  });

  it('say which file is missing', async () => {
    const file = join(folder, 'nowhere.pem');
    const { code, notes } = await voidphone(['identity', file]);
    expect(code).toBe(1);
    expect(notes).toContain(file);
  });
});

describe('voidphone selftest', () => {
  it('reports both crypto providers, sound and ports', async () => {
    const { code, out } = await voidphone(['selftest', '--json']);
    const report = JSON.parse(out);
    expect(code).toBe(0);
    expect(report.crypto).toMatchObject([
      { name: 'libsodium', ok: true, wrong: [] },
      { name: 'noble', ok: true, wrong: [] },
    ]);
    for (const { cellsPerSecond } of report.crypto) expect(cellsPerSecond).toBeGreaterThan(0);
    expect(report.audio.devices.length > 0 || report.audio.why !== '').toBe(true);
    expect([report.udp.ok, report.tcp.ok]).toEqual([true, true]);
  });

  it('fails when the port is taken, and says which', async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '0.0.0.0', () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    const { code, out } = await voidphone(['selftest', '--port', String(port)]);
    expect(code).toBe(1);
    expect(out).toContain(`tcp     port ${port}: address in use`);
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('voidphone node', () => {
  const identityIn = (out: string) => /^Identity (\S+)$/m.exec(out)?.[1];

  it('makes a profile and has the same identity the next time', async () => {
    const profile = join(folder, 'deep', 'profile');
    const first = await voidphone(['node', '--profile', profile]);
    const second = await voidphone(['node', '--profile', profile]);
    expect([first.code, second.code]).toEqual([0, 0]);
    expect(identityIn(first.out)).toMatch(/^[a-z0-9-]{69}$/);
    expect(identityIn(second.out)).toBe(identityIn(first.out));
  });

  it('opens a profile with the passphrase it was made with, and with no other', async () => {
    const profile = join(folder, 'profile');
    const file = join(folder, 'passphrase');
    await writeFile(file, 'correct horse\nsecond line', { mode: 0o600 });
    const open = (env: Io['env'], ...args: string[]) =>
      voidphone(['node', '--profile', profile, ...args], env);
    const made = await open({ VOIDPHONE_PASSPHRASE: 'correct horse' });
    const again = await open({}, '--passphrase-file', file);
    expect(identityIn(again.out)).toBe(identityIn(made.out));
    const wrong = await open({ VOIDPHONE_PASSPHRASE: 'battery staple' });
    expect(wrong).toMatchObject({ code: 1, out: '' });
    expect(wrong.notes).toContain('does not open with this passphrase');
    const none = await open({});
    expect(none).toMatchObject({ code: 1, out: '' });
    expect(none.notes).toContain('this profile has a passphrase');
  });

  it('says that a folder cannot be used', async () => {
    await writeFile(join(folder, 'file'), '');
    const { code, notes } = await voidphone(['node', '--profile', join(folder, 'file', 'x')]);
    expect(code).toBe(1);
    expect(notes).toContain(join(folder, 'file'));
  });
});

describe('the program', () => {
  it('runs a node until it is asked to stop, and refuses a second one', async () => {
    const args = [
      join(import.meta.dirname, '..', 'cli.ts'),
      'node',
      '--profile',
      join(folder, 'p'),
    ];
    const first = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    for await (const chunk of first.stdout) if (String(chunk).includes('Running')) break;
    const second = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let complaint = '';
    for await (const chunk of second.stderr) complaint += String(chunk);
    expect(complaint).toContain('another VoidPhone is using this profile');
    const ended = new Promise((resolve) => first.once('exit', resolve));
    first.kill('SIGTERM');
    expect(await ended).toBe(0);
  });
});

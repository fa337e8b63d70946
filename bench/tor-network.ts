// A Tor network of one's own on loopback, of the tor that is installed: one directory authority, three relays and a
// client whose circuits go through the three in order. Nothing of it touches the real network, and all is gone at the end.

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, LOOPBACK } from './bed.ts';

/** For a first consensus within a minute. */
const TESTING = `
TestingTorNetwork 1
AssumeReachable 1
PathsNeededToBuildCircuits 0.25
ShutdownWaitLength 0
DisableDebuggerAttachment 0
Sandbox 0
Address ${LOOPBACK}
Log notice stdout
`;
const AUTHORITY = `
AuthoritativeDirectory 1
V3AuthoritativeDirectory 1
ContactInfo nobody@example.invalid
TestingV3AuthInitialVotingInterval 20 seconds
TestingV3AuthInitialVoteDelay 4 seconds
TestingV3AuthInitialDistDelay 4 seconds
V3AuthVotingInterval 20 seconds
V3AuthVoteDelay 4 seconds
V3AuthDistDelay 4 seconds
TestingDirAuthVoteExit *
TestingDirAuthVoteGuard *
TestingMinExitFlagThreshold 0
ExitPolicy reject *:*
`;
const RELAYS = ['entry', 'middle', 'exit'] as const;
const EXIT_POLICY = {
  entry: 'ExitPolicy reject *:*',
  middle: 'ExitPolicy reject *:*',
  exit: 'ExitRelay 1\nExitPolicyRejectPrivate 0\nExitPolicy accept *:*',
};
const BOOTSTRAP_TIMEOUT_MS = 120_000;

/** Undefined where tor, or its tool for keys of authorities, is not installed. */
export function torVersion(): string | undefined {
  const [tor, gencert] = ['tor', 'tor-gencert'].map((program) =>
    spawnSync(program, ['--version'], { encoding: 'utf8' }),
  );
  if (tor?.error !== undefined || gencert?.error !== undefined) return undefined;
  return tor?.stdout.split('\n')[0];
}

export class TorNetwork {
  readonly socks: number;
  readonly #folder: string;
  readonly #children: readonly ChildProcess[];
  readonly #middle: ChildProcess;

  static async start(): Promise<TorNetwork> {
    const folder = mkdtempSync(join(tmpdir(), 'voidphone-tor-'));
    const ports = await freePorts(2 * (RELAYS.length + 1) + 1);
    const [orPort = 0, dirPort = 0, socks = 0, ...rest] = ports;
    const authority = identityOf(folder, 'authority');
    const v3ident = createAuthorityKeys(join(folder, 'authority', 'keys'), dirPort);
    const dirAuthority = `DirAuthority authority orport=${orPort} no-v2 v3ident=${v3ident} ${LOOPBACK}:${dirPort} ${authority}`;
    const common = `${TESTING}${dirAuthority}\n`;
    const run = (name: string, lines: string): ChildProcess => runTor(folder, name, common + lines);
    const place = `Nickname authority\nORPort ${LOOPBACK}:${orPort}\nDirPort ${LOOPBACK}:${dirPort}\nSocksPort 0`;
    const children = [run('authority', `${place}\n${AUTHORITY}`)];
    const prints = RELAYS.map((name, i) => {
      const print = identityOf(folder, name);
      const at = `Nickname ${name}\nORPort ${LOOPBACK}:${rest[i]}\nSocksPort 0\n${EXIT_POLICY[name]}`;
      children.push(run(name, at));
      return print;
    });
    const [entry, middle, exit] = prints;
    const path = `EntryNodes ${entry}\nMiddleNodes ${middle}\nExitNodes ${exit}\nStrictNodes 1`;
    const client = run(
      'client',
      `SocksPort ${LOOPBACK}:${socks} IsolateSOCKSAuth\nORPort 0\n${path}`,
    );
    const network = new TorNetwork(folder, [...children, client], socks);
    try {
      await bootstrapped(client);
    } catch (error) {
      await network.stop();
      throw error;
    }
    return network;
  }

  private constructor(folder: string, children: readonly ChildProcess[], socks: number) {
    const middle = children[1 + RELAYS.indexOf('middle')];
    if (middle === undefined) throw new Error('there are three relays');
    this.#folder = folder;
    this.#children = children;
    this.#middle = middle;
    this.socks = socks;
  }

  /** Of the middle relay, all its threads, since it began. */
  cpuS(): number {
    return processCpuS(this.#middle.pid ?? 0);
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#children.map((child) => {
        const gone = new Promise((resolve) => child.once('close', resolve));
        if (child.exitCode !== null) return undefined;
        child.kill('SIGKILL');
        return gone;
      }),
    );
    rmSync(this.#folder, { recursive: true });
  }
}

/** User and system time, from Linux's /proc. */
function processCpuS(pid: number): number {
  const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const fields = rest.split(' ');
  const perSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  return (Number(fields[11]) + Number(fields[12])) / perSecond;
}

/** The fingerprint of a relay, whose keys are made by asking for it. */
function identityOf(folder: string, name: string): string {
  const own = join(folder, name);
  mkdirSync(join(own, 'keys'), { recursive: true, mode: 0o700 });
  const nobody = `x ${LOOPBACK}:1 ${'f'.repeat(40)}`;
  const options = ['--list-fingerprint', '--orport', '1', '--datadirectory', own, '--quiet'];
  const more = ['--ignore-missing-torrc', '-f', join(own, 'none'), '--dirauthority', nobody];
  execFileSync('tor', [...options, ...more, '--nickname', name], { stdio: 'ignore' });
  const [, print = ''] = readFileSync(join(own, 'fingerprint'), 'utf8').trim().split(' ');
  return print;
}

function createAuthorityKeys(folder: string, dirPort: number): string {
  const options = ['--create-identity-key', '-m', '2', '-a', `${LOOPBACK}:${dirPort}`];
  execFileSync('tor-gencert', [...options, '--passphrase-fd', '0'], {
    cwd: folder,
    input: 'loopback\n',
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const certificate = readFileSync(join(folder, 'authority_certificate'), 'utf8');
  const [, print] = /^fingerprint (\w+)$/m.exec(certificate) ?? [];
  if (print === undefined) throw new Error('tor-gencert has made no certificate');
  return print;
}

function runTor(folder: string, name: string, lines: string): ChildProcess {
  const own = join(folder, name);
  mkdirSync(own, { recursive: true, mode: 0o700 });
  const file = join(own, 'torrc');
  writeFileSync(file, `DataDirectory ${own}\n${lines}\n`);
  return spawn('tor', ['-f', file], { stdio: ['ignore', 'pipe', 'ignore'] });
}

function bootstrapped(client: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    const late = setTimeout(
      () => reject(new Error(`tor does not get ready; it says:\n${said.slice(-500)}`)),
      BOOTSTRAP_TIMEOUT_MS,
    );
    client.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (!said.includes('Bootstrapped 100%')) return;
      clearTimeout(late);
      resolve();
    });
  });
}

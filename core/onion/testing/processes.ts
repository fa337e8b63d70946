// Onion modules as people run them, for tests: a process of `voidphone onion` each, on loopback, with a hostkey that is
// no secret, a configuration file, and an RPS module of its own that answers what the test wants.

import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestHostkeyName, testHostkey } from '../../identity/testing/keys.ts';
import type { Address } from '../../runtime/index.ts';
import { freeAddress } from '../../runtime/testing/free-address.ts';
import { type Peer, toPeer } from '../peer.ts';
import { Feed } from './feed.ts';
import { RpsStub } from './rps-stub.ts';

const CLI = join(import.meta.dirname, '..', '..', 'cli.ts');

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface OnionProcessOptions {
  /** For its files. */
  readonly folder: string;
  readonly roundSeconds: number;
  readonly profile: 'spec' | 'hardened';
}

export class OnionProcess {
  readonly name: string;
  readonly peer: Peer;
  readonly api: Address;
  readonly rps: RpsStub;
  /** Its configuration. */
  readonly file: string;
  /** What it has printed, on either stream. */
  readonly lines = new Feed<string>();
  readonly exit: Promise<Exit>;
  readonly #child: ChildProcess;

  /** Begins without waiting for the module to run. */
  static async start(
    name: TestHostkeyName,
    { folder, roundSeconds, profile }: OnionProcessOptions,
  ): Promise<OnionProcess> {
    const [p2p, api, rps] = [await freeAddress(), await freeAddress(), await freeAddress()];
    const hostkey = testHostkey(name);
    const pem = join(folder, `${name}.pem`);
    await writeFile(pem, hostkey.encodePem(), { mode: 0o600 });
    const file = join(folder, `${name}.ini`);
    await writeFile(file, configuration({ pem, p2p, api, rps, roundSeconds, profile }));
    const stub = new RpsStub(rps);
    await stub.start();
    return new OnionProcess(name, file, { peer: toPeer(hostkey.publicKey, p2p), api, rps: stub });
  }

  private constructor(
    name: string,
    file: string,
    { peer, api, rps }: Pick<OnionProcess, 'peer' | 'api' | 'rps'>,
  ) {
    this.name = name;
    this.file = file;
    this.peer = peer;
    this.api = api;
    this.rps = rps;
    const stdio = ['ignore', 'pipe', 'pipe'] as const;
    const child = spawn(process.execPath, [CLI, 'onion', '-c', file], { stdio: [...stdio] });
    this.#child = child;
    const { promise, resolve } = Promise.withResolvers<Exit>();
    this.exit = promise;
    child.once('close', (code, signal) => resolve({ code, signal }));
    for (const stream of [child.stdout, child.stderr]) this.#read(stream);
  }

  /** When the module serves its API and other nodes. */
  async running(): Promise<void> {
    await this.said('Onion module running');
  }

  /** Waits for a line with this in it, at `from` or behind it; answers where to look for the next. */
  async said(text: string, from = 0): Promise<number> {
    const { name } = this;
    const what = `${name} says "${text}"`;
    return 1 + (await this.lines.until((line) => line.includes(text), what, from));
  }

  /** Resolves when the process is gone. */
  kill(signal: NodeJS.Signals): Promise<Exit> {
    this.#child.kill(signal);
    return this.exit;
  }

  #read(stream: NodeJS.ReadableStream | null): void {
    let rest = '';
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.lines.add(line);
    });
  }
}

interface Settings extends Omit<OnionProcessOptions, 'folder'> {
  readonly pem: string;
  readonly p2p: Address;
  readonly api: Address;
  readonly rps: Address;
}

function configuration({ pem, p2p, api, rps, roundSeconds, profile }: Settings): string {
  return `
hostkey = ${pem}
network = loopback
profile = ${profile}
allow_private = yes

[onion]
p2p_hostname = ${p2p.ip}
p2p_port = ${p2p.port}
api_address = ${api.ip}:${api.port}
round = ${roundSeconds}

[rps]
api_address = ${rps.ip}:${rps.port}
`;
}

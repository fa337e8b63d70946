// DHT modules as people run them, for tests: a process of `voidphone dht` each, on loopback, with hostkeys that are no
// secret, and one RPS module for all that knows them all.

import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Hostkey } from '../../identity/index.ts';
import { createLogger } from '../../log/index.ts';
import { memorySink } from '../../log/testing/index.ts';
import {
  ApiServer,
  type Connection,
  connectApi,
  DHT_API,
  type MessageOf,
  PORTMAP_APPS,
  RPS_API,
} from '../../module-api/index.ts';
import { type Address, realRuntime } from '../../runtime/index.ts';
import { freeAddress } from '../../runtime/testing/free-address.ts';

const CLI = join(import.meta.dirname, '..', '..', 'cli.ts');

const log = createLogger({ sink: memorySink(), clock: realRuntime.clock, level: 'error' });

/** Answers queries with one node after the other. */
export class RpsForAll {
  readonly nodes: { readonly hostkey: Hostkey; readonly p2p: Address }[] = [];
  readonly address: Address;
  readonly #server: ApiServer<'rps query', 'rps peer'>;
  #answered = 0;

  constructor(address: Address) {
    this.address = address;
    this.#server = new ApiServer({
      api: RPS_API,
      address,
      runtime: realRuntime,
      log,
      handler: { onMessage: (connection) => this.#answer(connection) },
    });
  }

  async listen(): Promise<void> {
    await this.#server.listen();
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  #answer(connection: Connection<'rps peer'>): void {
    const node = this.nodes[this.#answered++ % this.nodes.length];
    if (node === undefined) return;
    const portmap = [{ app: PORTMAP_APPS.dht, port: node.p2p.port }];
    const address = { ...node.p2p, port: 1 };
    connection.send({ type: 'rps peer', address, portmap, hostkey: node.hostkey.publicKey });
  }
}

export class DhtProcess {
  readonly api: Address;
  readonly p2p: Address;
  readonly hostkey: Hostkey;
  readonly #file: string;
  #child: ChildProcess | undefined;
  #output = '';
  #exit: Promise<number | null> = Promise.resolve(0);

  /** Its files are in `folder`. */
  static async prepare(
    hostkey: Hostkey,
    {
      folder,
      name,
      rps,
    }: { readonly folder: string; readonly name: string; readonly rps?: Address },
  ): Promise<DhtProcess> {
    const [p2p, api] = [await freeAddress(), await freeAddress()];
    await writeFile(join(folder, `${name}.pem`), hostkey.encodePem(), { mode: 0o600 });
    const lines = [
      `hostkey = ${name}.pem`,
      'network = loopback',
      'allow_private = yes',
      '[dht]',
      `p2p_address = ${p2p.ip}:${p2p.port}`,
      `api_address = ${api.ip}:${api.port}`,
      ...(rps === undefined ? [] : ['[rps]', `api_address = ${rps.ip}:${rps.port}`]),
    ];
    const file = join(folder, `${name}.ini`);
    await writeFile(file, lines.join('\n'));
    return new DhtProcess(hostkey, file, p2p, api);
  }

  private constructor(hostkey: Hostkey, file: string, p2p: Address, api: Address) {
    this.hostkey = hostkey;
    this.p2p = p2p;
    this.api = api;
    this.#file = file;
  }

  get output(): string {
    return this.#output;
  }

  /** Resolves when it serves its API. */
  async start(): Promise<void> {
    const stdio = ['ignore', 'pipe', 'pipe'] as const;
    const child = spawn(process.execPath, [CLI, 'dht', '-c', this.#file], { stdio: [...stdio] });
    this.#child = child;
    this.#exit = new Promise((resolve) => void child.once('close', resolve));
    await new Promise<void>((resolve, reject) => {
      const onOutput = (chunk: string): void => {
        this.#output += chunk;
        if (chunk.includes('DHT module running')) resolve();
      };
      for (const stream of [child.stdout, child.stderr]) {
        stream?.setEncoding('utf8').on('data', onOutput);
      }
      child.once('close', () => reject(new Error(this.#output)));
    });
  }

  async kill(signal: NodeJS.Signals): Promise<number | null> {
    this.#child?.kill(signal);
    return this.#exit;
  }

  /** A PUT on a connection of its own. */
  async put(put: Omit<MessageOf<'dht put'>, 'type'>): Promise<void> {
    const connection = await this.#connect(() => {});
    connection.send({ type: 'dht put', ...put });
    connection.end();
    await connection.closed;
  }

  /** What a GET is answered with; undefined: FAILURE. */
  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const { promise, resolve } = Promise.withResolvers<Uint8Array | undefined>();
    const connection = await this.#connect((message) =>
      resolve(message.type === 'dht success' ? message.value : undefined),
    );
    connection.send({ type: 'dht get', key });
    const value = await promise;
    connection.end();
    return value;
  }

  #connect(
    onMessage: (message: MessageOf<'dht success' | 'dht failure'>) => void,
  ): Promise<Connection<'dht put' | 'dht get'>> {
    const handler = {
      onMessage: (_: unknown, message: Parameters<typeof onMessage>[0]) => onMessage(message),
    };
    return connectApi({ api: DHT_API, address: this.api, runtime: realRuntime, log, handler });
  }
}

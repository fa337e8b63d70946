// Gossip modules as people run them, for tests: a process of `voidphone gossip` each, on loopback, with a hostkey that is no
// secret and a configuration file; and clients of their APIs.

import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { utf8 } from '../../bytes/index.ts';
import { type TestHostkeyName, testHostkey } from '../../identity/testing/keys.ts';
import { createLogger } from '../../log/index.ts';
import { memorySink } from '../../log/testing/index.ts';
import {
  type Connection,
  GOSSIP_API,
  type MessageOf,
  PersistentClient,
  type TakenBy,
} from '../../module-api/index.ts';
import { type Address, formatAddress, realRuntime } from '../../runtime/index.ts';

const CLI = join(import.meta.dirname, '..', '..', 'cli.ts');

export interface GossipProcessOptions {
  readonly name: TestHostkeyName;
  /** For its files. */
  readonly folder: string;
  readonly p2p: Address;
  readonly api: Address;
  readonly bootstrappers: readonly Address[];
  /** Of the configuration, before its first section. */
  readonly global?: readonly string[];
}

export class GossipProcess {
  /** What it has printed, on either stream. */
  said = '';
  readonly exit: Promise<number | null>;
  readonly #child: ChildProcess;

  /** Begins without waiting for the module to run. */
  static async start(options: GossipProcessOptions): Promise<GossipProcess> {
    const { name, folder } = options;
    const file = join(folder, `${name}.ini`);
    const pem = join(folder, `${name}.pem`);
    await writeFile(pem, testHostkey(name).encodePem(), { mode: 0o600 });
    await writeFile(file, configuration(pem, options));
    return new GossipProcess(file);
  }

  private constructor(file: string) {
    const child = spawn(process.execPath, [CLI, 'gossip', '-c', file]);
    const { promise, resolve } = Promise.withResolvers<number | null>();
    this.#child = child;
    this.exit = promise;
    child.once('close', resolve);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        this.said += chunk;
      });
    }
  }

  /** Its exit code. */
  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.#child.kill(signal);
    return this.exit;
  }
}

function configuration(pem: string, options: GossipProcessOptions): string {
  const { p2p, api, bootstrappers, global = [] } = options;
  return [
    `hostkey = ${pem}`,
    ...global,
    '[gossip]',
    `p2p_address = ${formatAddress(p2p)}`,
    `api_address = ${formatAddress(api)}`,
    `bootstrapper = ${bootstrappers.map(formatAddress).join(', ')}`,
  ].join('\n');
}

/** A module that uses Gossip through its API. */
export class ApiModule {
  /** Texts it was notified of. */
  readonly texts: string[] = [];
  judge: (text: string) => boolean = () => true;
  readonly #client: PersistentClient<TakenBy<typeof GOSSIP_API>, 'gossip notification'>;

  constructor(address: Address, dataType: number) {
    this.#client = new PersistentClient({
      api: GOSSIP_API,
      address,
      runtime: realRuntime,
      log: createLogger({ sink: memorySink(), clock: realRuntime.clock, level: 'error' }),
      handler: {
        onConnect: (connection) => connection.send({ type: 'gossip notify', dataType }),
        onMessage: (connection, message) => this.#onNotification(connection, message),
      },
    });
    this.#client.start();
  }

  announce(text: string, dataType: number, ttl = 0): void {
    this.#client.send({ type: 'gossip announce', ttl, dataType, data: utf8(text) });
  }

  stop(): Promise<void> {
    return this.#client.stop();
  }

  #onNotification(
    connection: Connection<TakenBy<typeof GOSSIP_API>>,
    { messageId, data }: MessageOf<'gossip notification'>,
  ): void {
    const text = new TextDecoder().decode(data);
    this.texts.push(text);
    connection.send({ type: 'gossip validation', messageId, wellFormed: this.judge(text) });
  }
}

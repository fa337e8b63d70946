// The RPS API (voidphone-api.md): one PEER for each QUERY, a node that was alive a short while ago. With nobody known yet
// a query waits; then its connection is closed, since there is no message that says "nobody", and nothing false is said.

import type { IdentityKey } from '../identity/index.ts';
import type { Logger } from '../log/index.ts';
import {
  ApiServer,
  type Connection,
  PORTMAP_APPS,
  type PortmapEntry,
  RPS_API,
} from '../module-api/index.ts';
import type { Address, Runtime, Timer } from '../runtime/index.ts';
import type { Sampled } from './port.ts';

/** Of the issue: so long a query waits for the first peer. */
const WAIT_MS = 5000;
/** How often it is looked meanwhile. A guess. */
const LOOK_MS = 100;
/** Queries of one connection that wait. A guess. */
const WAITING_MAX = 256;

type Client = Connection<'rps peer'>;

interface Waiting {
  readonly untilMs: number;
  readonly client: Client;
}

export interface RpsApiOptions {
  readonly runtime: Pick<Runtime, 'network' | 'timers' | 'clock'>;
  readonly address: Address;
  readonly log: Logger;
  /** A random peer, none of `except` as long as there are others. */
  sample(except: ReadonlySet<IdentityKey>): Sampled | undefined;
}

export class RpsApi {
  readonly #options: RpsApiOptions;
  readonly #server: ApiServer<'rps query', 'rps peer'>;
  /** By connection: whom it was told last. */
  readonly #last = new Map<number, IdentityKey>();
  /** In the order of their queries; at most WAITING_MAX of each of the server's connections. */
  #waiting: Waiting[] = [];
  #look: Timer | undefined;

  constructor(options: RpsApiOptions) {
    const { runtime, address, log } = options;
    this.#options = options;
    this.#server = new ApiServer({
      api: RPS_API,
      address,
      runtime,
      log: log.child('api'),
      handler: {
        onMessage: (client) => this.#onQuery(client),
        onClose: (client) => this.#forget(client),
      },
    });
  }

  /** Answers where it listens. Rejects with a NetworkError. */
  listen(): Promise<Address> {
    return this.#server.listen();
  }

  async stop(): Promise<void> {
    this.#look?.cancel();
    await this.#server.stop();
  }

  #onQuery(client: Client): void {
    if (this.#answer(client)) return;
    if (this.#waiting.filter((one) => one.client === client).length >= WAITING_MAX) {
      client.close('too many queries are waiting');
      return;
    }
    this.#waiting.push({ untilMs: this.#options.runtime.clock.nowMs() + WAIT_MS, client });
    this.#lookLater();
  }

  #answer(client: Client): boolean {
    const last = this.#last.get(client.id);
    const found = this.#options.sample(new Set(last === undefined ? [] : [last]));
    if (found === undefined) return false;
    const { contact, descriptor } = found;
    this.#last.set(client.id, contact.key);
    client.send({
      type: 'rps peer',
      address: contact.address,
      portmap: portmapOf(descriptor.ports),
      hostkey: descriptor.publicKey,
    });
    return true;
  }

  #lookLater(): void {
    this.#look?.cancel();
    if (this.#waiting.length === 0) return;
    this.#look = this.#options.runtime.timers.after(LOOK_MS, () => this.#lookAgain());
  }

  #lookAgain(): void {
    const nowMs = this.#options.runtime.clock.nowMs();
    const waiting = this.#waiting;
    this.#waiting = waiting.filter(({ client }) => !this.#answer(client));
    for (const { client, untilMs } of this.#waiting) {
      if (nowMs >= untilMs) client.close('no peer is known');
    }
    this.#waiting = this.#waiting.filter(({ untilMs }) => nowMs < untilMs);
    this.#lookLater();
  }

  #forget(client: Client): void {
    this.#last.delete(client.id);
    this.#waiting = this.#waiting.filter((one) => one.client !== client);
  }
}

/** Of the modules that the node has. */
function portmapOf(ports: Sampled['descriptor']['ports']): PortmapEntry[] {
  return (['dht', 'gossip', 'nse', 'onion'] as const)
    .map((name) => ({ app: PORTMAP_APPS[name], port: ports[name] }))
    .filter(({ port }) => port !== 0);
}

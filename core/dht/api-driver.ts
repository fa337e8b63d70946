// The DHT API (voidphone-api.md, "DHT"): a PUT is never answered; every GET is, within 10 s.

import type { Logger } from '../log/index.ts';
import { ApiServer, type Connection, DHT_API, type MessageOf } from '../module-api/index.ts';
import type { Address, Runtime } from '../runtime/index.ts';
import { K } from './contact.ts';
import type { DhtNode } from './driver.ts';

/** For a PUT with a TTL of 0, which can only mean that its client has no wish. A guess. */
const LIFETIME_DEFAULT_S = 3600;

export interface DhtApiOptions {
  readonly runtime: Pick<Runtime, 'network' | 'timers'>;
  readonly address: Address;
  readonly log: Logger;
  readonly node: Pick<DhtNode, 'put' | 'get'>;
  /** On how many nodes to store what has no wish of its own. */
  readonly copies: number;
}

export class DhtApi {
  readonly #options: DhtApiOptions;
  readonly #server: ApiServer<'dht put' | 'dht get', 'dht success' | 'dht failure'>;

  constructor(options: DhtApiOptions) {
    const { runtime, address, log } = options;
    this.#options = options;
    this.#server = new ApiServer({
      api: DHT_API,
      address,
      runtime,
      log: log.child('api'),
      handler: {
        onMessage: (connection, message) => {
          if (message.type === 'dht put') this.#put(message);
          else void this.#get(connection, message);
        },
      },
    });
  }

  /** Answers where it listens. Rejects with a NetworkError. */
  listen(): Promise<Address> {
    return this.#server.listen();
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  #put({ key, value, ttlS, replication }: MessageOf<'dht put'>): void {
    const { node, copies } = this.#options;
    node.put({
      key,
      value,
      lifetimeS: ttlS === 0 ? LIFETIME_DEFAULT_S : ttlS,
      copies: replication === 0 ? copies : Math.min(replication, K),
    });
  }

  async #get(
    connection: Connection<'dht success' | 'dht failure'>,
    { key }: MessageOf<'dht get'>,
  ): Promise<void> {
    const value = await this.#options.node.get(key);
    if (value === undefined) connection.send({ type: 'dht failure', key });
    else connection.send({ type: 'dht success', key, value });
  }
}

// A client of an Onion module's API, as a call manager is one, for tests: keeps what comes.

import { createLogger } from '../../log/index.ts';
import { memorySink } from '../../log/testing/index.ts';
import {
  type Connection,
  connectApi,
  type MessageOf,
  ONION_API,
  typeNumber,
} from '../../module-api/index.ts';
import { type Address, realRuntime } from '../../runtime/index.ts';
import type { Peer } from '../peer.ts';
import { Feed } from './feed.ts';

type Request = (typeof ONION_API.takes)[number];
type Answer = (typeof ONION_API.sends)[number];

export class OnionClient {
  readonly received = new Feed<MessageOf<Answer>>();
  readonly #connection: Connection<Request>;

  static async connect(to: Address): Promise<OnionClient> {
    const received: MessageOf<Answer>[] = [];
    let client: OnionClient | undefined;
    const connection = await connectApi({
      api: ONION_API,
      address: to,
      runtime: realRuntime,
      log: createLogger({ sink: memorySink(), clock: realRuntime.clock, level: 'warn' }),
      handler: {
        onMessage: (_connection, message) => {
          if (client === undefined) received.push(message);
          else client.received.add(message);
        },
      },
    });
    client = new OnionClient(connection);
    for (const message of received) client.received.add(message);
    return client;
  }

  private constructor(connection: Connection<Request>) {
    this.#connection = connection;
  }

  build({ address, publicKey: hostkey }: Peer): void {
    this.#connection.send({ type: 'onion tunnel build', address, hostkey });
  }

  send(tunnelId: number, data: Uint8Array): void {
    this.#connection.send({ type: 'onion tunnel data', tunnelId, data });
  }

  cover(coverBytes: number): void {
    this.#connection.send({ type: 'onion cover', coverBytes });
  }

  destroy(tunnelId: number): void {
    this.#connection.send({ type: 'onion tunnel destroy', tunnelId });
  }

  end(): void {
    this.#connection.end();
  }

  /** The first message of this type that has come, or comes. */
  got<T extends Answer>(type: T): Promise<MessageOf<T>> {
    return this.#got((message): message is MessageOf<T> => message.type === type, type);
  }

  /** The first ONION ERROR that names such a request. */
  refused(request: Request): Promise<MessageOf<'onion error'>> {
    const requestType = typeNumber(request);
    return this.#got(
      (message): message is MessageOf<'onion error'> =>
        message.type === 'onion error' && message.requestType === requestType,
      `an error that names ${request}`,
    );
  }

  async #got<M extends MessageOf<Answer>>(
    isIt: (message: MessageOf<Answer>) => message is M,
    what: string,
  ): Promise<M> {
    await this.received.until(isIt, what);
    const found = this.received.entries.find(isIt);
    if (found === undefined) throw new Error('nothing is ever taken out');
    return found;
  }
}

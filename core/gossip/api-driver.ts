// The Gossip API (voidphone-api.md): each connection is a client of the module, like those of the same process.

import type { Logger } from '../log/index.ts';
import { ApiServer, type Connection, GOSSIP_API, type MessageOf } from '../module-api/index.ts';
import type { Address, Runtime } from '../runtime/index.ts';
import type { GossipClient, GossipNode } from './driver.ts';

type Request = (typeof GOSSIP_API.takes)[number];
type Answer = (typeof GOSSIP_API.sends)[number];

export interface GossipApiOptions {
  readonly runtime: Runtime;
  readonly address: Address;
  readonly log: Logger;
  readonly node: Pick<GossipNode, 'connect'>;
}

export class GossipApi {
  readonly #node: Pick<GossipNode, 'connect'>;
  readonly #server: ApiServer<Request, Answer>;
  /** Bounded by the server. */
  readonly #clients = new Map<number, GossipClient>();

  constructor({ runtime, address, log, node }: GossipApiOptions) {
    this.#node = node;
    this.#server = new ApiServer({
      api: GOSSIP_API,
      address,
      runtime,
      log: log.child('api'),
      handler: {
        onConnect: (connection) => this.#onConnect(connection),
        onMessage: ({ id }, message) => this.#onMessage(id, message),
        onClose: ({ id }) => this.#onClose(id),
      },
    });
  }

  /** Rejects with a NetworkError. */
  listen(): Promise<Address> {
    return this.#server.listen();
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  #onConnect(connection: Connection<Answer>): void {
    const client = this.#node.connect((notification) =>
      connection.send({ ...notification, type: 'gossip notification' }),
    );
    this.#clients.set(connection.id, client);
  }

  #onMessage(id: number, message: MessageOf<Request>): void {
    const client = this.#clients.get(id);
    switch (message.type) {
      case 'gossip announce':
        client?.announce({ ...message, hops: message.ttl });
        break;
      case 'gossip notify':
        client?.notify(message.dataType);
        break;
      case 'gossip validation':
        client?.validate(message.messageId, message.wellFormed ? 'pass on' : 'refuse');
        break;
    }
  }

  #onClose(id: number): void {
    this.#clients.get(id)?.close();
    this.#clients.delete(id);
  }
}

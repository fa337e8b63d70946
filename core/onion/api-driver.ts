// The Onion API (voidphone-api.md): connections are clients, messages are requests of the machine and its answers.

import { DecodeError } from '../bytes/index.ts';
import type { Logger } from '../log/index.ts';
import {
  ApiServer,
  type Connection,
  type MessageOf,
  ONION_API,
  TUNNEL_DATA_BYTES_MAX,
  typeNumber,
} from '../module-api/index.ts';
import { type Address, isPublic, type Runtime } from '../runtime/index.ts';
import type { FailedRequest } from './api-port.ts';
import type { ClientEvent, OnionNode } from './driver.ts';
import { type Peer, toPeer } from './peer.ts';

type Request = (typeof ONION_API.takes)[number];
type Answer = (typeof ONION_API.sends)[number];

const REQUESTS: Readonly<Record<FailedRequest, Request>> = {
  build: 'onion tunnel build',
  destroy: 'onion tunnel destroy',
  data: 'onion tunnel data',
  cover: 'onion cover',
};

export interface OnionApiOptions {
  readonly runtime: Runtime;
  readonly address: Address;
  readonly log: Logger;
  readonly allowPrivate: boolean;
  /** The node these requests are for; it may not be there yet when the first client comes. */
  readonly node: Promise<OnionNode>;
}

export class OnionApi {
  readonly #options: OnionApiOptions;
  readonly #server: ApiServer<Request, Answer>;
  /** Bounded by the server. */
  readonly #clients = new Map<number, Connection<Answer>>();

  constructor(options: OnionApiOptions) {
    this.#options = options;
    const { runtime, address, log } = options;
    this.#server = new ApiServer({
      api: ONION_API,
      address,
      runtime,
      log: log.child('api'),
      handler: {
        onConnect: (connection) => this.#onConnect(connection),
        onMessage: (connection, message) => this.#onMessage(connection, message),
        onClose: (connection) => this.#onClose(connection),
      },
    });
  }

  listen(): Promise<Address> {
    return this.#server.listen();
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  onEvent(event: ClientEvent): void {
    const client = this.#clients.get(event.client);
    const tunnelId = event.tunnel;
    switch (event.type) {
      case 'ready':
        client?.send({
          type: 'onion tunnel ready',
          tunnelId,
          hostkey: event.destination.publicKey,
        });
        break;
      case 'incoming':
        client?.send({ type: 'onion tunnel incoming', tunnelId });
        break;
      case 'data':
        for (const data of fitting(event.data)) {
          client?.send({ type: 'onion tunnel data', tunnelId, data });
        }
        break;
      default: {
        const requestType = typeNumber(REQUESTS[event.request]);
        client?.send({ type: 'onion error', requestType, tunnelId });
      }
    }
  }

  #onConnect(connection: Connection<Answer>): void {
    this.#clients.set(connection.id, connection);
    void this.#request((node) => node.request((onion) => onion.addClient(connection.id)));
  }

  #onClose({ id }: Connection<Answer>): void {
    this.#clients.delete(id);
    void this.#request((node) => node.request((onion, now) => onion.removeClient(id, now)));
  }

  #onMessage(connection: Connection<Answer>, message: MessageOf<Request>): void {
    const { id } = connection;
    void this.#request((node) => {
      switch (message.type) {
        case 'onion tunnel build':
          this.#build(node, connection, message);
          break;
        case 'onion tunnel destroy':
          node.request((onion, now) => onion.destroy(id, message.tunnelId, now));
          break;
        case 'onion tunnel data':
          node.request((onion, now) => onion.data(id, message.tunnelId, message.data, now));
          break;
        default:
          node.request((onion, now) => onion.cover(id, message.coverBytes, now));
      }
    });
  }

  #build(
    node: OnionNode,
    connection: Connection<Answer>,
    message: MessageOf<'onion tunnel build'>,
  ): void {
    const destination = this.#destination(message);
    if (destination !== undefined) {
      node.request((onion, now) => onion.build(connection.id, destination, now));
      return;
    }
    const requestType = typeNumber('onion tunnel build');
    connection.send({ type: 'onion error', requestType, tunnelId: 0 });
  }

  /** Undefined when no tunnel can ever go there. */
  #destination({ address, hostkey }: MessageOf<'onion tunnel build'>): Peer | undefined {
    const mayReach = this.#options.allowPrivate || isPublic(address.ip);
    if (!mayReach || address.port === 0) return undefined;
    try {
      return toPeer(hostkey, address);
    } catch (error) {
      if (error instanceof DecodeError) return undefined;
      throw error;
    }
  }

  async #request(act: (node: OnionNode) => void): Promise<void> {
    act(await this.#options.node);
  }
}

/** The echo of the largest COVER is longer than a message. */
function fitting(data: Uint8Array): Uint8Array[] {
  if (data.length <= TUNNEL_DATA_BYTES_MAX) return [data];
  return [data.subarray(0, TUNNEL_DATA_BYTES_MAX), data.subarray(TUNNEL_DATA_BYTES_MAX)];
}

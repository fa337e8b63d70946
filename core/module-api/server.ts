// The TCP side of a module's API (the specification's section 4): listens, frames, and hands over messages of the types
// that the module takes. What a message means, and whether it may come now, is for the module to say.
//
// Clients are processes of the same user on the same machine. An address that is not loopback is used, because whoever
// wrote it into the configuration wants it, and warned of: there is no authentication here.

import type { Logger } from '../log/index.ts';
import type { Address, Runtime, StreamHandlers, TcpListener, TcpStream } from '../runtime/index.ts';
import { ApiConnection, type ApiHandler, type Connection } from './connection.ts';
import type { MessageType, ModuleApi } from './message.ts';

/** Protocol 11. */
export const CONNECTIONS_MAX = 16;

export interface ApiServerOptions<In extends MessageType, Out extends MessageType> {
  readonly api: ModuleApi<In, Out>;
  readonly address: Address;
  readonly runtime: Pick<Runtime, 'network' | 'timers'>;
  /** Of an area that names the module. */
  readonly log: Logger;
  readonly handler: ApiHandler<In, Out>;
}

export class ApiServer<In extends MessageType, Out extends MessageType> {
  readonly #options: ApiServerOptions<In, Out>;
  /** At most CONNECTIONS_MAX. */
  readonly #connections = new Set<ApiConnection<In, Out>>();
  #listener: TcpListener | undefined;
  #lastId = 0;

  constructor(options: ApiServerOptions<In, Out>) {
    this.#options = options;
  }

  get connections(): Iterable<Connection<Out>> {
    return this.#connections;
  }

  /** Answers where it listens. Rejects with a NetworkError. */
  async listen(): Promise<Address> {
    const { address, runtime, log } = this.#options;
    if (!isLoopback(address.ip)) log.warn('other machines can reach this API, without a password');
    this.#listener = await runtime.network.listenTcp(address, (stream) => this.#accept(stream));
    return this.#listener.local;
  }

  /** When this resolves, all connections are closed and the handler is called no more. */
  async stop(): Promise<void> {
    const closing = [this.#listener?.close()];
    for (const connection of this.#connections) {
      connection.destroy();
      closing.push(connection.closed);
    }
    await Promise.all(closing);
  }

  #accept(stream: TcpStream): StreamHandlers {
    const { api, runtime, log, handler } = this.#options;
    if (this.#connections.size >= CONNECTIONS_MAX) {
      log.warn('a connection too many was closed at once', { max: CONNECTIONS_MAX });
      stream.destroy();
      return { onData: () => {}, onClose: () => {} };
    }
    const id = ++this.#lastId;
    const { takes } = api;
    const { timers } = runtime;
    const connection = new ApiConnection({ id, stream, takes, timers, log, handler });
    this.#connections.add(connection);
    connection.begin();
    const onClose = (): void => {
      this.#connections.delete(connection);
      connection.handlers.onClose();
    };
    return { ...connection.handlers, onClose };
  }
}

function isLoopback(ip: string): boolean {
  return ip === '::1' || ip.startsWith('127.');
}

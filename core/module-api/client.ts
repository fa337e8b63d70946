// The other end of a module's API: one connection, for a question or a few. persistent-client.ts is for those who stay.

import type { Logger } from '../log/index.ts';
import type { Address, Runtime, StreamHandlers } from '../runtime/index.ts';
import { ApiConnection, type ApiHandler, type Connection } from './connection.ts';
import type { MessageType, ModuleApi } from './message.ts';

/** A guess: on one machine an answer comes at once or never. */
const DIAL_TIMEOUT_MS = 5000;

/** A client sends what the module takes, `In`, and is sent what the module sends, `Out`. */
export interface ApiClientOptions<In extends MessageType, Out extends MessageType> {
  readonly api: ModuleApi<In, Out>;
  readonly address: Address;
  readonly runtime: Pick<Runtime, 'network' | 'timers'>;
  /** Of an area that names the module at the other end. */
  readonly log: Logger;
  readonly handler: ApiHandler<Out, In>;
}

/** Rejects with a NetworkError. */
export async function connectApi<In extends MessageType, Out extends MessageType>(
  options: ApiClientOptions<In, Out>,
): Promise<Connection<In>> {
  const connection = await openConnection(options, 1);
  connection.begin();
  return connection;
}

/** The same, not begun. `id` tells the connections of one client apart. */
export async function openConnection<In extends MessageType, Out extends MessageType>(
  { api, address, runtime, log, handler }: ApiClientOptions<In, Out>,
  id: number,
): Promise<ApiConnection<Out, In>> {
  let connection: ApiConnection<Out, In> | undefined;
  // A stream is handed over before anything comes from it.
  const opened = (): StreamHandlers => {
    if (connection === undefined) throw new Error('something came from a stream not yet open');
    return connection.handlers;
  };
  const stream = await runtime.network.dialTcp(address, {
    timeoutMs: DIAL_TIMEOUT_MS,
    handlers: {
      onData: (bytes) => opened().onData(bytes),
      onClose: () => opened().onClose(),
    },
  });
  const { timers } = runtime;
  connection = new ApiConnection({ id, stream, takes: api.sends, timers, log, handler });
  return connection;
}

// Flood over the API of a Gossip module. It may come and go: nothing is queued meanwhile, and whoever listens is told.

import type { Logger } from '../log/index.ts';
import type { Address, Runtime } from '../runtime/index.ts';
import type { Connection } from './connection.ts';
import type { Flood, FloodListener, Opinion } from './flood.ts';
import { GOSSIP_API } from './gossip.ts';
import type { MessageOf, TakenBy } from './message.ts';
import { PersistentClient } from './persistent-client.ts';

/** GOSSIP ANNOUNCE: 0 is without limit. */
const TTL_UNLIMITED = 0;

export interface GossipFloodOptions {
  readonly runtime: Pick<Runtime, 'network' | 'timers' | 'clock'>;
  readonly address: Address;
  readonly log: Logger;
}

type Request = TakenBy<typeof GOSSIP_API>;

export class GossipFlood implements Flood {
  readonly #options: GossipFloodOptions;
  #client: PersistentClient<Request, 'gossip notification'> | undefined;

  constructor(options: GossipFloodOptions) {
    this.#options = options;
  }

  listen(dataType: number, listener: FloodListener): void {
    this.#client = new PersistentClient({
      ...this.#options,
      api: GOSSIP_API,
      handler: {
        onConnect: (connection) => {
          connection.send({ type: 'gossip notify', dataType });
          listener.onUp();
        },
        onMessage: (connection, message) => {
          // Of other types we are told nothing, unless the module is wrong.
          if (message.dataType === dataType) listener.onItem(itemOf(connection, message));
        },
        onClose: () => listener.onDown(),
      },
    });
    this.#client.start();
  }

  announce(dataType: number, data: Uint8Array, hops = TTL_UNLIMITED): void {
    this.#client?.send({ type: 'gossip announce', ttl: hops, dataType, data });
  }

  /** When this resolves, the listener is called no more. */
  async stop(): Promise<void> {
    await this.#client?.stop();
  }
}

/** Answered over the connection it came on: another one has message IDs of its own. */
function itemOf(
  connection: Connection<Request>,
  { messageId, data }: MessageOf<'gossip notification'>,
) {
  const answer = (opinion: Opinion): void => {
    if (opinion === 'ignore') return;
    connection.send({ type: 'gossip validation', messageId, wellFormed: opinion === 'pass on' });
  };
  return { data, answer };
}

// Flood (core/module-api) for modules of the same process. Unlike the API it has a word for "no opinion".

import type { Flood, FloodListener, Opinion } from '../module-api/index.ts';
import type { GossipClient, GossipNode } from './driver.ts';

/** Of one module; another one has another. It is up at once, and never down again. */
export class LocalFlood implements Flood {
  readonly #client: GossipClient;
  /** By data type; as many as the module listens to. */
  readonly #listeners = new Map<number, FloodListener>();

  constructor(node: Pick<GossipNode, 'connect'>) {
    this.#client = node.connect(({ messageId, dataType, data }) => {
      const answer = (opinion: Opinion): void => this.#client.validate(messageId, opinion);
      this.#listeners.get(dataType)?.onItem({ data, answer });
    });
  }

  /** Everything of that data type, from now on. Once for each type. */
  listen(dataType: number, listener: FloodListener): void {
    this.#listeners.set(dataType, listener);
    this.#client.notify(dataType);
    listener.onUp();
  }

  /** To everybody, over as many hops as it takes unless `hops` says otherwise. */
  announce(dataType: number, data: Uint8Array, hops = 0): void {
    this.#client.announce({ hops, dataType, data });
  }

  /** When this returns, no listener is called any more. */
  stop(): void {
    this.#client.close();
  }
}

// What size estimation and peer sampling need of Gossip (`Flood`), for modules of the same process: say something to
// everybody, hear what others say, and decide what goes on. Unlike the API it has a word for "no opinion".

import type { GossipClient, GossipNode } from './driver.ts';
import type { Opinion } from './validation.ts';

export interface LocalFloodListener {
  onItem(item: { readonly data: Uint8Array; answer(opinion: Opinion): void }): void;
  /** At once, and never down again. */
  onUp(): void;
}

/** Of one module; another one has another. */
export class LocalFlood {
  readonly #client: GossipClient;
  /** By data type; as many as the module listens to. */
  readonly #listeners = new Map<number, LocalFloodListener>();

  constructor(node: Pick<GossipNode, 'connect'>) {
    this.#client = node.connect(({ messageId, dataType, data }) => {
      const answer = (opinion: Opinion): void => this.#client.validate(messageId, opinion);
      this.#listeners.get(dataType)?.onItem({ data, answer });
    });
  }

  /** Everything of that data type, from now on. Once for each type. */
  listen(dataType: number, listener: LocalFloodListener): void {
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

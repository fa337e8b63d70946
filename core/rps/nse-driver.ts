// The size of the network, through the API of an NSE module: asked for now and then. It may come and go; what it said last
// holds until it says something else.

import type { Logger } from '../log/index.ts';
import { NSE_API, PersistentClient } from '../module-api/index.ts';
import type { Address, Runtime, Timer } from '../runtime/index.ts';

/** A guess: an estimate changes once a period, which is some minutes. */
const ASK_MS = 30_000;

export interface NseSizeOptions {
  readonly runtime: Pick<Runtime, 'network' | 'timers' | 'clock'>;
  readonly address: Address;
  readonly log: Logger;
}

export class NseSize {
  readonly #client: PersistentClient<'nse query', 'nse estimate'>;
  #peers: number | undefined;
  #timer: Timer | undefined;

  constructor({ runtime, address, log }: NseSizeOptions) {
    const ask = (): void => {
      this.#timer?.cancel();
      this.#client.send({ type: 'nse query' });
      this.#timer = runtime.timers.after(ASK_MS, ask);
    };
    this.#client = new PersistentClient({
      api: NSE_API,
      address,
      runtime,
      log: log.child('nse'),
      handler: {
        onConnect: ask,
        onMessage: (_, { peers }) => {
          if (peers > 0) this.#peers = peers;
        },
        onClose: () => this.#timer?.cancel(),
      },
    });
    this.#client.start();
  }

  /** Undefined until it has said it once. */
  get peers(): number | undefined {
    return this.#peers;
  }

  async stop(): Promise<void> {
    await this.#client.stop();
    this.#timer?.cancel();
  }
}

// The NSE API (voidphone-api.md): exactly one ESTIMATE for each QUERY, at once.

import type { Logger } from '../log/index.ts';
import { ApiServer, NSE_API } from '../module-api/index.ts';
import type { Address, Runtime } from '../runtime/index.ts';
import type { Estimate } from './nse.ts';

export interface NseApiOptions {
  readonly runtime: Pick<Runtime, 'network' | 'timers'>;
  readonly address: Address;
  readonly log: Logger;
  estimate(): Estimate;
}

export class NseApi {
  readonly #server: ApiServer<'nse query', 'nse estimate'>;

  constructor({ runtime, address, log, estimate }: NseApiOptions) {
    this.#server = new ApiServer({
      api: NSE_API,
      address,
      runtime,
      log: log.child('api'),
      handler: {
        onMessage: (connection) => connection.send({ type: 'nse estimate', ...estimate() }),
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
}

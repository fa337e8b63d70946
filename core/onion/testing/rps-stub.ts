// The API of an RPS module whose answers a test decides, over the system's TCP.

import { createLogger } from '../../log/index.ts';
import { memorySink } from '../../log/testing/index.ts';
import { ApiServer, type Connection, PORTMAP_APPS, RPS_API } from '../../module-api/index.ts';
import { type Address, realRuntime } from '../../runtime/index.ts';
import type { Peer } from '../peer.ts';

type Server = ApiServer<'rps query', 'rps peer'>;

export class RpsStub {
  /** What queries are answered with, one after the other and then again from the first; with none, never. */
  peers: readonly Peer[] = [];
  readonly #address: Address;
  #server: Server | undefined;
  #answered = 0;

  constructor(address: Address) {
    this.#address = address;
  }

  async start(): Promise<void> {
    const log = createLogger({ sink: memorySink(), clock: realRuntime.clock, level: 'warn' });
    this.#server = new ApiServer({
      api: RPS_API,
      address: this.#address,
      runtime: realRuntime,
      log,
      handler: { onMessage: (connection) => this.#answer(connection) },
    });
    await this.#server.listen();
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
  }

  #answer(connection: Connection<'rps peer'>): void {
    const peer = this.peers[this.#answered % this.peers.length];
    if (peer === undefined) return;
    this.#answered++;
    const { address, publicKey: hostkey } = peer;
    const portmap = [{ app: PORTMAP_APPS.onion, port: address.port }];
    connection.send({ type: 'rps peer', address: { ...address, port: 1 }, portmap, hostkey });
  }
}

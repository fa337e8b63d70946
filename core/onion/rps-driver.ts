// Random peers through the API of an RPS module: one RPS QUERY for each, answered in its own time or never. What cannot
// be a peer of ours (a hostkey we do not accept, a port of 0) is as good as no answer.

import { DecodeError } from '../bytes/index.ts';
import type { Logger } from '../log/index.ts';
import { type MessageOf, PersistentClient, RPS_API } from '../module-api/index.ts';
import { type Address, isPublic, type Runtime } from '../runtime/index.ts';
import { type Peer, toPeer } from './peer.ts';

/** RPS may wait up to 5 s for its first peers (issue of the module); then what has come must do. */
const ANSWER_MS = 5500;
/** The portmap's number of the Onion module. */
const ONION_APP = 560;

interface Asked {
  readonly wanted: number;
  readonly peers: Peer[];
  answers: number;
  readonly done: () => void;
}

export interface RpsPeersOptions {
  readonly runtime: Runtime;
  readonly address: Address;
  readonly log: Logger;
  readonly allowPrivate: boolean;
}

export class RpsPeers {
  readonly #options: RpsPeersOptions;
  readonly #client: PersistentClient<'rps query', 'rps peer'>;
  /** In the order asked: answers carry no number. */
  readonly #asked: Asked[] = [];

  constructor(options: RpsPeersOptions) {
    this.#options = options;
    const { runtime, address, log } = options;
    this.#client = new PersistentClient({
      api: RPS_API,
      address,
      runtime,
      log: log.child('rps'),
      handler: {
        onMessage: (_connection, message) => this.#onPeer(message),
        onClose: () => this.#giveUp(),
      },
    });
    this.#client.start();
  }

  async sample(count: number): Promise<readonly Peer[]> {
    const peers: Peer[] = [];
    for (let i = 0; i < count; i++) {
      if (!this.#client.send({ type: 'rps query' })) return [];
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const asked = { wanted: count, peers, answers: 0, done: resolve };
    this.#asked.push(asked);
    const timer = this.#options.runtime.timers.after(ANSWER_MS, resolve);
    await promise;
    timer.cancel();
    return peers;
  }

  async stop(): Promise<void> {
    this.#giveUp();
    await this.#client.stop();
  }

  #onPeer(message: MessageOf<'rps peer'>): void {
    const [asked] = this.#asked;
    if (asked === undefined) return;
    const peer = this.#toPeer(message);
    if (peer !== undefined) asked.peers.push(peer);
    asked.answers++;
    if (asked.answers < asked.wanted) return;
    this.#asked.shift();
    asked.done();
  }

  #toPeer({ address, portmap, hostkey }: MessageOf<'rps peer'>): Peer | undefined {
    const port = portmap.find(({ app }) => app === ONION_APP)?.port ?? address.port;
    const mayReach = this.#options.allowPrivate || isPublic(address.ip);
    if (port === 0 || !mayReach) return undefined;
    try {
      return toPeer(hostkey, { ip: address.ip, port });
    } catch (error) {
      if (error instanceof DecodeError) return undefined;
      throw error;
    }
  }

  #giveUp(): void {
    for (const { done } of this.#asked.splice(0)) done();
  }
}

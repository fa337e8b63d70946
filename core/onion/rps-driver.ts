// Random peers through the API of an RPS module: one RPS QUERY for each, answered in its own time or never. What cannot
// be a peer of ours (a hostkey we do not accept, a port of 0) is as good as no answer. Answers carry no number, and one
// random peer is as good as another: each goes to whoever has waited longest.

import { DecodeError } from '../bytes/index.ts';
import type { Logger } from '../log/index.ts';
import { type MessageOf, PersistentClient, PORTMAP_APPS, RPS_API } from '../module-api/index.ts';
import { type Address, isPublic, type Runtime } from '../runtime/index.ts';
import { type Peer, toPeer } from './peer.ts';

/** RPS may wait up to 5 s for its first peers (issue of the module); then what has come must do. */
const ANSWER_MS = 5500;

interface Waiting {
  readonly peers: Peer[];
  missing: number;
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
  /** In the order asked, each for ANSWER_MS at most. */
  readonly #waiting = new Set<Waiting>();

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

  /** At most so many. Undefined: the module is away, which is in the log. */
  async sample(count: number): Promise<readonly Peer[] | undefined> {
    for (let i = 0; i < count; i++) {
      if (!this.#client.send({ type: 'rps query' })) return undefined;
    }
    const { promise, resolve: done } = Promise.withResolvers<void>();
    const waiting: Waiting = { peers: [], missing: count, done };
    this.#waiting.add(waiting);
    const timer = this.#options.runtime.timers.after(ANSWER_MS, done);
    await promise;
    timer.cancel();
    this.#waiting.delete(waiting);
    return waiting.peers;
  }

  async stop(): Promise<void> {
    this.#giveUp();
    await this.#client.stop();
  }

  #onPeer(message: MessageOf<'rps peer'>): void {
    const [first] = this.#waiting;
    if (first === undefined) return;
    const peer = this.#toPeer(message);
    if (peer !== undefined) first.peers.push(peer);
    first.missing--;
    if (first.missing > 0) return;
    this.#waiting.delete(first);
    first.done();
  }

  #toPeer({ address, portmap, hostkey }: MessageOf<'rps peer'>): Peer | undefined {
    const port = portmap.find(({ app }) => app === PORTMAP_APPS.onion)?.port ?? address.port;
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
    for (const { done } of this.#waiting) done();
  }
}

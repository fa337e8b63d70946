// Whole nodes of the onion module in simulated worlds: the production driver and data plane, RPS that knows everybody,
// and proofs of work that cost nothing.

import { type CryptoProvider, chooseProvider } from '../../crypto/index.ts';
import type { Hostkey } from '../../identity/index.ts';
import { manyHostkeys } from '../../identity/testing/many-keys.ts';
import { createLogger } from '../../log/index.ts';
import { type MemorySink, memorySink } from '../../log/testing/index.ts';
import { type Rng, shuffled } from '../../runtime/index.ts';
import type { Host, World } from '../../sim/index.ts';
import { MAX_RELAY_CIRCUITS } from '../admission.ts';
import type { ClientId, TunnelId } from '../api-port.ts';
import { type ClientEvent, OnionNode, type OnionStatus } from '../driver.ts';
import { type Peer, toPeer } from '../peer.ts';
import { startPlaneHere } from '../plane-driver.ts';

const PORT = 4000;
const PROVIDER = chooseProvider();

export interface SimOnionOptions {
  readonly roundSeconds: number;
  readonly tickMs: number;
  readonly guards?: number;
  readonly maxCircuits?: number;
  readonly provider?: CryptoProvider;
  /** How far the wall clocks of the first nodes are ahead. */
  readonly offsetsMs?: readonly number[];
}

export class SimOnion {
  readonly host: Host;
  readonly peer: Peer;
  readonly log: MemorySink = memorySink();
  /** What its clients got, in order. */
  readonly messages: ClientEvent[] = [];
  readonly #hostkey: Hostkey;
  #node: OnionNode | undefined;

  constructor(host: Host, hostkey: Hostkey) {
    this.host = host;
    this.#hostkey = hostkey;
    this.peer = toPeer(hostkey.publicKey, { ip: host.ip, port: PORT });
  }

  get isUp(): boolean {
    return this.host.up && this.#node !== undefined;
  }

  get node(): OnionNode {
    if (this.#node === undefined) throw new Error(`${this.host.name} has not started yet`);
    return this.#node;
  }

  get status(): OnionStatus['onion'] {
    return this.node.status.onion;
  }

  /** Also after a crash. */
  start(
    options: SimOnionOptions,
    samplePeers: (count: number) => readonly Peer[] | undefined,
  ): void {
    const { roundSeconds, tickMs, guards = 0, provider = PROVIDER } = options;
    const { maxCircuits = MAX_RELAY_CIRCUITS } = options;
    this.#node = undefined;
    this.host.start(async ({ runtime }) => {
      this.#node = await OnionNode.start(
        {
          runtime,
          provider,
          hostkey: this.#hostkey,
          roundSeconds,
          tickMs,
          log: createLogger({ sink: this.log, clock: runtime.clock, level: 'debug' }),
          network: 'sim',
          hops: 2,
          maxCircuits,
          allowPrivate: false,
          listen: { udp: this.peer.address, tcp: this.peer.address },
          guards: { count: guards, saved: [], save: () => {} },
          startPlane: startPlaneHere(runtime, provider),
          samplePeers: async (count) => samplePeers(count),
          solve: async () => new Uint8Array(8),
          verify: () => true,
        },
        (event) => void this.messages.push(event),
      );
      return this.#node;
    });
  }

  connect(client: ClientId): void {
    this.node.request((onion) => onion.addClient(client));
  }

  build(client: ClientId, destination: SimOnion): void {
    this.node.request((onion, now) => onion.build(client, destination.peer, now));
  }

  send(client: ClientId, tunnel: TunnelId, data: Uint8Array): void {
    this.node.request((onion, now) => onion.data(client, tunnel, data, now));
  }

  cover(client: ClientId, size: number): void {
    this.node.request((onion, now) => onion.cover(client, size, now));
  }

  events<T extends ClientEvent['type']>(type: T): (ClientEvent & { readonly type: T })[] {
    return this.messages.filter((event): event is ClientEvent & { type: T } => event.type === type);
  }
}

/** All of them started. RPS knows everybody, and not who has gone. */
export class SimNetworkOfOnions {
  readonly nodes: readonly SimOnion[];
  readonly #options: SimOnionOptions;
  readonly #rng: Rng;

  constructor(world: World, count: number, options: SimOnionOptions) {
    const { offsetsMs = [] } = options;
    this.#options = options;
    this.#rng = world.rng('rps');
    this.nodes = manyHostkeys(count).map((hostkey, i) => {
      const host = world.host(`node-${i}`, { offsetMs: offsetsMs[i] ?? 0 });
      return new SimOnion(host, hostkey);
    });
    for (const node of this.nodes) this.start(node);
  }

  start(node: SimOnion): void {
    node.start(this.#options, (count) => this.sample(node, count));
  }

  get log(): readonly string[] {
    return this.nodes.flatMap(({ log }) => log.lines);
  }

  /** What RPS says to this node; undefined: it is away. */
  sample(asker: SimOnion, count: number): Peer[] | undefined {
    const others = this.nodes.filter((node) => node !== asker);
    return shuffled(this.#rng, others)
      .slice(0, count)
      .map(({ peer }) => peer);
  }
}

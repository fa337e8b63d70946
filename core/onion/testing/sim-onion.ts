// Whole nodes of the onion module in simulated worlds: the production driver and data plane, RPS that knows everybody,
// and proofs of work that cost nothing.

import { chooseProvider } from '../../crypto/index.ts';
import type { Hostkey } from '../../identity/index.ts';
import { manyHostkeys } from '../../identity/testing/many-keys.ts';
import { createLogger } from '../../log/index.ts';
import { type Address, type Rng, shuffled } from '../../runtime/index.ts';
import type { Host, World } from '../../sim/index.ts';
import type { ClientId, TunnelId } from '../api-port.ts';
import { type ClientEvent, OnionNode } from '../driver.ts';
import { type Peer, toPeer } from '../peer.ts';
import { startPlaneHere } from '../plane-driver.ts';

const PORT = 4000;
const provider = chooseProvider();

export interface SimOnionOptions {
  readonly roundSeconds: number;
  readonly tickMs: number;
  readonly guards?: number;
}

export interface ClientMessage {
  readonly atMs: number;
  readonly event: ClientEvent;
}

export class SimOnion {
  readonly host: Host;
  readonly peer: Peer;
  /** What its clients got, in order. */
  readonly messages: ClientMessage[] = [];
  #node: OnionNode | undefined;

  constructor(host: Host, hostkey: Hostkey) {
    this.host = host;
    this.peer = toPeer(hostkey.publicKey, { ip: host.ip, port: PORT });
  }

  get node(): OnionNode {
    if (this.#node === undefined) throw new Error(`${this.host.name} has not started yet`);
    return this.#node;
  }

  /** Whether it has a tunnel of this round or of one before. */
  get hasTunnel(): boolean {
    return this.#node?.status.onion.tunnel !== undefined;
  }

  start(hostkey: Hostkey, network: SimNetworkOfOnions, options: SimOnionOptions): void {
    const { roundSeconds, tickMs, guards = 0 } = options;
    const address: Address = { ip: this.host.ip, port: PORT };
    this.host.start(async ({ runtime }) => {
      this.#node = await OnionNode.start(
        {
          runtime,
          provider,
          hostkey,
          roundSeconds,
          tickMs,
          log: createLogger({ sink: { write: () => {} }, clock: runtime.clock, level: 'warn' }),
          network: 'sim',
          hops: 2,
          maxCircuits: 32,
          allowPrivate: false,
          listen: { udp: address, tcp: address },
          guards: { count: guards, saved: [], save: () => {} },
          startPlane: startPlaneHere(runtime, provider),
          samplePeers: async (count) => network.sample(this, count),
          solve: async () => new Uint8Array(8),
          verify: () => true,
        },
        (event) => void this.messages.push({ atMs: runtime.clock.nowMs(), event }),
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

  events<T extends ClientEvent['type']>(type: T): (ClientEvent & { readonly type: T })[] {
    return this.messages
      .map(({ event }) => event)
      .filter((event): event is ClientEvent & { type: T } => event.type === type);
  }
}

export class SimNetworkOfOnions {
  readonly nodes: readonly SimOnion[];
  readonly #rng: Rng;
  readonly #hostkeys: readonly Hostkey[];
  readonly #options: SimOnionOptions;

  constructor(world: World, count: number, options: SimOnionOptions) {
    this.#rng = world.rng('rps');
    this.#options = options;
    this.#hostkeys = manyHostkeys(count);
    this.nodes = this.#hostkeys.map((hostkey, i) => new SimOnion(world.host(`node-${i}`), hostkey));
    for (const node of this.nodes) this.start(node);
  }

  /** Also after a crash. */
  start(node: SimOnion): void {
    const hostkey = this.#hostkeys[this.nodes.indexOf(node)];
    if (hostkey === undefined) throw new RangeError('a node of another network');
    node.start(hostkey, this, this.#options);
  }

  /** What RPS says: it does not know who has just gone. */
  sample(asker: SimOnion, count: number): Peer[] {
    const others = this.nodes.filter((node) => node !== asker);
    return shuffled(this.#rng, others)
      .slice(0, count)
      .map(({ peer }) => peer);
  }
}

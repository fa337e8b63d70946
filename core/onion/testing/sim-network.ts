// A whole network of production nodes in a simulated world: every one with its own host, hostkey and links, building a
// tunnel each round over hops that a uniform sampler gives it, hostile ones included, as RPS would. Some of the nodes may
// have a behaviour (hostile-plane.ts), and a witness sees them all.
//
// Proofs of work for identities are taken as given; those for circuits are found, since relays check them.

import { chooseProvider, networkId, type PowTask, verifyPow } from '../../crypto/index.ts';
import { type Hostkey, identityKey, toIdentity } from '../../identity/index.ts';
import { manyHostkeys } from '../../identity/testing/many-keys.ts';
import { DATAGRAM_BYTES } from '../../link/index.ts';
import { createLogger, type LogRecord } from '../../log/index.ts';
import { type Runtime, shuffled } from '../../runtime/index.ts';
import type { Host, World } from '../../sim/index.ts';
import { MAX_RELAY_CIRCUITS } from '../admission.ts';
import { type ClientEvent, OnionNode, type OnionNodeOptions, type OnionStatus } from '../driver.ts';
import { type Peer, toPeer } from '../peer.ts';
import { startPlaneHere } from '../plane-driver.ts';
import { type OnionTiming, onionTiming } from '../timing.ts';
import { hostilePlane, type MakeBehaviour } from './hostile-plane.ts';
import { type NodeNumber, Witness } from './witness.ts';

const NAME = 'sim';
const PORT = 4000;
const POW_NONCE_BYTES = 8;
const GUARD_MS = 30 * 24 * 3600 * 1000;
const provider = chooseProvider();

export interface SimNetworkOptions {
  readonly nodes: number;
  readonly roundSeconds: number;
  readonly tickMs: number;
  /** Before the endpoint; 2 without it. */
  readonly hops?: number;
  /** How many entry guards each node keeps; none without it. */
  readonly guards?: number;
  /** The one guard that this node has already. */
  guardOf?(node: NodeNumber): NodeNumber | undefined;
  /** What this node does amiss; undefined: nothing. */
  behaviourOf?(node: NodeNumber): MakeBehaviour | undefined;
  /** All that peer sampling ever tells this node; undefined: a uniform sample of all others. */
  peersOf?(node: NodeNumber): readonly NodeNumber[] | undefined;
}

export interface SimNode {
  readonly number: NodeNumber;
  readonly host: Host;
  readonly hostkey: Hostkey;
  readonly peer: Peer;
  readonly behaviour: MakeBehaviour | undefined;
  readonly events: ClientEvent[];
  readonly log: LogRecord[];
}

export class SimNetwork {
  readonly world: World;
  readonly options: SimNetworkOptions;
  readonly timing: OnionTiming;
  readonly networkId: Uint8Array;
  readonly nodes: readonly SimNode[];
  readonly witness: Witness;
  readonly #running = new Map<NodeNumber, OnionNode>();

  /** Whose nodes all listen. */
  static async start(world: World, options: SimNetworkOptions): Promise<SimNetwork> {
    const network = new SimNetwork(world, options);
    for (const node of network.nodes) {
      node.host.start(async ({ runtime }) => {
        const running = await network.#start(node, runtime);
        network.#running.set(node.number, running);
        return running;
      });
    }
    await world.until(() => network.#running.size === options.nodes);
    return network;
  }

  private constructor(world: World, options: SimNetworkOptions) {
    const { roundSeconds, tickMs } = options;
    this.world = world;
    this.options = options;
    this.timing = onionTiming(roundSeconds, tickMs);
    const linkDatagramBytes = DATAGRAM_BYTES;
    this.networkId = networkId({
      name: NAME,
      roundLengthS: roundSeconds,
      tickMs,
      linkDatagramBytes,
    });
    this.nodes = manyHostkeys(options.nodes).map((hostkey, number) => {
      const host = world.host(`node ${number}`);
      const peer = toPeer(hostkey.publicKey, { ip: host.ip, port: PORT });
      const behaviour = options.behaviourOf?.(number);
      return { number, host, hostkey, peer, behaviour, events: [], log: [] };
    });
    const byIp = new Map(this.nodes.map(({ host, number }) => [host.ip, number]));
    const byKey = new Map(this.nodes.map(({ peer, number }) => [peer.key, number]));
    this.witness = new Witness({
      nowMs: () => world.nowMs(),
      nodeAt: (ip) => byIp.get(ip),
      nodeOf: (identity) => byKey.get(identityKey(toIdentity(identity))),
      hops: this.hops + 1,
    });
  }

  /** Before the endpoint. */
  get hops(): number {
    return this.options.hops ?? 2;
  }

  node(number: NodeNumber): SimNode {
    const node = this.nodes[number];
    if (node === undefined) throw new RangeError(`there is no node ${number}`);
    return node;
  }

  running(number: NodeNumber): OnionNode {
    const node = this.#running.get(number);
    if (node === undefined) throw new RangeError(`node ${number} does not run`);
    return node;
  }

  statusOf(number: NodeNumber): OnionStatus {
    return this.running(number).status;
  }

  isHostile(number: NodeNumber | undefined): boolean {
    return this.nodes[number ?? -1]?.behaviour !== undefined;
  }

  async runRounds(count: number): Promise<void> {
    await this.world.runFor(count * this.timing.roundMs);
  }

  #start(node: SimNode, runtime: Runtime): Promise<OnionNode> {
    const { roundSeconds, tickMs } = this.options;
    const { number, hostkey, peer, behaviour } = node;
    const sink = { write: (record: LogRecord) => void node.log.push(record) };
    const honest = (): OnionNodeOptions['startPlane'] =>
      this.witness.watch(number, startPlaneHere(runtime, provider));
    return OnionNode.start(
      {
        runtime,
        provider,
        log: createLogger({ sink, clock: runtime.clock, level: 'info' }),
        hostkey,
        network: NAME,
        roundSeconds,
        tickMs,
        hops: this.hops,
        maxCircuits: MAX_RELAY_CIRCUITS,
        allowPrivate: false,
        listen: { udp: peer.address, tcp: peer.address },
        guards: this.#guardsOf(number, runtime.clock.wallMs()),
        startPlane:
          behaviour === undefined ? honest() : hostilePlane(this, number, behaviour, runtime),
        samplePeers: async (count) => this.#sample(number, count, runtime),
        solve: async (task) => solved(task, runtime),
        verify: () => true,
      },
      (event) => void node.events.push(event),
    );
  }

  #guardsOf(number: NodeNumber, wallMs: number): OnionNodeOptions['guards'] {
    const save = (): void => {};
    const guard = this.options.guardOf?.(number);
    if (guard === undefined) return { count: this.options.guards ?? 0, saved: [], save };
    const { peer } = this.node(guard);
    return { count: 1, saved: [{ peer, sinceMs: wallMs, untilMs: wallMs + GUARD_MS }], save };
  }

  #sample(number: NodeNumber, count: number, { rng }: Runtime): readonly Peer[] {
    const arranged = this.options.peersOf?.(number)?.map((one) => this.node(one));
    const others = shuffled(rng, arranged ?? this.nodes.filter((one) => one.number !== number));
    return others.slice(0, count).map(({ peer }) => peer);
  }
}

function solved(task: PowTask, { rng }: Runtime): Uint8Array {
  const nonce = new Uint8Array(POW_NONCE_BYTES);
  if (task.kind !== 'fast') return nonce;
  while (!verifyPow(task, rng.fill(nonce)));
  return nonce;
}

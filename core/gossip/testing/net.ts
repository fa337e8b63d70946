// Many gossip machines and the network between them, without handshakes and sockets: a thousand nodes run faster than in
// real time. Everything a machine does is real; a channel opens where it calls, and messages take their time or are lost.

import type { Opinion } from '../../module-api/index.ts';
import { type Rng, randomBetween, randomUnit, SeededRng } from '../../runtime/index.ts';
import { VirtualTime } from '../../sim/index.ts';
import { Gossip, type GossipOptions } from '../gossip.ts';
import type { NeighbourId } from '../neighbours.ts';
import type { DialTarget, GossipInput, GossipOutput } from '../port.ts';
import type { GossipMessage } from '../wire.ts';
import { addressOf, solveNow, testPeer, WALL_MS } from './fixtures.ts';
import { gossipOptions } from './machine.ts';

export interface NetOptions {
  readonly seed: number;
  readonly latencyMs: { readonly min: number; readonly max: number };
  /** Share of the messages about items that never arrive. Real channels lose none: they are late. */
  readonly loss?: number;
}

/** The other end of a channel. */
interface Peer {
  readonly node: NetNode;
  readonly channel: NeighbourId;
}

type Notification = GossipOutput & { readonly type: 'notification' };

/** What a test may make of a node. */
export interface Behaviour {
  readonly options?: Partial<GossipOptions>;
  /** What it says instead of a message. */
  says?(message: GossipMessage): readonly GossipMessage[];
  /** How far ahead its clock is. */
  readonly aheadMs?: number;
  /** Whether an item is well-formed; undefined: no answer. */
  judges?(notification: Notification): Opinion | undefined;
}

const CLIENT = 1;
const ABOUT_ITEMS: readonly GossipMessage['type'][] = ['push', 'ihave', 'iwant', 'pull'];

export class NetNode {
  readonly number: number;
  readonly received: Notification[] = [];
  /** Messages of each type that came. */
  readonly heard = new Map<GossipMessage['type'], number>();
  readonly #net: Net;
  readonly #behaviour: Behaviour;
  readonly #rng: Rng;
  readonly #peers = new Map<NeighbourId, Peer>();
  #gossip: Gossip;
  #isUp = true;
  #timesMs = Number.POSITIVE_INFINITY;

  constructor(net: Net, number: number, behaviour: Behaviour) {
    this.#net = net;
    this.number = number;
    this.#behaviour = behaviour;
    this.#rng = new SeededRng(net.seed * 100_003 + number);
    this.#gossip = this.#makeGossip({});
    this.#schedule();
  }

  get gossip(): Gossip {
    return this.#gossip;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Whom it has a channel with. */
  neighbours(): readonly { readonly number: number; readonly isOutbound: boolean }[] {
    const { neighbours } = this.#gossip.status(this.#net.time.nowMs());
    return neighbours.map(({ peer, isOutbound }) => ({
      number: numberOf(peer.encoded),
      isOutbound,
    }));
  }

  notify(dataType: number): void {
    this.handle({ type: 'notify', client: CLIENT, dataType });
  }

  announce(dataType: number, data: Uint8Array, hops = 0): void {
    this.handle({ type: 'announce', client: CLIENT + 1, hops, dataType, data });
  }

  /** Its process ends; neighbours see their channels close. */
  stop(): void {
    for (const channel of [...this.#peers.keys()]) this.#close(channel);
    this.#isUp = false;
  }

  /** Again, with what it kept, and whatever else is said here. */
  restart(options: Partial<GossipOptions> = {}): void {
    const saved = this.#gossip.saved();
    this.#isUp = true;
    this.#gossip = this.#makeGossip({ saved, ...options });
    this.#timesMs = Number.POSITIVE_INFINITY;
    this.#schedule();
  }

  handle(input: GossipInput): void {
    if (!this.#isUp) return;
    const gossip = this.#gossip;
    for (const output of gossip.handle(input, this.#now())) this.#act(output);
    this.#schedule();
  }

  connect(channel: NeighbourId, peer: Peer, dial: number | undefined): void {
    this.#peers.set(channel, peer);
    const address = addressOf(peer.node.number);
    const descriptor = testPeer(peer.node.number);
    this.handle({ type: 'connected', neighbour: channel, peer: descriptor, address, dial });
  }

  hear(channel: NeighbourId, message: GossipMessage): void {
    if (!this.#peers.has(channel)) return;
    this.heard.set(message.type, (this.heard.get(message.type) ?? 0) + 1);
    this.handle({ type: 'message', from: channel, message });
  }

  lose(channel: NeighbourId): void {
    if (this.#peers.delete(channel)) this.handle({ type: 'disconnected', neighbour: channel });
  }

  #makeGossip(changes: Partial<GossipOptions>): Gossip {
    const options = gossipOptions(this.#rng, {
      identity: testPeer(this.number).identity,
      cacheSize: 1000,
      ...this.#behaviour.options,
      ...changes,
    });
    return new Gossip(options, this.#now());
  }

  #now() {
    const { time } = this.#net;
    return { nowMs: time.nowMs(), wallMs: time.wallMs() + (this.#behaviour.aheadMs ?? 0) };
  }

  #act(output: GossipOutput): void {
    const { time } = this.#net;
    switch (output.type) {
      case 'send':
        this.#send(output.to, output.message);
        break;
      case 'dial':
        this.#net.dial(this, output.dial, output.target);
        break;
      case 'disconnect':
        this.#close(output.neighbour);
        break;
      case 'notification':
        this.received.push(output);
        time.after(0, () => this.#judge(output));
        break;
      case 'solve': {
        const nonce = solveNow(output.task);
        time.after(0, () => this.handle({ type: 'solved', proof: output.proof, nonce }));
        break;
      }
      default:
    }
  }

  #send(channel: NeighbourId, message: GossipMessage): void {
    const peer = this.#peers.get(channel);
    if (peer === undefined) return;
    const said = this.#behaviour.says?.(message) ?? [message];
    for (const one of said) this.#net.carry(this, peer, one);
  }

  #judge(notification: Notification): void {
    const { client, messageId } = notification;
    const { judges = () => 'pass on' } = this.#behaviour;
    const opinion = judges(notification);
    if (opinion !== undefined) this.handle({ type: 'validation', client, messageId, opinion });
  }

  #close(channel: NeighbourId): void {
    const peer = this.#peers.get(channel);
    this.#peers.delete(channel);
    this.#net.time.after(this.#net.latencyMs(), () => peer?.node.lose(peer.channel));
  }

  #schedule(): void {
    const { time } = this.#net;
    const gossip = this.#gossip;
    const atMs = gossip.nextDeadlineMs();
    if (atMs >= this.#timesMs) return;
    this.#timesMs = atMs;
    time.after(atMs - time.nowMs(), () => {
      if (gossip !== this.#gossip) return;
      this.#timesMs = Number.POSITIVE_INFINITY;
      this.handle({ type: 'tick' });
    });
  }
}

export class Net {
  readonly time = new VirtualTime(WALL_MS);
  readonly seed: number;
  readonly nodes: NetNode[] = [];
  readonly rng: Rng;
  readonly #options: NetOptions;
  readonly #byAddress = new Map<string, NetNode>();
  #lastChannel = 0;
  #isApart: (a: NetNode, b: NetNode) => boolean = () => false;

  constructor(options: NetOptions) {
    this.seed = options.seed;
    this.#options = options;
    this.rng = new SeededRng(options.seed);
  }

  add(number: number, behaviour: Behaviour = {}): NetNode {
    const node = new NetNode(this, number, behaviour);
    this.nodes.push(node);
    this.#byAddress.set(addressOf(number).ip, node);
    return node;
  }

  /** Nothing passes between these any more, until the next call. */
  part(isApart: (a: NetNode, b: NetNode) => boolean): void {
    this.#isApart = isApart;
  }

  latencyMs(): number {
    const { min, max } = this.#options.latencyMs;
    return randomBetween(this.rng, min, max);
  }

  dial(from: NetNode, dial: number, target: DialTarget): void {
    const ip = target.type === 'node' ? target.address.ip : target.host.host;
    this.time.after(2 * this.latencyMs(), () => {
      const to = this.#byAddress.get(ip);
      if (to?.isUp !== true || !from.isUp || this.#isApart(from, to))
        from.handle({ type: 'dial failed', dial });
      else this.#join(from, to, dial);
    });
  }

  carry(from: NetNode, { node, channel }: Peer, message: GossipMessage): void {
    const { loss = 0 } = this.#options;
    if (this.#isApart(from, node)) return;
    if (ABOUT_ITEMS.includes(message.type) && randomUnit(this.rng) < loss) return;
    this.time.after(this.latencyMs(), () => node.hear(channel, message));
  }

  #join(from: NetNode, to: NetNode, dial: number): void {
    const [near, far] = [++this.#lastChannel, ++this.#lastChannel];
    // The calling side last, so that what the other one says at once finds it there.
    to.connect(far, { node: from, channel: near }, undefined);
    from.connect(near, { node: to, channel: far }, dial);
  }
}

/** Of `testPeer`. */
function numberOf(encoded: Uint8Array): number {
  return new DataView(encoded.buffer, encoded.byteOffset).getUint32(0);
}

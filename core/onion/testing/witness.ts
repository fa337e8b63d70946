// The one who sees everything: stands between every node's control and data planes and knows for each tunnel who asked
// whom to be which hop, who really became it, and how it ended. Tests judge by it; no node and no attacker has it, but for
// attackers that a test makes stronger than any can be.

import type { LinkId } from '../../link/index.ts';
import { CellCollector } from '../control-cells.ts';
import { decodeExtend } from '../extend.ts';
import { type Create, decodeCreate } from '../hop.ts';
import { INNER, type InnerMessage, InnerReceiver } from '../inner.ts';
import type { StartPlane } from '../plane-driver.ts';
import type { CircuitId, PlaneCommand, PlaneEvent } from '../plane-port.ts';

/** A node's number in its network. */
export type NodeNumber = number;

/** One try at a tunnel, and the tunnel if it became one. Times are the world's. */
export interface Tunnel {
  readonly owner: NodeNumber;
  readonly circuit: CircuitId;
  readonly round: number;
  readonly begunMs: number;
  /** Who was asked to be a hop, as far as it got. */
  readonly asked: NodeNumber[];
  /** Who became one, as far as is known to be the hop that was asked. */
  readonly hops: Hop[];
  /** How many hops the owner has accepted. */
  accepted: number;
  builtMs: number | undefined;
  /** The data plane had it that the tunnel was silent, lossy or echoed nothing. */
  failing: 'silent' | 'lossy' | 'unanswered' | undefined;
  endedMs: number | undefined;
}

export interface Hop {
  readonly node: NodeNumber;
  readonly circuit: CircuitId;
  readonly position: number;
  /** What it can log of the CREATE that made it one. */
  readonly budget: number;
  readonly atMs: number;
}

export interface WitnessOptions {
  nowMs(): number;
  /** Whose address this is. */
  nodeAt(ip: string): NodeNumber | undefined;
  nodeOf(identity: Uint8Array): NodeNumber | undefined;
  /** So many hops make a tunnel. */
  readonly hops: number;
}

/** What a CREATE was for. */
interface Segment {
  readonly tunnel: Tunnel;
  readonly position: number;
  readonly budget: number;
}

/** The most circuits a node's data plane had at once. */
export interface Peaks {
  own: number;
  relayed: number;
  /** Of those relayed, for one neighbour. */
  perLink: number;
}

/** What is known of one node. */
interface Known {
  readonly peaks: Peaks;
  readonly peers: Map<LinkId, NodeNumber>;
  readonly streams: Map<number, string>;
  /** All that it relays, by the link towards the initiator. */
  readonly carried: Map<CircuitId, LinkId>;
  readonly own: Map<CircuitId, Tunnel>;
  readonly relayed: Map<CircuitId, { readonly tunnel: Tunnel; readonly hop: Hop }>;
}

export class Witness {
  readonly tunnels: Tunnel[] = [];
  readonly #options: WitnessOptions;
  readonly #nodes = new Map<NodeNumber, Known>();
  /** By who sent the CREATE to whom under which number. */
  readonly #segments = new Map<string, Segment>();

  constructor(options: WitnessOptions) {
    this.#options = options;
  }

  /** Which tunnel a relayed circuit belongs to, and as what. */
  hopOf(node: NodeNumber, circuit: CircuitId) {
    return this.#nodes.get(node)?.relayed.get(circuit);
  }

  peaksOf(node: NodeNumber): Peaks | undefined {
    return this.#nodes.get(node)?.peaks;
  }

  /** Who is at the other end of a link. */
  peerOf(node: NodeNumber, link: LinkId): NodeNumber | undefined {
    return this.#nodes.get(node)?.peers.get(link);
  }

  watch(node: NodeNumber, start: StartPlane): StartPlane {
    const known: Known = {
      peaks: { own: 0, relayed: 0, perLink: 0 },
      carried: new Map(),
      peers: new Map(),
      streams: new Map(),
      own: new Map(),
      relayed: new Map(),
    };
    this.#nodes.set(node, known);
    return (settings, onEvent) => {
      const running = start(settings, (event) => {
        this.#onEvent(known, event);
        onEvent(event);
      });
      return {
        post: (command) => {
          this.#onCommand(node, known, command);
          running.post(command);
        },
        stop: () => running.stop(),
      };
    };
  }

  #onEvent(known: Known, event: PlaneEvent): void {
    if (event.type === 'packet' && event.route.transport === 'stream') {
      known.streams.set(event.route.stream, event.from.ip);
    } else if (event.type === 'circuit failing') {
      const tunnel = known.own.get(event.circuit);
      if (tunnel !== undefined) tunnel.failing = event.why;
    }
  }

  #onCommand(node: NodeNumber, known: Known, command: PlaneCommand): void {
    switch (command.type) {
      case 'dial stream':
        known.streams.set(command.stream, command.to.host);
        break;
      case 'add session': {
        const { link, route } = command.session;
        const ip = route.transport === 'udp' ? route.to.ip : known.streams.get(route.stream);
        const peer = this.#options.nodeAt(ip ?? '');
        if (peer !== undefined) known.peers.set(link, peer);
        break;
      }
      case 'add own':
        this.#onOwn(node, known, command);
        break;
      case 'add hop':
        this.#onAccepted(known.own.get(command.circuit));
        break;
      case 'send inner':
        this.#onSendInner(known.own.get(command.circuit), command.messages);
        break;
      case 'add relayed':
        this.#onRelayed(node, known, command);
        break;
      case 'connect next':
        this.#onConnected(node, known, command);
        break;
      case 'remove':
        this.#onRemoved(known, command.circuit);
        break;
      default:
    }
  }

  #onOwn(node: NodeNumber, known: Known, command: PlaneCommand & { type: 'add own' }): void {
    const { circuit, link, circId, cells } = command;
    const first = known.peers.get(link);
    const create = createOf(cells);
    if (create === undefined || first === undefined) return;
    const tunnel: Tunnel = {
      owner: node,
      circuit,
      round: create.round,
      begunMs: this.#options.nowMs(),
      asked: [first],
      hops: [],
      accepted: 0,
      builtMs: undefined,
      failing: undefined,
      endedMs: undefined,
    };
    this.tunnels.push(tunnel);
    known.own.set(circuit, tunnel);
    known.peaks.own = Math.max(known.peaks.own, known.own.size);
    this.#segments.set(segment(node, first, circId), {
      tunnel,
      position: 0,
      budget: create.budget,
    });
  }

  #onAccepted(tunnel: Tunnel | undefined): void {
    if (tunnel === undefined) return;
    tunnel.accepted++;
    if (tunnel.accepted === this.#options.hops) tunnel.builtMs = this.#options.nowMs();
  }

  /** An EXTEND tells whom the owner wants as next hop; it may come several times. */
  #onSendInner(tunnel: Tunnel | undefined, messages: readonly Uint8Array[]): void {
    const receiver = new InnerReceiver();
    const whole: InnerMessage | undefined = messages.map((m) => receiver.receive(m, 0)).at(-1);
    if (tunnel === undefined || whole?.type !== INNER.extend) return;
    const next = this.#options.nodeOf(decodeExtend(whole.data).identity);
    if (next !== undefined && tunnel.asked.length === tunnel.accepted) tunnel.asked.push(next);
  }

  #onRelayed(node: NodeNumber, known: Known, command: PlaneCommand & { type: 'add relayed' }) {
    const { circuit, link, circId } = command;
    noteCarried(known, circuit, link);
    const from = known.peers.get(link) ?? -1;
    const found = this.#segments.get(segment(from, node, circId));
    if (found === undefined) return;
    const { tunnel, position, budget } = found;
    const hop = { node, circuit, position, budget, atMs: this.#options.nowMs() };
    tunnel.hops.push(hop);
    known.relayed.set(circuit, { tunnel, hop });
  }

  #onConnected(node: NodeNumber, known: Known, command: PlaneCommand & { type: 'connect next' }) {
    const { circuit, link, circId, cells } = command;
    const here = known.relayed.get(circuit);
    const next = known.peers.get(link);
    const create = createOf(cells);
    if (here === undefined || next === undefined || create === undefined) return;
    const { tunnel, hop } = here;
    const { budget } = create;
    this.#segments.set(segment(node, next, circId), { tunnel, position: hop.position + 1, budget });
  }

  #onRemoved(known: Known, circuit: CircuitId): void {
    const tunnel = known.own.get(circuit);
    if (tunnel !== undefined) tunnel.endedMs = this.#options.nowMs();
    known.own.delete(circuit);
    known.relayed.delete(circuit);
    known.carried.delete(circuit);
  }
}

function noteCarried({ carried, peaks }: Known, circuit: CircuitId, link: LinkId): void {
  carried.set(circuit, link);
  const ofLink = [...carried.values()].filter((one) => one === link);
  peaks.relayed = Math.max(peaks.relayed, carried.size);
  peaks.perLink = Math.max(peaks.perLink, ofLink.length);
}

function createOf(cells: readonly Uint8Array[]): Create | undefined {
  const collector = new CellCollector();
  const payload = cells.map((cell) => collector.collect(cell, 0)).at(-1);
  return payload === undefined ? undefined : decodeCreate(payload);
}

function segment(from: NodeNumber, to: NodeNumber, circId: number): string {
  return `${from} ${to} ${circId}`;
}

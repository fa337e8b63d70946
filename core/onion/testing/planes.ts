// Data planes in a simulated world. Their links have keys that are simply given to both sides, and their circuits are
// laid by commands: what hops do with cells, without any handshake. A RawNode does with cells what a test says.

import {
  CELL_BYTES,
  type CellSource,
  COMMAND,
  cellBody,
  cellCircuit,
  cellCommand,
  type LinkId,
  LinkPlane,
  type NewSession,
  writeCellHeader,
} from '../../link/index.ts';
import { type Address, type Rng, randomBytes, randomU32 } from '../../runtime/index.ts';
import type { Host, Sighting, World } from '../../sim/index.ts';
import { controlCells } from '../control-cells.ts';
import { INNER_PLAIN_BYTES } from '../geometry.ts';
import { CREATE_BYTES, CREATED_BYTES } from '../hop.ts';
import { encodeInner, type InnerMessage, InnerReceiver } from '../inner.ts';
import { DataPlane } from '../plane.ts';
import type { CircuitId, PlaneCommand, PlaneCounters, PlaneEvent } from '../plane-port.ts';
import { type OnionTiming, onionTiming } from '../timing.ts';
import { provider } from './hops.ts';

const PORT = 4000;
const NO_COUNTERS: PlaneCounters = {
  packetsIn: 0,
  packetsOut: 0,
  packetsDropped: 0,
  packetsUnsent: 0,
  cellsRelayed: 0,
  cellsSubstituted: 0,
  cellsReplayed: 0,
  cellsUnowned: 0,
  cellsExcess: 0,
  slotsSkipped: 0,
};

/** What can be at the end of a link. */
interface LinkHolder {
  readonly address: Address;
  readonly rng: Rng;
  addSession(session: NewSession): void;
  newLink(): LinkId;
}

export class PlaneNode implements LinkHolder {
  readonly address: Address;
  readonly rng: Rng;
  readonly host: Host;
  readonly plane: DataPlane;
  /** All but counters, in order. */
  readonly events: PlaneEvent[] = [];
  counters = NO_COUNTERS;
  #lastLink = 0;
  #lastCircuit = 0;

  constructor(host: Host, timing: OnionTiming) {
    const runtime = host.start();
    this.host = host;
    this.address = { ip: host.ip, port: PORT };
    this.rng = runtime.rng;
    const post = (event: PlaneEvent): void => {
      if (event.type === 'counters') this.counters = event.counters;
      else this.events.push(event);
    };
    this.plane = new DataPlane({ runtime, provider, timing, allowPrivate: false, post });
    this.handle({ type: 'listen', udp: this.address });
  }

  handle(command: PlaneCommand): void {
    this.plane.handle(command);
  }

  addSession(session: NewSession): void {
    this.handle({ type: 'add session', session });
  }

  newLink(): LinkId {
    this.#lastLink += 1;
    return this.#lastLink;
  }

  newCircuit(): CircuitId {
    this.#lastCircuit += 1;
    return this.#lastCircuit;
  }

  send(circuit: CircuitId, type: number, data: Uint8Array, id: number = 0): void {
    const messages = encodeInner(type, data, id);
    this.handle({ type: 'send inner', circuit, queue: 'data', messages });
  }

  /** Whole inner messages that have come since the last call. */
  received(): InnerMessage[] {
    const receiver = new InnerReceiver();
    return this.events.splice(0).flatMap((event) => {
      if (event.type !== 'inner') return [];
      const message = receiver.receive(event.message, 0);
      return message === undefined ? [] : [message];
    });
  }
}

export interface RawCell {
  readonly link: LinkId;
  readonly circId: number;
  readonly command: number;
  readonly body: Uint8Array;
  readonly atMs: number;
}

export class RawNode implements LinkHolder {
  readonly address: Address;
  readonly rng: Rng;
  readonly cells: RawCell[] = [];
  readonly #links: LinkPlane;
  #lastLink = 0;

  constructor(host: Host) {
    const runtime = host.start();
    this.address = { ip: host.ip, port: PORT };
    this.rng = runtime.rng;
    this.#links = new LinkPlane({
      runtime,
      provider,
      allowPrivate: false,
      post: () => {},
      onCell: (link, cell) => {
        const body = new Uint8Array(cellBody(cell));
        const [circId, command] = [cellCircuit(cell), cellCommand(cell)];
        this.cells.push({ link, circId, command, body, atMs: runtime.clock.nowMs() });
      },
    });
    this.#links.handle({ type: 'listen', udp: this.address });
  }

  addSession(session: NewSession): void {
    this.#links.handle({ type: 'add session', session });
  }

  newLink(): LinkId {
    this.#lastLink += 1;
    return this.#lastLink;
  }

  sendCell(link: LinkId, cell: Uint8Array): void {
    const source: CellSource = {
      fill(target) {
        target.set(cell);
        return true;
      },
    };
    this.#links.send(link, source);
  }

  sendBody(link: LinkId, circId: number, body: Uint8Array): void {
    const cell = new Uint8Array(CELL_BYTES);
    writeCellHeader(cell, circId, COMMAND.relay);
    cellBody(cell).set(body);
    this.sendCell(link, cell);
  }

  /** Bodies of RELAY cells that came on this circuit. */
  bodies(circId: number): RawCell[] {
    return this.cells.filter((cell) => cell.circId === circId && cell.command === COMMAND.relay);
  }
}

export const TIMING = onionTiming(300);

export function planeNode(world: World, name: string): PlaneNode {
  return new PlaneNode(world.host(name), TIMING);
}

export function rawNode(world: World, name: string): RawNode {
  return new RawNode(world.host(name));
}

/** Their number of the link between them. */
export function join(a: LinkHolder, b: LinkHolder): [LinkId, LinkId] {
  const links: [LinkId, LinkId] = [a.newLink(), b.newLink()];
  addSession(a, b, links);
  return links;
}

/** The first session of a link, or, as after a rekeying, the next. */
export function addSession(
  a: LinkHolder,
  b: LinkHolder,
  [atA, atB]: readonly [LinkId, LinkId],
): void {
  const [aKey, bKey] = [randomBytes(a.rng, 32), randomBytes(b.rng, 32)];
  const [aIndex, bIndex] = [randomU32(a.rng), randomU32(b.rng)];
  const common = { sendsFirst: true };
  a.addSession({
    link: atA,
    stage: 'open',
    route: { transport: 'udp', to: b.address },
    keys: { ...common, sendKey: aKey, receiveKey: bKey, sendIndex: bIndex, receiveIndex: aIndex },
  });
  b.addSession({
    link: atB,
    stage: 'open',
    route: { transport: 'udp', to: a.address },
    keys: { ...common, sendKey: bKey, receiveKey: aKey, sendIndex: aIndex, receiveIndex: bIndex },
  });
}

/** Cells that look like a handshake: those who are here need none. */
export function createCells(circId: number): Uint8Array[] {
  return controlCells(circId, COMMAND.create, new Uint8Array(CREATE_BYTES));
}

export function createdCells(circId: number): Uint8Array[] {
  return controlCells(circId, COMMAND.created, new Uint8Array(CREATED_BYTES));
}

export interface Tunnel {
  /** The initiator first, the endpoint last. */
  readonly nodes: readonly PlaneNode[];
  /** Of each node. */
  readonly circuits: readonly CircuitId[];
  /** Between each node and the next, as both know it. */
  readonly links: readonly (readonly [LinkId, LinkId])[];
  readonly circIds: readonly number[];
}

/** A tunnel from the first node over all others, with links of its own. */
export function lay(nodes: readonly PlaneNode[]): Tunnel {
  const circuits = nodes.map((node) => node.newCircuit());
  const hops = nodes.slice(1);
  const links = hops.map((hop, i) => join(nodes[i] ?? hop, hop));
  const circIds = hops.map((hop) => (randomU32(hop.rng) | 1) >>> 0);
  hops.forEach((hop, i) => {
    const [before, circuit] = [nodes[i] ?? hop, circuits[i] ?? 0];
    const [[link, hopLink] = [0, 0], circId = 0] = [links[i], circIds[i]];
    const cells = createCells(circId);
    const type = i === 0 ? 'add own' : 'connect next';
    before.handle({ type, circuit, link, circId, cells });
    const secret = randomBytes(hop.rng, 32);
    const added = { circuit: circuits[i + 1] ?? 0, link: hopLink, circId, secret };
    hop.handle({ type: 'add relayed', ...added, cells: createdCells(circId) });
    if (i > 0) before.handle({ type: 'relay', circuit });
    nodes[0]?.handle({ type: 'add hop', circuit: circuits[0] ?? 0, secret });
  });
  return { nodes, circuits, links, circIds };
}

/** Times and sizes of the datagrams that left one node for another. */
export function watch(world: World, from: Address, to: Address): { atMs: number; bytes: number }[] {
  const seen: { atMs: number; bytes: number }[] = [];
  world.tap(({ what, packet, atMs }: Sighting) => {
    if (what !== 'sent' || packet.from.ip !== from.ip || packet.to.ip !== to.ip) return;
    seen.push({ atMs, bytes: packet.bytes.length });
  });
  return seen;
}

export function filled(tag: number, length: number = INNER_PLAIN_BYTES - 4): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (tag * 31 + i) % 256);
}

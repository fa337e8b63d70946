// Circuits in the data plane (protocol 3.5): what a slot sends and what an arriving body becomes. Per cell, in place;
// the only allocations are bodies of messages for the control plane.
//
// OwnCircuit is a tunnel of ours, seen from its first link. RelayedCircuit is one hop of somebody else's: it opens
// what is sealed for it, and passes on what is not once it has a next hop. All hops of all tunnels do the same work on
// bodies that all look random; none can tell its place.

import type { CryptoProvider, Lioness } from '../crypto/index.ts';
import { CELL_HEADER_BYTES, COMMAND, writeCellHeader } from '../link/index.ts';
import type { Rng } from '../runtime/index.ts';
import { BODY_BYTES } from './geometry.ts';
import { INNER } from './inner.ts';
import { HopLayer, InnerSeal, OnionLayers } from './layers.ts';
import { OutgoingQueue } from './outgoing.ts';
import { SeenTable } from './seen.ts';
import { SlotQueue } from './slots.ts';
import type { OnionTiming } from './timing.ts';

export interface CircuitParts {
  readonly provider: CryptoProvider;
  readonly lioness: Lioness;
  readonly rng: Rng;
  readonly timing: OnionTiming;
}

/** Where cells of a circuit leave: one per slot. */
export interface SlotStream {
  readonly link: number;
  readonly circId: number;
  /** True once it has nothing to send any more and never will. */
  readonly ended: boolean;
  /** Fills the 520 bytes of the slot's cell; false once the stream has ended. */
  fill(cell: Uint8Array): boolean;
}

const NOTHING = new Uint8Array();

/** Control cells first, then a RELAY cell with whatever body its owner has. */
class Stream implements SlotStream {
  readonly link: number;
  readonly circId: number;
  readonly #cells: Uint8Array[];
  readonly #fillBody: (body: Uint8Array) => void;
  readonly #body = new Uint8Array(BODY_BYTES);
  #ending = false;

  constructor(
    place: { readonly link: number; readonly circId: number },
    cells: readonly Uint8Array[],
    fillBody: (body: Uint8Array) => void,
  ) {
    this.link = place.link;
    this.circId = place.circId;
    this.#cells = [...cells];
    this.#fillBody = fillBody;
  }

  /** Bounded by the control plane: it sends one handshake message at a time, of at most four cells. */
  queue(cells: readonly Uint8Array[]): void {
    this.#cells.push(...cells);
  }

  /** What waits is still sent, then the slots end. */
  end(): void {
    this.#ending = true;
  }

  get ended(): boolean {
    return this.#ending && this.#cells.length === 0;
  }

  fill(cell: Uint8Array): boolean {
    const control = this.#cells.shift();
    if (control !== undefined) {
      cell.set(control);
      return true;
    }
    if (this.#ending) return false;
    this.#fillBody(this.#body);
    writeCellHeader(cell, this.circId, COMMAND.relay);
    cell.set(this.#body, CELL_HEADER_BYTES);
    return true;
  }
}

/** What became of an arriving body. */
export type Arrival =
  | { readonly type: 'nothing' }
  | { readonly type: 'replay' }
  /** A message for the control plane; a view, valid until the next arrival. */
  | { readonly type: 'inner'; readonly message: Uint8Array }
  /** The slots of this stream belong at this phase from now on. */
  | { readonly type: 'phase'; readonly stream: SlotStream; readonly phaseMs: number };

const NO_ARRIVAL: Arrival = { type: 'nothing' };
const REPLAY: Arrival = { type: 'replay' };

export class OwnCircuit {
  readonly stream: Stream;
  readonly outgoing = new OutgoingQueue();
  readonly #layers: OnionLayers;
  readonly #rng: Rng;
  #authentic = 0;

  constructor(
    parts: CircuitParts,
    place: { readonly link: number; readonly circId: number },
    cells: readonly Uint8Array[],
  ) {
    this.#rng = parts.rng;
    this.#layers = new OnionLayers(parts.provider, parts.lioness);
    this.stream = new Stream(place, cells, (body) => this.#fill(body));
  }

  /** Authentic bodies so far: what liveness and loss are judged by. */
  get authentic(): number {
    return this.#authentic;
  }

  get hops(): number {
    return this.#layers.hops;
  }

  addHop(secret: Uint8Array): void {
    this.#layers.addHop(secret);
  }

  arrive(body: Uint8Array): Arrival {
    const message = this.#layers.unwrap(body);
    if (message === undefined) return NO_ARRIVAL;
    this.#authentic++;
    return message[0] === INNER.pad ? NO_ARRIVAL : { type: 'inner', message };
  }

  wipe(): void {
    this.#layers.wipe();
  }

  #fill(body: Uint8Array): void {
    if (this.#layers.hops === 0) this.#rng.fill(body);
    else this.#layers.wrap(body, this.outgoing.next() ?? NOTHING);
  }
}

export class RelayedCircuit {
  readonly prev: Stream;
  readonly outgoing = new OutgoingQueue();
  readonly #rng: Rng;
  readonly #layer: HopLayer;
  readonly #seal: InnerSeal;
  readonly #forward: Direction;
  readonly #backward: Direction;
  #next: Stream | undefined;
  #relaying = false;
  #substituted = 0;

  constructor(
    parts: CircuitParts,
    place: { readonly link: number; readonly circId: number },
    { secret, cells }: { secret: Uint8Array; cells: readonly Uint8Array[] },
  ) {
    this.#rng = parts.rng;
    this.#layer = new HopLayer(parts.lioness, secret);
    this.#seal = new InnerSeal(parts.provider, 'hop', secret);
    this.#forward = new Direction(parts);
    this.#backward = new Direction(parts);
    this.prev = new Stream(place, cells, (body) => this.#fillPrev(body));
  }

  get next(): Stream | undefined {
    return this.#next;
  }

  /** Slots that had to be filled with noise. */
  get substituted(): number {
    return this.#substituted;
  }

  connectNext(
    place: { readonly link: number; readonly circId: number },
    cells: readonly Uint8Array[],
  ): SlotStream {
    this.#next = new Stream(place, cells, (body) => this.#fillNext(body));
    return this.#next;
  }

  disconnectNext(): void {
    this.#relaying = false;
    this.#next?.end();
    this.#next = undefined;
  }

  relay(): void {
    this.#relaying = this.#next !== undefined;
  }

  /** A body from the initiator's side. */
  arriveForward(body: Uint8Array, counter: number, nowMs: number): Arrival {
    if (!this.#forward.seen.add(body)) return REPLAY;
    this.#layer.takeOffForward(body);
    const message = this.#seal.open(body);
    if (message !== undefined) return this.#serve(message);
    return this.#relaying ? this.#forward.pass(body, counter, nowMs, this.#next) : NO_ARRIVAL;
  }

  /** A body from the next hop. */
  arriveBackward(body: Uint8Array, counter: number, nowMs: number): Arrival {
    if (!this.#backward.seen.add(body)) return REPLAY;
    this.#layer.putOnBackward(body);
    return this.#relaying ? this.#backward.pass(body, counter, nowMs, this.prev) : NO_ARRIVAL;
  }

  wipe(): void {
    this.#layer.wipe();
    this.#seal.wipe();
  }

  #serve(message: Uint8Array): Arrival {
    if (message[0] === INNER.pad) return NO_ARRIVAL;
    if (message[0] !== INNER.cover) return { type: 'inner', message };
    const echo = message.slice();
    echo[0] = INNER.coverEcho;
    this.outgoing.pushEcho(echo);
    return NO_ARRIVAL;
  }

  #fillNext(body: Uint8Array): void {
    if (!this.#forward.slots.pull(body)) this.#noise(body);
  }

  #fillPrev(body: Uint8Array): void {
    const message = this.outgoing.next();
    if (message === undefined && this.#relaying) {
      if (!this.#backward.slots.pull(body)) this.#noise(body);
      return;
    }
    this.#seal.seal(body, message ?? NOTHING);
    this.#layer.putOnBackward(body);
  }

  #noise(body: Uint8Array): void {
    this.#substituted++;
    this.#rng.fill(body);
  }
}

/** What a relay keeps for one direction of one circuit. */
class Direction {
  readonly seen: SeenTable;
  readonly slots: SlotQueue;

  constructor({ rng, timing }: CircuitParts) {
    this.seen = new SeenTable(rng, timing.cellsPerLife);
    this.slots = new SlotQueue(timing);
  }

  pass(body: Uint8Array, counter: number, nowMs: number, stream: SlotStream | undefined): Arrival {
    const phaseMs = this.slots.push(body, counter, nowMs);
    if (phaseMs === undefined || stream === undefined) return NO_ARRIVAL;
    return { type: 'phase', stream, phaseMs };
  }
}

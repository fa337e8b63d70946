// Circuits in the data plane (protocol 3.5): what a slot sends and what an arriving body becomes. Per cell, in place;
// the only allocations are bodies of messages for the control plane.
//
// OwnCircuit is a tunnel of ours, seen from its first link. RelayedCircuit is one hop of somebody else's: it opens
// what is sealed for it, and passes on what is not once it has a next hop. All hops of all tunnels do the same work on
// bodies that all look random; none can tell its place.

import type { CryptoProvider, Lioness } from '../crypto/index.ts';
import { type CellSource, COMMAND, type LinkId, writeCellHeader } from '../link/index.ts';
import type { Rng } from '../runtime/index.ts';
import { BODY_BYTES, CELL_HEADER_BYTES } from './geometry.ts';
import { ECHOES, INNER } from './inner.ts';
import { HopLayer, InnerSeal, OnionLayers } from './layers.ts';
import { OutgoingQueue } from './outgoing.ts';
import { Probing } from './probing.ts';
import { SeenTable } from './seen.ts';
import { SlotQueue } from './slots.ts';
import type { OnionTiming } from './timing.ts';

export interface CircuitParts {
  readonly provider: CryptoProvider;
  readonly lioness: Lioness;
  readonly rng: Rng;
  readonly timing: OnionTiming;
}

/** Where a circuit is on a link. */
export interface Place {
  readonly link: LinkId;
  readonly circId: number;
}

const NOTHING = new Uint8Array();
/** A guess: the four cells of a CREATED, repeated now and then, and a DESTROY. A neighbour may ask more often. */
const CONTROL_CELLS_MAX = 16;

/** Where cells of a circuit leave, one per slot: a control cell that waits, else a RELAY cell with whatever body. */
export class SlotStream implements Place, CellSource {
  readonly link: LinkId;
  readonly circId: number;
  /** At most CONTROL_CELLS_MAX. */
  readonly #control: Uint8Array[];
  readonly #fillBody: (body: Uint8Array) => void;
  readonly #body = new Uint8Array(BODY_BYTES);
  #isEnding = false;

  constructor(
    { link, circId }: Place,
    cells: readonly Uint8Array[],
    fillBody: (body: Uint8Array) => void,
  ) {
    this.link = link;
    this.circId = circId;
    this.#control = [...cells];
    this.#fillBody = fillBody;
  }

  /** The cells of one message; dropped when too many wait. */
  queue(cells: readonly Uint8Array[]): void {
    if (this.#control.length + cells.length <= CONTROL_CELLS_MAX) this.#control.push(...cells);
  }

  /** Control cells that wait still leave, then nothing more. */
  end(): void {
    this.#isEnding = true;
  }

  get isEnding(): boolean {
    return this.#isEnding;
  }

  /** Fills the 520 bytes of the slot's cell; false once the stream has ended. */
  fill(cell: Uint8Array): boolean {
    const control = this.#control.shift();
    if (control === undefined && this.#isEnding) return false;
    if (control !== undefined) cell.set(control);
    else this.#fillRelay(cell);
    return true;
  }

  #fillRelay(cell: Uint8Array): void {
    this.#fillBody(this.#body);
    writeCellHeader(cell, this.circId, COMMAND.relay);
    cell.set(this.#body, CELL_HEADER_BYTES);
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
  readonly stream: SlotStream;
  readonly outgoing = new OutgoingQueue();
  readonly #layers: OnionLayers;
  readonly #rng: Rng;
  readonly #probing: Probing;
  #authentic = 0;

  constructor(parts: CircuitParts, place: Place, cells: readonly Uint8Array[]) {
    this.#rng = parts.rng;
    this.#layers = new OnionLayers(parts.provider, parts.lioness);
    this.#probing = new Probing(parts.rng);
    this.stream = new SlotStream(place, cells, (body) => this.#fill(body));
  }

  /** Authentic bodies so far: what liveness and loss are judged by. */
  get authentic(): number {
    return this.#authentic;
  }

  /** Whether nothing comes back of what should be echoed. */
  get isUnanswered(): boolean {
    return this.#probing.isInVain;
  }

  get hops(): number {
    return this.#layers.hops;
  }

  /** A repeated EXTEND that still waits was for the hop before: to the new one it would name the new one itself. */
  addHop(secret: Uint8Array): void {
    this.#layers.addHop(secret);
    this.#probing.restart();
    this.outgoing.dropControl();
  }

  arrive(body: Uint8Array): Arrival {
    const message = this.#layers.unwrap(body);
    if (message === undefined) return NO_ARRIVAL;
    this.#authentic++;
    const isServed = this.#probing.isAnswer(message) || message[0] === INNER.pad;
    return isServed ? NO_ARRIVAL : { type: 'inner', message };
  }

  wipe(): void {
    this.#layers.wipe();
  }

  #fill(body: Uint8Array): void {
    if (this.#layers.hops === 0) this.#rng.fill(body);
    else this.#layers.wrap(body, this.#probing.next(this.outgoing.next()) ?? NOTHING);
  }
}

export class RelayedCircuit {
  readonly prev: SlotStream;
  readonly outgoing = new OutgoingQueue();
  readonly #parts: CircuitParts;
  readonly #layer: HopLayer;
  readonly #seal: InnerSeal;
  readonly #seenForward: SeenTable;
  readonly #seenBackward: SeenTable;
  #next: SlotStream | undefined;
  /** Bodies on their way, once there is a next hop that has answered. */
  #passing: { readonly forward: SlotQueue; readonly backward: SlotQueue } | undefined;
  #substituted = 0;

  constructor(
    parts: CircuitParts,
    place: Place,
    { secret, cells }: { readonly secret: Uint8Array; readonly cells: readonly Uint8Array[] },
  ) {
    const { rng, timing, lioness, provider } = parts;
    this.#parts = parts;
    this.#layer = new HopLayer(lioness, secret);
    this.#seal = new InnerSeal(provider, 'hop', secret);
    this.#seenForward = new SeenTable(rng, timing.cellsPerLife);
    this.#seenBackward = new SeenTable(rng, timing.cellsPerLife);
    this.prev = new SlotStream(place, cells, (body) => this.#fillPrev(body));
  }

  get next(): SlotStream | undefined {
    return this.#next;
  }

  /** Slots that had to be filled with noise because nothing had come for them. */
  get substituted(): number {
    return this.#substituted;
  }

  /** Until `relay` the next hop gets noise, and the initiator still talks to us. */
  connectNext(place: Place, cells: readonly Uint8Array[]): SlotStream {
    this.#next = new SlotStream(place, cells, (body) => this.#fillNext(body));
    return this.#next;
  }

  disconnectNext(): void {
    this.#passing = undefined;
    this.#next?.end();
    this.#next = undefined;
  }

  relay(): void {
    if (this.#next === undefined) return;
    const { timing } = this.#parts;
    this.#passing ??= { forward: new SlotQueue(timing), backward: new SlotQueue(timing) };
  }

  /** A body from the initiator's side. */
  arriveForward(body: Uint8Array, sequence: number, nowMs: number): Arrival {
    if (!this.#seenForward.add(body)) return REPLAY;
    this.#layer.takeOffForward(body);
    const message = this.#seal.open(body);
    if (message !== undefined) return this.#serve(message);
    return phaseOf(this.#next, this.#passing?.forward.push(body, sequence, nowMs));
  }

  /** A body from the next hop. */
  arriveBackward(body: Uint8Array, sequence: number, nowMs: number): Arrival {
    if (!this.#seenBackward.add(body)) return REPLAY;
    this.#layer.putOnBackward(body);
    return phaseOf(this.prev, this.#passing?.backward.push(body, sequence, nowMs));
  }

  wipe(): void {
    this.#layer.wipe();
    this.#seal.wipe();
  }

  #serve(message: Uint8Array): Arrival {
    if (message[0] === INNER.pad) return NO_ARRIVAL;
    const echo = ECHOES.get(message[0]);
    if (echo === undefined) return { type: 'inner', message };
    this.outgoing.pushAnswer(message, echo);
    return NO_ARRIVAL;
  }

  #fillNext(body: Uint8Array): void {
    if (this.#passing === undefined) this.#parts.rng.fill(body);
    else this.#pass(this.#passing.forward, body);
  }

  #fillPrev(body: Uint8Array): void {
    const message = this.outgoing.next();
    if (message === undefined && this.#passing !== undefined) {
      this.#pass(this.#passing.backward, body);
      return;
    }
    this.#seal.seal(body, message ?? NOTHING);
    this.#layer.putOnBackward(body);
  }

  #pass(queue: SlotQueue, body: Uint8Array): void {
    if (queue.pull(body)) return;
    this.#substituted++;
    this.#parts.rng.fill(body);
  }
}

function phaseOf(stream: SlotStream | undefined, phaseMs: number | undefined): Arrival {
  if (stream === undefined || phaseMs === undefined) return NO_ARRIVAL;
  return { type: 'phase', stream, phaseMs };
}

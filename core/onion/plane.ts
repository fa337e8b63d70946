// The data plane: links, circuits and the pacer under one roof (protocol 3.1, 3.5). In production it runs in a worker
// thread of its own (plane-worker.ts), so that no work of the control plane makes a slot late; in the simulator and in
// tests it runs where it is made. Commands come in through `handle`, events go out through `post`.

import { type CryptoProvider, Lioness } from '../crypto/index.ts';
import {
  COMMAND,
  cellBody,
  cellCircuit,
  cellCommand,
  type LinkId,
  LinkPlane,
} from '../link/index.ts';
import type { Runtime, Timer } from '../runtime/index.ts';
import { ArrivalLimit } from './arrival-limit.ts';
import {
  type Arrival,
  type CircuitParts,
  OwnCircuit,
  type Place,
  RelayedCircuit,
  type SlotStream,
} from './circuits.ts';
import { type DataCommand, DataQueues } from './data-queues.ts';
import type { CircuitCommand, CircuitId, PlaneCommand, PlaneEvent, Side } from './plane-port.ts';
import { SlotClock } from './slot-clock.ts';
import type { OnionTiming } from './timing.ts';
import { Watch } from './watch.ts';

const COUNTERS_EVERY_MS = 1000;
/** Circuit control cells a link may bring per second: a full relay's worth of CREATE and CREATED, and then some. */
const CONTROL_CELLS_PER_SECOND = 256;

export interface DataPlaneOptions {
  readonly runtime: Runtime;
  readonly provider: CryptoProvider;
  readonly timing: OnionTiming;
  readonly allowPrivate: boolean;
  post(event: PlaneEvent): void;
}

interface OwnEntry {
  readonly type: 'own';
  readonly circuit: OwnCircuit;
  readonly watch: Watch;
}

interface RelayedEntry {
  readonly type: 'relayed';
  readonly circuit: RelayedCircuit;
}

/** One side of a circuit, as what arrives finds it. */
interface End {
  readonly id: CircuitId;
  readonly side: Side;
  readonly limit: ArrivalLimit;
  /** A DESTROY has come. */
  isEnding: boolean;
}

export class DataPlane {
  readonly #options: DataPlaneOptions;
  readonly #parts: CircuitParts;
  readonly #links: LinkPlane;
  readonly #slots: SlotClock;
  /** Bounded by the control plane: MAX_RELAY_CIRCUITS and our own few. */
  readonly #circuits = new Map<CircuitId, OwnEntry | RelayedEntry>();
  readonly #queues: DataQueues;
  /** By link and `endKey`: two for each circuit at the most. */
  readonly #ends = new Map<LinkId, Map<number, End>>();
  /** In this second; as many as there are links. */
  readonly #controlCells = new Map<LinkId, number>();
  #cell: Uint8Array = new Uint8Array();
  #body: Uint8Array = new Uint8Array();
  #relayed = 0;
  #replayed = 0;
  #unowned = 0;
  #excess = 0;
  #substitutedByEnded = 0;
  #countersTimer: Timer | undefined;

  constructor(options: DataPlaneOptions) {
    const { runtime, provider, timing } = options;
    this.#options = options;
    this.#parts = { provider, timing, rng: runtime.rng, lioness: new Lioness(provider) };
    this.#slots = new SlotClock({
      runtime,
      tickMs: timing.tickMs,
      send: (stream) => this.#links.send(stream.link, stream),
    });
    this.#links = new LinkPlane({
      runtime,
      provider,
      allowPrivate: options.allowPrivate,
      post: (event) => options.post(event),
      onCell: (link, cell, sequence) => this.#onCell(link, cell, sequence),
    });
    this.#queues = new DataQueues((circuit, messages) =>
      options.post({ type: 'data dropped', circuit, messages }),
    );
    this.#scheduleCounters();
  }

  handle(command: PlaneCommand): void {
    switch (command.type) {
      case 'add own':
      case 'add hop':
      case 'add relayed':
      case 'connect next':
      case 'relay':
      case 'disconnect next':
      case 'send cells':
      case 'remove':
        this.#handleCircuit(command);
        break;
      case 'send inner':
      case 'move data':
      case 'keep data':
      case 'forget data':
        this.#queues.handle(command);
        break;
      default:
        this.#links.handle(command);
    }
  }

  async stop(): Promise<void> {
    this.#slots.stop();
    this.#countersTimer?.cancel();
    await this.#links.stop();
  }

  #nowMs(): number {
    return this.#options.runtime.clock.nowMs();
  }

  #handleCircuit(command: Exclude<CircuitCommand, DataCommand>): void {
    const entry = this.#circuits.get(command.circuit);
    switch (command.type) {
      case 'add own':
        this.#addOwn(command);
        break;
      case 'add relayed':
        this.#addRelayed(command);
        break;
      case 'add hop':
        if (entry?.type !== 'own') break;
        entry.circuit.addHop(command.secret);
        entry.watch.restart();
        break;
      case 'connect next':
        this.#connectNext(command);
        break;
      case 'relay':
        if (entry?.type === 'relayed') entry.circuit.relay();
        break;
      case 'disconnect next':
        this.#disconnectNext(command.circuit);
        break;
      case 'send cells':
        this.#streamOf(command.circuit, command.side)?.queue(command.cells);
        break;
      default:
        this.#remove(command.circuit);
    }
  }

  #addOwn({ circuit: id, link, circId, cells }: CircuitCommand & { type: 'add own' }): void {
    const circuit = new OwnCircuit(this.#parts, { link, circId }, cells);
    this.#circuits.set(id, { type: 'own', circuit, watch: new Watch(this.#parts.timing) });
    this.#queues.add(id, circuit.outgoing);
    this.#start(circuit.stream, id, 'next');
  }

  #addRelayed(command: CircuitCommand & { type: 'add relayed' }): void {
    const { circuit: id, link, circId } = command;
    const circuit = new RelayedCircuit(this.#parts, { link, circId }, command);
    this.#circuits.set(id, { type: 'relayed', circuit });
    this.#queues.add(id, circuit.outgoing);
    this.#start(circuit.prev, id, 'prev');
  }

  #connectNext(command: CircuitCommand & { type: 'connect next' }): void {
    const entry = this.#circuits.get(command.circuit);
    if (entry?.type !== 'relayed') return;
    this.#disconnectNext(command.circuit);
    const stream = entry.circuit.connectNext(command, command.cells);
    this.#start(stream, command.circuit, 'next');
  }

  /** Slots begin at a random phase; a relay's move to the right one once arrivals have shown it. */
  #start(stream: SlotStream, id: CircuitId, side: Side): void {
    const limit = new ArrivalLimit(this.#parts.timing.tickMs, this.#nowMs());
    const ends = this.#ends.get(stream.link) ?? new Map<number, End>();
    ends.set(endKey(stream.circId), { id, side, limit, isEnding: false });
    this.#ends.set(stream.link, ends);
    this.#links.setBusy(stream.link, true);
    this.#slots.start(stream);
  }

  #disconnectNext(id: CircuitId): void {
    const entry = this.#circuits.get(id);
    if (entry?.type !== 'relayed' || entry.circuit.next === undefined) return;
    this.#forgetEnd(entry.circuit.next);
    entry.circuit.disconnectNext();
  }

  #remove(id: CircuitId): void {
    const entry = this.#circuits.get(id);
    if (entry === undefined) return;
    this.#disconnectNext(id);
    const stream = entry.type === 'own' ? entry.circuit.stream : entry.circuit.prev;
    this.#forgetEnd(stream);
    stream.end();
    entry.circuit.wipe();
    if (entry.type === 'relayed') this.#substitutedByEnded += entry.circuit.substituted;
    this.#circuits.delete(id);
    this.#queues.remove(id);
  }

  /** Nothing that arrives belongs to it any more; what is left to send still goes. */
  #forgetEnd({ link, circId }: Place): void {
    const ends = this.#ends.get(link);
    ends?.delete(endKey(circId));
    if (ends?.size !== 0) return;
    this.#ends.delete(link);
    this.#links.setBusy(link, false);
  }

  #streamOf(id: CircuitId, side: Side): SlotStream | undefined {
    const entry = this.#circuits.get(id);
    if (entry?.type === 'own') return entry.circuit.stream;
    return side === 'prev' ? entry?.circuit.prev : entry?.circuit.next;
  }

  #onCell(link: LinkId, cell: Uint8Array, sequence: number): void {
    const end = this.#ends.get(link)?.get(endKey(cellCircuit(cell)));
    if (cellCommand(cell) !== COMMAND.relay) this.#passControl(link, end, cell);
    else if (end === undefined) this.#unowned++;
    else if (!end.limit.take(this.#nowMs())) this.#excess++;
    else this.#onBody(end, this.#bodyOf(cell), sequence);
  }

  /** The link plane hands over the same cell again and again: one view of its body does. */
  #bodyOf(cell: Uint8Array): Uint8Array {
    if (cell !== this.#cell) this.#body = cellBody(cell);
    this.#cell = cell;
    return this.#body;
  }

  #passControl(link: LinkId, end: End | undefined, cell: Uint8Array): void {
    if (!this.#isFirstDestroy(end, cell) && !this.#takeControl(link)) return;
    const known = end === undefined ? {} : { circuit: end.id, side: end.side };
    this.#options.post({ type: 'cell', link, ...known, cell: new Uint8Array(cell) });
  }

  /** Circuits may all end at once, each once: what is lost of that would stand until its round is over. */
  #isFirstDestroy(end: End | undefined, cell: Uint8Array): boolean {
    if (end === undefined || end.isEnding) return false;
    end.isEnding = cellCommand(cell) === COMMAND.destroy;
    return end.isEnding;
  }

  #takeControl(link: LinkId): boolean {
    const brought = (this.#controlCells.get(link) ?? 0) + 1;
    if (brought > CONTROL_CELLS_PER_SECOND) return false;
    this.#controlCells.set(link, brought);
    return true;
  }

  #onBody({ id, side }: End, body: Uint8Array, sequence: number): void {
    const entry = this.#circuits.get(id);
    if (entry === undefined) return;
    const arrival = this.#arrive(entry, side, body, sequence);
    switch (arrival.type) {
      case 'nothing':
        break;
      case 'replay':
        this.#replayed++;
        break;
      case 'inner': {
        const message = new Uint8Array(arrival.message);
        this.#options.post({ type: 'inner', circuit: id, message });
        break;
      }
      case 'phase':
        this.#slots.move(arrival.stream, arrival.phaseMs);
    }
  }

  #arrive(entry: OwnEntry | RelayedEntry, side: Side, body: Uint8Array, sequence: number): Arrival {
    if (entry.type === 'own') return entry.circuit.arrive(body);
    this.#relayed++;
    const nowMs = this.#nowMs();
    return side === 'prev'
      ? entry.circuit.arriveForward(body, sequence, nowMs)
      : entry.circuit.arriveBackward(body, sequence, nowMs);
  }

  #scheduleCounters(): void {
    this.#countersTimer = this.#options.runtime.timers.after(COUNTERS_EVERY_MS, () => {
      this.#controlCells.clear();
      this.#watchOwn();
      this.#postCounters();
      this.#scheduleCounters();
    });
  }

  #watchOwn(): void {
    const nowMs = this.#nowMs();
    for (const [id, entry] of this.#circuits) {
      if (entry.type !== 'own' || entry.circuit.hops === 0) continue;
      const { watch, circuit } = entry;
      const isUnanswered = circuit.isUnanswered ? 'unanswered' : undefined;
      const why = watch.judge(circuit.authentic, nowMs) ?? isUnanswered;
      if (why !== undefined) this.#options.post({ type: 'circuit failing', circuit: id, why });
    }
  }

  #postCounters(): void {
    let substituted = this.#substitutedByEnded;
    for (const entry of this.#circuits.values()) {
      if (entry.type === 'relayed') substituted += entry.circuit.substituted;
    }
    const { packetsIn, packetsOut, dropped, backlogDropped } = this.#links.counters;
    this.#options.post({
      type: 'counters',
      counters: {
        packetsIn,
        packetsOut,
        packetsDropped: dropped,
        packetsUnsent: backlogDropped,
        cellsRelayed: this.#relayed,
        cellsSubstituted: substituted,
        cellsReplayed: this.#replayed,
        cellsUnowned: this.#unowned,
        cellsExcess: this.#excess,
        slotsSkipped: this.#slots.skipped,
      },
    });
  }
}

/** A circuit's number as a small integer, which costs no allocation to look up; above 2^31 it would. */
function endKey(circId: number): number {
  return circId | 0;
}

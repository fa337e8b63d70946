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
import { type Runtime, randomBetween, type Timer } from '../runtime/index.ts';
import {
  type Arrival,
  type CircuitParts,
  OwnCircuit,
  RelayedCircuit,
  type SlotStream,
} from './circuits.ts';
import { Pacer } from './pacer.ts';
import type { CircuitCommand, CircuitId, PlaneCommand, PlaneEvent, Side } from './plane-port.ts';
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

interface End {
  readonly id: CircuitId;
  readonly side: Side;
}

export class DataPlane {
  readonly #options: DataPlaneOptions;
  readonly #parts: CircuitParts;
  readonly #links: LinkPlane;
  readonly #pacer: Pacer<SlotStream>;
  /** Bounded by the control plane: MAX_RELAY_CIRCUITS and our own few. */
  readonly #circuits = new Map<CircuitId, OwnEntry | RelayedEntry>();
  /** By link and circuit number: two for each circuit at the most. */
  readonly #ends = new Map<LinkId, Map<number, End>>();
  readonly #controlCells = new Map<LinkId, number>();
  readonly #ended: SlotStream[] = [];
  #relayed = 0;
  #replayed = 0;
  #substitutedByEnded = 0;
  #slotTimer: Timer | undefined;
  #countersTimer: Timer | undefined;

  constructor(options: DataPlaneOptions) {
    const { runtime, provider, timing } = options;
    this.#options = options;
    this.#parts = { provider, timing, rng: runtime.rng, lioness: new Lioness(provider) };
    this.#pacer = new Pacer(timing.tickMs);
    this.#links = new LinkPlane({
      runtime,
      provider,
      allowPrivate: options.allowPrivate,
      post: (event) => options.post(event),
      onCell: (link, cell, counter) => this.#onCell(link, cell, counter),
    });
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
      case 'send inner':
      case 'remove':
        this.#handleCircuit(command);
        break;
      default:
        this.#links.handle(command);
    }
  }

  async stop(): Promise<void> {
    this.#slotTimer?.cancel();
    this.#countersTimer?.cancel();
    await this.#links.stop();
  }

  #handleCircuit(command: CircuitCommand): void {
    const entry = this.#circuits.get(command.circuit);
    switch (command.type) {
      case 'add own':
        this.#addOwn(command);
        break;
      case 'add relayed':
        this.#addRelayed(command);
        break;
      case 'add hop':
        if (entry?.type === 'own') entry.circuit.addHop(command.secret);
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
      case 'send inner':
        this.#sendInner(command);
        break;
      case 'remove':
        this.#remove(command.circuit);
    }
  }

  #now(): number {
    return this.#options.runtime.clock.nowMs();
  }

  #addOwn({ circuit: id, link, circId, cells }: CircuitCommand & { type: 'add own' }): void {
    const circuit = new OwnCircuit(this.#parts, { link, circId }, cells);
    this.#circuits.set(id, { type: 'own', circuit, watch: new Watch(this.#parts.timing) });
    this.#start(circuit.stream, { id, side: 'next' });
  }

  #addRelayed(command: CircuitCommand & { type: 'add relayed' }): void {
    const { circuit: id, link, circId } = command;
    const circuit = new RelayedCircuit(this.#parts, { link, circId }, command);
    this.#circuits.set(id, { type: 'relayed', circuit });
    this.#start(circuit.prev, { id, side: 'prev' });
  }

  #connectNext(command: CircuitCommand & { type: 'connect next' }): void {
    const entry = this.#circuits.get(command.circuit);
    if (entry?.type !== 'relayed') return;
    this.#disconnectNext(command.circuit);
    const stream = entry.circuit.connectNext(command, command.cells);
    this.#start(stream, { id: command.circuit, side: 'next' });
  }

  /** Slots begin at a random phase; a relay's move to the right one once arrivals have shown it. */
  #start(stream: SlotStream, end: End): void {
    const ends = this.#ends.get(stream.link) ?? new Map<number, End>();
    ends.set(stream.circId, end);
    this.#ends.set(stream.link, ends);
    this.#links.setBusy(stream.link, true);
    const phaseMs = randomBetween(this.#parts.rng, 0, this.#parts.timing.tickMs);
    this.#pacer.place(stream, phaseMs, this.#now());
    this.#scheduleSlots();
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
  }

  /** Nothing that arrives belongs to it any more; what is left to send still goes. */
  #forgetEnd({ link, circId }: SlotStream): void {
    const ends = this.#ends.get(link);
    ends?.delete(circId);
    if (ends?.size !== 0) return;
    this.#ends.delete(link);
    this.#links.setBusy(link, false);
  }

  #streamOf(id: CircuitId, side: Side) {
    const entry = this.#circuits.get(id);
    if (entry?.type === 'own') return entry.circuit.stream;
    return side === 'prev' ? entry?.circuit.prev : entry?.circuit.next;
  }

  #sendInner({ circuit: id, queue, messages }: CircuitCommand & { type: 'send inner' }): void {
    const outgoing = this.#circuits.get(id)?.circuit.outgoing;
    if (outgoing === undefined) return;
    const before = outgoing.dropped;
    for (const message of messages) {
      if (queue === 'control') outgoing.pushControl(message);
      else outgoing.pushData(message);
    }
    const dropped = outgoing.dropped - before;
    if (dropped > 0) this.#options.post({ type: 'data dropped', circuit: id, messages: dropped });
  }

  #onCell(link: LinkId, cell: Uint8Array, counter: number): void {
    const end = this.#ends.get(link)?.get(cellCircuit(cell));
    if (cellCommand(cell) !== COMMAND.relay) this.#passControl(link, end, cell);
    else if (end !== undefined) this.#onBody(end, cellBody(cell), counter);
  }

  #passControl(link: LinkId, end: End | undefined, cell: Uint8Array): void {
    const brought = (this.#controlCells.get(link) ?? 0) + 1;
    if (brought > CONTROL_CELLS_PER_SECOND) return;
    this.#controlCells.set(link, brought);
    const known = end === undefined ? {} : { circuit: end.id, side: end.side };
    this.#options.post({ type: 'cell', link, ...known, cell: new Uint8Array(cell) });
  }

  #onBody({ id, side }: End, body: Uint8Array, counter: number): void {
    const entry = this.#circuits.get(id);
    if (entry === undefined) return;
    const arrival = this.#arrive(entry, side, body, counter);
    switch (arrival.type) {
      case 'nothing':
        break;
      case 'replay':
        this.#replayed++;
        break;
      case 'inner':
        this.#options.post({
          type: 'inner',
          circuit: id,
          message: new Uint8Array(arrival.message),
        });
        break;
      case 'phase':
        this.#pacer.place(arrival.stream, arrival.phaseMs, this.#now());
        this.#scheduleSlots();
    }
  }

  #arrive(entry: OwnEntry | RelayedEntry, side: Side, body: Uint8Array, counter: number): Arrival {
    if (entry.type === 'own') return entry.circuit.arrive(body);
    this.#relayed++;
    const nowMs = this.#now();
    return side === 'prev'
      ? entry.circuit.arriveForward(body, counter, nowMs)
      : entry.circuit.arriveBackward(body, counter, nowMs);
  }

  #scheduleSlots(): void {
    this.#slotTimer?.cancel();
    const deadlineMs = this.#pacer.nextDeadlineMs();
    if (deadlineMs === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.max(0, deadlineMs - this.#now());
    this.#slotTimer = this.#options.runtime.timers.after(delayMs, () => this.#onSlots());
  }

  #onSlots(): void {
    this.#pacer.run(this.#now(), (stream) => {
      // A link that cannot send costs the stream its slot and nothing else; the stream ends when its circuit does.
      if (!this.#links.send(stream.link, stream) && stream.ended) this.#ended.push(stream);
    });
    for (const stream of this.#ended.splice(0)) this.#pacer.remove(stream);
    this.#scheduleSlots();
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
    for (const [id, entry] of this.#circuits) {
      if (entry.type !== 'own' || entry.circuit.hops === 0) continue;
      const why = entry.watch.judge(entry.circuit.authentic, this.#now());
      if (why !== undefined) this.#options.post({ type: 'circuit failing', circuit: id, why });
    }
  }

  #postCounters(): void {
    let substituted = this.#substitutedByEnded;
    for (const entry of this.#circuits.values()) {
      if (entry.type === 'relayed') substituted += entry.circuit.substituted;
    }
    this.#options.post({
      type: 'counters',
      counters: {
        packetsIn: this.#links.counters.packetsIn,
        packetsOut: this.#links.counters.packetsOut,
        packetsDropped: this.#links.counters.dropped,
        cellsRelayed: this.#relayed,
        cellsSubstituted: substituted,
        cellsReplayed: this.#replayed,
        slotsSkipped: this.#pacer.skipped,
      },
    });
  }
}

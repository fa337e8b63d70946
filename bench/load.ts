// The neighbours of a relay under load: everybody before it and everybody behind it, on one socket each. They send the
// cells of many circuits, one per slot and direction, at random moments of the slot, and look at what comes back. Turns
// as fast as it can while it runs, since no timer is fine enough: it takes a core for itself.

import { createSocket, type Socket } from 'node:dgram';
import { performance } from 'node:perf_hooks';
import { chooseProvider, Lioness, TAG_BYTES } from '../core/crypto/index.ts';
import {
  BODY_BYTES,
  CELL_HEADER_BYTES,
  COMMAND,
  cellBody,
  cellCircuit,
  type LinkId,
  type NewSession,
  Session,
  writeCellHeader,
} from '../core/link/index.ts';
import { DATAGRAM_BYTES, DataPacket, dataIndex } from '../core/link/wire.ts';
import { HopLayer } from '../core/onion/layers.ts';
import {
  type Address,
  randomBetween,
  randomBytes,
  randomU32,
  realRng,
} from '../core/runtime/index.ts';
import { type BedNode, join, type LinkHolder, LOOPBACK, SETTINGS } from './bed.ts';
import type { PlaneKind } from './plane-process.ts';

/** Neighbours on each side: a relay's links are many, its circuits per link few. */
const LINKS = 32;
const RECEIVE_BUFFER = 4 << 20;
/** One cell in so many towards the endpoint is followed through the relay; a prime, so that it is not the same circuits'. */
const FOLLOW_EVERY = 7;
/** A cell later than this is left out instead: whoever cannot keep up offers less. */
const LATE_MAX_MS = 5;
/** After the last cell was sent; none that still comes is on its way for longer, unless the relay is far behind. */
const DRAINING_MS = 100;

export interface LoadResult {
  /** In which cells were sent. */
  readonly seconds: number;
  readonly sent: number;
  /** Of those, judged by the ones that were followed; noise of the relay does not count. */
  readonly passed: number;
  /** Of the followed ones that came, from before `send` to their arrival. */
  readonly delaysMs: readonly number[];
  /** When cells of one circuit arrived behind the relay, on our clock; of each circuit. */
  readonly arrivalsMs: readonly (readonly number[])[];
}

interface Flow {
  readonly from: Side;
  readonly link: LinkId;
  readonly circId: number;
  readonly phaseMs: number;
  /** What the relay does with bodies, when cells of this flow are followed. */
  readonly layer?: HopLayer;
}

const provider = chooseProvider();
const lioness = new Lioness(provider);

/** All neighbours on one side. */
class Side implements LinkHolder {
  readonly address: Address;
  readonly #socket: Socket;
  readonly #byLink = new Map<LinkId, Session>();
  readonly #byIndex = new Map<number, Session>();
  readonly #sending = new DataPacket();
  readonly #arrived = new DataPacket();
  /** What comes, to be looked at. */
  onPacket: ((packet: Uint8Array) => void) | undefined;

  static async start(relay: Address): Promise<Side> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, LOOPBACK, resolve));
    await new Promise<void>((resolve) => socket.connect(relay.port, relay.ip, resolve));
    socket.setRecvBufferSize(RECEIVE_BUFFER);
    return new Side(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.address = { ip: LOOPBACK, port: socket.address().port };
    socket.on('message', (packet) => {
      if (packet.length === DATAGRAM_BYTES) this.onPacket?.(packet);
    });
    // What the relay's socket refuses is lost.
    socket.on('error', () => {});
  }

  newLink(): LinkId {
    return this.#byLink.size + 1;
  }

  addSession({ link, keys }: NewSession): void {
    const session = new Session({ provider, keys, nowMs: performance.now() });
    this.#byLink.set(link, session);
    this.#byIndex.set(keys.receiveIndex, session);
  }

  /** One RELAY cell. Answers the packet, which is valid until the next. */
  send(link: LinkId, circId: number, body: Uint8Array): Uint8Array {
    const { cell, bytes } = this.#sending;
    writeCellHeader(cell, circId, COMMAND.relay);
    cell.set(body, CELL_HEADER_BYTES);
    this.#byLink.get(link)?.seal(this.#sending, performance.now());
    this.#socket.send(bytes);
    return bytes;
  }

  /** The cell in a packet for us, valid until the next. */
  open(packet: Uint8Array): Uint8Array | undefined {
    this.#arrived.bytes.set(packet);
    const opened = this.#byIndex.get(dataIndex(packet))?.open(this.#arrived, performance.now());
    return opened === 'ok' ? this.#arrived.cell : undefined;
  }

  close(): void {
    this.#socket.close();
  }
}

export class Load {
  readonly #relay: BedNode;
  readonly #kind: PlaneKind;
  readonly #before: Side;
  readonly #behind: Side;
  readonly #links: readonly (readonly [before: LinkId, behind: LinkId])[];
  readonly #flows: Flow[] = [];
  readonly #body = randomBytes(realRng, BODY_BYTES);
  readonly #counter = new DataView(this.#body.buffer);
  #cells = 0;

  static async start(relay: BedNode, kind: PlaneKind): Promise<Load> {
    const sides = [await Side.start(relay.address), await Side.start(relay.address)] as const;
    return new Load(relay, kind, sides);
  }

  private constructor(relay: BedNode, kind: PlaneKind, sides: readonly [Side, Side]) {
    this.#relay = relay;
    this.#kind = kind;
    [this.#before, this.#behind] = sides;
    const [before, behind] = sides;
    this.#links = Array.from({ length: LINKS }, () => [
      join(before, relay)[0],
      join(behind, relay)[0],
    ]);
  }

  stop(): void {
    this.#before.close();
    this.#behind.close();
  }

  /** Sends the cells of so many circuits, both directions of each. Lays those that are missing. */
  run(circuits: number, seconds: number): Promise<LoadResult> {
    while (this.#flows.length < 2 * circuits) this.#layOne();
    const flows = this.#flows.slice(0, 2 * circuits).sort((a, b) => a.phaseMs - b.phaseMs);
    const run = new Run();
    this.#behind.onPacket = (packet) => this.#look(packet, run);
    const startMs = performance.now();
    // On one schedule through all runs: relays find the phases of what arrives once.
    let turnMs = Math.ceil(startMs / SETTINGS.tickMs) * SETTINGS.tickMs;
    let next = 0;
    const sendDue = (nowMs: number): void => {
      for (;;) {
        const flow = flows[next];
        if (flow === undefined || turnMs + flow.phaseMs > nowMs) return;
        if (nowMs - turnMs - flow.phaseMs < LATE_MAX_MS) this.#sendOne(flow, run);
        next = (next + 1) % flows.length;
        if (next === 0) turnMs += SETTINGS.tickMs;
      }
    };
    const endMs = startMs + 1000 * seconds;
    return new Promise((resolve) => {
      const spin = (): void => {
        const nowMs = performance.now();
        if (nowMs < endMs) sendDue(nowMs);
        if (nowMs < endMs + DRAINING_MS) return void setImmediate(spin);
        this.#behind.onPacket = undefined;
        resolve(run.result(seconds));
      };
      spin();
    });
  }

  /** The relay numbers links 1, 2, … as they are made: before, behind, before, … */
  #layOne(): void {
    const at = (this.#flows.length / 2) % LINKS;
    const [before, behind] = this.#links[at] ?? [0, 0];
    const [prev, next] = [
      { link: 2 * at + 1, circId: circuitId() },
      { link: 2 * at + 2, circId: circuitId() },
    ];
    const secret = randomBytes(realRng, 32);
    const circuit = this.#relay.newCircuit();
    this.#relay.post({ type: 'add relayed', circuit, ...prev, secret, cells: [] });
    this.#relay.post({ type: 'connect next', circuit, ...next, cells: [] });
    this.#relay.post({ type: 'relay', circuit });
    const phaseMs = (): number => randomBetween(realRng, 0, SETTINGS.tickMs);
    const layer = new HopLayer(lioness, secret);
    this.#flows.push(
      { from: this.#before, link: before, circId: prev.circId, phaseMs: phaseMs(), layer },
      { from: this.#behind, link: behind, circId: next.circId, phaseMs: phaseMs() },
    );
  }

  #sendOne({ from, link, circId, layer }: Flow, run: Run): void {
    this.#cells++;
    this.#counter.setFloat64(0, this.#cells);
    run.sent++;
    const nowMs = performance.now();
    const packet = from.send(link, circId, this.#body);
    if (layer === undefined || ++run.forward % FOLLOW_EVERY !== 0) return;
    if (this.#kind === 'bare') run.follow(tagOf(packet), nowMs);
    else {
      const turned = new Uint8Array(this.#body);
      layer.takeOffForward(turned);
      run.follow(nameOf(turned), nowMs);
    }
  }

  #look(packet: Uint8Array, run: Run): void {
    const nowMs = performance.now();
    if (this.#kind === 'bare') {
      run.found(tagOf(packet), nowMs);
      return;
    }
    const cell = this.#behind.open(packet);
    if (cell === undefined) return;
    run.arrived(cellCircuit(cell), nowMs);
    run.found(nameOf(cellBody(cell)), nowMs);
  }
}

/** What is noted while cells run. */
class Run {
  readonly #followed = new Map<number, number>();
  readonly #delaysMs: number[] = [];
  readonly #arrivalsMs = new Map<number, number[]>();
  sent = 0;
  /** Of those, the ones towards the endpoint. */
  forward = 0;

  /** What is sent now will have this name behind the relay. */
  follow(name: number, sentMs: number): void {
    this.#followed.set(name, sentMs);
  }

  found(name: number, nowMs: number): void {
    const sentMs = this.#followed.get(name);
    if (sentMs !== undefined) this.#delaysMs.push(nowMs - sentMs);
  }

  arrived(circId: number, nowMs: number): void {
    const arrivals = this.#arrivalsMs.get(circId);
    if (arrivals === undefined) this.#arrivalsMs.set(circId, [nowMs]);
    else arrivals.push(nowMs);
  }

  result(seconds: number): LoadResult {
    return {
      seconds,
      sent: this.sent,
      passed: (this.sent * this.#delaysMs.length) / this.#followed.size,
      delaysMs: this.#delaysMs,
      arrivalsMs: [...this.#arrivalsMs.values()],
    };
  }
}

/** By which to know a packet that nobody changes. */
function tagOf(packet: Uint8Array): number {
  return nameOf(packet.subarray(packet.length - TAG_BYTES));
}

/** Bodies are random: six bytes tell them apart. */
function nameOf(body: Uint8Array): number {
  let name = 0;
  for (let i = 0; i < 6; i++) name = name * 256 + (body[i] ?? 0);
  return name;
}

function circuitId(): number {
  return (randomU32(realRng) | 1) >>> 0;
}

// The data plane's half of the links (protocol 3.1): sockets, sessions, and what each packet costs. Opens what arrives,
// hands cells of open links up, seals cells that go out; no allocation per cell. Handshakes are the control plane's:
// their packets go to it and come from it as they are.
//
// Sessions follow each other: a new one is sent in at once, or, when the other side may not have it yet, from the first
// authentic packet of it that comes.

import type { CryptoProvider } from '../crypto/index.ts';
import {
  type Address,
  type HostPort,
  NetworkError,
  type Rng,
  type Runtime,
  randomBetween,
  type Timer,
  type UdpSocket,
} from '../runtime/index.ts';
import { COMMAND, cellCommand, cellFault, writeCellHeader } from './cells.ts';
import type { LinkCommand, LinkEvent, LinkId, NewSession, Route } from './port.ts';
import { Session } from './session.ts';
import { SizeRule } from './size-rule.ts';
import { Streams } from './streams.ts';
import {
  DATAGRAM_BYTES,
  DataPacket,
  dataCounter,
  dataIndex,
  HEADER_BYTES,
  isData,
} from './wire.ts';

/** Protocol 3.1, session rules and table of limits. */
const KEEPALIVE_MS = { min: 8_000, max: 12_000 };
const DEAD_WITH_CIRCUITS_MS = 5_000;
const DEAD_IDLE_MS = 25_000;
const SETUP_CELLS_MAX = 24;
const SWEEP_MS = 1_000;
/** Handshake packets the control plane has not dealt with yet: a flood must not fill its queue while it is busy. */
const HANDSHAKES_WAITING_MAX = 512;
/** Packets being sent: the system may hold one for a moment, so a place is not reused at once. A guess, ample. */
const PACKETS = 256;
/** More than a session seals before it is too old, so that a link's cells can be numbered across its sessions. */
const SESSION_PACKETS_MAX = 2 ** 32;

interface LinkState {
  readonly link: LinkId;
  readonly sizeRule: SizeRule;
  /** The ones we open: the current, the one before while packets are under way, a coming one. */
  readonly sessions: Set<LinkSession>;
  route: Route;
  /** The one we send in; undefined only until the first is there. */
  sending: LinkSession | undefined;
  busy: boolean;
  setupCells: number;
  receivedMs: number;
  keepaliveMs: number;
  isDead: boolean;
}

interface LinkSession {
  readonly session: Session;
  readonly stage: NewSession['stage'];
  readonly state: LinkState;
  /** Counts the sessions of the link. */
  readonly order: number;
  rekeyAsked: boolean;
}

export interface LinkPlaneOptions {
  readonly runtime: Runtime;
  readonly provider: CryptoProvider;
  readonly allowPrivate: boolean;
  post(event: LinkEvent): void;
  /**
   * A cell of an open link that belongs to a circuit; `cell` is valid during the call. `sequence` grows in the order in
   * which the neighbour sent, across the sessions of the link.
   */
  onCell(link: LinkId, cell: Uint8Array, sequence: number): void;
}

/** Counted since the start. */
export interface LinkCounters {
  packetsIn: number;
  packetsOut: number;
  dropped: number;
}

export interface CellSource {
  /** Fills a cell of CELL_BYTES; false when there is nothing to send. */
  fill(cell: Uint8Array): boolean;
}

export class LinkPlane {
  readonly counters: LinkCounters = { packetsIn: 0, packetsOut: 0, dropped: 0 };
  readonly #options: LinkPlaneOptions;
  readonly #rng: Rng;
  readonly #padding: Padding;
  /** Bounded by Links: 256 links, and its pending handshakes. */
  readonly #links = new Map<LinkId, LinkState>();
  readonly #sessions = new Map<number, LinkSession>();
  readonly #streams: Streams;
  readonly #arrived = new DataPacket();
  readonly #sending = Array.from({ length: PACKETS }, () => new DataPacket());
  #nextSending = 0;
  #handshakesWaiting = 0;
  #udp: UdpSocket | undefined;
  #proxy: HostPort | undefined;
  #sweep: Timer | undefined;

  constructor(options: LinkPlaneOptions) {
    this.#options = options;
    this.#rng = options.runtime.rng;
    this.#padding = new Padding(options.runtime.rng);
    this.#streams = new Streams({
      runtime: options.runtime,
      allowPrivate: options.allowPrivate,
      post: options.post,
      onRecord: (record, stream, from) =>
        this.#receive(record, { transport: 'stream', stream }, from),
    });
    this.#scheduleSweep();
  }

  handle(command: LinkCommand): void {
    switch (command.type) {
      case 'listen':
        void this.#listen(command);
        break;
      case 'dial stream':
        this.#streams.dial(command.stream, command.to, this.#proxy);
        break;
      case 'close stream':
        this.#streams.close(command.stream);
        break;
      case 'send packet':
        this.#sendTo(command.route, command.packet);
        break;
      case 'handshakes handled':
        this.#handshakesWaiting -= command.count;
        break;
      case 'add session':
        this.#addSession(command.session);
        break;
      case 'remove link':
        this.#removeLink(command.link);
        break;
      case 'send control cell':
        this.send(command.link, new OneCell(command.cell));
    }
  }

  /** Whether circuits depend on this link: how soon silence means that it is dead. */
  setBusy(link: LinkId, busy: boolean): void {
    const state = this.#links.get(link);
    if (state !== undefined) state.busy = busy;
  }

  /** Sends one cell; false when the source has none, or the link is gone. */
  send(link: LinkId, source: CellSource): boolean {
    const state = this.#links.get(link);
    const packet = this.#sending[this.#nextSending];
    if (state === undefined || packet === undefined) return false;
    if (!source.fill(packet.cell)) return false;
    this.#nextSending = (this.#nextSending + 1) % PACKETS;
    const nowMs = this.#options.runtime.clock.nowMs();
    if (state.sending?.session.seal(packet, nowMs) !== true) return false;
    state.keepaliveMs = nowMs + randomBetween(this.#rng, KEEPALIVE_MS.min, KEEPALIVE_MS.max);
    this.#sendTo(state.route, packet.bytes);
    return true;
  }

  async stop(): Promise<void> {
    this.#sweep?.cancel();
    await Promise.all([this.#udp?.close(), this.#streams.stop()]);
  }

  async #listen({ udp, tcp, proxy }: Extract<LinkCommand, { type: 'listen' }>): Promise<void> {
    const { runtime, post } = this.#options;
    this.#proxy = proxy;
    const bound: { udp?: Address; tcp?: Address } = {};
    let what: 'udp' | 'tcp' = 'udp';
    try {
      if (udp !== undefined) {
        this.#udp = await runtime.network.bindUdp(udp, {
          onPacket: (packet, from) => this.#receive(packet, { transport: 'udp', to: from }, from),
        });
        bound.udp = this.#udp.local;
      }
      what = 'tcp';
      if (tcp !== undefined) bound.tcp = await this.#streams.listen(tcp);
      post({ type: 'listening', ...bound });
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      post({ type: 'listen failed', what, fault: error.fault });
    }
  }

  #receive(packet: Uint8Array, route: Route, from: Address): void {
    this.counters.packetsIn++;
    if (packet.length === DATAGRAM_BYTES && !isData(packet))
      this.#passHandshake(packet, route, from);
    else this.#receiveData(packet, route);
  }

  #passHandshake(packet: Uint8Array, route: Route, from: Address): void {
    if (this.#handshakesWaiting >= HANDSHAKES_WAITING_MAX) {
      this.counters.dropped++;
      return;
    }
    this.#handshakesWaiting++;
    this.#options.post({ type: 'packet', route, from, packet: new Uint8Array(packet) });
  }

  #receiveData(packet: Uint8Array, route: Route): void {
    const found = packet.length > HEADER_BYTES ? this.#sessions.get(dataIndex(packet)) : undefined;
    if (found === undefined || !sameRoute(found.state.route, route)) {
      this.counters.dropped++;
      return;
    }
    const nowMs = this.#options.runtime.clock.nowMs();
    if (packet.length === DATAGRAM_BYTES) {
      this.#arrived.bytes.set(packet);
      if (found.session.open(this.#arrived, nowMs) === 'ok') this.#receiveCell(found, nowMs);
      else this.counters.dropped++;
    } else if (found.state.sizeRule.isViolation(found.session, packet, nowMs)) {
      this.#violation(found.state, 'a datagram of a wrong size');
    } else this.counters.dropped++;
  }

  #receiveCell(found: LinkSession, nowMs: number): void {
    const { state } = found;
    const { cell } = this.#arrived;
    state.receivedMs = nowMs;
    if (found.order > (state.sending?.order ?? 0)) this.#sendIn(found, nowMs);
    const fault = cellFault(cell) ?? this.#setupFault(found, cellCommand(cell));
    const command = cellCommand(cell);
    if (fault !== undefined) this.#violation(state, fault);
    else if (command === COMMAND.linkControl) {
      this.#options.post({ type: 'control cell', link: state.link, cell: new Uint8Array(cell) });
    } else if (command !== COMMAND.padding) {
      const sequence = found.order * SESSION_PACKETS_MAX + dataCounter(this.#arrived.bytes);
      this.#options.onCell(state.link, cell, sequence);
    }
  }

  /** Before a link is open only its own set-up may come, and not much of it. */
  #setupFault({ state, stage }: LinkSession, command: number): string | undefined {
    if (stage === 'open') return undefined;
    if (command !== COMMAND.padding && command !== COMMAND.linkControl)
      return 'a cell before the link is open';
    state.setupCells++;
    return state.setupCells > SETUP_CELLS_MAX
      ? 'too many cells before the link is open'
      : undefined;
  }

  #violation({ link }: LinkState, why: string): void {
    this.#options.post({ type: 'violation', link, why });
    this.#removeLink(link);
  }

  #sendTo(route: Route, packet: Uint8Array): void {
    this.counters.packetsOut++;
    if (route.transport === 'udp') this.#udp?.send(packet, route.to);
    else this.#streams.write(route.stream, packet);
  }

  #addSession({ link, keys, route, stage }: NewSession): void {
    const nowMs = this.#options.runtime.clock.nowMs();
    const session = new Session({ provider: this.#options.provider, keys, nowMs });
    const state = this.#links.get(link) ?? this.#newLink(link, route);
    const order = (state.sending?.order ?? 0) + 1;
    const added = { session, stage, state, order, rekeyAsked: false };
    state.route = route;
    state.sessions.add(added);
    this.#sessions.set(keys.receiveIndex, added);
    if (keys.sendsFirst || state.sending === undefined) this.#sendIn(added, nowMs);
  }

  #newLink(link: LinkId, route: Route): LinkState {
    const nowMs = this.#options.runtime.clock.nowMs();
    const state: LinkState = {
      link,
      sizeRule: new SizeRule(),
      sessions: new Set(),
      route,
      sending: undefined,
      busy: false,
      setupCells: 0,
      receivedMs: nowMs,
      keepaliveMs: nowMs + KEEPALIVE_MS.min,
      isDead: false,
    };
    this.#links.set(link, state);
    return state;
  }

  #sendIn(newest: LinkSession, nowMs: number): void {
    newest.state.sending?.session.retire(nowMs);
    newest.state.sending = newest;
  }

  #forget(ended: LinkSession): void {
    ended.session.wipe();
    ended.state.sessions.delete(ended);
    this.#sessions.delete(ended.session.receiveIndex);
  }

  #removeLink(link: LinkId): void {
    for (const ended of this.#links.get(link)?.sessions ?? []) this.#forget(ended);
    this.#links.delete(link);
  }

  #scheduleSweep(): void {
    this.#sweep = this.#options.runtime.timers.after(SWEEP_MS, () => {
      const nowMs = this.#options.runtime.clock.nowMs();
      for (const state of this.#links.values()) this.#sweepLink(state, nowMs);
      this.#streams.sweep(nowMs);
      this.#scheduleSweep();
    });
  }

  #sweepLink(state: LinkState, nowMs: number): void {
    const { link } = state;
    if (nowMs >= state.keepaliveMs) {
      this.send(link, this.#padding);
    }
    for (const one of state.sessions) {
      if (one !== state.sending && one.session.isOver(nowMs)) this.#forget(one);
    }
    const { sending } = state;
    if (sending !== undefined && !sending.rekeyAsked && sending.session.isRekeyDue(nowMs)) {
      sending.rekeyAsked = true;
      this.#options.post({ type: 'rekey due', link });
    }
    const silentMs = state.busy ? DEAD_WITH_CIRCUITS_MS : DEAD_IDLE_MS;
    if (!state.isDead && nowMs > state.receivedMs + silentMs) {
      state.isDead = true;
      this.#options.post({ type: 'link dead', link });
    }
  }
}

class OneCell implements CellSource {
  readonly #cell: Uint8Array;

  constructor(cell: Uint8Array) {
    this.#cell = cell;
  }

  fill(cell: Uint8Array): boolean {
    cell.set(this.#cell);
    return true;
  }
}

class Padding implements CellSource {
  readonly #rng: Rng;

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  fill(cell: Uint8Array): boolean {
    this.#rng.fill(cell);
    writeCellHeader(cell, 0, COMMAND.padding);
    return true;
  }
}

function sameRoute(a: Route, b: Route): boolean {
  if (a.transport === 'stream') return b.transport === 'stream' && a.stream === b.stream;
  return b.transport === 'udp' && a.to.port === b.to.port && a.to.ip === b.to.ip;
}

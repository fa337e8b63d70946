// The data plane's half of the links (protocol 3.1): sockets, and what each packet costs. Opens what arrives, hands
// cells of open links up, seals cells that go out; no allocation per cell. Handshakes are the control plane's: their
// packets go to it and come from it as they are. What one link keeps is in plane-link.ts, what streams do in streams.ts.
//
// A wrong packet means little on UDP, where anybody can forge it, and everything on a stream, where only the neighbour
// writes: there it closes the stream.

import type { CryptoProvider } from '../crypto/index.ts';
import {
  type Address,
  type HostPort,
  NetworkError,
  type Rng,
  type Runtime,
  type Timer,
  type UdpSocket,
} from '../runtime/index.ts';
import { COMMAND, cellCommand, writeCellHeader } from './cells.ts';
import { type LinkSession, PlaneLink, SWEEP_MS } from './plane-link.ts';
import type { LinkCommand, LinkEvent, LinkId, NewSession, Route, StreamId } from './port.ts';
import { Streams } from './streams.ts';
import {
  DATAGRAM_BYTES,
  DataPacket,
  dataCounter,
  dataIndex,
  HEADER_BYTES,
  isData,
  isHandshake,
} from './wire.ts';

/** Handshake packets the control plane has not dealt with yet: a flood must not fill its queue while it is busy. */
const HANDSHAKES_WAITING_MAX = 512;
/** Packets being sent: the system may hold one for a moment, so a place is not reused at once. A guess, ample. */
const PACKETS = 256;
/** More than a session seals before it is too old, so that a link's cells can be numbered across its sessions. */
const SESSION_PACKETS_MAX = 2 ** 32;

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
  readonly packetsIn: number;
  readonly packetsOut: number;
  /** Of those that came in. */
  readonly dropped: number;
  /** Data packets that were not sent because their stream had backed up. */
  readonly backlogDropped: number;
}

export interface CellSource {
  /** Fills a cell of CELL_BYTES; false when there is nothing to send. */
  fill(cell: Uint8Array): boolean;
}

export class LinkPlane {
  readonly #options: LinkPlaneOptions;
  readonly #padding: Padding;
  /** Bounded by Links: 256 links, and its handshakes. */
  readonly #links = new Map<LinkId, PlaneLink>();
  /** By receive index: a few for each link. */
  readonly #sessions = new Map<number, LinkSession>();
  readonly #streams: Streams;
  readonly #arrived = new DataPacket();
  readonly #sending = Array.from({ length: PACKETS }, () => new DataPacket());
  #nextSending = 0;
  #handshakesWaiting = 0;
  #packetsIn = 0;
  #packetsOut = 0;
  #dropped = 0;
  #udp: UdpSocket | undefined;
  #proxy: HostPort | undefined;
  #sweep: Timer | undefined;
  #stopped = false;

  constructor(options: LinkPlaneOptions) {
    this.#options = options;
    this.#padding = new Padding(options.runtime.rng);
    this.#streams = new Streams({
      runtime: options.runtime,
      allowPrivate: options.allowPrivate,
      post: options.post,
      onRecord: (record, stream, from) => this.#receive(record, from, stream),
    });
    this.#scheduleSweep();
  }

  get counters(): LinkCounters {
    return {
      packetsIn: this.#packetsIn,
      packetsOut: this.#packetsOut,
      dropped: this.#dropped,
      backlogDropped: this.#streams.backlogDropped,
    };
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
        this.#streams.end(command.stream);
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
    this.#links.get(link)?.setBusy(busy);
  }

  /** Sends one cell; false when the source has none, or the link is gone. */
  send(id: LinkId, source: CellSource): boolean {
    const link = this.#links.get(id);
    const packet = this.#sending[this.#nextSending];
    if (link === undefined || packet === undefined) return false;
    if (!source.fill(packet.cell)) return false;
    this.#nextSending = (this.#nextSending + 1) % PACKETS;
    if (!link.seal(packet, this.#nowMs())) return false;
    this.#sendTo(link.route, packet.bytes);
    return true;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#sweep?.cancel();
    await Promise.all([this.#udp?.close(), this.#streams.stop()]);
  }

  #nowMs(): number {
    return this.#options.runtime.clock.nowMs();
  }

  async #listen({ udp, tcp, proxy }: LinkCommand & { type: 'listen' }): Promise<void> {
    const { post } = this.#options;
    this.#proxy = proxy;
    const bound: { udp?: Address; tcp?: Address } = {};
    let what: 'udp' | 'tcp' = 'udp';
    try {
      if (udp !== undefined) bound.udp = await this.#bind(udp);
      what = 'tcp';
      if (tcp !== undefined) bound.tcp = await this.#streams.listen(tcp);
      post({ type: 'listening', ...bound });
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      post({ type: 'listen failed', what, fault: error.fault });
    }
  }

  async #bind(local: Address): Promise<Address> {
    const { network } = this.#options.runtime;
    const socket = await network.bindUdp(local, {
      onPacket: (packet, from) => this.#receive(packet, from, undefined),
    });
    if (this.#stopped) await socket.close();
    else this.#udp = socket;
    return socket.local;
  }

  #receive(packet: Uint8Array, from: Address, stream: StreamId | undefined): void {
    this.#packetsIn++;
    if (packet.length !== DATAGRAM_BYTES) this.#receiveWrongSize(packet, from);
    else if (isData(packet)) this.#receiveData(packet, from, stream);
    else if (isHandshake(packet)) this.#passHandshake(packet, from, stream);
    else this.#drop(stream);
  }

  /** `stream`, if it brought what cannot be an honest neighbour's. */
  #drop(stream?: StreamId): void {
    this.#dropped++;
    if (stream !== undefined) this.#streams.cut(stream);
  }

  #passHandshake(packet: Uint8Array, from: Address, stream: StreamId | undefined): void {
    if (this.#handshakesWaiting >= HANDSHAKES_WAITING_MAX) {
      this.#drop();
      return;
    }
    this.#handshakesWaiting++;
    const route: Route =
      stream === undefined ? { transport: 'udp', to: from } : { transport: 'stream', stream };
    this.#options.post({ type: 'packet', route, from, packet: new Uint8Array(packet) });
  }

  #sessionOf(packet: Uint8Array, from: Address, stream?: StreamId): LinkSession | undefined {
    const found = this.#sessions.get(dataIndex(packet));
    return found?.link.comesFrom(from, stream) ? found : undefined;
  }

  #receiveWrongSize(packet: Uint8Array, from: Address): void {
    const found = packet.length > HEADER_BYTES ? this.#sessionOf(packet, from) : undefined;
    if (found?.link.isWrongSize(packet, found, this.#nowMs())) {
      this.#violation(found.link, 'a datagram of a wrong size');
    } else this.#drop();
  }

  #receiveData(packet: Uint8Array, from: Address, stream: StreamId | undefined): void {
    const found = this.#sessionOf(packet, from, stream);
    if (found === undefined) {
      this.#drop();
      return;
    }
    const nowMs = this.#nowMs();
    this.#arrived.bytes.set(packet);
    const opened = found.session.open(this.#arrived, nowMs);
    if (opened === 'ok') this.#receiveCell(found, nowMs);
    else this.#drop(opened === 'forged' ? stream : undefined);
  }

  #receiveCell(found: LinkSession, nowMs: number): void {
    const { link, order } = found;
    const { cell } = this.#arrived;
    if (link.hear(found, nowMs)) this.#options.post({ type: 'confirmed', link: link.id });
    const verdict = link.judge(cell, found);
    const command = cellCommand(cell);
    if (verdict.type === 'violation') this.#violation(link, verdict.why);
    else if (verdict.type === 'drop') this.#drop();
    else if (command === COMMAND.linkControl) {
      this.#options.post({ type: 'control cell', link: link.id, cell: new Uint8Array(cell) });
    } else if (command !== COMMAND.padding) {
      const sequence = order * SESSION_PACKETS_MAX + dataCounter(this.#arrived.bytes);
      this.#options.onCell(link.id, cell, sequence);
    }
  }

  #violation({ id }: PlaneLink, why: string): void {
    this.#dropped++;
    this.#removeLink(id);
    this.#options.post({ type: 'violation', link: id, why });
  }

  #sendTo(route: Route, packet: Uint8Array): void {
    this.#packetsOut++;
    if (route.transport === 'udp') this.#udp?.send(packet, route.to);
    else this.#streams.write(route.stream, packet);
  }

  #addSession(added: NewSession): void {
    const { link: id, keys, route } = added;
    const nowMs = this.#nowMs();
    const link = this.#links.get(id) ?? new PlaneLink(id, route, this.#options.runtime.rng, nowMs);
    this.#links.set(id, link);
    this.#sessions.set(keys.receiveIndex, link.add(added, this.#options.provider, nowMs));
    if (route.transport === 'stream') this.#streams.claim(route.stream);
  }

  #removeLink(id: LinkId): void {
    for (const ended of this.#links.get(id)?.sessions ?? []) this.#forget(ended);
    this.#links.delete(id);
  }

  #forget({ session }: LinkSession): void {
    session.wipe();
    this.#sessions.delete(session.receiveIndex);
  }

  #scheduleSweep(): void {
    this.#sweep = this.#options.runtime.timers.after(SWEEP_MS, () => {
      const nowMs = this.#nowMs();
      for (const link of this.#links.values()) this.#sweepLink(link, nowMs);
      this.#streams.sweep(nowMs);
      if (!this.#stopped) this.#scheduleSweep();
    });
  }

  #sweepLink(link: PlaneLink, nowMs: number): void {
    for (const ended of link.takeEnded(nowMs)) this.#forget(ended);
    for (const due of link.sweep(nowMs)) {
      if (due === 'keepalive') this.send(link.id, this.#padding);
      else if (due === 'rekey due') this.#options.post({ type: 'rekey due', link: link.id });
      else this.#options.post({ type: 'link dead', link: link.id });
    }
  }
}

export class OneCell implements CellSource {
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

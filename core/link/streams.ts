// The streams of the data plane: those we dial and those that come in (protocol 3.1, "Stream fallback"; limits of 11).
// Knows records, not what is in them. A stream that is slow, or that no link comes to use, is closed.

import {
  type Address,
  type HostPort,
  NetworkError,
  netgroup,
  type Runtime,
  type StreamHandlers,
  type TcpListener,
  type TcpStream,
} from '../runtime/index.ts';
import { PENDING_TIMEOUT_MS, SETUP_TIMEOUT_MS } from './handshake.ts';
import type { LinkEvent, StreamId } from './port.ts';
import { Quota } from './quota.ts';
import { RecordReader, RecordWriter } from './stream.ts';

/** Protocol 3.1; the second does not hold in test networks, where all are neighbours. */
const STREAMS_IN_MAX = 64;
const STREAMS_IN_PER_NETGROUP_MAX = 4;
const DIAL_TIMEOUT_MS = 5000;
/** A stream on which no handshake has come to its keys in this time is not going to be a link. */
const UNCLAIMED_MS = PENDING_TIMEOUT_MS + SETUP_TIMEOUT_MS;
/** How long a stream that we end may take to send what it still has. A guess. */
const ENDING_MS = 1000;

interface OpenStream {
  readonly tcp: TcpStream;
  readonly reader: RecordReader;
  readonly writer: RecordWriter;
  /** A link uses it. */
  isClaimed: boolean;
  /** We ended it: what still comes is ignored. */
  isEnding: boolean;
  /** When it is closed, unless something happens until then. */
  closesMs: number;
}

export interface StreamsOptions {
  readonly runtime: Runtime;
  readonly allowPrivate: boolean;
  post(event: LinkEvent): void;
  onRecord(record: Uint8Array, stream: StreamId, from: Address): void;
}

export class Streams {
  readonly #options: StreamsOptions;
  /** At most STREAMS_IN_MAX that came in, and those Links dials. */
  readonly #open = new Map<StreamId, OpenStream>();
  readonly #dialling = new Set<StreamId>();
  readonly #incoming: Quota;
  #listener: TcpListener | undefined;
  #nextIncoming = 1;
  #backlogDropped = 0;
  #stopped = false;

  constructor(options: StreamsOptions) {
    this.#options = options;
    const perGroupMax = options.allowPrivate ? STREAMS_IN_MAX : STREAMS_IN_PER_NETGROUP_MAX;
    this.#incoming = new Quota({ max: STREAMS_IN_MAX, perGroupMax });
  }

  /** Data packets that were dropped because their stream had backed up. */
  get backlogDropped(): number {
    return this.#backlogDropped;
  }

  /** Rejects with NetworkError. */
  async listen(local: Address): Promise<Address> {
    const { network } = this.#options.runtime;
    const listener = await network.listenTcp(local, (tcp) => this.#accept(tcp));
    if (this.#stopped) await listener.close();
    else this.#listener = listener;
    return listener.local;
  }

  dial(stream: StreamId, to: HostPort, proxy: HostPort | undefined): void {
    const { network } = this.#options.runtime;
    const options = { timeoutMs: DIAL_TIMEOUT_MS, handlers: this.#handlers(stream) };
    this.#dialling.add(stream);
    const dialled =
      proxy === undefined
        ? network.dialTcp({ ip: to.host, port: to.port }, options)
        : network.dialSocks(to, proxy, options);
    dialled.then(
      (tcp) => this.#onDialled(stream, tcp),
      (error: unknown) => this.#onFailed(stream, error),
    );
  }

  /** Lost when the stream is gone. */
  write(stream: StreamId, record: Uint8Array): void {
    if (this.#open.get(stream)?.writer.write(record) === false) this.#backlogDropped++;
  }

  /** A link uses it from now on. */
  claim(stream: StreamId): void {
    const open = this.#open.get(stream);
    if (open !== undefined) open.isClaimed = true;
  }

  /** Closes it once what was written has gone. */
  end(stream: StreamId): void {
    this.#dialling.delete(stream);
    const open = this.#open.get(stream);
    if (open === undefined) return;
    open.isEnding = true;
    open.closesMs = this.#nowMs() + ENDING_MS;
    open.writer.flush();
    open.tcp.end();
  }

  /** Closes it at once. */
  cut(stream: StreamId): void {
    const open = this.#open.get(stream);
    if (open === undefined) return;
    open.isEnding = true;
    open.tcp.destroy();
  }

  /** Closes the streams that are too slow, or good for nothing. */
  sweep(nowMs: number): void {
    for (const { tcp, reader, isClaimed, isEnding, closesMs } of this.#open.values()) {
      const isLate = nowMs > closesMs && (isEnding || !isClaimed);
      if (isLate || nowMs > (reader.deadlineMs ?? nowMs)) tcp.destroy();
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#dialling.clear();
    for (const { tcp } of this.#open.values()) tcp.destroy();
    await this.#listener?.close();
  }

  #nowMs(): number {
    return this.#options.runtime.clock.nowMs();
  }

  #onDialled(stream: StreamId, tcp: TcpStream): void {
    if (!this.#dialling.delete(stream)) {
      tcp.destroy();
      return;
    }
    this.#add(stream, tcp);
    this.#options.post({ type: 'stream open', stream, remote: tcp.remote });
  }

  #onFailed(stream: StreamId, error: unknown): void {
    if (!(error instanceof NetworkError)) throw error;
    if (!this.#dialling.delete(stream)) return;
    this.#options.post({ type: 'stream failed', stream, fault: error.fault });
  }

  #accept(tcp: TcpStream): StreamHandlers {
    const group = netgroup(tcp.remote.ip);
    if (this.#stopped || !this.#incoming.take(group)) {
      tcp.destroy();
      return { onData: () => {}, onClose: () => {} };
    }
    const stream = this.#nextIncoming;
    this.#nextIncoming += 2;
    this.#add(stream, tcp);
    return this.#handlers(stream, () => this.#incoming.release(group));
  }

  #add(stream: StreamId, tcp: TcpStream): void {
    const nowMs = this.#nowMs();
    this.#open.set(stream, {
      tcp,
      reader: new RecordReader(nowMs),
      writer: new RecordWriter(tcp),
      isClaimed: false,
      isEnding: false,
      closesMs: nowMs + UNCLAIMED_MS,
    });
  }

  #handlers(stream: StreamId, onGone = () => {}): StreamHandlers {
    return {
      onData: (bytes) => this.#onData(stream, bytes),
      onDrain: () => this.#open.get(stream)?.writer.flush(),
      onClose: () => {
        const closed = this.#open.get(stream);
        this.#open.delete(stream);
        onGone();
        const isKnown = isOurs(stream) || closed?.isClaimed === true;
        if (closed !== undefined && isKnown) this.#options.post({ type: 'stream closed', stream });
      },
    };
  }

  #onData(stream: StreamId, bytes: Uint8Array): void {
    const open = this.#open.get(stream);
    open?.reader.push(bytes, this.#nowMs(), (record) => {
      if (!open.isEnding) this.#options.onRecord(record, stream, open.tcp.remote);
    });
  }
}

/** Whether we dialled it (port.ts). */
function isOurs(stream: StreamId): boolean {
  return stream % 2 === 0;
}

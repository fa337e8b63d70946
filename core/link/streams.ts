// The streams of the data plane: those we dial and those that come in (protocol 3.1, "Stream fallback"; limits of 11).
// Knows records, not what is in them.

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
import type { LinkEvent, StreamId } from './port.ts';
import { Quota } from './quota.ts';
import { RecordReader, RecordWriter } from './stream.ts';

/** Protocol 3.1; the second does not hold in test networks, where all are neighbours. */
const STREAMS_IN_MAX = 64;
const STREAMS_IN_PER_NETGROUP_MAX = 4;
const DIAL_TIMEOUT_MS = 5000;

interface OpenStream {
  readonly tcp: TcpStream;
  readonly reader: RecordReader;
  readonly writer: RecordWriter;
}

export interface StreamsOptions {
  readonly runtime: Runtime;
  readonly allowPrivate: boolean;
  post(event: LinkEvent): void;
  onRecord(record: Uint8Array, stream: StreamId, from: Address): void;
}

export class Streams {
  readonly #options: StreamsOptions;
  readonly #open = new Map<StreamId, OpenStream>();
  readonly #incoming: Quota;
  #listener: TcpListener | undefined;
  #nextIncoming = 1;

  constructor(options: StreamsOptions) {
    this.#options = options;
    const perGroupMax = options.allowPrivate ? STREAMS_IN_MAX : STREAMS_IN_PER_NETGROUP_MAX;
    this.#incoming = new Quota({ max: STREAMS_IN_MAX, perGroupMax });
  }

  /** Rejects with NetworkError. */
  async listen(local: Address): Promise<Address> {
    const { network } = this.#options.runtime;
    this.#listener = await network.listenTcp(local, (tcp) => this.#accept(tcp));
    return this.#listener.local;
  }

  dial(stream: StreamId, to: HostPort, proxy: HostPort | undefined): void {
    const { network } = this.#options.runtime;
    const handlers = this.#handlers(stream, () => {});
    const options = { timeoutMs: DIAL_TIMEOUT_MS, handlers };
    const dialled =
      proxy === undefined
        ? network.dialTcp({ ip: to.host, port: to.port }, options)
        : network.dialSocks(to, proxy, options);
    dialled.then(
      (tcp) => {
        this.#add(stream, tcp);
        this.#options.post({ type: 'stream open', stream, remote: tcp.remote });
      },
      (error: unknown) => {
        if (!(error instanceof NetworkError)) throw error;
        this.#options.post({ type: 'stream failed', stream, fault: error.fault });
      },
    );
  }

  /** False when the stream is gone. */
  write(stream: StreamId, record: Uint8Array): boolean {
    const open = this.#open.get(stream);
    open?.writer.write(record);
    return open !== undefined;
  }

  close(stream: StreamId): void {
    this.#open.get(stream)?.tcp.destroy();
  }

  /** Closes the streams that are too slow. */
  sweep(nowMs: number): void {
    for (const { tcp, reader } of this.#open.values()) {
      if (reader.deadlineMs !== undefined && nowMs > reader.deadlineMs) tcp.destroy();
    }
  }

  async stop(): Promise<void> {
    for (const { tcp } of this.#open.values()) tcp.destroy();
    await this.#listener?.close();
  }

  #accept(tcp: TcpStream): StreamHandlers {
    const group = netgroup(tcp.remote.ip);
    if (!this.#incoming.take(group)) {
      tcp.destroy();
      return { onData: () => {}, onClose: () => {} };
    }
    const stream = this.#nextIncoming;
    this.#nextIncoming += 2;
    this.#add(stream, tcp);
    return this.#handlers(stream, () => this.#incoming.release(group));
  }

  #add(stream: StreamId, tcp: TcpStream): void {
    const reader = new RecordReader(this.#options.runtime.clock.nowMs());
    this.#open.set(stream, { tcp, reader, writer: new RecordWriter(tcp) });
  }

  #handlers(stream: StreamId, onGone: () => void): StreamHandlers {
    const { runtime, post, onRecord } = this.#options;
    return {
      onData: (bytes) => {
        const open = this.#open.get(stream);
        open?.reader.push(bytes, runtime.clock.nowMs(), (record) => {
          onRecord(record, stream, open.tcp.remote);
        });
      },
      onDrain: () => this.#open.get(stream)?.writer.onDrain(),
      onClose: () => {
        this.#open.delete(stream);
        onGone();
        post({ type: 'stream closed', stream });
      },
    };
  }
}

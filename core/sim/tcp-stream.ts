// One end of a simulated TCP connection, from its handshake to its end. Like the streams of real-network.ts: when the
// other side ends, what is queued here is still sent and then this side ends too.

import type { Address, StreamHandlers, TcpStream, Timer } from '../runtime/index.ts';
import { type Packet, type Segment, STALE } from './packet.ts';
import { copyOf } from './slab.ts';
import { type Received, TcpReceiver } from './tcp-receiver.ts';
import { TcpSender } from './tcp-sender.ts';

/** What a stream needs of the host it is on. */
export interface TcpHost {
  /** Most bytes in one segment. */
  readonly segmentBytes: number;
  nowMs(): number;
  after(delayMs: number, run: () => void): Timer;
  send(packet: Packet): void;
}

export interface StreamEvents {
  /** The handshake is done. Data goes to the handlers answered. */
  onOpen(stream: TcpStream): StreamHandlers;
  /** It never will be. */
  onFailure(fault: 'refused' | 'timed out'): void;
  /** Nothing of this stream is left. */
  onGone(): void;
}

const NOTHING = new Uint8Array();
/** In place of the number of a segment: answers none in particular. */
const NO_SEGMENT = -1;

export class SimTcpStream implements TcpStream {
  readonly local: Address;
  readonly remote: Address;
  readonly #host: TcpHost;
  readonly #events: StreamEvents;
  readonly #sender: TcpSender;
  readonly #receiver = new TcpReceiver((received) => this.#onReceived(received));
  #handlers: StreamHandlers | undefined;
  #closed = false;
  #ended = false;
  #endedByPeer = false;

  constructor(host: TcpHost, local: Address, remote: Address, events: StreamEvents) {
    this.#host = host;
    this.local = local;
    this.remote = remote;
    this.#events = events;
    this.#sender = new TcpSender({
      segmentBytes: host.segmentBytes,
      nowMs: () => host.nowMs(),
      after: (delayMs, run) => host.after(delayMs, run),
      emit: (kind, number, bytes) => this.#emit(kind, number, bytes),
      onDrain: () => this.#handlers?.onDrain?.(),
      onGiveUp: () => this.fail('timed out'),
    });
  }

  /** Asks the other side for a connection, or answers such a request. */
  start(request?: Segment): void {
    if (request !== undefined) this.#receiver.take(request, NOTHING);
    this.#sender.start();
  }

  get bufferedBytes(): number {
    return this.#sender.unsentBytes;
  }

  write(bytes: Uint8Array): void {
    if (this.#closed) return;
    // What node:net does about a write after the end.
    if (this.#ended) this.destroy();
    else this.#sender.write(copyOf(bytes));
  }

  pause(): void {
    this.#receiver.pause();
  }

  resume(): void {
    this.#receiver.resume();
    this.#host.after(0, () => {
      const wasFull = this.#receiver.windowBytes < this.#host.segmentBytes;
      this.#progress();
      if (wasFull) this.#emit('ack', NO_SEGMENT, NOTHING);
    });
  }

  end(): void {
    if (this.#ended || this.#closed) return;
    this.#ended = true;
    this.#sender.end();
  }

  destroy(): void {
    if (this.#closed) return;
    this.#emit('reset', 0, NOTHING);
    this.#close();
  }

  /** Closes without a word to the other side. */
  fail(fault: 'refused' | 'timed out'): void {
    if (this.#closed) return;
    if (this.#handlers === undefined) this.#events.onFailure(fault);
    this.#close();
  }

  receive(segment: Segment, bytes: Uint8Array): void {
    if (segment.kind === 'reset') this.fail('refused');
    // Of an earlier connection between the same two ports: ours has not begun.
    else if (this.#receiver.next === 0 && segment.kind !== 'syn') this.#emit('reset', 0, NOTHING);
    else this.#take(segment, bytes);
  }

  #take(segment: Segment, bytes: Uint8Array): void {
    const { kind, number, next, windowBytes } = segment;
    const hasContent = kind === 'syn' || kind === 'data' || kind === 'fin';
    if (hasContent) this.#receiver.take(segment, bytes);
    if (next > 0) {
      this.#sender.onAcknowledgement({
        next,
        windowBytes,
        number: hasContent ? NO_SEGMENT : number,
      });
    }
    if (this.#sender.synArrived) {
      // Until then our own syn is the answer to theirs.
      if (kind !== 'ack') this.#emit('ack', hasContent ? number : NO_SEGMENT, NOTHING);
      this.#handlers ??= this.#events.onOpen(this);
    }
    this.#progress();
  }

  #progress(): void {
    this.#receiver.flush();
    if (this.#endedByPeer && this.#sender.finArrived) this.#close();
  }

  #onReceived({ kind, bytes }: Received): void {
    if (kind === 'data') {
      const lent = copyOf(bytes);
      this.#handlers?.onData(lent);
      lent.fill(STALE);
    } else if (kind === 'fin') {
      this.#endedByPeer = true;
      this.end();
    }
  }

  #emit(kind: Segment['kind'], number: number, bytes: Uint8Array): void {
    if (this.#closed) return;
    const { next, windowBytes } = this.#receiver;
    const segment = { kind, number, next, windowBytes };
    this.#host.send({ protocol: 'tcp', from: this.local, to: this.remote, bytes, segment });
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#sender.stop();
    this.#receiver.stop();
    this.#events.onGone();
    this.#host.after(0, () => this.#handlers?.onClose());
  }
}

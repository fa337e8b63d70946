// The sending half of a simulated TCP connection: cuts what is written into segments, repeats what is lost, and goes
// no faster than the other side's window and the network allow. So loss shows as delay, a thin line as bytes that
// stay queued, and a dead peer as silence until we give up.
//
// A readable TCP, not a faithful one: each segment is acknowledged by its number, as if by SACK (RFC 2018).

import type { Timer } from '../runtime/index.ts';
import { ByteQueue } from './byte-queue.ts';
import type { Segment } from './packet.ts';
import { CongestionWindow, RetransmissionTimeout } from './tcp-pace.ts';

/** How much a receiver takes in before its application does; of the order of Linux's default. */
export const RECEIVE_WINDOW_BYTES = 256 * 1024;

/** RFC 5681: with as many later transmissions acknowledged, one counts as lost. */
const REORDER_MAX = 3;

/** How long to go on without any answer: RFC 1122 asks for 100 s at least; Linux takes a quarter of an hour. */
const GIVE_UP_MS = 100_000;

type Content = 'syn' | 'data' | 'fin';

export interface SenderWire {
  readonly segmentBytes: number;
  nowMs(): number;
  after(delayMs: number, run: () => void): Timer;
  emit(kind: Content | 'probe', number: number, bytes: Uint8Array): void;
  /** All that was written has been sent once. */
  onDrain(): void;
  onGiveUp(): void;
}

interface Sent {
  readonly kind: Content;
  readonly number: number;
  readonly bytes: Uint8Array;
  sentAtMs: number;
  /** Counts all transmissions of the connection. */
  turn: number;
  repeated: boolean;
  lost: boolean;
}

const NOTHING = new Uint8Array();

export class TcpSender {
  readonly #wire: SenderWire;
  readonly #unsent = new ByteQueue();
  /** By number, ascending: under way or lost. Bounded by the congestion window. */
  readonly #sent = new Map<number, Sent>();
  readonly #timeout = new RetransmissionTimeout();
  readonly #window = new CongestionWindow();
  #backlogged = false;
  #finWanted = false;
  #finNumber = Number.POSITIVE_INFINITY;
  #nextNumber = 0;
  #nextTurn = 0;
  #acknowledged = 0;
  #sentBytes = 0;
  #lostCount = 0;
  #peerWindowBytes = RECEIVE_WINDOW_BYTES;
  #heardMs = 0;
  #timer: Timer | undefined;

  constructor(wire: SenderWire) {
    this.#wire = wire;
  }

  get unsentBytes(): number {
    return this.#unsent.length;
  }

  get synArrived(): boolean {
    return this.#acknowledged > 0;
  }

  get finArrived(): boolean {
    return this.#acknowledged > this.#finNumber;
  }

  start(): void {
    this.#stir();
    this.#transmitNew('syn', NOTHING);
  }

  /** Takes over `bytes`. */
  write(bytes: Uint8Array): void {
    this.#stir();
    this.#unsent.push(bytes);
    this.#pump();
    this.#backlogged = this.#unsent.length > 0;
  }

  /** Ends the direction once everything written is sent. */
  end(): void {
    this.#stir();
    this.#finWanted = true;
    this.#pump();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** `number`: the segment whose arrival made the other side say so. */
  onAcknowledgement({ number, next, windowBytes }: Omit<Segment, 'kind'>): void {
    this.#heardMs = this.#wire.nowMs();
    this.#peerWindowBytes = windowBytes;
    this.#acknowledged = Math.max(this.#acknowledged, next);
    const named = this.#sent.get(number);
    if (named !== undefined) {
      if (!named.repeated) this.#timeout.onRoundTrip(this.#heardMs - named.sentAtMs);
      this.#forget(named);
    }
    for (const sent of this.#sent.values()) {
      if (sent.number >= next) break;
      this.#forget(sent);
    }
    if (named !== undefined) this.#markOvertaken(named.turn);
    this.#pump();
  }

  #isIdle(): boolean {
    return this.#sent.size === 0 && this.#unsent.length === 0;
  }

  /** Nobody owed us an answer while there was nothing to say. */
  #stir(): void {
    if (this.#isIdle()) this.#heardMs = this.#wire.nowMs();
  }

  #forget(sent: Sent): void {
    this.#sent.delete(sent.number);
    this.#sentBytes -= sent.bytes.length;
    if (sent.lost) this.#lostCount--;
    this.#window.onAcknowledged();
  }

  #markOvertaken(turn: number): void {
    for (const sent of this.#sent.values()) {
      if (sent.lost || sent.turn + REORDER_MAX > turn) continue;
      this.#markLost(sent);
      this.#window.onLoss(sent.turn, this.#nextTurn);
    }
  }

  #markLost(sent: Sent): void {
    if (!sent.lost) this.#lostCount++;
    sent.lost = true;
  }

  /** Sends whatever may be sent now: lost segments first. */
  #pump(): void {
    if (this.#lostCount > 0) this.#repeatLost();
    while (this.#window.hasRoomBeside(this.#sent.size - this.#lostCount)) {
      const bytes = this.#takeUnsent();
      if (bytes !== undefined) this.#transmitNew('data', bytes);
      else if (this.#finWanted && this.#unsent.length === 0) {
        this.#finWanted = false;
        this.#finNumber = this.#nextNumber;
        this.#transmitNew('fin', NOTHING);
      } else break;
    }
    this.#arm();
    if (this.#backlogged && this.#unsent.length === 0) {
      this.#backlogged = false;
      this.#wire.onDrain();
    }
  }

  #repeatLost(): void {
    for (const sent of this.#sent.values()) {
      if (!sent.lost) continue;
      if (!this.#window.hasRoomBeside(this.#sent.size - this.#lostCount)) return;
      sent.lost = false;
      sent.repeated = true;
      this.#lostCount--;
      this.#transmit(sent);
    }
  }

  /** As much of what is queued as a segment and the peer's window hold. */
  #takeUnsent(): Uint8Array | undefined {
    const roomBytes = this.#peerWindowBytes - this.#sentBytes;
    const wantedBytes = Math.min(this.#unsent.length, this.#wire.segmentBytes);
    // Not in crumbs (RFC 9293, 3.8.6.2.1), unless nothing else would move it on.
    if (wantedBytes === 0 || (roomBytes < wantedBytes && this.#sentBytes > 0)) return undefined;
    const bytes = this.#unsent.take(Math.min(wantedBytes, Math.max(0, roomBytes)));
    return bytes.length > 0 ? bytes : undefined;
  }

  #transmitNew(kind: Content, bytes: Uint8Array): void {
    const number = this.#nextNumber++;
    const sent = { kind, number, bytes, sentAtMs: 0, turn: 0, repeated: false, lost: false };
    this.#sent.set(number, sent);
    this.#sentBytes += bytes.length;
    this.#transmit(sent);
  }

  #transmit(sent: Sent): void {
    sent.sentAtMs = this.#wire.nowMs();
    sent.turn = this.#nextTurn++;
    this.#wire.emit(sent.kind, sent.number, sent.bytes);
    this.#arm();
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#isIdle()) return;
    this.#timer = this.#wire.after(this.#dueInMs(), () => {
      this.#timer = undefined;
      this.#onTimer();
    });
  }

  /** The timer is not moved with every acknowledgement; it looks when it runs. */
  #dueInMs(): number {
    const [oldest] = this.#sent.values();
    const sinceMs = oldest === undefined ? 0 : this.#wire.nowMs() - oldest.sentAtMs;
    return this.#timeout.ms - sinceMs;
  }

  #onTimer(): void {
    if (this.#isIdle()) return;
    if (this.#sent.size > 0 && this.#dueInMs() > 0) this.#arm();
    else if (this.#wire.nowMs() - this.#heardMs >= GIVE_UP_MS) this.#wire.onGiveUp();
    else this.#onTimeout();
  }

  #onTimeout(): void {
    this.#timeout.onTimeout();
    if (this.#sent.size === 0) {
      // The window is closed; the answer to a probe says when it opens, should the news of that be lost.
      this.#wire.emit('probe', this.#nextNumber, NOTHING);
    } else {
      for (const sent of this.#sent.values()) this.#markLost(sent);
      this.#window.onTimeout(this.#nextTurn);
    }
    this.#pump();
  }
}

// Reliable, ordered signalling inside sealed frames (protocol 10.2). A control field is
//
//   0   2   ctl_seq, from 1; 0 with no message: only an acknowledgement
//   2   2   ack: all up to here have come
//   4   4   sack: bit i, that ack + 2 + i has come
//   8   -   a message (control.ts), or nothing
//
// Every frame has at least one, so every frame carries the latest ack. Messages are delivered once and in order; that
// is stricter than the document asks, and makes what both sides know of a call a matter of two queues. What this program
// cannot read is acknowledged all the same, or it would come for ever.

import { DecodeError, Reader, Writer } from '../bytes/index.ts';
import { type ControlMessage, decodeControl, encodeControl } from './control.ts';
import { type Field, fieldBytes } from './frame.ts';

/** Protocol 10.2. */
export const RTO_MIN_MS = 200;
export const RTO_MAX_MS = 1000;
const RTO_GROWTH = 1.5;
export const SIGNALLING_TIMEOUT_MS = 10_000;
/** Before it was measured. Twice the half-way of protocol 10.3's budget, rounded down: too early costs nothing. */
const RTT_GUESS_MS = 500;
/** As many as sack can tell of. */
const WINDOW = 32;
/** Waiting to be sent; a card and a proof are five messages each. A guess. */
export const QUEUE_MAX = 64;
/** ctl_seq does not wrap: a call that signals so often is broken. */
const SEQ_MAX = 0xffff;
const HEAD_BYTES = 8;

interface Outgoing {
  readonly seq: number;
  readonly bytes: Uint8Array;
  readonly message: ControlMessage;
  firstMs: number;
  lastMs: number;
  rtoMs: number;
  sent: number;
  /** The peer has it, but something before it is missing. */
  isEarly: boolean;
}

export interface Received {
  /** In order; what could not be read is counted in `unread`. */
  readonly messages: readonly ControlMessage[];
  /** Ours that the peer has read by now, with all before them. */
  readonly acknowledged: readonly ControlMessage[];
  readonly unread: number;
}

export class Signalling {
  /** Not acknowledged, in order; at most QUEUE_MAX. */
  #outgoing: Outgoing[] = [];
  #nextSeq = 1;
  /** All up to here were delivered. */
  #delivered = 0;
  /** Came before one that is missing; at most WINDOW. */
  readonly #early = new Map<number, Uint8Array>();
  #rttMs = RTT_GUESS_MS;
  #isBroken = false;

  get rttMs(): number {
    return this.#rttMs;
  }

  /** From a report, which knows better than the acks. */
  learnRtt(rttMs: number): void {
    this.#rttMs = rttMs;
  }

  send(message: ControlMessage): void {
    if (this.#outgoing.length >= QUEUE_MAX || this.#nextSeq > SEQ_MAX) {
      this.#isBroken = true;
      return;
    }
    const seq = this.#nextSeq++;
    const bytes = encodeControl(message);
    this.#outgoing.push({
      seq,
      bytes,
      message,
      firstMs: 0,
      lastMs: 0,
      rtoMs: 0,
      sent: 0,
      isEarly: false,
    });
  }

  /** What goes into this slot's frame: the messages that are due and fit, but at least an acknowledgement. */
  fields(nowMs: number, roomBytes: number): Field[] {
    const fields: Field[] = [];
    let room = roomBytes;
    const end = (this.#outgoing[0]?.seq ?? 0) + WINDOW;
    for (const outgoing of this.#outgoing) {
      if (outgoing.seq >= end) break;
      if (outgoing.isEarly || nowMs < outgoing.lastMs + outgoing.rtoMs) continue;
      const field = this.#field(outgoing.seq, outgoing.bytes);
      if (fieldBytes(field) > room) break;
      room -= fieldBytes(field);
      fields.push(field);
      this.#onSent(outgoing, nowMs);
    }
    return fields.length > 0 ? fields : [this.#field(0, new Uint8Array())];
  }

  /** DecodeError for a field that is no control field; nothing has changed then. */
  receive(data: Uint8Array, nowMs: number): Received {
    const reader = new Reader(data);
    const [seq, ack, sack] = [reader.u16(), reader.u16(), reader.u32()];
    const body = reader.rest();
    if ((seq === 0) !== (body.length === 0)) throw new DecodeError('a message without a number');
    if (ack >= this.#nextSeq) throw new DecodeError('an ack of what was never sent');
    const acknowledged = this.#onAck(ack, sack, nowMs);
    if (seq > this.#delivered && seq <= this.#delivered + WINDOW) {
      this.#early.set(seq, new Uint8Array(body));
    }
    return { ...this.#deliver(), acknowledged };
  }

  /** Nobody acknowledges: as good as silence. */
  isStuck(nowMs: number): boolean {
    return this.#isBroken || nowMs >= this.#stuckMs();
  }

  nextDeadlineMs(): number {
    return this.#isBroken ? Number.NEGATIVE_INFINITY : this.#stuckMs();
  }

  /** There is a tunnel again: the waiting begins anew. */
  restart(): void {
    for (const outgoing of this.#outgoing) {
      outgoing.sent = 0;
      outgoing.rtoMs = 0;
    }
  }

  #stuckMs(): number {
    const oldest = this.#outgoing.find(({ sent, isEarly }) => sent > 0 && !isEarly);
    return oldest ? oldest.firstMs + SIGNALLING_TIMEOUT_MS : Number.POSITIVE_INFINITY;
  }

  #onSent(outgoing: Outgoing, nowMs: number): void {
    const first = Math.min(Math.max(RTO_MIN_MS, 2 * this.#rttMs), RTO_MAX_MS);
    outgoing.rtoMs =
      outgoing.sent === 0 ? first : Math.min(outgoing.rtoMs * RTO_GROWTH, RTO_MAX_MS);
    if (outgoing.sent === 0) outgoing.firstMs = nowMs;
    outgoing.sent++;
    outgoing.lastMs = nowMs;
  }

  #onAck(ack: number, sack: number, nowMs: number): ControlMessage[] {
    for (const outgoing of this.#outgoing) {
      const { seq, isEarly } = outgoing;
      outgoing.isEarly ||= seq >= ack + 2 && seq < ack + 2 + WINDOW && isSet(sack, seq - ack - 2);
      // Karn: only what was sent once says how long it took.
      const isHere = seq <= ack || outgoing.isEarly;
      if (isHere && !isEarly && outgoing.sent === 1) this.#measure(nowMs - outgoing.lastMs);
    }
    const read = this.#outgoing.filter(({ seq }) => seq <= ack);
    this.#outgoing = this.#outgoing.filter(({ seq }) => seq > ack);
    return read.map(({ message }) => message);
  }

  /** RFC 6298's weight. */
  #measure(rttMs: number): void {
    this.#rttMs += (rttMs - this.#rttMs) / 8;
  }

  #deliver(): Pick<Received, 'messages' | 'unread'> {
    const messages: ControlMessage[] = [];
    let unread = 0;
    for (;;) {
      const bytes = this.#early.get(this.#delivered + 1);
      if (bytes === undefined) return { messages, unread };
      this.#early.delete(++this.#delivered);
      const message = readable(bytes);
      if (message === undefined) unread++;
      else messages.push(message);
    }
  }

  #field(seq: number, bytes: Uint8Array): Field {
    let sack = 0;
    for (const early of this.#early.keys()) sack |= 1 << (early - this.#delivered - 2);
    const data = new Writer(HEAD_BYTES + bytes.length)
      .u16(seq)
      .u16(this.#delivered)
      .u32(sack >>> 0)
      .bytes(bytes)
      .end();
    return { name: 'control', data };
  }
}

function isSet(bits: number, at: number): boolean {
  return (bits & (1 << at)) !== 0;
}

function readable(bytes: Uint8Array): ControlMessage | undefined {
  try {
    return decodeControl(bytes);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

// Sealed frames (frame.ts) and the keys they are sealed with: protocol 10.1, "Keys". Both sides hold a chain that the
// handshake starts and every rekeying takes one step further:
//
//   caller's key ‖ callee's key ‖ next root = HKDF-SHA-256(root, "VPv1/call keys" 0x00, 96)
//   root of the next epoch                  = HKDF-SHA-256(X25519, salt = next root, "VPv1/call keys" 0x00 epoch u16)
//
// A root is gone as soon as its keys are made. An epoch is received in from the moment its keys are known, sent in when
// the peer is known to have them, and the ones before it are refused 2 s after it was first heard: what was under way
// still arrives, late or out of order. Every frame says its epoch, so no key is ever tried in vain.

import { Reader, Writer } from '../bytes/index.ts';
import {
  COUNTER_MAX,
  type CryptoProvider,
  hkdf,
  KEY_BYTES,
  label,
  NONCE_BYTES,
  ReplayWindow,
  TAG_BYTES,
  writeNonce,
} from '../crypto/index.ts';
import { FIELDS_BYTES, FRAME_BYTES, HEAD_BYTES } from './frame.ts';

/** Protocol 10.1. */
export const OLD_EPOCH_MS = 2000;
/** INNER_REPLAY_WINDOW of Appendix B: 20 s of frames. */
const REPLAY_WINDOW = 1024;
/** A frame of the next one would begin like a piece. 300 s each, that is after 227 days. */
export const EPOCH_MAX = 0xfffe;

const NO_SALT = new Uint8Array();

export type CallRole = 'caller' | 'callee';

export interface EpochKeys {
  readonly send: Uint8Array;
  readonly receive: Uint8Array;
}

/** Takes one root over and gives the keys of its epoch, once. */
export class KeyChain {
  readonly #role: CallRole;
  #epoch = 0;
  #next: Uint8Array;
  #keys: EpochKeys;

  constructor(role: CallRole, root: Uint8Array) {
    this.#role = role;
    [this.#keys, this.#next] = this.#derive(root);
  }

  /** The newest one whose keys are made. */
  get epoch(): number {
    return this.#epoch;
  }

  get keys(): EpochKeys {
    return this.#keys;
  }

  /** Takes `shared` over. */
  advance(shared: Uint8Array): void {
    this.#epoch++;
    const info = label('call keys');
    const root = hkdf(
      shared,
      this.#next,
      new Writer(info.length + 2).bytes(info).u16(this.#epoch).end(),
      KEY_BYTES,
    );
    shared.fill(0);
    this.#next.fill(0);
    [this.#keys, this.#next] = this.#derive(root);
  }

  wipe(): void {
    this.#next.fill(0);
  }

  #derive(root: Uint8Array): [EpochKeys, Uint8Array] {
    const derived = hkdf(root, NO_SALT, label('call keys'), 3 * KEY_BYTES);
    root.fill(0);
    const [callers, callees, next] = [0, 1, 2].map((i) =>
      derived.slice(i * KEY_BYTES, (i + 1) * KEY_BYTES),
    ) as [Uint8Array, Uint8Array, Uint8Array];
    derived.fill(0);
    const isCaller = this.#role === 'caller';
    return [
      isCaller ? { send: callers, receive: callees } : { send: callees, receive: callers },
      next,
    ];
  }
}

interface Epoch extends EpochKeys {
  readonly received: ReplayWindow;
  sent: number;
  endsMs: number;
}

export type Opened =
  | { readonly type: 'ok'; readonly fields: Uint8Array }
  | { readonly type: 'refused'; readonly why: 'unknown epoch' | 'forged' | 'replayed' };

export class Sealing {
  readonly #provider: CryptoProvider;
  readonly #framesMax: number;
  readonly #nonce = new Uint8Array(NONCE_BYTES);
  /** At most the one that is ending, the one in use and the next one, and what is not yet forgotten. */
  readonly #epochs = new Map<number, Epoch>();
  #sending = 0;
  #heard = -1;

  /** `framesMax`: no key seals more (protocol 2.1, rule 7). */
  constructor(provider: CryptoProvider, framesMax: number = COUNTER_MAX) {
    this.#provider = provider;
    this.#framesMax = framesMax;
  }

  /** In which frames are sealed. */
  get epoch(): number {
    return this.#sending;
  }

  /** Frames of this epoch are opened from now on. */
  install(epoch: number, keys: EpochKeys): void {
    const received = new ReplayWindow(REPLAY_WINDOW);
    this.#epochs.set(epoch, { ...keys, received, sent: 0, endsMs: Number.POSITIVE_INFINITY });
  }

  /** The peer has the keys of this epoch. Never goes back. */
  sendIn(epoch: number): void {
    if (epoch <= this.#sending || !this.#epochs.has(epoch)) return;
    this.#sending = epoch;
  }

  /** Undefined when the key has done all it may. */
  seal(fields: Uint8Array): Uint8Array | undefined {
    const epoch = this.#epochs.get(this.#sending);
    if (epoch === undefined || epoch.sent >= this.#framesMax) return undefined;
    const seq = epoch.sent++;
    const frame = new Writer(FRAME_BYTES)
      .u16(this.#sending)
      .u16(Math.floor(seq / 2 ** 32))
      .u32(seq % 2 ** 32)
      .bytes(fields)
      .zeros(TAG_BYTES)
      .end();
    writeNonce(this.#nonce, seq);
    const head = frame.subarray(0, HEAD_BYTES);
    this.#provider.seal(frame.subarray(HEAD_BYTES), this.#nonce, head, epoch.send);
    return frame;
  }

  /** Leaves the frame as it is, and changes nothing when it refuses. */
  open(frame: Uint8Array, nowMs: number): Opened {
    this.#forget(nowMs);
    const { number, seq } = headOf(frame);
    const epoch = this.#epochs.get(number);
    if (epoch === undefined) return { type: 'refused', why: 'unknown epoch' };
    const sealed = this.#unsealed(frame, seq, epoch);
    if (sealed === undefined) return { type: 'refused', why: 'forged' };
    if (!epoch.received.accept(seq)) return { type: 'refused', why: 'replayed' };
    this.#hear(number, nowMs);
    return { type: 'ok', fields: sealed.subarray(0, FIELDS_BYTES) };
  }

  /** Whether the peer made it, now or before; changes nothing. */
  isAuthentic(frame: Uint8Array): boolean {
    const { number, seq } = headOf(frame);
    const epoch = this.#epochs.get(number);
    return epoch !== undefined && this.#unsealed(frame, seq, epoch) !== undefined;
  }

  wipe(): void {
    for (const number of [...this.#epochs.keys()]) this.#drop(number);
  }

  #unsealed(frame: Uint8Array, seq: number, epoch: Epoch): Uint8Array | undefined {
    writeNonce(this.#nonce, seq);
    const sealed = new Uint8Array(frame.subarray(HEAD_BYTES));
    const head = frame.subarray(0, HEAD_BYTES);
    return this.#provider.open(sealed, this.#nonce, head, epoch.receive) ? sealed : undefined;
  }

  /** The peer sends in it, so it has the keys; what it sent before may be late. */
  #hear(number: number, nowMs: number): void {
    if (number <= this.#heard) return;
    this.#heard = number;
    this.sendIn(number);
    for (const [other, epoch] of this.#epochs) {
      if (other < number) epoch.endsMs = Math.min(epoch.endsMs, nowMs + OLD_EPOCH_MS);
    }
  }

  #forget(nowMs: number): void {
    for (const [number, { endsMs }] of this.#epochs) if (nowMs >= endsMs) this.#drop(number);
  }

  #drop(number: number): void {
    this.#epochs.get(number)?.send.fill(0);
    this.#epochs.get(number)?.receive.fill(0);
    this.#epochs.delete(number);
  }
}

function headOf(frame: Uint8Array): { readonly number: number; readonly seq: number } {
  const reader = new Reader(frame);
  return { number: reader.u16(), seq: reader.u16() * 2 ** 32 + reader.u32() };
}

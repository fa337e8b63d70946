// One session of a link (protocol 3.1, session rules): a key for each direction with its counter, the replay window,
// and the ages at which it is renewed and refused. Runs once per packet: seals and opens in place, allocates nothing,
// and takes the time from outside. A session is never continued after a restart, so no key meets a counter twice.
//
// Not here: which session a link sends in, and finding the one a packet is for.

import {
  COUNTER_MAX,
  type CryptoProvider,
  NONCE_BYTES,
  ReplayWindow,
  writeNonce,
} from '../crypto/index.ts';
import type { TrafficKeys } from './keys.ts';
import { type DataPacket, dataCounter, HEADER_BYTES, isData, writeDataHeader } from './wire.ts';

export const REPLAY_WINDOW = 2048;

export interface SessionLimits {
  /** LINK_REKEY_AFTER_S: twice WireGuard's, because a Diffie-Hellman may be plain JavaScript. */
  readonly rekeyAfterMs: number;
  /** LINK_REJECT_AFTER_S, likewise. */
  readonly rejectAfterMs: number;
  /** How long packets still under way are taken after the session's successor is in use. */
  readonly retireMs: number;
  /** Counters end below this. */
  readonly packetsMax: number;
  /** Kept for the packets, and the rekeying itself, that are sent after rekeying is due. */
  readonly packetsReserve: number;
}

export const SESSION_LIMITS: SessionLimits = {
  rekeyAfterMs: 240_000,
  rejectAfterMs: 360_000,
  retireMs: 10_000,
  packetsMax: COUNTER_MAX,
  packetsReserve: 2 ** 32,
};

export interface SessionOptions {
  readonly provider: CryptoProvider;
  readonly keys: TrafficKeys;
  readonly nowMs: number;
  readonly limits?: SessionLimits;
}

/** `expired`: too old, by time or by counter, whoever sent it. */
export type Opened = 'ok' | 'forged' | 'replayed' | 'expired';

export class Session {
  readonly #provider: CryptoProvider;
  readonly #keys: TrafficKeys;
  readonly #limits: SessionLimits;
  readonly #rekeyAtMs: number;
  #endsAtMs: number;
  #sealUntilMs: number;
  #sent = 0;
  readonly #received = new ReplayWindow(REPLAY_WINDOW);
  readonly #nonce = new Uint8Array(NONCE_BYTES);

  /** Copies the keys. */
  constructor({ provider, keys, nowMs, limits = SESSION_LIMITS }: SessionOptions) {
    this.#provider = provider;
    this.#keys = {
      ...keys,
      sendKey: new Uint8Array(keys.sendKey),
      receiveKey: new Uint8Array(keys.receiveKey),
    };
    this.#limits = limits;
    this.#rekeyAtMs = nowMs + limits.rekeyAfterMs;
    this.#endsAtMs = nowMs + limits.rejectAfterMs;
    this.#sealUntilMs = this.#endsAtMs;
  }

  get receiveIndex(): number {
    return this.#keys.receiveIndex;
  }

  /** Makes the cell in `packet` a DATA packet. False when the session is over; `packet` is then as it was. */
  seal(packet: DataPacket, nowMs: number): boolean {
    if (nowMs >= this.#sealUntilMs || this.#sent >= this.#limits.packetsMax) return false;
    const counter = this.#sent++;
    writeDataHeader(packet.bytes, this.#keys.sendIndex, counter);
    writeNonce(this.#nonce, counter);
    this.#provider.seal(packet.sealed, this.#nonce, packet.header, this.#keys.sendKey);
    return true;
  }

  /** Leaves the cell in `packet` if 'ok'; otherwise what is in it is unspecified. */
  open(packet: DataPacket, nowMs: number): Opened {
    const counter = dataCounter(packet.bytes);
    if (nowMs >= this.#endsAtMs || counter >= this.#limits.packetsMax) return 'expired';
    writeNonce(this.#nonce, counter);
    const { receiveKey } = this.#keys;
    if (!this.#provider.open(packet.sealed, this.#nonce, packet.header, receiveKey)) {
      return 'forged';
    }
    return this.#received.accept(counter) ? 'ok' : 'replayed';
  }

  /** Whether the other side made this packet, of whatever size: for the size rule (size-rule.ts). */
  isAuthentic(bytes: Uint8Array): boolean {
    if (!isData(bytes) || dataCounter(bytes) >= this.#limits.packetsMax) return false;
    writeNonce(this.#nonce, dataCounter(bytes));
    const header = bytes.subarray(0, HEADER_BYTES);
    const sealed = new Uint8Array(bytes.subarray(HEADER_BYTES));
    return this.#provider.open(sealed, this.#nonce, header, this.#keys.receiveKey);
  }

  isRekeyDue(nowMs: number): boolean {
    const { packetsMax, packetsReserve } = this.#limits;
    return nowMs >= this.#rekeyAtMs || this.#sent >= packetsMax - packetsReserve;
  }

  /** Its successor is in use: seals nothing more, and opens what is still under way. */
  retire(nowMs: number): void {
    this.#sealUntilMs = nowMs;
    this.#endsAtMs = Math.min(this.#endsAtMs, nowMs + this.#limits.retireMs);
  }

  /** Whether it opens nothing any more and can be forgotten. */
  isOver(nowMs: number): boolean {
    return nowMs >= this.#endsAtMs;
  }

  /** Ends it at once. */
  wipe(): void {
    this.#keys.sendKey.fill(0);
    this.#keys.receiveKey.fill(0);
    this.#sealUntilMs = Number.NEGATIVE_INFINITY;
    this.#endsAtMs = Number.NEGATIVE_INFINITY;
  }
}

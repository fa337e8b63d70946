// What two ends of a call speak through once the handshake gave them keys: sealed frames, reliable messages in them, and
// new keys every round. Messages may be sent before there are keys; they wait.

import { DecodeError } from '../bytes/index.ts';
import type { CryptoProvider } from '../crypto/index.ts';
import type { Rng } from '../runtime/index.ts';
import type { ControlMessage } from './control.ts';
import { decodeFields, encodeFields, type Field } from './frame.ts';
import { Rekeying } from './rekeying.ts';
import { type KeyChain, Sealing } from './sealing.ts';
import { Signalling } from './signalling.ts';

export interface ChannelOptions {
  readonly provider: CryptoProvider;
  readonly rng: Rng;
  /** The round of the handshake. */
  readonly firstRound: number;
}

export class Channel {
  readonly #options: ChannelOptions;
  readonly #sealing: Sealing;
  readonly #signalling = new Signalling();
  #rekeying: Rekeying | undefined;

  constructor(options: ChannelOptions) {
    this.#options = options;
    this.#sealing = new Sealing(options.provider);
  }

  get isOpen(): boolean {
    return this.#rekeying !== undefined;
  }

  get epoch(): number {
    return this.#sealing.epoch;
  }

  get rttMs(): number {
    return this.#signalling.rttMs;
  }

  /** There are keys. */
  start(chain: KeyChain, round: number): void {
    const { provider, rng, firstRound } = this.#options;
    this.#rekeying = new Rekeying({
      provider,
      rng,
      sealing: this.#sealing,
      chain,
      firstRound,
      send: (message) => this.send(message),
    });
    this.#rekeying.onRound(round);
  }

  onRound(round: number): void {
    this.#rekeying?.onRound(round);
  }

  send(message: ControlMessage): void {
    this.#signalling.send(message);
  }

  /** The control fields of this slot's frame: at least one. */
  control(nowMs: number, roomBytes: number): Field[] {
    return this.#signalling.fields(nowMs, roomBytes);
  }

  seal(fields: readonly Field[]): Uint8Array | undefined {
    return this.#sealing.seal(encodeFields(fields));
  }

  isAuthentic(frame: Uint8Array): boolean {
    return this.#sealing.isAuthentic(frame);
  }

  /** DecodeError for a frame that is not the peer's, or was here before. */
  open(frame: Uint8Array, nowMs: number): Field[] {
    const opened = this.#sealing.open(frame, nowMs);
    if (opened.type === 'refused') throw new DecodeError(opened.why);
    return decodeFields(opened.fields);
  }

  /** What the peer says, in order, without what is the channel's own business. */
  receive(data: Uint8Array, nowMs: number): ControlMessage[] {
    const { messages, acknowledged } = this.#signalling.receive(data, nowMs);
    for (const message of acknowledged) {
      if (message.type === 'key') this.#rekeying?.onAcknowledged(message);
    }
    return messages.filter((message) => {
      if (message.type === 'key') this.#rekeying?.onKey(message);
      return message.type !== 'key';
    });
  }

  learnRtt(rttMs: number): void {
    this.#signalling.learnRtt(rttMs);
  }

  isStuck(nowMs: number): boolean {
    return this.#signalling.isStuck(nowMs);
  }

  stuckMs(): number {
    return this.#signalling.nextDeadlineMs();
  }

  restart(): void {
    this.#signalling.restart();
  }

  wipe(): void {
    this.#sealing.wipe();
    this.#rekeying?.wipe();
  }
}

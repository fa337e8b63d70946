// Fresh keys for an open link (protocol 3.1, session rules): an X25519 exchange inside the channel takes the key chain
// a step further, so that who steals today's keys loses the link again a few minutes later. Only the link's initiator
// begins it, when its session says that it is due; the responder answers. Both messages are
//
//   0   4   index   what the other side is to put into packets under the new keys
//   4  32   e       a fresh X25519 key
//
// As in the handshake the initiator asks until it is answered, uses the new keys first, and sends PING until something
// has come back under them.

import { equalBytes, Reader, Writer } from '../bytes/index.ts';
import { type CryptoProvider, KEY_BYTES, type KeyPair, type NoiseRole } from '../crypto/index.ts';
import type { Rng } from '../runtime/index.ts';
import { type ControlMessage, type ControlType, PING } from './control.ts';
import type { KeyChain, TrafficKeys } from './keys.ts';
import { Repeat } from './repeat.ts';

/** Every 0.4 s like all of LINK_CTRL, for the 120 s between a session's being due and its being refused. */
const GAPS_MS: readonly number[] = new Array(300).fill(400);

/** More often nobody may make us do it: a quarter of the age at which it is due. A guess. */
export const REKEY_GAP_MIN_MS = 60_000;

const REKEY_BYTES = 4 + KEY_BYTES;

function encodeRekey(index: number, publicKey: Uint8Array): Uint8Array {
  return new Writer(REKEY_BYTES).u32(index).bytes(publicKey).end();
}

function decodeRekey(data: Uint8Array): { readonly index: number; readonly publicKey: Uint8Array } {
  const reader = new Reader(data);
  return { index: reader.u32(), publicKey: reader.view(KEY_BYTES) };
}

export interface RekeyingOptions {
  readonly provider: CryptoProvider;
  readonly rng: Rng;
  /** Our side of the link. */
  readonly role: NoiseRole;
  /** Taken over. */
  readonly chain: KeyChain;
  /** An index for packets to us that no other session has. */
  readonly newIndex: () => number;
  readonly nowMs: number;
}

export type RekeyingInput =
  | { readonly type: 'tick' }
  /** Our session is old enough. */
  | { readonly type: 'due' }
  /** 'rekey' or 'rekey ack' from inside the channel. */
  | { readonly type: 'control'; readonly message: ControlMessage }
  /** The first authentic packet of the newest session has come. */
  | { readonly type: 'confirmed' };

export type RekeyingOutput =
  | { readonly type: 'control'; readonly message: ControlMessage }
  | { readonly type: 'session'; readonly keys: TrafficKeys }
  /** The neighbour broke the protocol. */
  | { readonly type: 'violation' }
  | { readonly type: 'drop'; readonly why: string };

const NOTHING = new Repeat<RekeyingOutput>([], [], Number.POSITIVE_INFINITY);
const VIOLATION: RekeyingOutput = { type: 'violation' };

export class Rekeying {
  readonly #options: RekeyingOptions;
  #chain: KeyChain;
  /** The initiator's question that is not answered yet. */
  #asked: { readonly own: KeyPair; readonly index: number } | undefined;
  #asking = NOTHING;
  /** The responder's last answer, and the chain it leads to if the initiator has got it. */
  #answered: { readonly rekey: Uint8Array; readonly ack: RekeyingOutput } | undefined;
  #nextChain: KeyChain | undefined;
  #answersAgainMs: number;

  constructor(options: RekeyingOptions) {
    this.#options = options;
    this.#chain = options.chain;
    this.#answersAgainMs = options.nowMs + REKEY_GAP_MIN_MS;
  }

  handle(input: RekeyingInput, nowMs: number): readonly RekeyingOutput[] {
    switch (input.type) {
      case 'tick':
        return this.#asking.due(nowMs);
      case 'due':
        return this.#onDue(nowMs);
      case 'control':
        return this.#onControl(input.message, nowMs);
      case 'confirmed':
        this.#onConfirmed();
        return [];
    }
  }

  nextDeadlineMs(): number {
    return this.#asking.nextMs;
  }

  wipe(): void {
    this.#asking = NOTHING;
    this.#asked?.own.secretKey.fill(0);
    this.#chain.wipe();
    this.#nextChain?.wipe();
  }

  #onDue(nowMs: number): readonly RekeyingOutput[] {
    if (this.#options.role === 'responder' || this.#asked) return [];
    const { provider, rng, newIndex } = this.#options;
    const [own, index] = [provider.x25519KeyPair(rng), newIndex()];
    this.#asked = { own, index };
    return this.#ask('rekey', encodeRekey(index, own.publicKey), nowMs);
  }

  #onControl({ type, data }: ControlMessage, nowMs: number): readonly RekeyingOutput[] {
    const expected = this.#options.role === 'initiator' ? 'rekey ack' : 'rekey';
    if (type !== expected || data.length !== REKEY_BYTES) return [VIOLATION];
    return type === 'rekey' ? this.#onRekey(data, nowMs) : this.#onAck(data, nowMs);
  }

  #onAck(data: Uint8Array, nowMs: number): readonly RekeyingOutput[] {
    if (this.#asked === undefined) return [];
    const { own, index } = this.#asked;
    this.#asked = undefined;
    const step = this.#step(own, data, index);
    if (step === undefined) return [VIOLATION];
    this.#chain.wipe();
    this.#chain = step.chain;
    return [step.session, ...this.#ask('ping', PING, nowMs)];
  }

  #onRekey(data: Uint8Array, nowMs: number): readonly RekeyingOutput[] {
    if (this.#answered && equalBytes(this.#answered.rekey, data)) return [this.#answered.ack];
    if (nowMs < this.#answersAgainMs) return [{ type: 'drop', why: 'a REKEY too early' }];
    this.#answersAgainMs = nowMs + REKEY_GAP_MIN_MS;
    const { provider, rng, newIndex } = this.#options;
    const [own, index] = [provider.x25519KeyPair(rng), newIndex()];
    const step = this.#step(own, data, index);
    if (step === undefined) return [VIOLATION];
    this.#nextChain?.wipe();
    this.#nextChain = step.chain;
    const ack = send('rekey ack', encodeRekey(index, own.publicKey));
    this.#answered = { rekey: data, ack };
    return [step.session, ack];
  }

  #onConfirmed(): void {
    this.#asking = NOTHING;
    if (this.#nextChain === undefined) return;
    this.#chain.wipe();
    this.#chain = this.#nextChain;
    this.#nextChain = undefined;
  }

  /** Undefined when the neighbour's key is a bad one. Spends our own. */
  #step(own: KeyPair, theirs: Uint8Array, receiveIndex: number) {
    const { index: sendIndex, publicKey } = decodeRekey(theirs);
    const shared = this.#options.provider.x25519(own.secretKey, publicKey);
    own.secretKey.fill(0);
    if (shared === undefined) return undefined;
    const { chain, keys } = this.#chain.next(shared);
    shared.fill(0);
    const sendsFirst = this.#options.role === 'initiator';
    const session: RekeyingOutput = {
      type: 'session',
      keys: { ...keys, sendIndex, receiveIndex, sendsFirst },
    };
    return { chain, session };
  }

  #ask(type: 'rekey' | 'ping', data: Uint8Array, nowMs: number): readonly RekeyingOutput[] {
    this.#asking = new Repeat([send(type, data)], GAPS_MS, nowMs);
    return this.#asking.due(nowMs);
  }
}

function send(type: ControlType, data: Uint8Array): RekeyingOutput {
  return { type: 'control', message: { type, data } };
}

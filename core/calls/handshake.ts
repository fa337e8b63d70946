// The call handshake (protocol 10.1): OFFER from the caller, KEYS from the callee, and what follows as the first sealed
// messages: CONFIRM from the caller and, between people who know only each other's hostkeys, a proof from each (proof.ts).
//
//   1 OFFER  between cards:    hint 8, Noise KKhfs+psk0's first message with { commit 32, capabilities u32 }
//   2 KEYS                     its second message with { r_s 16, capabilities u32, state u8 }
//   3 OFFER  between hostkeys: hint 8, nonce of a proof of work 8, Noise NXhfs's first message with the same
//   4 KEYS                     its second message with the same; its static key is made for this call alone
//
// commit = H(r_c). The prologue names the kind, the network, the round, the call and both people, so a handshake of one
// pair, round or kind is none of another. Whoever answers has looked up the hint before (calls.ts) and spends nothing
// on an unknown one; a wrong psk shows at ML-KEM's key, before any Diffie-Hellman. An OFFER can be repeated by whoever has
// seen it: calls.ts remembers call ids, and an unconfirmed call ends by itself.

import { DecodeError, equalBytes, Reader, Writer } from '../bytes/index.ts';
import {
  type CryptoProvider,
  KEY_BYTES,
  type KeyPair,
  label,
  NoiseHandshake,
  type NoiseRole,
  noiseOverheads,
  POW_NONCE_BYTES,
  type PowTask,
  type RsaPublicKey,
  sha256,
  verifyPow,
} from '../crypto/index.ts';
import { type Hostkey, IDENTITY_BYTES, type Identity } from '../identity/index.ts';
import { type Rng, randomBytes } from '../runtime/index.ts';
import { RANDOM_BYTES } from './control.ts';
import { type Assembled, CALL_ID_BYTES } from './frame.ts';

export const HINT_BYTES = 8;
/** Protocol 10.1b: about a second of the caller's, a microsecond of the callee's. */
export const OFFER_POW_BITS = 20;

export type PeerKeys =
  | { readonly kind: 'card'; readonly contactDh: Uint8Array; readonly psk: Uint8Array }
  | { readonly kind: 'hostkey'; readonly publicKey: RsaPublicKey };

/** Somebody, as he can be called, or calls, in one round. */
export interface Peer {
  readonly identity: Identity;
  readonly hint: Uint8Array;
  readonly round: number;
  readonly keys: PeerKeys;
}

export interface OwnKeys {
  readonly hostkey: Hostkey;
  /** Of our card. */
  readonly contactKey: KeyPair;
}

export interface HandshakeOptions {
  readonly provider: CryptoProvider;
  readonly rng: Rng;
  readonly networkId: Uint8Array;
  readonly own: OwnKeys;
  /** What this program can do; bits nobody knows are ignored. None is defined yet. */
  readonly capabilities: number;
}

/** How the callee takes it; numbers on the wire. A hostkey is not proven yet then, and `pending` says nothing else. */
export const ANSWER_STATES = ['pending', 'ringing', 'waiting', 'busy'] as const;
export type AnswerState = (typeof ANSWER_STATES)[number];

/** What both sides have after OFFER and KEYS. */
export interface Agreement {
  /** Of the key chain; whoever takes it wipes it. */
  readonly root: Uint8Array;
  /** Noise's handshake hash, the same on both sides and in no other call. */
  readonly transcript: Uint8Array;
  readonly rCallee: Uint8Array;
  readonly capabilities: number;
}

const MESSAGE = { card: { offer: 1, keys: 2 }, hostkey: { offer: 3, keys: 4 } } as const;
const PATTERN = { card: 'KKhfs+psk0', hostkey: 'NXhfs' } as const;
const KIND = { card: 1, hostkey: 2 } as const;
const OFFERED_BYTES = 32 + 4;
const ANSWERED_BYTES = RANDOM_BYTES + 4 + 1;

function offerHeadBytes(kind: PeerKeys['kind']): number {
  return HINT_BYTES + (kind === 'hostkey' ? POW_NONCE_BYTES : 0);
}

function noiseBytes(kind: PeerKeys['kind'], message: 0 | 1): number {
  return noiseOverheads(PATTERN[kind])[message] ?? 0;
}

function offerBytes(kind: PeerKeys['kind']): number {
  return offerHeadBytes(kind) + noiseBytes(kind, 0) + OFFERED_BYTES;
}

/** By number: what a callee takes from strangers. */
export const OFFER_LENGTHS: ReadonlyMap<number, number> = new Map([
  [MESSAGE.card.offer, offerBytes('card')],
  [MESSAGE.hostkey.offer, offerBytes('hostkey')],
]);

export function keysLengths(kind: PeerKeys['kind']): ReadonlyMap<number, number> {
  return new Map([[MESSAGE[kind].keys, noiseBytes(kind, 1) + ANSWERED_BYTES]]);
}

export interface HandshakeMessage {
  readonly message: number;
  readonly bytes: Uint8Array;
}

/** The first of an OFFER's bytes: by them the callee finds who it might be. */
export function hintOf({ bytes }: Assembled): Uint8Array {
  return bytes.subarray(0, HINT_BYTES);
}

export class CallerHandshake {
  readonly rCaller: Uint8Array;
  readonly #options: HandshakeOptions;
  readonly #peer: Peer;
  readonly #callId: Uint8Array;
  readonly #noise: NoiseHandshake;
  readonly #first: Uint8Array;

  constructor(options: HandshakeOptions, peer: Peer, callId: Uint8Array) {
    this.#options = options;
    this.#peer = peer;
    this.#callId = callId;
    this.rCaller = randomBytes(options.rng, RANDOM_BYTES);
    this.#noise = noiseOf(options, 'initiator', peer, callId);
    const offered = new Writer(OFFERED_BYTES)
      .bytes(sha256(this.rCaller))
      .u32(options.capabilities)
      .end();
    this.#first = this.#noise.writeMessage(offered);
  }

  /** To be solved before `offer`. */
  get task(): PowTask | undefined {
    const { networkId, own } = this.#options;
    if (this.#peer.keys.kind === 'card') return undefined;
    const people = [own.hostkey.identity, this.#peer.identity] as const;
    return offerTask(networkId, this.#peer.round, this.#callId, people, this.#first);
  }

  offer(powNonce: Uint8Array = new Uint8Array(POW_NONCE_BYTES)): HandshakeMessage {
    const { kind } = this.#peer.keys;
    const writer = new Writer(offerBytes(kind)).bytes(this.#peer.hint);
    if (kind === 'hostkey') writer.bytes(powNonce);
    return { message: MESSAGE[kind].offer, bytes: writer.bytes(this.#first).end() };
  }

  /** Reads KEYS. DecodeError: not from this callee; the real one can still come. */
  finish(keys: Uint8Array): Agreement & { readonly state: AnswerState } {
    const reader = new Reader(this.#noise.readMessage(keys, (bytes) => void answeredIn(bytes)));
    const answered = answeredIn(reader.rest());
    const agreement = agreementOf(this.#noise);
    this.#noise.wipe();
    return { ...agreement, ...answered };
  }

  wipe(): void {
    this.#noise.wipe();
  }
}

/** An OFFER that was read; not yet answered. */
export class CalleeHandshake {
  readonly commit: Uint8Array;
  readonly capabilities: number;
  readonly #options: HandshakeOptions;
  readonly #kind: PeerKeys['kind'];
  readonly #noise: NoiseHandshake;

  /** `peer` is whom the hint names. DecodeError: it is not he, or not meant for us. */
  constructor(options: HandshakeOptions, peer: Peer, offer: Assembled) {
    const { kind } = peer.keys;
    if (offer.message !== MESSAGE[kind].offer) throw new DecodeError('the other kind of handshake');
    const reader = new Reader(offer.bytes);
    reader.view(HINT_BYTES);
    const powNonce = kind === 'hostkey' ? reader.view(POW_NONCE_BYTES) : undefined;
    const first = reader.rest();
    if (powNonce) {
      const people = [peer.identity, options.own.hostkey.identity] as const;
      const task = offerTask(options.networkId, peer.round, offer.callId, people, first);
      if (!verifyPow(task, powNonce)) throw new DecodeError('no proof of work');
    }
    this.#options = options;
    this.#kind = kind;
    this.#noise = noiseOf(options, 'responder', peer, offer.callId);
    const offered = new Reader(this.#noise.readMessage(first));
    this.commit = offered.bytes(32);
    this.capabilities = offered.u32();
  }

  /** DecodeError when a key of the caller's turns out to be a bad one. */
  answer(state: AnswerState): HandshakeMessage & Agreement {
    const rCallee = randomBytes(this.#options.rng, RANDOM_BYTES);
    const answered = new Writer(ANSWERED_BYTES)
      .bytes(rCallee)
      .u32(this.#options.capabilities)
      .u8(ANSWER_STATES.indexOf(state))
      .end();
    const bytes = this.#noise.writeMessage(answered);
    const { root, transcript } = agreementOf(this.#noise);
    this.#noise.wipe();
    const { capabilities } = this;
    return { message: MESSAGE[this.#kind].keys, bytes, root, transcript, rCallee, capabilities };
  }
}

/** Whether this is what the caller was bound to. */
export function opensCommit(commit: Uint8Array, rCaller: Uint8Array): boolean {
  return equalBytes(sha256(rCaller), commit);
}

function answeredIn(bytes: Uint8Array) {
  const reader = new Reader(bytes);
  const [rCallee, capabilities] = [reader.bytes(RANDOM_BYTES), reader.u32()];
  const state = ANSWER_STATES[reader.u8()];
  if (state === undefined) throw new DecodeError('an unknown state');
  return { rCallee, capabilities, state };
}

function agreementOf(noise: NoiseHandshake): Pick<Agreement, 'root' | 'transcript'> {
  return { root: noise.exportSecret('call keys'), transcript: noise.handshakeHash };
}

function noiseOf(
  { provider, rng, networkId, own }: HandshakeOptions,
  role: NoiseRole,
  { identity, hint, round, keys }: Peer,
  callId: Uint8Array,
): NoiseHandshake {
  const us = own.hostkey.identity;
  const [caller, callee] = role === 'initiator' ? [us, identity] : [identity, us];
  const start = label('call');
  const prologue = new Writer(
    start.length + networkId.length + 1 + 4 + CALL_ID_BYTES + HINT_BYTES + 2 * IDENTITY_BYTES,
  )
    .bytes(start)
    .bytes(networkId)
    .u8(KIND[keys.kind])
    .u32(round)
    .bytes(callId)
    .bytes(hint)
    .bytes(caller)
    .bytes(callee)
    .end();
  const common = { role, provider, rng, prologue };
  if (keys.kind === 'card') {
    const { contactDh: remoteStatic, psk } = keys;
    const staticKey = own.contactKey;
    return new NoiseHandshake({ ...common, pattern: PATTERN.card, staticKey, remoteStatic, psk });
  }
  const staticKey = role === 'responder' ? provider.x25519KeyPair(rng) : undefined;
  return new NoiseHandshake({ ...common, pattern: PATTERN.hostkey, staticKey });
}

/** Over the caller's ephemeral key, both people, the round and the call: no proof serves twice. */
function offerTask(
  networkId: Uint8Array,
  round: number,
  callId: Uint8Array,
  [caller, callee]: readonly [Identity, Identity],
  first: Uint8Array,
): PowTask {
  const fields = new Writer(4 + CALL_ID_BYTES).u32(round).bytes(callId).end();
  const ephemeral = first.subarray(0, KEY_BYTES);
  const challenge = sha256(label('call-pow'), networkId, fields, caller, callee, ephemeral);
  return { kind: 'fast', challenge, bits: OFFER_POW_BITS };
}

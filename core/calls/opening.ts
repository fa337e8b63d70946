// How a call gets from nothing to a proven peer: the handshake's pieces, sent again in every slot until they are answered
// (the slots are there anyway, so nothing needs to be timed), and then the first sealed messages. One class for each side.
//
//   caller                                  callee
//   OFFER ───────────────────────────────▶  looks up the hint, checks; between cards it rings now
//         ◀─────────────────────────────── KEYS
//   CONFIRM ─────────────────────────────▶  the caller is there and is the one who was bound to r_c
//         ◀──────────────── between hostkeys: the callee's proof
//   its own proof ───────────────────────▶  and now it rings
//
// Wrong proofs are DecodeErrors here; what they mean for the call is in call-table.ts.

import { DecodeError, equalBytes } from '../bytes/index.ts';
import type { PowTask } from '../crypto/index.ts';
import { type ControlMessage, PartsOf, partsOf } from './control.ts';
import { type Assembled, Assembly, decodePiece, encodePieces } from './frame.ts';
import {
  type Agreement,
  type AnswerState,
  CalleeHandshake,
  CallerHandshake,
  type HandshakeMessage,
  type HandshakeOptions,
  keysLengths,
  opensCommit,
  type Peer,
} from './handshake.ts';
import { PROOF_BYTES, signProof, verifyProof } from './proof.ts';
import { type Sas, sasOf } from './sas.ts';
import { type CallRole, KeyChain } from './sealing.ts';

/** What the peer has to say before it is believed. */
export type OpeningMessage = Extract<ControlMessage, { type: 'confirm' | 'part' }>;

/** There are keys. */
export interface Agreed {
  readonly chain: KeyChain;
  readonly state: AnswerState;
}

export interface Opening {
  readonly callId: Uint8Array;
  readonly peer: Peer;
  /** As soon as the peer has proven to be who it should be. */
  readonly sas: Sas | undefined;
  /** The peer's, once it was heard. */
  readonly capabilities: number;
  /** This slot's piece; undefined when there is none to send yet. */
  nextFrame(): Uint8Array | undefined;
  /** Keys, if this piece was the last one missing. DecodeError for a bad one. */
  onPiece(frame: Uint8Array): Agreed | undefined;
  /** What to say first with the keys. */
  first(): readonly ControlMessage[];
  /** What to say to that. DecodeError: the peer is not who it should be. */
  onMessage(message: OpeningMessage): readonly ControlMessage[];
  wipe(): void;
}

/** The pieces of one message, round and round. */
class Pieces {
  readonly #frames: readonly Uint8Array[];
  #next = 0;

  constructor(callId: Uint8Array, { message, bytes }: HandshakeMessage) {
    this.#frames = encodePieces(callId, message, bytes);
  }

  next(): Uint8Array {
    return this.#frames[this.#next++ % this.#frames.length] as Uint8Array;
  }
}

/** Ours and the peer's proof of a hostkey. */
class Proofs {
  readonly #options: HandshakeOptions;
  readonly #peer: Peer;
  readonly #role: CallRole;
  readonly #transcript: Uint8Array;
  readonly #parts = new PartsOf(PROOF_BYTES);

  constructor(options: HandshakeOptions, peer: Peer, role: CallRole, transcript: Uint8Array) {
    this.#options = options;
    this.#peer = peer;
    this.#role = role;
    this.#transcript = transcript;
  }

  own(): readonly ControlMessage[] {
    const { networkId, own } = this.#options;
    const over = { networkId, transcript: this.#transcript, role: this.#role };
    return partsOf('proof', signProof(own.hostkey, this.#peer.identity, over));
  }

  /** True when the peer's proof is complete and right. */
  push(message: OpeningMessage): boolean {
    const { keys } = this.#peer;
    if (message.type !== 'part' || keys.kind !== 'hostkey') {
      throw new DecodeError('a proof was to come');
    }
    const signature = this.#parts.push(message);
    if (signature === undefined) return false;
    const { networkId, own } = this.#options;
    const role = this.#role === 'caller' ? 'callee' : 'caller';
    const over = { networkId, transcript: this.#transcript, role } as const;
    if (!verifyProof(keys.publicKey, own.hostkey.identity, over, signature)) {
      throw new DecodeError('the proof of another hostkey');
    }
    return true;
  }
}

export class CallerOpening implements Opening {
  readonly callId: Uint8Array;
  readonly peer: Peer;
  readonly #options: HandshakeOptions;
  readonly #handshake: CallerHandshake;
  readonly #assembly: Assembly;
  #pieces: Pieces | undefined;
  #agreement: Agreement | undefined;
  #proofs: Proofs | undefined;
  #isProven = false;

  constructor(options: HandshakeOptions, peer: Peer, callId: Uint8Array) {
    this.callId = callId;
    this.peer = peer;
    this.#options = options;
    this.#handshake = new CallerHandshake(options, peer, callId);
    this.#assembly = new Assembly(keysLengths(peer.keys.kind));
    if (this.task === undefined) this.#pieces = new Pieces(callId, this.#handshake.offer());
  }

  /** Work to be done before anything can be sent. */
  get task(): PowTask | undefined {
    return this.#pieces ? undefined : this.#handshake.task;
  }

  get capabilities(): number {
    return this.#agreement?.capabilities ?? 0;
  }

  get sas(): Sas | undefined {
    const agreement = this.#agreement;
    if (agreement === undefined || !this.#isProven) return undefined;
    return sasOf(agreement.transcript, this.#handshake.rCaller, agreement.rCallee);
  }

  onWork(nonce: Uint8Array): void {
    this.#pieces ??= new Pieces(this.callId, this.#handshake.offer(nonce));
  }

  nextFrame(): Uint8Array | undefined {
    return this.#pieces?.next();
  }

  onPiece(frame: Uint8Array): Agreed | undefined {
    const piece = decodePiece(frame);
    if (this.#agreement || !equalBytes(piece.callId, this.callId)) return undefined;
    const assembled = this.#assembly.push(piece);
    if (assembled === undefined) return undefined;
    const finished = this.#handshake.finish(assembled.bytes);
    this.#agreement = finished;
    const { transcript, root, state } = finished;
    if (this.peer.keys.kind === 'card') this.#isProven = true;
    else this.#proofs = new Proofs(this.#options, this.peer, 'caller', transcript);
    return { chain: new KeyChain('caller', root), state };
  }

  first(): readonly ControlMessage[] {
    return [{ type: 'confirm', random: this.#handshake.rCaller }];
  }

  onMessage(message: OpeningMessage): readonly ControlMessage[] {
    if (this.#isProven || this.#proofs === undefined) throw new DecodeError('nothing to prove');
    if (!this.#proofs.push(message)) return [];
    this.#isProven = true;
    return this.#proofs.own();
  }

  wipe(): void {
    this.#handshake.wipe();
  }
}

export class CalleeOpening implements Opening {
  readonly callId: Uint8Array;
  readonly peer: Peer;
  readonly agreed: Agreed;
  readonly #pieces: Pieces;
  readonly #commit: Uint8Array;
  readonly #agreement: Agreement;
  readonly #proofs: Proofs | undefined;
  #rCaller: Uint8Array | undefined;
  #isProven = false;

  /** `peer` is whom the OFFER's hint names. DecodeError: he did not make it. */
  constructor(options: HandshakeOptions, peer: Peer, offer: Assembled, state: AnswerState) {
    this.callId = offer.callId;
    this.peer = peer;
    const handshake = new CalleeHandshake(options, peer, offer);
    const isCard = peer.keys.kind === 'card';
    const answer = handshake.answer(isCard ? state : 'pending');
    const { root, transcript } = answer;
    this.#commit = handshake.commit;
    this.#agreement = answer;
    this.#pieces = new Pieces(offer.callId, answer);
    this.#proofs = isCard ? undefined : new Proofs(options, peer, 'callee', transcript);
    this.agreed = { chain: new KeyChain('callee', root), state };
  }

  get capabilities(): number {
    return this.#agreement.capabilities;
  }

  get sas(): Sas | undefined {
    if (this.#rCaller === undefined || !this.#isProven) return undefined;
    return sasOf(this.#agreement.transcript, this.#rCaller, this.#agreement.rCallee);
  }

  nextFrame(): Uint8Array {
    return this.#pieces.next();
  }

  /** The caller repeats its OFFER until it has our KEYS, and those are sent again anyway. */
  onPiece(): undefined {
    return undefined;
  }

  first(): readonly ControlMessage[] {
    return this.#proofs?.own() ?? [];
  }

  onMessage(message: OpeningMessage): readonly ControlMessage[] {
    if (this.#isProven) throw new DecodeError('nothing to prove');
    if (message.type === 'confirm') this.#onConfirm(message.random);
    else if (this.#rCaller === undefined) throw new DecodeError('a proof before CONFIRM');
    else this.#isProven = this.#proofs?.push(message) === true;
    return [];
  }

  wipe(): void {}

  #onConfirm(random: Uint8Array): void {
    if (this.#rCaller || !opensCommit(this.#commit, random)) {
      throw new DecodeError('not what the caller was bound to');
    }
    this.#rCaller = random;
    this.#isProven = this.#proofs === undefined;
  }
}

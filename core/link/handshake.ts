// How two nodes come to a link (protocol 3.1): what the two sides, Initiator (initiator.ts) and Responder
// (responder.ts), have in common. They know neither sockets nor datagrams, so any transport can carry them: framing.ts
// makes datagrams of their Noise messages, control.ts cells of their control messages.
//
//   Initiator                     Responder
//   INIT           ----------->                 Noise XX; again after 0.4, 1.2 and 2.8 s
//                  <-----------   RESP          the initiator now has the set-up keys
//   FIN            ----------->                 the responder has them too; the rest is sent under them
//                  <-----------   CERT
//   CERT, PQ_EK    ----------->
//                  <-----------   PQ_CT         both now have the final keys, the initiator uses them
//   PING           ----------->                 or any packet under the final keys: the responder uses them too
//
// What is said inside the channel, and FIN, is said again every 0.4 s until the next step has arrived. Before FIN the
// responder answers packet for packet and keeps quiet otherwise; FIN proves who receives at that address. Nothing is
// sent under keys that the other side cannot have yet.

import { concatBytes, DecodeError, equalBytes } from '../bytes/index.ts';
import {
  type CryptoProvider,
  type KeyPair,
  NoiseHandshake,
  type NoiseRole,
  type Purpose,
  signedPrefix,
} from '../crypto/index.ts';
import { type Identity, type NodeDescriptor, openDescriptor } from '../identity/index.ts';
import type { Rng } from '../runtime/index.ts';
import type { ControlMessage, ControlType } from './control.ts';
import { KeyChain, type TrafficKeys } from './keys.ts';
import type { PqMessage } from './pq.ts';
import { Repeat } from './repeat.ts';
import { NOISE_BYTES, type NoiseStep } from './wire.ts';

/** After INIT the initiator waits, and sends it again; after the last one as long as before it. */
export const INIT_GAPS_MS = [400, 800, 1600];
export const CALL_TIMEOUT_MS = 4400;
/** How long a responder waits for FIN (protocol 11). */
export const PENDING_TIMEOUT_MS = 3000;
/** LINK_SETUP_TIMEOUT, from the set-up keys on. */
export const SETUP_TIMEOUT_MS = 5000;

/** What an unverified link takes from the other side (protocol 11). */
export const SETUP_CELLS_MAX = 24;
/**
 * Between the four times that each step is said inside the channel. Either side has six cells to say (the initiator
 * CERT and PQ_EK, the responder CERT and PQ_CT, three cells each), which makes SETUP_CELLS_MAX.
 */
const SETUP_GAPS_MS = [400, 400, 400];

export interface HandshakeOptions {
  readonly provider: CryptoProvider;
  readonly rng: Rng;
  readonly networkId: Uint8Array;
  /** What the channel is for, 'link' here. A handshake for one purpose does not complete for another. */
  readonly purpose: Purpose;
  readonly self: {
    readonly identity: Identity;
    /** The key pair of `link_dh` in the certificate. */
    readonly staticKey: KeyPair;
    /** The encoded node descriptor. */
    readonly certificate: Uint8Array;
  };
  /** What the other side is to put into packets under the set-up keys and under the final ones. */
  readonly indices: { readonly setup: number; readonly final: number };
  /** False tolerates a peer that knows no ML-KEM; our side always offers it. */
  readonly pqRequired: boolean;
  /** Test networks: certificates may have private addresses. */
  readonly allowPrivate: boolean;
  readonly nowMs: number;
  /** Unix time at `nowMs`. */
  readonly wallMs: number;
}

export interface NoiseMessage {
  readonly type: 'noise';
  readonly step: NoiseStep;
  readonly noise: Uint8Array;
  /** Of INIT and RESP: what we are to put into packets for the sender. */
  readonly senderIndex: number;
}

export type HandshakeInput =
  | { readonly type: 'tick' }
  | NoiseMessage
  /** From inside the channel, as long as it is not open. */
  | { readonly type: 'control'; readonly message: ControlMessage }
  /** The answer to 'judge'. */
  | { readonly type: 'verdict'; readonly verdict: 'welcome' | 'banned' | 'no proof of work' }
  /** The first authentic packet under the final keys has come. */
  | { readonly type: 'confirmed' };

export type StepInput = Exclude<HandshakeInput, { readonly type: 'tick' }>;

export interface SendNoise {
  readonly type: 'send';
  readonly step: NoiseStep;
  readonly noise: Uint8Array;
  /** The other side's index; 0 in INIT. */
  readonly peerIndex: number;
}

export type HandshakeOutput =
  | SendNoise
  /** Into the channel. */
  | { readonly type: 'control'; readonly message: ControlMessage }
  /** Packets of this session are now to be sealed and opened. */
  | { readonly type: 'session'; readonly stage: 'setup' | 'open'; readonly keys: TrafficKeys }
  /** The peer has proven to be this node; whether we want it, and its proof of work, are to be looked at. */
  | { readonly type: 'judge'; readonly peer: NodeDescriptor }
  /** The link is up, and the set-up session over. */
  | ({ readonly type: 'open'; readonly peer: NodeDescriptor } & OpenLink)
  /** Nothing more comes. Can follow 'open' at the initiator, when nothing ever arrives under the final keys. */
  | { readonly type: 'failed'; readonly why: HandshakeFailure; readonly peer?: NodeDescriptor }
  /** Something was ignored, and is to be counted. */
  | { readonly type: 'drop'; readonly why: string };

export interface OpenLink {
  /** For rekeying (rekey.ts). */
  readonly chain: KeyChain;
  readonly postQuantum: boolean;
  /** By how much the peer's clock is ahead of ours. */
  readonly clockAheadS: number;
}

/** 'violation' is the act of whoever holds the peer's keys, 'bad certificate' and 'wrong identity' are nobody's. */
export type HandshakeFailure =
  | 'no answer'
  | 'timeout'
  | 'bad certificate'
  | 'wrong identity'
  | 'banned'
  | 'no proof of work'
  | 'no post-quantum'
  | 'closed'
  | 'violation';

export abstract class Handshake {
  protected readonly options: HandshakeOptions;
  protected readonly noise: NoiseHandshake;
  protected peerIndex = 0;
  /** Once its certificate is right. */
  protected peer: NodeDescriptor | undefined;
  readonly #role: NoiseRole;
  readonly #wallOffsetMs: number;
  #deadlineMs: number;
  #saying: Repeat<HandshakeOutput> | undefined;
  #lateness: HandshakeFailure = 'no answer';
  #link: OpenLink | undefined;
  #isOver = false;

  constructor(role: NoiseRole, responder: Identity, options: HandshakeOptions) {
    this.options = options;
    this.#role = role;
    this.#wallOffsetMs = options.wallMs - options.nowMs;
    this.#deadlineMs =
      options.nowMs + (role === 'initiator' ? CALL_TIMEOUT_MS : PENDING_TIMEOUT_MS);
    this.noise = new NoiseHandshake({
      pattern: 'XX',
      role,
      provider: options.provider,
      rng: options.rng,
      prologue: concatBytes(signedPrefix(options.purpose, options.networkId), responder),
      staticKey: options.self.staticKey,
    });
  }

  handle(input: HandshakeInput, nowMs: number): readonly HandshakeOutput[] {
    if (this.#isOver) return [];
    if (nowMs >= this.#deadlineMs) return this.fail(this.#lateness);
    if (input.type === 'tick') return this.#saying?.due(nowMs) ?? [];
    try {
      return this.step(input, nowMs);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return input.type === 'noise' ? [drop(error.message)] : this.fail('violation');
    }
  }

  nextDeadlineMs(): number {
    if (this.#isOver) return Number.POSITIVE_INFINITY;
    return Math.min(this.#deadlineMs, this.#saying?.nextMs ?? Number.POSITIVE_INFINITY);
  }

  /** Gives it up, and wipes its secrets. What was handed out is the caller's. */
  end(): void {
    this.#isOver = true;
    this.noise.wipe();
  }

  /** A DecodeError from here is the peer's fault: outside the channel anybody's, inside it its own. */
  protected abstract step(input: StepInput, nowMs: number): readonly HandshakeOutput[];
  protected abstract isWanted(identity: Identity): boolean;

  /** Said from `nowMs` on, with these gaps, until something else is said, or nothing. */
  protected repeat(
    what: readonly HandshakeOutput[],
    gapsMs: readonly number[],
    nowMs: number,
  ): void {
    this.#saying = new Repeat(what, gapsMs, nowMs);
  }

  /** The next step inside the channel. */
  protected say(what: readonly HandshakeOutput[], nowMs: number): readonly HandshakeOutput[] {
    this.repeat(what, SETUP_GAPS_MS, nowMs);
    return this.#saying?.due(nowMs) ?? [];
  }

  protected fail(why: HandshakeFailure): HandshakeOutput[] {
    this.end();
    return [{ type: 'failed', why, ...(this.peer && { peer: this.peer }) }];
  }

  /** Whole or not at all, so that after a forged message the real one can still come. */
  protected read({ step, noise }: NoiseMessage): void {
    if (noise.length !== NOISE_BYTES[step]) throw new DecodeError('a Noise message with a payload');
    this.noise.readMessage(noise);
  }

  protected sending(step: NoiseStep, noise: Uint8Array): HandshakeOutput {
    return { type: 'send', step, noise, peerIndex: this.peerIndex };
  }

  /** Noise is through: from here on there is a channel. */
  protected openChannel(nowMs: number): HandshakeOutput {
    this.#deadlineMs = nowMs + SETUP_TIMEOUT_MS;
    this.#lateness = 'timeout';
    const { send, receive } = this.noise.split();
    const [sendIndex, receiveIndex] = [this.peerIndex, this.options.indices.setup];
    const keys = { sendKey: send, receiveKey: receive, sendIndex, receiveIndex, sendsFirst: true };
    return { type: 'session', stage: 'setup', keys };
  }

  /** What the peer's CERT leads to. It has had everything that was said before. */
  protected identify(certificate: Uint8Array, nowMs: number): HandshakeOutput[] {
    this.#saying = undefined;
    const peer = this.#openCertificate(certificate, nowMs);
    if (peer === undefined) return this.fail('bad certificate');
    if (!this.isWanted(peer.identity)) return this.fail('wrong identity');
    this.peer = peer;
    return [{ type: 'judge', peer }];
  }

  /** The final keys, of both PQ messages, the secret of the KEM and all that Noise saw. */
  protected agree(theirs: PqMessage, shared: Uint8Array, nowMs: number): HandshakeOutput {
    const secret = concatBytes(shared, this.noise.handshakeHash);
    const first = new KeyChain(this.#role, this.noise.exportSecret('link keys'));
    const { chain, keys } = first.next(secret);
    first.wipe();
    shared.fill(0);
    secret.fill(0);
    this.#link = {
      chain,
      postQuantum: shared.length > 0,
      clockAheadS: theirs.unixS - this.unixS(nowMs),
    };
    const indices = { sendIndex: theirs.index, receiveIndex: this.options.indices.final };
    const sendsFirst = this.#role === 'initiator';
    return { type: 'session', stage: 'open', keys: { ...keys, ...indices, sendsFirst } };
  }

  /** Once it may be used. */
  protected opened(): HandshakeOutput {
    return { type: 'open', peer: present(this.peer), ...present(this.#link) };
  }

  protected unixS(nowMs: number): number {
    return Math.floor((nowMs + this.#wallOffsetMs) / 1000);
  }

  #openCertificate(encoded: Uint8Array, nowMs: number): NodeDescriptor | undefined {
    const { networkId, allowPrivate } = this.options;
    const wallMs = nowMs + this.#wallOffsetMs;
    try {
      const descriptor = openDescriptor(encoded, { networkId, allowPrivate, wallMs });
      return equalBytes(descriptor.linkDh, this.noise.remoteStatic) ? descriptor : undefined;
    } catch (error) {
      if (error instanceof DecodeError) return undefined;
      throw error;
    }
  }
}

export function drop(why: string): HandshakeOutput {
  return { type: 'drop', why };
}

export function control(type: ControlType, data: Uint8Array): HandshakeOutput {
  return { type: 'control', message: { type, data } };
}

/** What the course of a handshake guarantees to be there by now. */
function present<T>(value: T | undefined): T {
  if (value === undefined) throw new RangeError('the handshake is not that far');
  return value;
}

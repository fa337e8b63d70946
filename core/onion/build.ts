// Builds one tunnel, hop by hop (protocol 3.3, "Steps"): CREATE to the first over its link, then an EXTEND through the
// circuit for each further one. Every answer is checked against the hostkey that was asked for. Whole handshake messages
// are repeated when no answer comes; hops answer repetitions with what they answered before.

import { DecodeError } from '../bytes/index.ts';
import { COMMAND } from '../link/index.ts';
import { randomBetween } from '../runtime/index.ts';
import { controlCells, decodeRefusal, REASON, type Refusal } from './control-cells.ts';
import { encodeExtend } from './extend.ts';
import {
  type CreateProof,
  createChallenge,
  HopInitiator,
  type HopParameters,
  SEED_ID_BYTES,
} from './hop.ts';
import { encodeInner, INNER, type InnerMessage, InnerReceiver } from './inner.ts';
import type { Peer } from './peer.ts';
import type { CircuitCommand, CircuitId } from './plane-port.ts';
import type { OnionTiming } from './timing.ts';

/** More than this no honest hop asks for (protocol 3.3, "Admission"). */
export const PROOF_BITS_MAX = 22;

export interface BuildOptions {
  readonly parameters: HopParameters;
  readonly timing: OnionTiming;
  readonly circuit: CircuitId;
  readonly link: number;
  readonly circId: number;
  readonly round: number;
  /** What the first hop is told; each further one is told one less. */
  readonly budget: number;
  /** First hop to endpoint. */
  readonly path: readonly Peer[];
}

export type BuildOutput =
  | { readonly type: 'plane'; readonly command: CircuitCommand }
  | { readonly type: 'built' }
  /** The hop is loaded: it wants so many bits of work over `challenge`, and then another try (`onProof`). */
  | { readonly type: 'proof wanted'; readonly challenge: Uint8Array; readonly bits: number }
  /** `hop` counts from 0: the one that did not answer, or answered wrongly. */
  | { readonly type: 'failed'; readonly hop: number };

export interface Now {
  readonly nowMs: number;
  readonly wallMs: number;
}

export class TunnelBuild {
  readonly #options: BuildOptions;
  readonly #inner = new InnerReceiver();
  #hop = 0;
  #handshake: HopInitiator | undefined;
  #tries = 0;
  #proofWanted: Refusal | undefined;
  #proof: CreateProof | undefined;
  #isFirstCreate = true;
  #deadlineMs: number;
  #messageId = 0;
  #isOver = false;

  constructor(options: BuildOptions, { nowMs }: Now) {
    this.#options = options;
    this.#deadlineMs = nowMs;
  }

  get hops(): number {
    return this.#hop;
  }

  nextDeadlineMs(): number {
    return this.#isOver ? Number.POSITIVE_INFINITY : this.#deadlineMs;
  }

  /** A timer ran out: begin with the next hop, repeat its message, or give it up. */
  onTimer(now: Now): BuildOutput[] {
    if (this.#isOver || now.nowMs < this.#deadlineMs) return [];
    if (this.#handshake === undefined) return this.#begin(now);
    const waits = this.#options.timing.handshakeWaitsMs;
    return this.#tries < waits.length ? this.#send(now) : this.#fail();
  }

  /** CREATED came from the first hop. */
  onCreated(payload: Uint8Array, now: Now): BuildOutput[] {
    return this.#hop === 0 ? this.#finish(payload, now) : [];
  }

  /** An inner message of the newest hop: EXTENDED or EXTEND_FAIL are for us. */
  onInner(plaintext: Uint8Array, now: Now): BuildOutput[] {
    const message = this.#receive(plaintext, now);
    if (this.#hop === 0 || message === undefined) return [];
    if (message.type === INNER.extended) return this.#finish(message.data, now);
    return message.type === INNER.extendFail ? this.onRefused(message.data) : [];
  }

  /** The hop we are talking to says no: DESTROY of the first, EXTEND_FAIL of a further one. */
  onRefused(body: Uint8Array): BuildOutput[] {
    if (this.#isOver || this.#handshake === undefined) return [];
    const why = readRefusal(body);
    const hop = this.#options.path[this.#hop];
    const mayWork = why?.reason === REASON.proofRequired && why.powBits <= PROOF_BITS_MAX;
    if (!mayWork || hop === undefined || this.#proofWanted !== undefined) return this.#fail();
    this.#proofWanted = why;
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    const challenge = createChallenge(hop.identity, why.powSeed, this.#handshake.noise);
    return [{ type: 'proof wanted', challenge, bits: why.powBits }];
  }

  onProof(nonce: Uint8Array, now: Now): BuildOutput[] {
    const wanted = this.#proofWanted;
    if (this.#isOver || wanted === undefined) return [];
    this.#tries = 0;
    const seedId = wanted.powSeed.subarray(0, SEED_ID_BYTES);
    this.#proof = { bits: wanted.powBits, nonce, seedId };
    return this.#send(now);
  }

  /** The circuit's link is gone. */
  onLost(): BuildOutput[] {
    return this.#isOver ? [] : this.#fail();
  }

  #receive(plaintext: Uint8Array, { nowMs }: Now): InnerMessage | undefined {
    try {
      return this.#inner.receive(plaintext, nowMs);
    } catch (error) {
      if (error instanceof DecodeError) return undefined;
      throw error;
    }
  }

  #begin(now: Now): BuildOutput[] {
    const { parameters, path, round, budget } = this.#options;
    const hop = path[this.#hop];
    if (hop === undefined) throw new RangeError(`a path of ${path.length} hops`);
    const options = { hop: hop.publicKey, round, budget: budget - this.#hop };
    this.#handshake = new HopInitiator(parameters, options);
    this.#tries = 0;
    this.#proofWanted = undefined;
    this.#proof = undefined;
    return this.#send(now);
  }

  #send({ nowMs }: Now): BuildOutput[] {
    const create = this.#handshake?.create(this.#proof) ?? new Uint8Array();
    this.#deadlineMs = nowMs + (this.#options.timing.handshakeWaitsMs[this.#tries] ?? 0);
    this.#tries++;
    return [{ type: 'plane', command: this.#command(create) }];
  }

  #command(create: Uint8Array): CircuitCommand {
    const { circuit, link, circId, path, parameters } = this.#options;
    if (this.#hop === 0) {
      const cells = controlCells(parameters.rng, circId, COMMAND.create, create);
      if (!this.#isFirstCreate) return { type: 'send cells', circuit, side: 'next', cells };
      this.#isFirstCreate = false;
      return { type: 'add own', circuit, link, circId, cells };
    }
    const { address, identity } = path[this.#hop] as Peer;
    const extend = encodeExtend({ address, identity, create });
    this.#messageId = (this.#messageId + 1) % 2 ** 16;
    const messages = encodeInner(INNER.extend, extend, this.#messageId);
    return { type: 'send inner', circuit, queue: 'control', messages };
  }

  #finish(created: Uint8Array, now: Now): BuildOutput[] {
    const secret = this.#secret(created, now);
    if (secret === undefined) return [];
    this.#handshake = undefined;
    this.#hop++;
    const { circuit, path, timing, parameters } = this.#options;
    const added = { type: 'plane', command: { type: 'add hop', circuit, secret } } as const;
    if (this.#hop < path.length) {
      this.#deadlineMs = now.nowMs + randomBetween(parameters.rng, 0, timing.extendGapMaxMs);
      return [added];
    }
    this.#isOver = true;
    return [added, { type: 'built' }];
  }

  /** A forged answer is ignored: the real one may still come, or the time runs out. */
  #secret(created: Uint8Array, { wallMs }: Now): Uint8Array | undefined {
    try {
      return this.#handshake?.finish(created, wallMs);
    } catch (error) {
      if (error instanceof DecodeError) return undefined;
      throw error;
    }
  }

  #fail(): BuildOutput[] {
    this.#isOver = true;
    this.#handshake?.wipe();
    this.#handshake = undefined;
    return [{ type: 'failed', hop: this.#hop }];
  }
}

function readRefusal(body: Uint8Array): Refusal | undefined {
  try {
    return decodeRefusal(body);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

// Builds one tunnel, hop by hop (protocol 3.3, "Steps"): CREATE to the first over its link, then an EXTEND through the
// circuit for each further one. Every answer is checked against the hostkey that was asked for. Whole handshake messages
// are repeated when no answer comes; hops answer repetitions with what they answered before. What is false or makes no
// sense is ignored: the real answer may still come, or the time runs out.
//
// Not here: the choice of the path, the link to the first hop, and what to do when a build has failed.

import { equalBytes } from '../bytes/index.ts';
import { COMMAND } from '../link/index.ts';
import { randomBetween } from '../runtime/index.ts';
import {
  controlCells,
  decodeRefusal,
  REASON,
  REFUSAL_BYTES,
  type Refusal,
} from './control-cells.ts';
import { decoded } from './decoded.ts';
import { encodeExtend } from './extend.ts';
import {
  BUDGET_MAX,
  type CreateProof,
  createChallenge,
  HopInitiator,
  type HopParameters,
  resumeToken,
  SEED_ID_BYTES,
} from './hop.ts';
import { encodeInner, INNER, InnerReceiver } from './inner.ts';
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
  /** What the first hop is told, and no less than the path is long; each further one is told one less. */
  readonly budget: number;
  /** First hop to endpoint. */
  readonly path: readonly Peer[];
}

export type BuildOutput =
  | { readonly type: 'plane'; readonly command: CircuitCommand }
  /** `resumeToken` names the tunnel to its endpoint later. */
  | { readonly type: 'built'; readonly resumeToken: Uint8Array }
  /** The hop is loaded: it wants so many bits of work over `challenge`, and then another try (`onProof`). */
  | { readonly type: 'proof wanted'; readonly challenge: Uint8Array; readonly bits: number }
  /** `hop` counts from 0: the one that did not answer, or answered wrongly. */
  | { readonly type: 'failed'; readonly hop: number };

export interface Now {
  readonly nowMs: number;
  readonly wallMs: number;
}

/** The handshake with the hop that is to be added. */
interface Asking {
  readonly hop: Peer;
  readonly handshake: HopInitiator;
  /** For what the hop before it says: every hop numbers its messages by itself. */
  readonly inner: InnerReceiver;
  /** With this proof, or without one. */
  tries: number;
  wanted: Refusal | undefined;
  proof: CreateProof | undefined;
}

export class TunnelBuild {
  readonly #options: BuildOptions;
  #hops = 0;
  #asking: Asking | undefined;
  #deadlineMs: number;
  #isOver = false;
  #isOnPlane = false;
  #messageId = 0;

  constructor(options: BuildOptions, { nowMs }: Now) {
    const { path, budget } = options;
    if (path.length < 1 || budget < path.length || budget > BUDGET_MAX) {
      throw new RangeError(`${path.length} hops with a budget of ${budget}`);
    }
    this.#options = options;
    this.#deadlineMs = nowMs;
  }

  /** How many have been added. */
  get hops(): number {
    return this.#hops;
  }

  nextDeadlineMs(): number {
    return this.#isOver ? Number.POSITIVE_INFINITY : this.#deadlineMs;
  }

  /** A timer ran out: begin with the next hop, repeat its message, or give it up. */
  onTimer(now: Now): BuildOutput[] {
    if (this.#isOver || now.nowMs < this.#deadlineMs) return [];
    if (this.#asking === undefined) return this.#begin(now);
    const mayRepeat = this.#asking.tries < this.#options.timing.handshakeWaitsMs.length;
    return mayRepeat ? this.#send(this.#asking, now) : this.#fail(this.#hops);
  }

  /** CREATED came from the first hop. */
  onCreated(payload: Uint8Array, now: Now): BuildOutput[] {
    return this.#hops === 0 ? this.#answered(payload, now) : [];
  }

  /** An inner message of the newest hop: EXTENDED or EXTEND_FAIL are for us. */
  onInner(plaintext: Uint8Array, now: Now): BuildOutput[] {
    const message = decoded(() => this.#asking?.inner.receive(plaintext, now.nowMs));
    if (this.#hops === 0 || message === undefined) return [];
    if (message.type === INNER.extended) return this.#answered(message.data, now);
    const isRefusal = message.type === INNER.extendFail && message.data.length === REFUSAL_BYTES;
    return isRefusal ? this.#refused(message.data) : [];
  }

  /** DESTROY came: the first hop does not want us, or all that was built is gone. */
  onRefused(body: Uint8Array): BuildOutput[] {
    if (this.#isOver) return [];
    return this.#hops === 0 ? this.#refused(body) : this.#fail(this.#hops);
  }

  /** The work that was wanted is done. */
  onProof(nonce: Uint8Array, now: Now): BuildOutput[] {
    const asking = this.#asking;
    if (asking?.wanted === undefined || asking.proof !== undefined) return [];
    const { powBits: bits, powSeed } = asking.wanted;
    asking.proof = { bits, nonce, seedId: powSeed.subarray(0, SEED_ID_BYTES) };
    asking.tries = 0;
    this.#messageId++;
    return this.#send(asking, now);
  }

  /** The circuit's link is gone, and the first hop with it. */
  onLost(): BuildOutput[] {
    return this.#isOver ? [] : this.#fail(0);
  }

  #begin(now: Now): BuildOutput[] {
    const { parameters, path, round, budget } = this.#options;
    const hop = path[this.#hops];
    if (hop === undefined) throw new RangeError('all hops are there');
    const asked = { hop: hop.publicKey, round, budget: budget - this.#hops };
    this.#asking = {
      hop,
      handshake: new HopInitiator(parameters, asked),
      inner: new InnerReceiver(),
      tries: 0,
      wanted: undefined,
      proof: undefined,
    };
    this.#messageId++;
    return this.#send(this.#asking, now);
  }

  #send(asking: Asking, { nowMs }: Now): BuildOutput[] {
    this.#deadlineMs = nowMs + (this.#options.timing.handshakeWaitsMs[asking.tries] ?? 0);
    asking.tries++;
    const create = asking.handshake.create(asking.proof);
    const command =
      this.#hops === 0 ? this.#createCommand(create) : this.#extendCommand(asking.hop, create);
    return [{ type: 'plane', command }];
  }

  #createCommand(create: Uint8Array): CircuitCommand {
    const { circuit, link, circId } = this.#options;
    const cells = controlCells(circId, COMMAND.create, create);
    if (this.#isOnPlane) return { type: 'send cells', circuit, side: 'next', cells };
    this.#isOnPlane = true;
    return { type: 'add own', circuit, link, circId, cells };
  }

  /** Repetitions have the same message id: pieces of one complete the other. */
  #extendCommand({ address, identity }: Peer, create: Uint8Array): CircuitCommand {
    const extend = encodeExtend({ address, identity, create });
    const messages = encodeInner(INNER.extend, extend, this.#messageId);
    return { type: 'send inner', circuit: this.#options.circuit, queue: 'control', messages };
  }

  #answered(created: Uint8Array, { nowMs, wallMs }: Now): BuildOutput[] {
    const secret = decoded(() => this.#asking?.handshake.finish(created, wallMs));
    if (secret === undefined) return [];
    const { circuit, path, timing, parameters } = this.#options;
    this.#asking = undefined;
    this.#hops++;
    const added = { type: 'plane', command: { type: 'add hop', circuit, secret } } as const;
    this.#isOver = this.#hops === path.length;
    if (this.#isOver) return [added, { type: 'built', resumeToken: resumeToken(secret) }];
    this.#deadlineMs = nowMs + randomBetween(parameters.rng, 0, timing.extendGapMaxMs);
    return [added];
  }

  /** The hop being asked says no; it may mean: not without work. */
  #refused(body: Uint8Array): BuildOutput[] {
    const asking = this.#asking;
    const why = decoded(() => decodeRefusal(body));
    if (asking === undefined || why === undefined) return [];
    const mayWork = why.reason === REASON.proofRequired && why.powBits <= PROOF_BITS_MAX;
    if (!mayWork) return this.#fail(this.#hops);
    if (asking.wanted !== undefined) return isLate(asking, why) ? [] : this.#fail(this.#hops);
    asking.wanted = why;
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    const challenge = createChallenge(asking.hop.identity, why.powSeed, asking.handshake.noise);
    return [{ type: 'proof wanted', challenge, bits: why.powBits }];
  }

  #fail(hop: number): BuildOutput[] {
    this.#isOver = true;
    this.#asking?.handshake.wipe();
    this.#asking = undefined;
    return [{ type: 'failed', hop }];
  }
}

/** Whether this answers a repetition that had no proof yet, and not the proof. */
function isLate({ wanted, proof }: Asking, { powBits, powSeed }: Refusal): boolean {
  if (wanted === undefined || proof === undefined) return true;
  return powBits <= proof.bits && equalBytes(powSeed, wanted.powSeed);
}

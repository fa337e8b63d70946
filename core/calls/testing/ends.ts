// Two people, the two ends of a call between them, and the network in between: for tests.

import { toHex } from '../../bytes/index.ts';
import {
  type CryptoProvider,
  chooseProvider,
  type PowTask,
  powZeroBits,
} from '../../crypto/index.ts';
import { type TestHostkeyName, testHostkey } from '../../identity/testing/keys.ts';
import { randomUnit, SeededRng } from '../../runtime/index.ts';
import { Call } from '../call.ts';
import type { CallCommand, CallInput, CallOptions, CallOutput } from '../call-port.ts';
import type { CallState } from '../call-table.ts';
import type { CallEnd } from '../end.ts';
import { type Assembled, Assembly, decodePiece, isPiece } from '../frame.ts';
import { type AnswerState, OFFER_LENGTHS, type OwnKeys, type Peer } from '../handshake.ts';

export const PROVIDER = chooseProvider();
export const NETWORK_ID = new Uint8Array(16).fill(9);
export const ROUND = 1000;
export const SLOT_MS = 20;
export const CALL_ID = Uint8Array.from({ length: 16 }, (_, i) => i);
export const PSK = new Uint8Array(32).fill(5);
export const HINT = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]);

const people = new Map<TestHostkeyName, OwnKeys>();

/** The same keys at every call. */
export function person(name: TestHostkeyName): OwnKeys {
  let found = people.get(name);
  if (found === undefined) {
    const contactKey = PROVIDER.x25519KeyPair(new SeededRng(name.charCodeAt(0)));
    found = { hostkey: testHostkey(name), contactKey };
    people.set(name, found);
  }
  return found;
}

export type Kind = 'card' | 'hostkey';

/** How somebody else knows this person. */
export function peerOf({ hostkey, contactKey }: OwnKeys, kind: Kind = 'card'): Peer {
  const { identity, publicKey } = hostkey;
  const keys =
    kind === 'card'
      ? ({ kind, contactDh: contactKey.publicKey, psk: PSK } as const)
      : ({ kind, publicKey } as const);
  return { identity, hint: HINT, round: ROUND, keys };
}

export function handshakeOptions(own: OwnKeys, seed: number, provider: CryptoProvider = PROVIDER) {
  return { provider, rng: new SeededRng(seed), networkId: NETWORK_ID, own, capabilities: 0 };
}

export function callOptions(own: OwnKeys, peer: Peer, seed: number, nowMs = 0): CallOptions {
  const card = new Uint8Array(1193).fill(seed);
  return { ...handshakeOptions(own, seed), peer, round: ROUND, card, nowMs };
}

const solved = new Map<string, Uint8Array>();

/** Without a thread; about a second, once for each task. */
export function solve(task: PowTask): Uint8Array {
  const key = toHex(task.challenge);
  const nonce = solved.get(key) ?? search(task);
  solved.set(key, nonce);
  return nonce;
}

function search({ challenge, bits }: PowTask): Uint8Array {
  const tried = new Uint8Array(challenge.length + 8);
  tried.set(challenge);
  const view = new DataView(tried.buffer);
  for (let i = 0; ; i++) {
    view.setUint32(challenge.length, i);
    if (powZeroBits('fast', tried) >= bits) return tried.slice(challenge.length);
  }
}

/** The OFFER in a caller's first frames. */
export function offerOf(call: Call): Assembled {
  const assembly = new Assembly(OFFER_LENGTHS);
  for (let i = 0; i < 8; i++) {
    const frame = call.pull(0);
    const offer = frame && isPiece(frame) ? assembly.push(decodePiece(frame)) : undefined;
    if (offer) return offer;
  }
  throw new Error('no offer');
}

/** One end with all it said. */
export class End {
  call: Call;
  readonly outputs: CallOutput[] = [];
  linked = true;

  constructor(call: Call) {
    this.call = call;
  }

  get state(): CallState {
    return this.call.state;
  }

  get end(): CallEnd | undefined {
    return this.of('ended')[0]?.end;
  }

  of<T extends CallOutput['type']>(type: T): Extract<CallOutput, { type: T }>[] {
    return this.outputs.filter(
      (output): output is Extract<CallOutput, { type: T }> => output.type === type,
    );
  }

  handle(input: CallInput, nowMs: number): void {
    this.outputs.push(...this.call.handle(input, nowMs));
  }
}

export interface Loss {
  readonly loss: number;
  readonly duplicates: number;
  /** Frames take this long and up to as much longer, so they overtake each other. */
  readonly delayMs: number;
  readonly jitterMs: number;
}

export const CLEAN: Loss = { loss: 0, duplicates: 0, delayMs: 60, jitterMs: 0 };
/** Attack 27. */
export const AWFUL: Loss = { loss: 0.3, duplicates: 0.1, delayMs: 100, jitterMs: 120 };

export interface LineOptions {
  readonly kind?: Kind;
  readonly network?: Loss;
  readonly seed?: number;
  readonly state?: AnswerState;
}

/** alice calls bob; bob's end begins when her OFFER is whole. */
export class Line {
  readonly caller: End;
  callee: End | undefined;
  network: Loss;
  nowMs = 0;
  /** What bob calls himself towards her OFFER. */
  readonly state: AnswerState;
  readonly #kind: Kind;
  readonly #dice: SeededRng;
  readonly #assembly = new Assembly(OFFER_LENGTHS);
  #flying: { readonly atMs: number; readonly toCaller: boolean; readonly frame: Uint8Array }[] = [];

  constructor({ kind = 'card', network = CLEAN, seed = 1, state = 'ringing' }: LineOptions = {}) {
    this.network = network;
    this.#kind = kind;
    this.#dice = new SeededRng(seed);
    this.state = state;
    const options = callOptions(person('alice'), peerOf(person('bob'), kind), 2 * seed);
    this.caller = new End(Call.offer(options, CALL_ID));
    const { task } = this.caller.call;
    if (task) this.caller.handle({ type: 'work done', nonce: solve(task) }, 0);
    this.#seed = seed;
  }

  readonly #seed: number;

  get ends(): End[] {
    return this.callee ? [this.caller, this.callee] : [this.caller];
  }

  get bob(): End {
    if (this.callee === undefined) throw new Error('not called yet');
    return this.callee;
  }

  /** Slots go by until `done`, or for that long. */
  run(ms: number, done: () => boolean = () => false): this {
    const endMs = this.nowMs + ms;
    while (this.nowMs < endMs && !done()) this.slot();
    return this;
  }

  slot(): void {
    this.nowMs += SLOT_MS;
    for (const end of this.ends) {
      if (end.call.nextDeadlineMs() <= this.nowMs) end.handle({ type: 'tick' }, this.nowMs);
      const frame = end.call.pull(this.nowMs);
      if (frame && end.linked) this.#send(frame, end === this.callee);
    }
    const due = this.#flying.filter(({ atMs }) => atMs <= this.nowMs);
    this.#flying = this.#flying.filter(({ atMs }) => atMs > this.nowMs);
    for (const { toCaller, frame } of due.sort((a, b) => a.atMs - b.atMs))
      this.#arrive(frame, toCaller);
  }

  /** Until both talk. */
  answered(): this {
    this.run(30_000, () => this.callee?.state === 'incoming');
    this.command(this.bob, 'answer');
    return this.run(15_000, () => this.ends.every(({ state }) => state === 'active'));
  }

  command(end: End, event: CallCommand): void {
    end.handle({ type: 'event', event }, this.nowMs);
  }

  #send(frame: Uint8Array, toCaller: boolean): void {
    const { loss, duplicates, delayMs, jitterMs } = this.network;
    const copies = randomUnit(this.#dice) < duplicates ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const atMs = this.nowMs + delayMs + randomUnit(this.#dice) * jitterMs;
      if (randomUnit(this.#dice) >= loss) this.#flying.push({ atMs, toCaller, frame });
    }
  }

  #arrive(frame: Uint8Array, toCaller: boolean): void {
    const end = toCaller ? this.caller : this.callee;
    if (end) {
      if (end.linked) end.handle({ type: 'frame', frame }, this.nowMs);
      return;
    }
    const offer = isPiece(frame) ? this.#assembly.push(decodePiece(frame)) : undefined;
    if (offer) this.#ring(offer);
  }

  #ring(offer: Assembled): void {
    const peer = peerOf(person('alice'), this.#kind);
    const options = callOptions(person('bob'), peer, 2 * this.#seed + 1, this.nowMs);
    this.callee = new End(Call.answer(options, offer, this.state));
    // calls.ts decides; here everybody may ring.
    const { callee } = this;
    const handle = callee.handle.bind(callee);
    callee.handle = (input, nowMs) => {
      const before = callee.of('proven').length;
      handle(input, nowMs);
      if (callee.of('proven').length > before) handle({ type: 'event', event: 'proven' }, nowMs);
    };
  }
}

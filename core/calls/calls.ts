// All calls of one identity (protocol 10.2): one that is talked in, up to four that wait, and the tunnels they come through.
// Decides what no single call can: whose OFFER a tunnel brings and whether anybody is to hear of it, glare, busy, which call
// a tunnel that is new belongs to, and that answering one call holds the other.
//
// A tunnel (or a leg of one) is a number that whoever owns tunnels gives it. A stranger's tunnel that says nothing we know
// gets silence: no frame, no Diffie-Hellman, no event. Tunnels are not opened or closed here.

import { DecodeError, equalBytes } from '../bytes/index.ts';
import { identityKey } from '../identity/index.ts';
import { randomBytes } from '../runtime/index.ts';
import { Call } from './call.ts';
import type { CallCommand, CallInput, CallOutput } from './call-port.ts';
import { isAlive, isBusy, isOffer } from './call-table.ts';
import type { CallNumber, CallsInput, CallsOptions, CallsOutput, LegNumber } from './calls-port.ts';
import { type Assembled, Assembly, CALL_ID_BYTES, decodePiece, isPiece } from './frame.ts';
import { type AnswerState, hintOf, OFFER_LENGTHS, type Peer } from './handshake.ts';
import { Offers } from './offers.ts';

/** Protocol 10.2. */
export const WAITING_MAX = 4;
/** With those that end, and those whose hostkey is not proven yet: a guess. */
const CALLS_MAX = 16;
/** One friend who dials and gives up all the time leaves room for the others: a guess. */
const CALLS_PER_PEER_MAX = 3;
/** RDV_LEGS of protocol 3.6, for two tunnels at a switch of rounds. The oldest that say nothing of use make room. */
export const LEGS_MAX = 16;

interface Entry {
  readonly call: Call;
  readonly number: CallNumber;
  /** The user knows of it. */
  isShown: boolean;
}

interface Leg {
  readonly assembly: Assembly;
  entry: Entry | undefined;
}

export class Calls {
  readonly #options: CallsOptions;
  /** At most CALLS_MAX. */
  readonly #entries = new Map<CallNumber, Entry>();
  /** At most LEGS_MAX. */
  readonly #legs = new Map<LegNumber, Leg>();
  readonly #offers = new Offers();
  #round: number;
  #nextNumber = 1;
  #outputs: CallsOutput[] = [];

  constructor(options: CallsOptions) {
    this.#options = options;
    this.#round = options.round;
  }

  handle(input: CallsInput, nowMs: number): readonly CallsOutput[] {
    this.#outputs = [];
    this.#onInput(input, nowMs);
    return this.#outputs;
  }

  nextDeadlineMs(): number {
    return Math.min(...this.#all.map(({ call }) => call.nextDeadlineMs()));
  }

  /** This slot's frame of a call, for every leg it has. */
  pull(number: CallNumber, nowMs: number): Uint8Array | undefined {
    return this.#entries.get(number)?.call.pull(nowMs);
  }

  /** Through which a call's frames go just now: several around a switch of rounds. */
  legsOf(number: CallNumber): LegNumber[] {
    return [...this.#legs].filter(([, { entry }]) => entry?.number === number).map(([leg]) => leg);
  }

  get calls(): readonly { readonly number: CallNumber; readonly call: Call }[] {
    return [...this.#entries.values()];
  }

  #onInput(input: CallsInput, nowMs: number): void {
    switch (input.type) {
      case 'tick':
        for (const entry of this.#all) {
          if (entry.call.nextDeadlineMs() <= nowMs) this.#feed(entry, { type: 'tick' }, nowMs);
        }
        return;
      case 'round':
        this.#round = input.round;
        for (const entry of this.#all) this.#feed(entry, input, nowMs);
        return;
      case 'dial':
        this.#dial(input.peer, nowMs);
        return;
      case 'command':
        this.#onCommand(input.call, input.event, nowMs);
        return;
      case 'call': {
        const entry = this.#entries.get(input.call);
        if (entry) this.#feed(entry, input.input, nowMs);
        return;
      }
      case 'leg up':
        this.#onLegUp(input.leg, input.call, nowMs);
        return;
      case 'leg down':
        this.#onLegDown(input.leg, nowMs);
        return;
      case 'frame':
        this.#onFrame(input.leg, input.frame, nowMs);
    }
  }

  get #all(): Entry[] {
    return [...this.#entries.values()];
  }

  /** Calls somebody; or answers, if he is calling already. One call with the same person at a time. */
  #dial(peer: Peer, nowMs: number): void {
    const same = this.#all.filter(({ call }) => isSame(call.peer, peer) && isAlive(call.state));
    const incoming = same.find(({ call, isShown }) => call.state === 'incoming' && isShown);
    if (incoming) {
      this.#onCommand(incoming.number, 'answer', nowMs);
      return;
    }
    const isEngaged = this.#all.some(({ call }) => isBusy(call.state));
    if (isEngaged || same.some(({ call }) => call.state !== 'proving') || this.#isFull) {
      this.#outputs.push({ type: 'not dialled', peer });
      return;
    }
    const callId = randomBytes(this.#options.rng, CALL_ID_BYTES);
    const call = Call.offer(this.#callOptions(peer, nowMs), callId);
    const entry = this.#add(call, true);
    const { number } = entry;
    this.#outputs.push(
      { type: 'dialled', call: number, peer },
      { type: 'connect', call: number, peer },
    );
    const { task } = call;
    if (task) this.#emit(entry, { type: 'work', task });
  }

  /** Answering, or taking a call off hold, puts the others that are talked in on hold. */
  #onCommand(number: CallNumber, event: CallCommand, nowMs: number): void {
    const entry = this.#entries.get(number);
    if (entry === undefined || !entry.isShown) return;
    if (event === 'answer' || event === 'resume') this.#holdOthers(entry, nowMs);
    this.#command(entry, event, nowMs);
  }

  #holdOthers(kept: Entry, nowMs: number): void {
    for (const entry of this.#all) {
      if (entry === kept) continue;
      this.#command(entry, 'hold', nowMs);
      if (isOffer(entry.call.state)) this.#command(entry, 'hang up', nowMs);
    }
  }

  #onLegUp(leg: LegNumber, number: CallNumber | undefined, nowMs: number): void {
    const idle = [...this.#legs].find(([, { entry }]) => entry === undefined)?.[0];
    if (this.#legs.size >= LEGS_MAX && idle !== undefined) this.#legs.delete(idle);
    if (this.#legs.size >= LEGS_MAX) return;
    const entry = number === undefined ? undefined : this.#entries.get(number);
    this.#legs.set(leg, { assembly: new Assembly(OFFER_LENGTHS), entry });
    if (entry) this.#feed(entry, { type: 'linked' }, nowMs);
  }

  #onLegDown(number: LegNumber, nowMs: number): void {
    const entry = this.#legs.get(number)?.entry;
    this.#legs.delete(number);
    if (entry && this.legsOf(entry.number).length === 0) {
      this.#feed(entry, { type: 'unlinked' }, nowMs);
    }
  }

  #onFrame(number: LegNumber, frame: Uint8Array, nowMs: number): void {
    const leg = this.#legs.get(number);
    if (leg === undefined) return;
    const { entry } = leg;
    // A tunnel that came in can bring the next call when its last one is ending.
    const isNext = entry === undefined || (!entry.call.isOurs && !isAlive(entry.call.state));
    if (isNext && isPiece(frame)) this.#onPiece(leg, frame, nowMs);
    else if (entry) this.#feed(entry, { type: 'frame', frame }, nowMs);
    else this.#adopt(leg, frame, nowMs);
  }

  /** A call that lost its tunnel goes on in this one. */
  #adopt(leg: Leg, frame: Uint8Array, nowMs: number): void {
    const entry = this.#all.find(({ call }) => call.made(frame));
    if (entry === undefined) return;
    leg.entry = entry;
    this.#feed(entry, { type: 'linked' }, nowMs);
    this.#feed(entry, { type: 'frame', frame }, nowMs);
  }

  #onPiece(leg: Leg, frame: Uint8Array, nowMs: number): void {
    try {
      const offer = leg.assembly.push(decodePiece(frame));
      if (offer) this.#onOffer(leg, offer, nowMs);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#outputs.push({ type: 'drop', why: error.message });
    }
  }

  #onOffer(leg: Leg, offer: Assembled, nowMs: number): void {
    const known = this.#all.find(
      ({ call }) => !call.isOurs && equalBytes(call.callId, offer.callId),
    );
    if (known && isAlive(known.call.state)) {
      leg.entry = known; // Over another tunnel, because the first one broke.
      return;
    }
    if (this.#offers.has(offer.callId)) throw new DecodeError('an offer was repeated');
    const peer = this.#options.peerByHint(hintOf(offer));
    if (peer === undefined) throw new DecodeError('an offer of nobody we know');
    const glare = this.#offerTo(peer);
    if (glare && this.#isSmaller(peer)) {
      this.#offers.add(offer.callId);
      throw new DecodeError('our own offer stays');
    }
    const sameCount = this.#all.filter(({ call }) => isSame(call.peer, peer)).length;
    if (this.#isFull || sameCount >= CALLS_PER_PEER_MAX) throw new DecodeError('too many calls');
    const answer = glare ? 'ringing' : this.#answerFor(undefined);
    const entry = this.#add(Call.answer(this.#callOptions(peer, nowMs), offer, answer), false);
    this.#offers.add(offer.callId);
    leg.entry = entry;
    if (peer.keys.kind === 'card') this.#present(entry, nowMs);
  }

  /** The caller is believed: rings, waits, is refused, or answered at once because both called. */
  #present(entry: Entry, nowMs: number): void {
    const { call, number } = entry;
    const glare = this.#offerTo(call.peer);
    if (glare && this.#isSmaller(call.peer)) {
      this.#command(entry, 'give way', nowMs);
      return;
    }
    this.#command(entry, 'proven', nowMs);
    const answer = this.#answerFor(entry);
    if (glare) {
      entry.isShown = true;
      this.#outputs.push({ type: 'replaced', call: glare.number, by: number });
      this.#command(glare, 'give way', nowMs);
      this.#command(entry, 'answer', nowMs);
    } else if (answer === 'busy') this.#command(entry, 'refuse as busy', nowMs);
    else if (answer === 'pending') this.#command(entry, 'refuse as unavailable', nowMs);
    else {
      entry.isShown = true;
      this.#outputs.push({ type: 'incoming', call: number, peer: call.peer });
      this.#feed(entry, { type: 'waiting', isWaiting: answer === 'waiting' }, nowMs);
    }
  }

  /** What somebody who calls now is told. `besides`: himself, who does not count. */
  #answerFor(besides: Entry | undefined): AnswerState {
    const others = this.#all.filter((entry) => entry !== besides && entry.isShown);
    const waiting = others.filter(({ call }) => call.state === 'incoming').length;
    if (waiting >= WAITING_MAX) return 'busy';
    if (!others.some(({ call }) => isBusy(call.state))) return 'ringing';
    // Who is refused anyway is not told of a call in which we are.
    return this.#options.whenBusy === 'waiting' ? 'waiting' : 'pending';
  }

  #offerTo(peer: Peer): Entry | undefined {
    return this.#all.find(({ call }) => isSame(call.peer, peer) && isOffer(call.state));
  }

  /** Whether our identity is the smaller one: then our offer stays. */
  #isSmaller({ identity }: Peer): boolean {
    return identityKey(this.#options.own.hostkey.identity) < identityKey(identity);
  }

  get #isFull(): boolean {
    return this.#entries.size >= CALLS_MAX;
  }

  #callOptions(peer: Peer, nowMs: number) {
    const { provider, rng, networkId, own, capabilities, card } = this.#options;
    return {
      provider,
      rng,
      networkId,
      own,
      capabilities,
      card: card(),
      peer,
      round: this.#round,
      nowMs,
    };
  }

  #add(call: Call, isShown: boolean): Entry {
    const number = this.#nextNumber++ as CallNumber;
    const entry = { call, number, isShown };
    this.#entries.set(number, entry);
    return entry;
  }

  #command(entry: Entry, event: CallCommand, nowMs: number): void {
    this.#feed(entry, { type: 'event', event }, nowMs);
  }

  #feed(entry: Entry, input: CallInput, nowMs: number): void {
    for (const output of entry.call.handle(input, nowMs)) {
      if (output.type === 'proven') this.#present(entry, nowMs);
      else this.#emit(entry, output);
    }
    if (entry.call.state === 'over') this.#forget(entry);
    this.#unwait(nowMs);
  }

  /** Who waits rings as soon as nobody is talked to. */
  #unwait(nowMs: number): void {
    if (this.#all.some(({ call }) => isBusy(call.state))) return;
    for (const entry of this.#all) {
      if (!entry.call.isWaiting || entry.call.isOurs || entry.call.state !== 'incoming') continue;
      this.#feed(entry, { type: 'waiting', isWaiting: false }, nowMs);
    }
  }

  #emit({ number, isShown }: Entry, output: CallOutput): void {
    if (!isShown && output.type !== 'drop') return;
    if (output.type === 'reconnect') {
      const peer = this.#entries.get(number)?.call.peer;
      if (peer) this.#outputs.push({ type: 'connect', call: number, peer });
    } else this.#outputs.push({ type: 'call', call: number, output });
  }

  #forget(entry: Entry): void {
    if (!this.#entries.delete(entry.number)) return;
    for (const leg of this.#legs.values()) if (leg.entry === entry) leg.entry = undefined;
  }
}

function isSame(a: Peer, b: Peer): boolean {
  return equalBytes(a.identity, b.identity);
}

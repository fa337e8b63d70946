// One call (protocol 10): opening, sealing, signalling, the table and the media put together. Pure: frames of 480 bytes in
// by `handle`, one out per slot by `pull`. Which tunnels they go through, several at once around a switch of rounds, is not
// known here (calls.ts): what arrives twice is taken once.
//
// `pull` gives a frame in every slot until the call is over. Voice flows while it is `active` and the peer is proven.

import { DecodeError, equalBytes } from '../bytes/index.ts';
import type { PowTask } from '../crypto/index.ts';
import type { CallInput, CallOptions, CallOutput } from './call-port.ts';
import {
  type CallEvent,
  CallPlace,
  type CallState,
  eventOf,
  listens,
  messageOf,
  SILENCE_MS,
  STATE_TIMEOUT_MS,
} from './call-table.ts';
import { CardExchange } from './cards.ts';
import { Channel } from './channel.ts';
import type { ControlMessage, Part } from './control.ts';
import type { EndReason } from './end.ts';
import { type Assembled, FIELDS_BYTES, FRAME_BYTES, fieldBytes, isPiece } from './frame.ts';
import type { AnswerState, Peer } from './handshake.ts';
import { AUDIO_BYTES_MAX } from './media-wire.ts';
import { CalleeOpening, CallerOpening, type Opening, type OpeningMessage } from './opening.ts';
import type { KeyChain } from './sealing.ts';
import { type Heard, Voice } from './voice.ts';

/** An OFFER between cards rings at once; if nothing confirms it, it was repeated by somebody else. A guess. */
export const CONFIRM_MS = 5000;
/** Kept free of signalling: for a report and a frame of voice without copies (media-wire.ts). */
const VOICE_BYTES = 12 + AUDIO_BYTES_MAX + 25;

export class Call {
  readonly #opening: Opening;
  readonly #place: CallPlace;
  readonly #channel: Channel;
  readonly #voice: Voice;
  #round: number;
  /** Something sealed has come, so the peer has the keys. */
  #isHeard = false;
  #isWaiting = false;
  #isConfirmed = false;
  #heardMs: number;
  #stateEndsMs: number;
  #confirmByMs = Number.POSITIVE_INFINITY;
  readonly #cards: CardExchange;
  #outputs: CallOutput[] = [];

  private constructor(options: CallOptions, opening: Opening, state: CallState) {
    const { provider, rng, peer, round, nowMs } = options;
    this.#opening = opening;
    this.#place = new CallPlace(state);
    this.#channel = new Channel({ provider, rng, firstRound: peer.round });
    this.#voice = new Voice(nowMs);
    this.#cards = new CardExchange(peer.keys.kind === 'hostkey' ? options.card : undefined);
    this.#round = round;
    this.#heardMs = nowMs;
    this.#stateEndsMs = nowMs + STATE_TIMEOUT_MS[state];
  }

  static offer(options: CallOptions, callId: Uint8Array): Call {
    return new Call(options, new CallerOpening(options, options.peer, callId), 'offered');
  }

  /** `state`: what a caller with a card is told at once. DecodeError: the OFFER is not of this peer. */
  static answer(options: CallOptions, offer: Assembled, state: AnswerState): Call {
    const opening = new CalleeOpening(options, options.peer, offer, state);
    const isCard = options.peer.keys.kind === 'card';
    const call = new Call(options, opening, isCard ? 'incoming' : 'proving');
    call.#isWaiting = state === 'waiting';
    call.#start(opening.agreed.chain, options.nowMs);
    return call;
  }

  get callId(): Uint8Array {
    return this.#opening.callId;
  }

  get peer(): Peer {
    return this.#opening.peer;
  }

  get state(): CallState {
    return this.#place.state;
  }

  get isOurs(): boolean {
    return this.#opening instanceof CallerOpening;
  }

  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** Of the keys we send with. */
  get epoch(): number {
    return this.#channel.epoch;
  }

  /** The work to be done before anything can be sent, if there is any. */
  get task(): PowTask | undefined {
    return this.#opening instanceof CallerOpening ? this.#opening.task : undefined;
  }

  handle(input: CallInput, nowMs: number): readonly CallOutput[] {
    this.#outputs = [];
    this.#onTime(nowMs);
    if (this.state !== 'over') this.#onInput(input, nowMs);
    return this.#outputs;
  }

  nextDeadlineMs(): number {
    if (this.state === 'over') return Number.POSITIVE_INFINITY;
    const own = Math.min(this.#stateEndsMs, this.#confirmByMs);
    if (!listens(this.state)) return own;
    return Math.min(own, this.#heardMs + SILENCE_MS, this.#channel.stuckMs());
  }

  /** This slot's frame; undefined before the proof of work is done, and after the end. */
  pull(nowMs: number): Uint8Array | undefined {
    if (this.state === 'over') return undefined;
    const isSealed = this.#channel.isOpen && (this.isOurs || this.#isHeard);
    if (!isSealed) return this.#opening.nextFrame();
    const fields = this.#channel.control(nowMs, FIELDS_BYTES - VOICE_BYTES);
    const room = FIELDS_BYTES - fields.reduce((sum, field) => sum + fieldBytes(field), 0);
    if (this.#talks) fields.push(...this.#voice.fields(nowMs, room));
    return this.#channel.seal(fields);
  }

  /** Whether the peer of this call made the frame: for one that comes through a new tunnel. */
  made(frame: Uint8Array): boolean {
    return frame.length === FRAME_BYTES && this.#channel.isAuthentic(frame);
  }

  /** Voice flows. */
  get #talks(): boolean {
    return this.state === 'active' && this.#isConfirmed;
  }

  #onTime(nowMs: number): void {
    if (nowMs >= this.#confirmByMs) this.#step('fault', nowMs);
    if (listens(this.state)) {
      const isSilent = nowMs >= this.#heardMs + SILENCE_MS;
      if (isSilent || this.#channel.isStuck(nowMs)) this.#step('silence', nowMs);
    }
    if (nowMs >= this.#stateEndsMs) this.#step('timeout', nowMs);
  }

  #onInput(input: CallInput, nowMs: number): void {
    switch (input.type) {
      case 'tick':
        return;
      case 'frame':
        this.#onFrame(input.frame, nowMs);
        return;
      case 'event':
        this.#step(input.event, nowMs);
        return;
      case 'linked':
        this.#onLinked();
        return;
      case 'unlinked':
        this.#onUnlinked(nowMs);
        return;
      case 'round':
        this.#round = input.round;
        this.#channel.onRound(input.round);
        return;
      case 'work done':
        if (this.#opening instanceof CallerOpening) this.#opening.onWork(input.nonce);
        return;
      case 'audio':
        if (this.#talks) this.#voice.push(input.bytes);
        return;
      case 'buffer':
        this.#voice.bufferMs = input.bufferMs;
        return;
      case 'waiting':
        this.#onWaiting(input.isWaiting);
        return;
      case 'next meeting point':
        this.#channel.send(input);
    }
  }

  #onLinked(): void {
    if (this.state !== 'reconnecting') return;
    this.#channel.restart();
    const { callId, epoch } = this;
    this.#channel.send({ type: 'session resume', callId, epoch });
  }

  #onUnlinked(nowMs: number): void {
    const wants = this.state === 'offered' || this.state === 'reconnecting';
    this.#step('lost', nowMs);
    if (wants) this.#reconnect();
  }

  #reconnect(): void {
    if (this.isOurs) this.#outputs.push({ type: 'reconnect' });
  }

  /** Our own doing, for a caller who does not know it yet. */
  #onWaiting(isWaiting: boolean): void {
    if (this.state !== 'incoming' || isWaiting === this.#isWaiting) return;
    this.#channel.send({ type: isWaiting ? 'waiting' : 'ringing' });
    this.#showWaiting(isWaiting);
  }

  #showWaiting(isWaiting: boolean): void {
    if (isWaiting === this.#isWaiting) return;
    this.#isWaiting = isWaiting;
    this.#outputs.push({ type: 'state', state: this.state, isWaiting });
  }

  #onFrame(frame: Uint8Array, nowMs: number): void {
    try {
      if (frame.length !== FRAME_BYTES) throw new DecodeError('a frame of another size');
      if (isPiece(frame)) this.#onPiece(frame, nowMs);
      else this.#onSealed(frame, nowMs);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#outputs.push({ type: 'drop', why: error.message });
    }
  }

  #onPiece(frame: Uint8Array, nowMs: number): void {
    const agreed = this.#opening.onPiece(frame);
    if (agreed === undefined) return;
    this.#heardMs = nowMs;
    this.#start(agreed.chain, nowMs);
    this.#confirm();
    if (agreed.state !== 'pending') this.#onEvent(`got ${agreed.state}`, nowMs);
  }

  #start(chain: KeyChain, nowMs: number): void {
    const isCard = this.peer.keys.kind === 'card';
    this.#confirmByMs = nowMs + (isCard ? CONFIRM_MS : STATE_TIMEOUT_MS.proving);
    for (const message of this.#opening.first()) this.#channel.send(message);
    this.#channel.start(chain, this.#round);
  }

  #onSealed(frame: Uint8Array, nowMs: number): void {
    const fields = this.#channel.open(frame, nowMs);
    this.#isHeard = true;
    this.#heardMs = nowMs;
    this.#step('heard', nowMs);
    for (const { name, data } of fields) {
      if (name === 'control') {
        for (const message of this.#channel.receive(data, nowMs)) this.#onMessage(message, nowMs);
      } else if (this.#talks) this.#onVoice(this.#voice.receive(name, data, nowMs));
    }
  }

  #onVoice(heard: Heard): void {
    if (heard.type === 'report') {
      if (heard.rttMs !== undefined) this.#channel.learnRtt(heard.rttMs);
      this.#outputs.push({ ...heard, rttMs: this.#channel.rttMs });
    } else if (heard.frames.length > 0) this.#outputs.push(heard);
  }

  #onMessage(message: ControlMessage, nowMs: number): void {
    switch (message.type) {
      case 'confirm':
        this.#onProof(message, nowMs);
        return;
      case 'part':
        if (message.of === 'proof') this.#onProof(message, nowMs);
        else this.#onCard(message);
        return;
      case 'next meeting point':
        this.#outputs.push({ type: 'next meeting point', point: message.point });
        return;
      case 'session resume':
        if (!equalBytes(message.callId, this.callId)) this.#step('fault', nowMs);
        return;
      default:
        this.#onEvent(eventOf(message), nowMs, 'reason' in message ? message.reason : undefined);
    }
  }

  #onEvent(event: CallEvent | undefined, nowMs: number, told?: EndReason): void {
    if (event === undefined) return;
    if (this.isOurs && event === 'got ringing') this.#showWaiting(false);
    if (this.isOurs && event === 'got waiting') this.#showWaiting(true);
    this.#step(event, nowMs, told);
  }

  /** A peer that is not who it should be ends the call: nobody else can have sealed this. */
  #onProof(message: OpeningMessage, nowMs: number): void {
    try {
      for (const answer of this.#opening.onMessage(message)) this.#channel.send(answer);
      this.#confirm();
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#step('fault', nowMs);
    }
  }

  #confirm(): void {
    const { sas } = this.#opening;
    if (this.#isConfirmed || sas === undefined) return;
    this.#isConfirmed = true;
    this.#confirmByMs = Number.POSITIVE_INFINITY;
    this.#outputs.push({ type: 'confirmed', sas, capabilities: this.#opening.capabilities });
    if (this.state === 'proving') this.#outputs.push({ type: 'proven' });
    this.#giveCard();
  }

  /** Once the peer is proven and the call answered, whichever is later. */
  #giveCard(): void {
    if (!this.#talks) return;
    for (const part of this.#cards.give()) this.#channel.send(part);
  }

  #onCard(part: Part): void {
    if (!this.#isConfirmed) throw new DecodeError('a card of nobody');
    const card = this.#cards.take(part);
    if (card) this.#outputs.push({ type: 'card', card });
  }

  #step(event: CallEvent, nowMs: number, told?: EndReason): void {
    const before = this.state;
    const step = this.#place.on(event, told);
    if (step === undefined) return;
    if (step.say) this.#channel.send(messageOf(step.say));
    if (step.state !== before) this.#enter(step.state, nowMs);
    if (step.end) this.#outputs.push({ type: 'ended', end: step.end });
  }

  #enter(state: CallState, nowMs: number): void {
    this.#stateEndsMs = nowMs + STATE_TIMEOUT_MS[state];
    this.#outputs.push({ type: 'state', state, isWaiting: this.#isWaiting });
    if (state !== 'active') this.#voice.pause();
    else this.#giveCard();
    if (state === 'ending') this.#confirmByMs = Number.POSITIVE_INFINITY;
    if (state === 'reconnecting') {
      this.#channel.restart();
      this.#reconnect();
    }
    if (state === 'over') {
      this.#channel.wipe();
      this.#opening.wipe();
    }
  }
}

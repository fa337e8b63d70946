// A channel to one node over a stream (protocol 4, "Transport"): the link's handshake (core/link) with the purpose gossip,
// then sealed messages. A machine: it takes what the stream brings and says what is to be written.
//
//   caller                          called
//   WHO         -------------->                  only if the caller has an address and no identity: bootstrappers
//               <--------------     ME           32 bytes each
//   INIT        -------------->                  filled up with zeros to the length of RESP
//               <--------------     RESP         up to here frames of: kind u8 | Noise message
//   FIN         -------------->                  from here on records (records.ts)
//               <--------------     CERT
//   CERT PQ_EK  -------------->                  messages of: sub u8, as LINK_CTRL's | data
//               <--------------     PQ_CT
//   (empty)     -------------->                  the first record under the final keys
//
// A stream loses nothing, so each step is said once, and what the machines of the link would repeat is left out. For the
// same reason it is always known under which keys the next record is.

import { concatBytes, DecodeError, Reader } from '../bytes/index.ts';
import { CipherState } from '../crypto/index.ts';
import {
  IDENTITY_BYTES,
  type Identity,
  type NodeDescriptor,
  toIdentity,
} from '../identity/index.ts';
import {
  type ControlType,
  type Handshake,
  type HandshakeFailure,
  type HandshakeInput,
  type HandshakeOptions,
  type HandshakeOutput,
  Initiator,
  NOISE_BYTES,
  type NoiseStep,
  Responder,
  type TrafficKeys,
} from '../link/index.ts';
import {
  encodeFrame,
  FrameReader,
  isRecordLength,
  MessageReader,
  openRecord,
  sealRecords,
} from './records.ts';

/** Of the first frames, before there is any handshake, as protocol 3.1 has it for streams. */
const PREFACE_MS = 3000;

const WHO = 1;
const ME = 2;
const NOISE: Readonly<Record<NoiseStep, number>> = { init: 3, resp: 4, fin: 5 };
const NOISE_FRAME_MAX = 1 + Math.max(...Object.values(NOISE_BYTES));
/** WHO is as long as its answer. */
const IDENTITY_FRAME_BYTES = 1 + IDENTITY_BYTES;

/** In the order of their sub numbers, which start at 1 (core/link/control.ts). */
const CONTROL: readonly ControlType[] = ['cert', 'pq ek', 'pq ct'];
/** CERT is the longest. */
const CONTROL_MAX = 1 + 1536;

/** 'malformed': before anybody was anybody; 'forged': not by who has the keys. */
export type ChannelFailure = HandshakeFailure | 'malformed' | 'forged';

export type ChannelOutput =
  | { readonly type: 'write'; readonly bytes: Uint8Array }
  /** To be answered by `judged`. */
  | { readonly type: 'judge'; readonly peer: NodeDescriptor }
  /** Messages can be sealed from now on. */
  | { readonly type: 'open'; readonly peer: NodeDescriptor; readonly clockAheadS: number }
  | { readonly type: 'message'; readonly bytes: Uint8Array }
  /** The stream is to be closed. `peer` is known once its certificate was right. */
  | { readonly type: 'failed'; readonly why: ChannelFailure; readonly peer?: NodeDescriptor };

export type Verdict = (HandshakeInput & { readonly type: 'verdict' })['verdict'];

export interface ChannelOptions {
  readonly handshake: HandshakeOptions;
  /** Of an open channel. */
  readonly messageBytesMax: number;
}

/** 'called': we wait to be called. */
export type ChannelRole =
  | { readonly type: 'called' }
  | { readonly type: 'caller'; readonly wanted: Identity | undefined };

export class Channel {
  readonly #options: ChannelOptions;
  readonly #role: ChannelRole;
  readonly #frames = new FrameReader();
  readonly #prefaceEndsMs: number;
  #handshake: Handshake | undefined;
  #hasSaidMe = false;
  #peer: NodeDescriptor | undefined;
  #messages = new MessageReader(CONTROL_MAX);
  #send: CipherState | undefined;
  #receive: CipherState | undefined;
  /** To send with, once the other side has shown that it has it. */
  #nextSend: CipherState | undefined;
  /** The keys that are used now are the final ones. */
  #isFinal = false;
  #isConfirmed = false;
  #isOpen = false;
  #isOver = false;

  constructor(role: ChannelRole, options: ChannelOptions) {
    this.#options = options;
    this.#role = role;
    this.#prefaceEndsMs = options.handshake.nowMs + PREFACE_MS;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** What to say first. */
  start(nowMs: number): readonly ChannelOutput[] {
    if (this.#role.type === 'called') return [];
    if (this.#role.wanted === undefined) return [writeFrame(WHO, new Uint8Array(IDENTITY_BYTES))];
    return this.#call(this.#role.wanted, nowMs);
  }

  onData(bytes: Uint8Array, nowMs: number): readonly ChannelOutput[] {
    this.#frames.put(bytes);
    return this.#guarded((outputs) => {
      while (!this.#isOver) {
        const frame = this.#frames.next((length) => this.#isLength(length));
        if (frame === undefined) break;
        outputs.push(...this.#onFrame(frame, nowMs));
      }
    });
  }

  onTick(nowMs: number): readonly ChannelOutput[] {
    if (this.#isOver) return [];
    if (this.#handshake === undefined) {
      return nowMs >= this.#prefaceEndsMs ? [this.#fail('timeout')] : [];
    }
    return this.#tell({ type: 'tick' }, nowMs).filter(({ type }) => type === 'failed');
  }

  nextDeadlineMs(): number {
    if (this.#isOver) return Number.POSITIVE_INFINITY;
    return this.#handshake?.nextDeadlineMs() ?? this.#prefaceEndsMs;
  }

  judged(verdict: Verdict, nowMs: number): readonly ChannelOutput[] {
    return this.#guarded((outputs) => {
      outputs.push(...this.#tell({ type: 'verdict', verdict }, nowMs));
    });
  }

  /** Frames to be written. Only while the channel is open. */
  seal(messages: readonly Uint8Array[]): readonly Uint8Array[] {
    if (!this.#isOpen || this.#send === undefined) throw new RangeError('no open channel');
    return sealRecords(this.#send, messages);
  }

  /** Wipes its keys. */
  end(): void {
    this.#isOver = true;
    this.#isOpen = false;
    this.#handshake?.end();
    for (const cipher of [this.#send, this.#receive, this.#nextSend]) cipher?.wipe();
  }

  /** A DecodeError ends the channel; what was to be done before it is done. */
  #guarded(act: (outputs: ChannelOutput[]) => void): readonly ChannelOutput[] {
    const outputs: ChannelOutput[] = [];
    if (this.#isOver) return outputs;
    try {
      act(outputs);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      outputs.push(this.#fail(this.#receive === undefined ? 'malformed' : 'violation'));
    }
    return outputs;
  }

  #isLength(length: number): boolean {
    if (this.#receive !== undefined) return isRecordLength(length);
    return length >= 1 && length <= NOISE_FRAME_MAX;
  }

  #onFrame(frame: Uint8Array, nowMs: number): readonly ChannelOutput[] {
    if (this.#receive !== undefined) return this.#onRecord(frame, this.#receive, nowMs);
    const [kind] = frame;
    if (kind === WHO || kind === ME) return this.#onIdentityFrame(frame, nowMs);
    const [step] = (['init', 'resp', 'fin'] as const).filter((one) => NOISE[one] === kind);
    if (step === undefined) throw new DecodeError('an unknown frame');
    return this.#onNoise(step, step === 'init' ? unfilled(frame) : frame.subarray(1), nowMs);
  }

  #onIdentityFrame(frame: Uint8Array, nowMs: number): readonly ChannelOutput[] {
    const isCalled = this.#role.type === 'called';
    const isEarly = this.#handshake === undefined && !this.#hasSaidMe;
    if (frame.length !== IDENTITY_FRAME_BYTES || !isEarly || (frame[0] === WHO) !== isCalled) {
      throw new DecodeError('a WHO or ME out of place');
    }
    if (!isCalled) return this.#call(toIdentity(frame.slice(1)), nowMs);
    this.#hasSaidMe = true;
    return [writeFrame(ME, this.#options.handshake.self.identity)];
  }

  #call(wanted: Identity, nowMs: number): readonly ChannelOutput[] {
    this.#handshake = new Initiator(wanted, { ...this.#options.handshake, nowMs });
    return this.#tell({ type: 'tick' }, nowMs);
  }

  #onNoise(step: NoiseStep, noise: Uint8Array, nowMs: number): readonly ChannelOutput[] {
    const message = { type: 'noise', step, noise, senderIndex: 0 } as const;
    if (step === 'init' && this.#role.type === 'called' && this.#handshake === undefined) {
      this.#handshake = new Responder(message, { ...this.#options.handshake, nowMs });
    }
    if (this.#handshake === undefined) throw new DecodeError('a handshake that nobody began');
    return this.#tell(message, nowMs);
  }

  #onRecord(body: Uint8Array, cipher: CipherState, nowMs: number): readonly ChannelOutput[] {
    const content = openRecord(cipher, body);
    if (content === undefined) return [this.#fail('forged')];
    const outputs: ChannelOutput[] = [];
    if (this.#isFinal && !this.#isConfirmed) outputs.push(...this.#confirm(nowMs));
    for (const message of this.#messages.push(content)) {
      if (this.#receive !== cipher) throw new DecodeError('a message under keys of before');
      if (this.#isOpen) outputs.push({ type: 'message', bytes: message });
      else outputs.push(...this.#onControl(message, nowMs));
    }
    return outputs;
  }

  /** The other side has the final keys. */
  #confirm(nowMs: number): readonly ChannelOutput[] {
    this.#isConfirmed = true;
    if (this.#nextSend !== undefined) this.#sendWith(this.#nextSend);
    return this.#tell({ type: 'confirmed' }, nowMs);
  }

  #onControl(message: Uint8Array, nowMs: number): readonly ChannelOutput[] {
    const type = CONTROL[(message[0] ?? 0) - 1];
    if (type === undefined || this.#isFinal) throw new DecodeError('no step of a handshake');
    return this.#tell({ type: 'control', message: { type, data: message.subarray(1) } }, nowMs);
  }

  #tell(input: HandshakeInput, nowMs: number): ChannelOutput[] {
    const outputs = this.#handshake?.handle(input, nowMs) ?? [];
    return outputs.flatMap((output) => this.#onHandshake(output));
  }

  #onHandshake(output: HandshakeOutput): ChannelOutput[] {
    switch (output.type) {
      case 'send':
        return [writeFrame(NOISE[output.step], filled(output))];
      case 'control':
        return this.#sealControl(output.message.type, output.message.data);
      case 'session':
        this.#install(output.keys, output.stage === 'open');
        return [];
      case 'judge':
        this.#peer = output.peer;
        return [output];
      case 'open':
        this.#isOpen = true;
        return [{ type: 'open', peer: output.peer, clockAheadS: output.clockAheadS }];
      case 'failed':
        this.end();
        return [output];
      case 'drop':
        throw new DecodeError(output.why);
    }
  }

  /** The link's PING says that we have the final keys; any record does. */
  #sealControl(type: ControlType, data: Uint8Array): ChannelOutput[] {
    if (this.#send === undefined) throw new RangeError('no keys yet');
    const sub = CONTROL.indexOf(type) + 1;
    const messages = sub === 0 ? [] : [concatBytes(Uint8Array.of(sub), data)];
    return sealRecords(this.#send, messages).map((bytes) => ({ type: 'write', bytes }));
  }

  #install(keys: TrafficKeys, isFinal: boolean): void {
    const { provider } = this.#options.handshake;
    if (this.#messages.isMidMessage) throw new DecodeError('a message under two keys');
    const send = new CipherState(provider, keys.sendKey);
    this.#receive?.wipe();
    this.#receive = new CipherState(provider, keys.receiveKey);
    if (keys.sendsFirst) this.#sendWith(send);
    else this.#nextSend = send;
    if (isFinal) this.#messages = new MessageReader(this.#options.messageBytesMax);
    this.#isFinal = isFinal;
  }

  #sendWith(cipher: CipherState): void {
    this.#send?.wipe();
    this.#send = cipher;
  }

  #fail(why: ChannelFailure): ChannelOutput {
    this.end();
    return { type: 'failed', why, ...(this.#peer && { peer: this.#peer }) };
  }
}

/** INIT as long as RESP: nobody is answered with more than he sent before he has shown a key. */
function filled({ step, noise }: { readonly step: NoiseStep; readonly noise: Uint8Array }) {
  const zeros = step === 'init' ? NOISE_BYTES.resp - noise.length : 0;
  return concatBytes(noise, new Uint8Array(zeros));
}

function unfilled(frame: Uint8Array): Uint8Array {
  const reader = new Reader(frame.subarray(1));
  const noise = reader.view(NOISE_BYTES.init);
  reader.zeros(NOISE_BYTES.resp - NOISE_BYTES.init);
  reader.expectEnd();
  return noise;
}

function writeFrame(kind: number, content: Uint8Array): ChannelOutput {
  return { type: 'write', bytes: encodeFrame(concatBytes(Uint8Array.of(kind), content)) };
}

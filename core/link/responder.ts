// The side of a handshake that is called (protocol 3.1; the course is in handshake.ts). Until FIN it sends one packet
// for one and costs one answer's cryptography, however often it is asked.

import { DecodeError, equalBytes } from '../bytes/index.ts';
import type { Identity } from '../identity/index.ts';
import type { ControlMessage } from './control.ts';
import {
  control,
  drop,
  Handshake,
  type HandshakeOptions,
  type HandshakeOutput,
  type NoiseMessage,
  type StepInput,
} from './handshake.ts';
import { decodePqEk, encodePq } from './pq.ts';

export class Responder extends Handshake {
  readonly #init: Uint8Array;
  readonly #resp: HandshakeOutput;
  #hasChannel = false;
  /** The initiator's PQ_EK, while its certificate is being looked at and after. */
  #pqEk: Uint8Array | undefined;
  #isWelcome = false;
  #hasAnswered = false;

  /** `handle` the INIT then, too. DecodeError when there is no answering it. */
  constructor(init: NoiseMessage, options: HandshakeOptions) {
    super('responder', options.self.identity, options);
    this.read(init);
    this.peerIndex = init.senderIndex;
    this.#init = new Uint8Array(init.noise);
    this.#resp = this.sending('resp', this.noise.writeMessage());
  }

  protected step(input: StepInput, nowMs: number): readonly HandshakeOutput[] {
    switch (input.type) {
      case 'noise':
        return this.#onNoise(input, nowMs);
      case 'control':
        return this.#onControl(input.message, nowMs);
      case 'verdict':
        if (this.peer === undefined || this.#isWelcome) return [];
        if (input.verdict !== 'welcome') return this.fail(input.verdict);
        this.#isWelcome = true;
        return this.#answerPqEk(nowMs);
      case 'confirmed':
        if (!this.#hasAnswered) return [];
        this.end();
        return [this.opened()];
    }
  }

  protected isWanted(identity: Identity): boolean {
    return !equalBytes(identity, this.options.self.identity);
  }

  #onNoise(message: NoiseMessage, nowMs: number): readonly HandshakeOutput[] {
    const { step, noise } = message;
    if (step === 'init' && equalBytes(noise, this.#init)) return [this.#resp];
    if (step !== 'fin' || this.#hasChannel) return [drop('not the next message')];
    this.read(message);
    this.#hasChannel = true;
    const cert = control('cert', this.options.self.certificate);
    return [this.openChannel(nowMs), ...this.say([cert], nowMs)];
  }

  #onControl({ type, data }: ControlMessage, nowMs: number): readonly HandshakeOutput[] {
    switch (type) {
      case 'cert':
        return this.peer === undefined ? this.identify(data, nowMs) : [];
      case 'pq ek':
        if (this.#pqEk !== undefined) {
          return equalBytes(this.#pqEk, data) ? [] : this.fail('violation');
        }
        this.#pqEk = data;
        return this.#answerPqEk(nowMs);
      case 'close':
        return this.fail('closed');
      default:
        return this.fail('violation');
    }
  }

  #answerPqEk(nowMs: number): readonly HandshakeOutput[] {
    if (this.#pqEk === undefined || !this.#isWelcome) return [];
    const { provider, rng, pqRequired, indices } = this.options;
    const pqEk = decodePqEk(this.#pqEk);
    if (pqEk.kem === undefined && pqRequired) return this.fail('no post-quantum');
    const made = pqEk.kem && provider.kemEncapsulate(rng, pqEk.kem);
    if (pqEk.kem && made === undefined) throw new DecodeError('a malformed KEM public key');
    this.#hasAnswered = true;
    const pqCt = { index: indices.final, unixS: this.unixS(nowMs), kem: made?.ciphertext };
    const session = this.agree(pqEk, made?.shared ?? new Uint8Array(), nowMs);
    return [session, ...this.say([control('pq ct', encodePq(pqCt))], nowMs)];
  }
}

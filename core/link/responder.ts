// The side of a handshake that is called (protocol 3.1; the course is in handshake.ts). It only ever answers, with one
// packet for one until FIN, and what it is asked again from a cache: a repeated question costs no cryptography.

import { DecodeError, equalBytes } from '../bytes/index.ts';
import type { Identity } from '../identity/index.ts';
import type { ControlMessage } from './control.ts';
import {
  control,
  drop,
  Handshake,
  type HandshakeInput,
  type HandshakeOptions,
  type HandshakeOutput,
  type NoiseMessage,
  SETUP_SENDS_MAX,
} from './handshake.ts';
import { decodePqEk, encodePq } from './pq.ts';
import { Reply } from './repeat.ts';

export class Responder extends Handshake {
  /** INIT costs its sender as much as RESP costs us, so it is answered as often as it comes. */
  readonly #resp: Reply<HandshakeOutput>;
  #cert: Reply<HandshakeOutput> | undefined;
  #pqCt: Reply<HandshakeOutput> | undefined;
  /** The peer's, while its certificate is being looked at. */
  #pqEk: Uint8Array | undefined;
  #isWelcome = false;

  /** `handle` the INIT then, too. DecodeError when there is no answering it. */
  constructor(init: NoiseMessage, options: HandshakeOptions) {
    super('responder', options.self.identity, options);
    this.read(init);
    this.peerIndex = init.senderIndex;
    const resp = this.noise.writeMessage();
    this.#resp = new Reply(init.noise, [this.sending('resp', resp)], Number.POSITIVE_INFINITY);
  }

  protected step(input: HandshakeInput, nowMs: number): readonly HandshakeOutput[] {
    switch (input.type) {
      case 'tick':
        return [];
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
        return this.#onConfirmed();
    }
  }

  protected isWanted(identity: Identity): boolean {
    return !equalBytes(identity, this.options.self.identity);
  }

  protected nextSendMs(): number {
    return Number.POSITIVE_INFINITY;
  }

  protected wipe(): void {
    // The KEM's secret is mixed in at once, and Noise's are the base class's.
  }

  #onNoise(message: NoiseMessage, nowMs: number): readonly HandshakeOutput[] {
    const reply = message.step === 'init' ? this.#resp : this.#cert;
    if (reply?.isTo(message.noise)) return this.peer === undefined ? reply.give() : [];
    if (message.step !== 'fin' || this.#cert) return [drop('not the next message')];
    this.read(message);
    const cert = control('cert', this.options.self.certificate);
    this.#cert = new Reply(message.noise, [cert], SETUP_SENDS_MAX);
    return [this.openChannel(nowMs), ...this.#cert.give()];
  }

  #onControl({ type, data }: ControlMessage, nowMs: number): readonly HandshakeOutput[] {
    switch (type) {
      case 'cert':
        return this.peer === undefined ? this.identify(data, nowMs) : [];
      case 'pq ek':
        return this.#onPqEk(data, nowMs);
      case 'close':
        return this.fail('closed');
      default:
        return this.fail('violation');
    }
  }

  #onPqEk(data: Uint8Array, nowMs: number): readonly HandshakeOutput[] {
    if (this.#pqEk === undefined) {
      this.#pqEk = data;
      return this.#answerPqEk(nowMs);
    }
    if (!equalBytes(this.#pqEk, data)) return this.fail('violation');
    return this.#pqCt?.give() ?? [];
  }

  #answerPqEk(nowMs: number): readonly HandshakeOutput[] {
    if (this.#pqEk === undefined || !this.#isWelcome) return [];
    const { provider, rng, pqRequired, indices } = this.options;
    const pqEk = decodePqEk(this.#pqEk);
    if (pqEk.kem === undefined && pqRequired) return this.fail('no post-quantum');
    const made = pqEk.kem && provider.kemEncapsulate(rng, pqEk.kem);
    if (pqEk.kem && made === undefined) throw new DecodeError('a malformed KEM public key');
    const pqCt = { index: indices.final, unixS: this.unixS(nowMs), kem: made?.ciphertext };
    this.#pqCt = new Reply(this.#pqEk, [control('pq ct', encodePq(pqCt))], SETUP_SENDS_MAX);
    return [this.agree(pqEk, made?.shared ?? new Uint8Array(), nowMs), ...this.#pqCt.give()];
  }

  #onConfirmed(): readonly HandshakeOutput[] {
    if (this.#pqCt === undefined) return [];
    this.end();
    return [this.opened()];
  }
}

// The side of a handshake that knows whom it wants and moves it on (protocol 3.1; the course is in handshake.ts). It
// asks, asks again, and takes nothing but the next step's answer: what is early, late or forged leaves it as it is.

import { equalBytes } from '../bytes/index.ts';
import type { KeyPair } from '../crypto/index.ts';
import type { Identity } from '../identity/index.ts';
import { type ControlMessage, PING } from './control.ts';
import {
  control,
  drop,
  Handshake,
  type HandshakeInput,
  type HandshakeOptions,
  type HandshakeOutput,
  INIT_GAPS_MS,
  type NoiseMessage,
  SETUP_GAPS_MS,
} from './handshake.ts';
import { decodePqCt, encodePq, type PqMessage } from './pq.ts';
import { Repeat } from './repeat.ts';

/**
 * A RESP costs two Diffie-Hellmans before it proves to be forged, and whoever sees our INIT can forge it. He could as
 * well have stopped the INIT, so giving up after some loses nothing. A guess.
 */
const RESP_TRIES_MAX = 8;

const NOTHING = new Repeat<HandshakeOutput>([], [], Number.POSITIVE_INFINITY);

export class Initiator extends Handshake {
  readonly #wanted: Identity;
  /** What arrives next. */
  #awaits: 'resp' | 'cert' | 'verdict' | 'pq ct' | 'confirmation' = 'resp';
  #asking: Repeat<HandshakeOutput>;
  #respTries = 0;
  #kem: KeyPair | undefined;

  /** Sends INIT at the first tick. */
  constructor(wanted: Identity, options: HandshakeOptions) {
    super('initiator', wanted, options);
    this.#wanted = wanted;
    const init = this.sending('init', this.noise.writeMessage());
    this.#asking = new Repeat([init], INIT_GAPS_MS, options.nowMs);
  }

  protected step(input: HandshakeInput, nowMs: number): readonly HandshakeOutput[] {
    switch (input.type) {
      case 'tick':
        return this.#asking.due(nowMs);
      case 'noise':
        return this.#onNoise(input, nowMs);
      case 'control':
        return this.#onControl(input.message, nowMs);
      case 'verdict':
        if (this.#awaits !== 'verdict') return [];
        return input.verdict === 'welcome' ? this.#offer(nowMs) : this.fail(input.verdict);
      case 'confirmed':
        if (this.#awaits === 'confirmation') this.end();
        return [];
    }
  }

  protected isWanted(identity: Identity): boolean {
    return equalBytes(identity, this.#wanted);
  }

  protected nextSendMs(): number {
    return this.#asking.nextMs;
  }

  protected wipe(): void {
    this.#kem?.secretKey.fill(0);
  }

  #onNoise(message: NoiseMessage, nowMs: number): readonly HandshakeOutput[] {
    if (message.step !== 'resp' || this.#awaits !== 'resp') return [drop('not the next message')];
    if (this.#respTries++ === RESP_TRIES_MAX) return this.fail('no answer');
    this.read(message);
    this.#awaits = 'cert';
    this.peerIndex = message.senderIndex;
    const fin = this.sending('fin', this.noise.writeMessage());
    return [this.openChannel(nowMs), ...this.#ask([fin], nowMs)];
  }

  #onControl({ type, data }: ControlMessage, nowMs: number): readonly HandshakeOutput[] {
    switch (type) {
      case 'cert':
        return this.#awaits === 'cert' ? this.#onCertificate(data, nowMs) : [];
      case 'pq ct':
        return this.#awaits === 'pq ct' ? this.#onPqCt(data, nowMs) : [];
      case 'close':
        return this.fail('closed');
      default:
        return this.#awaits === 'confirmation' ? [] : this.fail('violation');
    }
  }

  #onCertificate(data: Uint8Array, nowMs: number): readonly HandshakeOutput[] {
    this.#awaits = 'verdict';
    this.#asking = NOTHING;
    return this.identify(data, nowMs);
  }

  #offer(nowMs: number): readonly HandshakeOutput[] {
    const { provider, rng, self, indices } = this.options;
    this.#kem = provider.kemKeyPair(rng);
    const pqEk = { index: indices.final, unixS: this.unixS(nowMs), kem: this.#kem.publicKey };
    this.#awaits = 'pq ct';
    return this.#ask([control('cert', self.certificate), control('pq ek', encodePq(pqEk))], nowMs);
  }

  #onPqCt(data: Uint8Array, nowMs: number): readonly HandshakeOutput[] {
    const pqCt = decodePqCt(data);
    const shared = this.#sharedSecret(pqCt);
    if (shared === undefined) return this.fail('no post-quantum');
    this.#awaits = 'confirmation';
    const session = this.agree(pqCt, shared, nowMs);
    return [session, this.opened(), ...this.#ask([control('ping', PING)], nowMs)];
  }

  /** Empty when the responder knows no ML-KEM and that is tolerated. */
  #sharedSecret({ kem }: PqMessage): Uint8Array | undefined {
    const { provider, pqRequired } = this.options;
    if (kem === undefined) return pqRequired ? undefined : new Uint8Array();
    return this.#kem && provider.kemDecapsulate(this.#kem.secretKey, kem);
  }

  #ask(question: readonly HandshakeOutput[], nowMs: number): readonly HandshakeOutput[] {
    this.#asking = new Repeat(question, SETUP_GAPS_MS, nowMs);
    return this.#asking.due(nowMs);
  }
}

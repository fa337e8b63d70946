// The side of a handshake that knows whom it wants (protocol 3.1; the course is in handshake.ts). It takes nothing but
// the next step's answer: what is early, late or forged leaves it as it is.

import { equalBytes } from '../bytes/index.ts';
import type { KeyPair } from '../crypto/index.ts';
import type { Identity } from '../identity/index.ts';
import { type ControlMessage, PING } from './control.ts';
import {
  control,
  drop,
  Handshake,
  type HandshakeOptions,
  type HandshakeOutput,
  INIT_GAPS_MS,
  type NoiseMessage,
  type StepInput,
} from './handshake.ts';
import { decodePqCt, encodePq, type PqMessage } from './pq.ts';

/**
 * A RESP costs two Diffie-Hellmans before it proves to be forged, and whoever sees our INIT can forge it. He could as
 * well have stopped the INIT, so giving up after some loses nothing. A guess.
 */
const RESP_TRIES_MAX = 8;

export class Initiator extends Handshake {
  readonly #wanted: Identity;
  /** What comes next. */
  #awaits: 'resp' | 'cert' | 'verdict' | 'pq ct' | 'confirmation' = 'resp';
  #respTries = 0;
  #kem: KeyPair | undefined;

  /** Says INIT at the first tick. */
  constructor(wanted: Identity, options: HandshakeOptions) {
    super('initiator', wanted, options);
    this.#wanted = wanted;
    this.repeat([this.sending('init', this.noise.writeMessage())], INIT_GAPS_MS, options.nowMs);
  }

  override end(): void {
    super.end();
    this.#kem?.secretKey.fill(0);
  }

  protected step(input: StepInput, nowMs: number): readonly HandshakeOutput[] {
    switch (input.type) {
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

  #onNoise(message: NoiseMessage, nowMs: number): readonly HandshakeOutput[] {
    if (message.step !== 'resp' || this.#awaits !== 'resp') return [drop('not the next message')];
    if (this.#respTries++ === RESP_TRIES_MAX) return this.fail('no answer');
    this.read(message);
    this.#awaits = 'cert';
    this.peerIndex = message.senderIndex;
    const fin = this.sending('fin', this.noise.writeMessage());
    return [this.openChannel(nowMs), ...this.say([fin], nowMs)];
  }

  #onControl({ type, data }: ControlMessage, nowMs: number): readonly HandshakeOutput[] {
    switch (type) {
      case 'cert':
        if (this.#awaits !== 'cert') return [];
        this.#awaits = 'verdict';
        return this.identify(data, nowMs);
      case 'pq ct':
        return this.#awaits === 'pq ct' ? this.#onPqCt(data, nowMs) : [];
      case 'close':
        return this.fail('closed');
      default:
        return this.#awaits === 'confirmation' ? [] : this.fail('violation');
    }
  }

  #offer(nowMs: number): readonly HandshakeOutput[] {
    const { provider, rng, self, indices } = this.options;
    this.#kem = provider.kemKeyPair(rng);
    this.#awaits = 'pq ct';
    const pqEk = { index: indices.final, unixS: this.unixS(nowMs), kem: this.#kem.publicKey };
    return this.say([control('cert', self.certificate), control('pq ek', encodePq(pqEk))], nowMs);
  }

  #onPqCt(data: Uint8Array, nowMs: number): readonly HandshakeOutput[] {
    const pqCt = decodePqCt(data);
    const shared = this.#sharedSecret(pqCt);
    if (shared === undefined) return this.fail('no post-quantum');
    this.#awaits = 'confirmation';
    const session = this.agree(pqCt, shared, nowMs);
    return [session, this.opened(), ...this.say([control('ping', PING)], nowMs)];
  }

  /** Empty when the responder knows no ML-KEM and that is tolerated. */
  #sharedSecret({ kem }: PqMessage): Uint8Array | undefined {
    const { provider, pqRequired } = this.options;
    if (kem === undefined) return pqRequired ? undefined : new Uint8Array();
    return this.#kem && provider.kemDecapsulate(this.#kem.secretKey, kem);
  }
}

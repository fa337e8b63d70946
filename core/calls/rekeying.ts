// New keys at every round switch (protocol 10.1, "Keys"): each side sends a fresh X25519 key in a KEY message, and who has
// both takes the key chain a step further. There is no role in it: when both begin at once that is the ordinary case, and
// when one begins the other answers with its own key. Epoch n belongs to round n after the call's first.
//
// The peer can open the new epoch when it has our KEY, which its acknowledgement tells, or when it sends in that epoch
// itself (sealing.ts); before that we go on sending in the old one. A KEY of an epoch that is no longer wanted is ignored.

import type { CryptoProvider, KeyPair } from '../crypto/index.ts';
import type { Rng } from '../runtime/index.ts';
import type { ControlMessage } from './control.ts';
import { EPOCH_MAX, type KeyChain, type Sealing } from './sealing.ts';

type KeyMessage = Extract<ControlMessage, { type: 'key' }>;

export interface RekeyingOptions {
  readonly provider: CryptoProvider;
  readonly rng: Rng;
  readonly sealing: Sealing;
  /** Taken over. */
  readonly chain: KeyChain;
  readonly firstRound: number;
  readonly send: (message: KeyMessage) => void;
}

export class Rekeying {
  readonly #options: RekeyingOptions;
  /** Ours for the next epoch, sent. */
  #own: KeyPair | undefined;
  /** The epoch our clock asks for. */
  #wanted = 0;

  constructor(options: RekeyingOptions) {
    this.#options = options;
    options.sealing.install(0, options.chain.keys);
  }

  onRound(round: number): void {
    this.#wanted = Math.min(round - this.#options.firstRound, EPOCH_MAX);
    this.#begin();
  }

  /** False for a key that leads nowhere: of small order, or of an epoch that is not the next. */
  onKey({ epoch, publicKey }: KeyMessage): boolean {
    const { provider, chain, sealing } = this.#options;
    if (epoch !== chain.epoch + 1 || epoch > EPOCH_MAX) return false;
    // He has the epoch before, or he would not ask for this one.
    sealing.sendIn(chain.epoch);
    const own = this.#own ?? this.#sendKey();
    const shared = provider.x25519(own.secretKey, publicKey);
    if (shared === undefined) return false;
    own.secretKey.fill(0);
    this.#own = undefined;
    chain.advance(shared);
    sealing.install(chain.epoch, chain.keys);
    return true;
  }

  /** The peer has our KEY: if we have its own too, both know the epoch. */
  onAcknowledged({ epoch }: KeyMessage): void {
    this.#options.sealing.sendIn(epoch);
    this.#begin();
  }

  wipe(): void {
    this.#own?.secretKey.fill(0);
    this.#options.chain.wipe();
  }

  /** One epoch at a time, and none before the last is in use. */
  #begin(): void {
    const { chain, sealing } = this.#options;
    if (this.#own || this.#wanted <= chain.epoch || sealing.epoch < chain.epoch) return;
    this.#sendKey();
  }

  #sendKey(): KeyPair {
    const { provider, rng, chain, send } = this.#options;
    const own = provider.x25519KeyPair(rng);
    this.#own = own;
    send({ type: 'key', epoch: chain.epoch + 1, publicKey: own.publicKey });
    return own;
  }
}

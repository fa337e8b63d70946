// The proofs of work of our own identity (protocol 4, POW_ID): one for each month, found somewhere else in some seconds,
// and asked for a round before it is needed.

import type { PowTask } from '../crypto/index.ts';
import { type Identity, identityPowTask } from '../identity/index.ts';
import { powEpochOf } from './timing.ts';

export interface OwnProofsOptions {
  readonly networkId: Uint8Array;
  readonly periodS: number;
  readonly identity: Identity;
}

export interface Wanted {
  readonly epoch: number;
  readonly task: PowTask;
}

export class OwnProofs {
  readonly #options: OwnProofsOptions;
  /** Nonces by epoch, undefined while being found: those of three rounds. */
  readonly #nonces = new Map<number, Uint8Array | undefined>();

  constructor(options: OwnProofsOptions) {
    this.#options = options;
  }

  /** For messages of a round; undefined as long as it is not found. */
  nonceFor(round: number): Uint8Array | undefined {
    return this.#nonces.get(powEpochOf(this.#options.periodS, round));
  }

  /** What is to be found in this round, each only once. */
  wanted(round: number): Wanted[] {
    const { networkId, periodS, identity } = this.#options;
    const epochs = new Set([round, round + 1].map((each) => powEpochOf(periodS, each)));
    const last = powEpochOf(periodS, round - 1);
    for (const epoch of this.#nonces.keys()) {
      if (epoch !== last && !epochs.has(epoch)) this.#nonces.delete(epoch);
    }
    const missing = [...epochs].filter((epoch) => !this.#nonces.has(epoch));
    return missing.map((epoch) => {
      this.#nonces.set(epoch, undefined);
      return { epoch, task: identityPowTask(networkId, identity, epoch) };
    });
  }

  found(epoch: number, nonce: Uint8Array): void {
    if (this.#nonces.has(epoch)) this.#nonces.set(epoch, nonce);
  }
}

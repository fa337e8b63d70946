// Proofs of work of identities (protocol 4, 6, 11): 13 ms each, so they come last, five in a second, and what held is
// remembered.

import { toHex } from '../bytes/index.ts';
import type { PowTask } from '../crypto/index.ts';
import { type Identity, identityPowTask } from '../identity/index.ts';
import { TokenBuckets } from '../link/index.ts';

/** Protocol 11. */
export const PROOFS_PER_SECOND = 5;
/** A guess: the winners of some days in a network of thousands. */
const REMEMBERED_MAX = 1024;

export interface Proof {
  readonly identity: Identity;
  readonly epoch: number;
  readonly nonce: Uint8Array;
}

export interface ProofsOptions {
  readonly networkId: Uint8Array;
  verifyPow(task: PowTask, nonce: Uint8Array): boolean;
}

export class Proofs {
  readonly #options: ProofsOptions;
  readonly #rate = new TokenBuckets({
    perSecond: PROOFS_PER_SECOND,
    burst: PROOFS_PER_SECOND,
    max: 1,
  });
  /** Proofs that held, the least recently used first; at most REMEMBERED_MAX. */
  readonly #held = new Set<string>();

  constructor(options: ProofsOptions) {
    this.#options = options;
  }

  /** Undefined: not now, there have been too many. */
  holds(proof: Proof, nowMs: number): boolean | undefined {
    const key = keyOf(proof);
    if (!this.#held.delete(key)) {
      if (!this.#rate.take('', nowMs)) return undefined;
      if (!this.#verify(proof)) return false;
    }
    this.#remember(key);
    return true;
  }

  #verify({ identity, epoch, nonce }: Proof): boolean {
    const { networkId, verifyPow } = this.#options;
    return verifyPow(identityPowTask(networkId, identity, epoch), nonce);
  }

  #remember(key: string): void {
    this.#held.add(key);
    const [oldest] = this.#held;
    if (this.#held.size > REMEMBERED_MAX && oldest !== undefined) this.#held.delete(oldest);
  }
}

/** With the nonce: otherwise an identity could follow up its proof with a false one, and who passes that on looks guilty. */
function keyOf({ identity, epoch, nonce }: Proof): string {
  return `${toHex(identity)} ${epoch} ${toHex(nonce)}`;
}

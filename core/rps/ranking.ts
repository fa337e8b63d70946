// The order in which one sampler prefers identities (protocol 5): by HMAC(seed, identity), the smallest first. Seeds are
// secret, so nobody can make an identity that some node will prefer; and kept over a restart, so that a restart draws
// nothing anew.

import { hmac } from '../crypto/index.ts';
import type { Identity } from '../identity/index.ts';
import { type Rng, randomBytes } from '../runtime/index.ts';

export const SEED_BYTES = 32;

/** One order for each slot; simulations have a faster one, which is no secret. */
export interface Ranking {
  rank(slot: number, identity: Identity): number;
  /** Another order in that slot, unlike the one before. */
  redraw(slot: number): void;
}

export class HmacRanking implements Ranking {
  readonly #rng: Rng;
  readonly #seeds: Uint8Array[];

  constructor(rng: Rng, seeds: readonly Uint8Array[] = []) {
    this.#rng = rng;
    this.#seeds = [...seeds];
  }

  get seeds(): readonly Uint8Array[] {
    return this.#seeds;
  }

  rank(slot: number, identity: Identity): number {
    while (slot >= this.#seeds.length) this.#seeds.push(randomBytes(this.#rng, SEED_BYTES));
    const digest = hmac(this.#seeds[slot] ?? new Uint8Array(), identity);
    return first48Bits(digest);
  }

  redraw(slot: number): void {
    this.#seeds[slot] = randomBytes(this.#rng, SEED_BYTES);
  }
}

/** Two identities out of a million share them once in a hundred samplers; the first one then stays. */
function first48Bits(digest: Uint8Array): number {
  return digest.subarray(0, 6).reduce((value, byte) => 256 * value + byte, 0);
}

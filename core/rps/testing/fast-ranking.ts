// Samplers' orders for large simulations: a 32-bit hash in place of HMAC. No secret, and no use against an attacker.

import type { Identity } from '../../identity/index.ts';
import { type Rng, randomU32 } from '../../runtime/index.ts';
import type { Ranking } from '../ranking.ts';

export class FastRanking implements Ranking {
  readonly #rng: Rng;
  readonly #seeds: number[] = [];
  #identity: Identity | undefined;
  #low = 0;
  #high = 0;

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  rank(slot: number, identity: Identity): number {
    while (slot >= this.#seeds.length) this.#seeds.push(randomU32(this.#rng));
    if (identity !== this.#identity) this.#read(identity);
    let hash = Math.imul((this.#seeds[slot] ?? 0) ^ this.#low, 0x85eb_ca6b);
    hash = Math.imul(hash ^ (hash >>> 15) ^ this.#high, 0xc2b2_ae35);
    hash = Math.imul(hash ^ (hash >>> 13), 0x27d4_eb2f);
    return (hash ^ (hash >>> 16)) >>> 0;
  }

  redraw(slot: number): void {
    this.#seeds[slot] = randomU32(this.#rng);
  }

  #read(identity: Identity): void {
    const view = new DataView(identity.buffer, identity.byteOffset);
    this.#identity = identity;
    this.#low = view.getUint32(0);
    this.#high = view.getUint32(4);
  }
}

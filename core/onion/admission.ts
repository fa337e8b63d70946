// Whether we take another circuit (protocol 3.3, "Admission", and the limits of 11): so many in all, so many per
// neighbour and netgroup; and once half of them are taken, only for a proof of work that gets harder the fuller we are.

import { equalBytes } from '../bytes/index.ts';
import { verifyPow } from '../crypto/index.ts';
import type { Identity } from '../identity/index.ts';
import { Quota } from '../link/index.ts';
import { type Rng, randomBytes } from '../runtime/index.ts';
import { POW_SEED_BYTES, REASON, type Refusal, refusal } from './control-cells.ts';
import { type Create, createChallenge, SEED_ID_BYTES } from './hop.ts';

/** Protocol 3.3. A dedicated relay may be configured for hundreds. */
export const MAX_RELAY_CIRCUITS = 32;
const PER_NEIGHBOUR_MAX = 8;
const PER_NETGROUP_MAX = 8;
/** No work below this share of the limit; the full work at the limit. */
const FREE_SHARE = 0.5;
const POW_BITS_MAX = 22;
const POW_BITS_MIN = 8;
/** How long a seed is handed out; the one before is accepted too. A guess: many times the work of 22 bits. */
const SEED_LIFE_MS = 120_000;

export interface AdmissionOptions {
  readonly rng: Rng;
  readonly identity: Identity;
  readonly circuitsMax: number;
  /** In a test network everybody is of one netgroup, and neighbours are few. */
  readonly allowPrivate: boolean;
}

export interface Neighbour {
  /** The link, and the netgroup of its address. */
  readonly link: number;
  readonly netgroup: string;
}

export class Admission {
  readonly #options: AdmissionOptions;
  readonly #perNeighbour: Quota;
  readonly #perNetgroup: Quota;
  #seed: Uint8Array;
  #seedBefore: Uint8Array;
  #seedSinceMs: number;

  constructor(options: AdmissionOptions, nowMs: number) {
    this.#options = options;
    const max = options.circuitsMax;
    // A relay that may carry more than the standard may carry more of each neighbour, in proportion.
    const scale = options.allowPrivate ? max : Math.max(1, max / MAX_RELAY_CIRCUITS);
    this.#perNeighbour = new Quota({ max, perGroupMax: Math.ceil(PER_NEIGHBOUR_MAX * scale) });
    this.#perNetgroup = new Quota({ max, perGroupMax: Math.ceil(PER_NETGROUP_MAX * scale) });
    this.#seed = randomBytes(options.rng, POW_SEED_BYTES);
    this.#seedBefore = this.#seed;
    this.#seedSinceMs = nowMs;
  }

  get circuits(): number {
    return this.#perNeighbour.used;
  }

  /** What a new circuit has to show now. */
  get powBits(): number {
    const share = this.circuits / this.#options.circuitsMax;
    if (share < FREE_SHARE) return 0;
    const steep = (share - FREE_SHARE) / (1 - FREE_SHARE);
    return Math.round(POW_BITS_MIN + steep * (POW_BITS_MAX - POW_BITS_MIN));
  }

  /** Takes a place, to be given back by `leave`; or says why not. */
  admit(neighbour: Neighbour, create: Create, nowMs: number): Refusal | undefined {
    this.#renewSeed(nowMs);
    const powBits = this.powBits;
    if (powBits > 0 && !this.#isProven(create, powBits)) {
      return { reason: REASON.proofRequired, powBits, powSeed: this.#seed };
    }
    if (!this.#perNeighbour.take(String(neighbour.link))) return refusal(REASON.resourceLimit);
    if (this.#perNetgroup.take(neighbour.netgroup)) return undefined;
    this.#perNeighbour.release(String(neighbour.link));
    return refusal(REASON.resourceLimit);
  }

  leave(neighbour: Neighbour): void {
    this.#perNeighbour.release(String(neighbour.link));
    this.#perNetgroup.release(neighbour.netgroup);
  }

  #isProven({ proof, noise }: Create, powBits: number): boolean {
    const seed = [this.#seed, this.#seedBefore].find((one) =>
      equalBytes(one.subarray(0, SEED_ID_BYTES), proof.seedId),
    );
    if (seed === undefined || proof.bits < powBits) return false;
    const challenge = createChallenge(this.#options.identity, seed, noise);
    return verifyPow({ kind: 'fast', challenge, bits: powBits }, proof.nonce);
  }

  #renewSeed(nowMs: number): void {
    if (nowMs < this.#seedSinceMs + SEED_LIFE_MS) return;
    this.#seedBefore = this.#seed;
    this.#seed = randomBytes(this.#options.rng, POW_SEED_BYTES);
    this.#seedSinceMs = nowMs;
  }
}

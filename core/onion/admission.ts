// Whether we take another circuit (protocol 3.3, "Admission", and the limits of 11): so many in all, so many per
// neighbour and netgroup, and of a neighbour so many in a round, however soon they end; and once half of the places are
// taken, only for a proof of work that gets harder the fuller we are. Places are looked at first: nobody is asked to work
// for nothing.
//
// A proof is over a seed of ours, which changes, and over the X of its CREATE; it counts once.

import { equalBytes, toHex } from '../bytes/index.ts';
import { KEY_BYTES, verifyPow } from '../crypto/index.ts';
import type { Identity } from '../identity/index.ts';
import { Quota, TokenBuckets } from '../link/index.ts';
import { type Rng, randomBytes } from '../runtime/index.ts';
import { POW_SEED_BYTES, REASON, type Refusal, refusal } from './control-cells.ts';
import { type Create, createChallenge, SEED_ID_BYTES } from './hop.ts';
import { REBUILDS_MAX } from './rebuilds.ts';
import type { OnionTiming } from './timing.ts';

/** Protocol 3.3. A dedicated relay may be configured for hundreds. */
export const MAX_RELAY_CIRCUITS = 32;
/** Of the standard 32, for one neighbour and for one netgroup. */
export const PER_GROUP_MAX = 8;
/** How often a place may change hands in a round: a tunnel is built once, and again as often as it may be. */
const CIRCUITS_PER_PLACE = 1 + REBUILDS_MAX;
/** A guess: as many links as we have and many that are gone. */
const CHURN_MAX = 4096;
/** Protocol 3.3: no work below this share of the limit, and so many bits at the limit. */
const FREE_SHARE = 0.5;
const POW_BITS_MAX = 22;
/** A guess: what the first circuit above the share costs, less than a millisecond. */
const POW_BITS_MIN = 8;
/** How long a seed is handed out; the one before is accepted too. A guess: many times the work of 22 bits. */
const SEED_LIFE_MS = 120_000;
/** A guess: far more than come in a seed's life. Beyond it the seed is renewed at once. */
const PROOFS_PER_SEED_MAX = 4096;

export interface AdmissionOptions {
  readonly rng: Rng;
  readonly identity: Identity;
  readonly timing: OnionTiming;
  readonly circuitsMax: number;
  /** In a test network everybody is of one netgroup, and neighbours are few. */
  readonly allowPrivate: boolean;
}

export interface Neighbour {
  /** The link, and the netgroup of its address. */
  readonly link: number;
  readonly netgroup: string;
}

interface Seed {
  readonly bytes: Uint8Array;
  readonly sinceMs: number;
  /** The Xs it has been worked over for, at most PROOFS_PER_SEED_MAX. */
  readonly used: Set<string>;
}

export class Admission {
  /** How many times the standard relay we are: of each neighbour we may carry as many times more. */
  readonly scale: number;
  readonly #options: AdmissionOptions;
  readonly #perNeighbour: Quota;
  readonly #perNetgroup: Quota;
  /** Circuits that a link has begun. */
  readonly #churn: TokenBuckets;
  #seed: Seed;
  #seedBefore: Seed;

  constructor(options: AdmissionOptions, nowMs: number) {
    const { circuitsMax: max, allowPrivate, timing } = options;
    this.#options = options;
    this.scale = Math.max(1, max / MAX_RELAY_CIRCUITS);
    const perGroupMax = allowPrivate ? max : Math.ceil(PER_GROUP_MAX * this.scale);
    this.#perNeighbour = new Quota({ max, perGroupMax });
    this.#perNetgroup = new Quota({ max, perGroupMax });
    const burst = CIRCUITS_PER_PLACE * perGroupMax;
    const perSecond = (burst * 1000) / timing.roundMs;
    this.#churn = new TokenBuckets({ perSecond, burst, max: CHURN_MAX });
    this.#seed = this.#newSeed(nowMs);
    this.#seedBefore = this.#seed;
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
    const { powBits } = this;
    const link = String(neighbour.link);
    if (!this.#churn.has(link, nowMs) || !this.#take(neighbour)) {
      return refusal(REASON.resourceLimit);
    }
    if (powBits === 0 || this.#isProven(create, powBits)) {
      this.#churn.take(link, nowMs);
      return undefined;
    }
    this.leave(neighbour);
    return { reason: REASON.proofRequired, powBits, powSeed: this.#seed.bytes };
  }

  leave({ link, netgroup }: Neighbour): void {
    this.#perNeighbour.release(String(link));
    this.#perNetgroup.release(netgroup);
  }

  #take({ link, netgroup }: Neighbour): boolean {
    if (!this.#perNeighbour.take(String(link))) return false;
    if (this.#perNetgroup.take(netgroup)) return true;
    this.#perNeighbour.release(String(link));
    return false;
  }

  #isProven({ proof, noise }: Create, powBits: number): boolean {
    const seed = [this.#seed, this.#seedBefore].find(({ bytes }) =>
      equalBytes(bytes.subarray(0, SEED_ID_BYTES), proof.seedId),
    );
    const x = toHex(noise.subarray(0, KEY_BYTES));
    if (seed === undefined || proof.bits < powBits || seed.used.has(x)) return false;
    if (seed.used.size >= PROOFS_PER_SEED_MAX) return false;
    const challenge = createChallenge(this.#options.identity, seed.bytes, noise);
    const holds = verifyPow({ kind: 'fast', challenge, bits: powBits }, proof.nonce);
    if (holds) seed.used.add(x);
    return holds;
  }

  #renewSeed(nowMs: number): void {
    const { sinceMs, used } = this.#seed;
    if (nowMs < sinceMs + SEED_LIFE_MS && used.size < PROOFS_PER_SEED_MAX) return;
    this.#seedBefore = this.#seed;
    this.#seed = this.#newSeed(nowMs);
  }

  #newSeed(nowMs: number): Seed {
    const bytes = randomBytes(this.#options.rng, POW_SEED_BYTES);
    return { bytes, sinceMs: nowMs, used: new Set() };
  }
}

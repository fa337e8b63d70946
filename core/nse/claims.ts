// Which flood messages of others are believed (protocol 6, "accept"). The cheapest property is looked at first: length and
// form, round, bits, whether it is news, then the signature (0.1 ms), and the proof of work last (13 ms), for which a
// message may have to wait.
//
// A sender is blamed only for what no honest node passes on. Of two clocks, ours may be the wrong one; and who says something
// worse than what we know has not heard that yet.

import { DecodeError } from '../bytes/index.ts';
import type { RsaPublicKey } from '../crypto/index.ts';
import { type Identity, identityOf, type Signed } from '../identity/index.ts';
import { TokenBuckets } from '../link/index.ts';
import { distanceOf, leadingZeroBits } from './distance.ts';
import { PROOFS_PER_SECOND, Proofs, type ProofsOptions } from './proofs.ts';
import type { Rounds } from './rounds.ts';
import { powEpochOf, roundAt } from './timing.ts';
import { decodeFloodMessage, type FloodMessage } from './wire.ts';

/** Protocol 11. */
const SIGNATURES_PER_SECOND = 200;
/** How long Gossip waits for an answer (protocol 4, VALIDATION_TIMEOUT_S). */
const PATIENCE_S = 5;
/** One more would wait for longer. */
const WAITING_MAX = PATIENCE_S * PROOFS_PER_SECOND;

/** What no honest node says or passes on. */
export type Fault = 'malformed' | 'bits' | 'signature' | 'proof';
/** What happens among honest nodes: another clock, old news, too much at once. */
export type Mishap = 'round' | 'not better' | 'busy';

export type Verdict =
  | { readonly type: 'believed'; readonly item: number; readonly round: number }
  | { readonly type: 'refuse'; readonly item: number; readonly why: Fault }
  | { readonly type: 'ignore'; readonly item: number; readonly why: Mishap };

export interface ClaimsOptions extends ProofsOptions {
  readonly periodS: number;
  verifySigned(publicKey: RsaPublicKey, signed: Signed): boolean;
}

interface Claim {
  readonly item: number;
  readonly message: FloodMessage;
  readonly identity: Identity;
  readonly distance: Uint8Array;
}

export class Claims {
  readonly #options: ClaimsOptions;
  readonly #rounds: Rounds;
  readonly #proofs: Proofs;
  readonly #signatures = new TokenBuckets({
    perSecond: SIGNATURES_PER_SECOND,
    burst: SIGNATURES_PER_SECOND,
    max: 1,
  });
  /** Right in all but the proof of work, in the order they came; at most WAITING_MAX. */
  readonly #waiting: Claim[] = [];

  /** What is believed is put into `rounds`. */
  constructor(options: ClaimsOptions, rounds: Rounds) {
    this.#options = options;
    this.#rounds = rounds;
    this.#proofs = new Proofs(options);
  }

  /** How long until `settle` may get further; Infinity when nothing waits. */
  get waitMs(): number {
    return this.#waiting.length === 0 ? Number.POSITIVE_INFINITY : 1000 / PROOFS_PER_SECOND;
  }

  /** Undefined: it waits for its proof of work to be looked at, by `settle`. */
  submit(item: number, data: Uint8Array, nowMs: number): Verdict | undefined {
    const message = decoded(data);
    if (message === undefined) return { type: 'refuse', item, why: 'malformed' };
    const identity = identityOf(message.publicKey);
    const distance = distanceOf(this.#options.networkId, message.round, identity);
    return this.#judge({ item, message, identity, distance }, nowMs);
  }

  /** Looks at as many proofs of work as it may now. */
  settle(nowMs: number): Verdict[] {
    const verdicts: Verdict[] = [];
    for (const claim of [...this.#waiting]) {
      const verdict = this.#prove(claim, nowMs);
      if (verdict === undefined) break;
      this.#waiting.shift();
      verdicts.push(verdict);
    }
    return verdicts;
  }

  #judge(claim: Claim, nowMs: number): Verdict | undefined {
    const { item, message, distance } = claim;
    const { round, timeS, bits } = message;
    if (!this.#rounds.isOpen(round)) return { type: 'ignore', item, why: 'round' };
    const isInRound = roundAt(this.#options.periodS, 1000 * timeS) === round;
    if (!isInRound) return { type: 'refuse', item, why: 'malformed' };
    if (bits !== leadingZeroBits(distance)) return { type: 'refuse', item, why: 'bits' };
    if (!this.#rounds.isNews(round, distance)) return { type: 'ignore', item, why: 'not better' };
    if (this.#waiting.length >= WAITING_MAX || !this.#signatures.take('', nowMs)) {
      return { type: 'ignore', item, why: 'busy' };
    }
    if (!this.#isSigned(message)) return { type: 'refuse', item, why: 'signature' };
    this.#waiting.push(claim);
    return undefined;
  }

  #isSigned({ publicKey, body, signature }: FloodMessage): boolean {
    const { networkId, verifySigned } = this.#options;
    return verifySigned(publicKey, { purpose: 'nse', networkId, body, signature });
  }

  /** Undefined: not yet. */
  #prove({ item, message, identity, distance }: Claim, nowMs: number): Verdict | undefined {
    const { round, powNonce: nonce } = message;
    if (!this.#rounds.isNews(round, distance)) return { type: 'ignore', item, why: 'not better' };
    const epoch = powEpochOf(this.#options.periodS, round);
    const holds = this.#proofs.holds({ identity, epoch, nonce }, nowMs);
    if (holds === undefined) return undefined;
    if (!holds) return { type: 'refuse', item, why: 'proof' };
    this.#rounds.put(round, distance, { isOwn: false });
    return { type: 'believed', item, round };
  }
}

function decoded(data: Uint8Array): FloodMessage | undefined {
  try {
    return decodeFloodMessage(data);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

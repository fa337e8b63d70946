// Whether a node has paid for its identity (protocol 4): the check costs 13 ms, so it is made at a limited rate, and
// once for each identity and month.

import { identityKey, type NodeDescriptor } from '../identity/index.ts';
import { TokenBuckets } from './quota.ts';

/** POW_ID verifications (protocol 11). */
const CHECKS = { perSecond: 5, burst: 5, max: 1 };
/** Tried again after this when there were too many. */
export const PROOF_RETRY_MS = 200;
/** A guess: several times the nodes that one node has links with in a month. */
const KNOWN_MAX = 4096;

export class Proofs {
  readonly #verify: (peer: NodeDescriptor) => boolean;
  readonly #rate = new TokenBuckets(CHECKS);
  /** Identities and months that are paid; at most KNOWN_MAX, then the one proven first is forgotten. */
  readonly #known = new Set<string>();

  constructor(verify: (peer: NodeDescriptor) => boolean) {
    this.#verify = verify;
  }

  /** 'later': too many at once, to be asked again. */
  check(peer: NodeDescriptor, nowMs: number): 'proven' | 'unproven' | 'later' {
    const key = `${identityKey(peer.identity)} ${peer.powEpoch}`;
    if (this.#known.has(key)) return 'proven';
    if (!this.#rate.take('', nowMs)) return 'later';
    if (!this.#verify(peer)) return 'unproven';
    this.#known.add(key);
    const [oldest] = this.#known;
    if (this.#known.size > KNOWN_MAX && oldest !== undefined) this.#known.delete(oldest);
    return 'proven';
  }
}

// Which EXTENDs a relay carries out (protocol 3.3): so many per minute, to public addresses that are not its own, not to
// itself, and only with a budget of exactly one less than its own circuit's, so that no flow can be led in circles
// through hundreds of peers.

import { equalBytes } from '../bytes/index.ts';
import type { Identity } from '../identity/index.ts';
import { type LinkId, TokenBuckets } from '../link/index.ts';
import { isPublic } from '../runtime/index.ts';
import type { Admission } from './admission.ts';
import { REASON } from './control-cells.ts';
import { decoded } from './decoded.ts';
import type { Extend } from './extend.ts';
import { decodeCreate } from './hop.ts';
import type { CircuitId } from './plane-port.ts';
import { type OnionTiming, ROUND_SECONDS } from './timing.ts';

/** Protocol 3.3: EXTENDs per minute of one circuit … */
const PER_CIRCUIT = 3;
/** … and of one link, at a relay of the standard size in rounds of the standard length. */
const PER_LINK = 10;
/** More than there are circuits, and links, within a minute. */
const BUCKETS_MAX = 8192;

export interface ExtendRulesOptions {
  readonly identity: Identity;
  /** Where we are, as far as we know. */
  readonly ownIps: readonly string[];
  readonly allowPrivate: boolean;
  readonly timing: OnionTiming;
  readonly admission: Pick<Admission, 'scale'>;
}

/** Whose EXTEND it is. */
export interface Extending {
  readonly circuit: CircuitId;
  /** The link it came over. */
  readonly link: LinkId;
  /** What its CREATE allowed. */
  readonly budget: number;
}

export class ExtendRules {
  readonly #options: ExtendRulesOptions;
  readonly #perCircuit: TokenBuckets;
  readonly #perLink: TokenBuckets;

  constructor(options: ExtendRulesOptions) {
    this.#options = options;
    const { timing, admission } = options;
    const roundsInOne = Math.max(1, (ROUND_SECONDS * 1000) / timing.roundMs);
    this.#perCircuit = perMinute(PER_CIRCUIT);
    this.#perLink = perMinute(PER_LINK * roundsInOne * admission.scale);
  }

  /** Why this one is not carried out, as a reason its initiator may know. */
  fault({ circuit, link, budget }: Extending, extend: Extend, nowMs: number): number | undefined {
    const isInTime =
      this.#perCircuit.take(String(circuit), nowMs) && this.#perLink.take(String(link), nowMs);
    if (!isInTime) return REASON.resourceLimit;
    const create = decoded(() => decodeCreate(extend.create));
    return this.#mayReach(extend) && create?.budget === budget - 1
      ? undefined
      : REASON.connectFailed;
  }

  #mayReach({ address, identity }: Extend): boolean {
    const { identity: own, ownIps, allowPrivate } = this.#options;
    if (equalBytes(identity, own)) return false;
    return allowPrivate || (isPublic(address.ip) && !ownIps.includes(address.ip));
  }
}

function perMinute(count: number): TokenBuckets {
  return new TokenBuckets({ perSecond: count / 60, burst: count, max: BUCKETS_MAX });
}

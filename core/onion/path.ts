// The rules of a path (protocol 3.3, PATH_RULES): all different, none of them us, no two in one netgroup. In test
// networks, where everybody shares one netgroup, the last rule is off.

import type { IdentityKey } from '../identity/index.ts';
import { netgroup } from '../runtime/index.ts';
import type { Peer } from './peer.ts';

export interface PathRules {
  readonly own: IdentityKey;
  /** Relays before the endpoint. */
  readonly hops: number;
  readonly sameNetgroupAllowed: boolean;
}

export interface FixedEnds {
  /** The entry guard, when there are guards. */
  readonly first?: Peer | undefined;
  /** The one a client asked for; without it the endpoint is a random peer too. */
  readonly destination?: Peer | undefined;
}

/** First hop to endpoint, or undefined when these candidates are not enough. They are taken in the order given. */
export function choosePath(
  candidates: readonly Peer[],
  { first, destination }: FixedEnds,
  rules: PathRules,
): readonly Peer[] | undefined {
  const chosen: Peer[] = first === undefined ? [] : [first];
  const others = destination === undefined ? [] : [destination];
  const wanted = destination === undefined ? rules.hops + 1 : rules.hops;
  for (const candidate of candidates) {
    if (chosen.length === wanted) break;
    if (mayJoin(candidate, [...chosen, ...others], rules)) chosen.push(candidate);
  }
  return chosen.length === wanted ? [...chosen, ...others] : undefined;
}

/** Whether a peer may be on one path with these. */
export function mayJoin(candidate: Peer, others: readonly Peer[], rules: PathRules): boolean {
  if (candidate.key === rules.own) return false;
  return others.every(
    (other) =>
      other.key !== candidate.key &&
      (rules.sameNetgroupAllowed || netgroup(other.address.ip) !== netgroup(candidate.address.ip)),
  );
}

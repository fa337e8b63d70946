// Who has to go when somebody calls and all places for callers are taken (protocol 4, "inbound"; Bitcoin's idea). Whoever
// is hard to imitate stays: of networks that an attacker cannot foresee, with the shortest round trips, with recent good
// items, and, of the rest, the older half. Of those left, the youngest of the most crowded netgroup goes.

import { netgroup } from '../runtime/index.ts';
import type { Neighbour } from './neighbours.ts';

/** Of each kind. */
const PROTECTED = 4;

/** Undefined when all are worth keeping. `rankOf` orders netgroups in a way only we know. */
export function chooseToEvict(
  inbound: readonly Neighbour[],
  rankOf: (group: string) => number,
): Neighbour | undefined {
  let left = inbound;
  const protect = (count: number, better: (a: Neighbour, b: Neighbour) => number): void => {
    const kept = new Set(left.toSorted(better).slice(0, count));
    left = left.filter((one) => !kept.has(one));
  };
  protect(PROTECTED, (a, b) => rankOf(groupOf(a)) - rankOf(groupOf(b)));
  protect(PROTECTED, (a, b) => compare(a.pingMs, b.pingMs));
  protect(PROTECTED, (a, b) => compare(b.usefulMs, a.usefulMs));
  protect(Math.floor(left.length / 2), (a, b) => a.sinceMs - b.sinceMs);
  const crowd = [...Map.groupBy(left, groupOf).values()].reduce<readonly Neighbour[]>(
    (a, b) => (b.length > a.length ? b : a),
    [],
  );
  return crowd.toSorted((a, b) => b.sinceMs - a.sinceMs)[0];
}

function groupOf({ address }: Neighbour): string {
  return netgroup(address.ip);
}

/** As a − b, for infinite numbers too. */
function compare(a: number, b: number): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

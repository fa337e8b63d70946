// Which value of a key a reader believes (protocol 7, "conflict"). Content and signed records prove themselves. Of opaque
// ones everybody could have stored any, so the paths of the lookup vote: each for what most of its nodes say, nearest first.
// Then the newest, the one with the most work, the first in the alphabet.

import type { Contact } from './contact.ts';
import type { Sighting } from './lookup.ts';
import { type DhtRecord, type Form, type RecordRules, workOf } from './record.ts';

/** Of each path, the nodes with a value nearest to the key. A guess: further ones are seldom holders, and may lie. */
const VOTERS = 3;

export interface Choice {
  readonly record: DhtRecord;
  readonly holders: readonly Contact[];
}

interface Tally {
  record: DhtRecord;
  readonly holders: Contact[];
  votes: number;
}

/**
 * What was seen, the best first. The sightings come with the nearest first, and hold only records that may stand under
 * the key. `kept`: what we hold ourselves, which votes like one path.
 */
export function ranked(
  key: Uint8Array,
  sightings: readonly Sighting[],
  kept: readonly DhtRecord[],
  { networkId }: Pick<RecordRules, 'networkId'>,
): Choice[] {
  const tallies = new Map<string, Tally>();
  for (const { contact, found } of sightings) {
    for (const record of found.records) tallyOf(tallies, record).holders.push(contact);
  }
  for (const record of kept) tallyOf(tallies, record).votes++;
  for (const variant of votes(sightings)) {
    const tally = tallies.get(variant);
    if (tally !== undefined) tally.votes++;
  }
  const order = [...tallies.values()].map((tally) => ({
    tally,
    work: workOf(networkId, key, tally.record),
  }));
  order.sort(
    (a, b) => compare(a.tally, b.tally) || b.work - a.work || alphabetic(a.tally, b.tally),
  );
  return order.map(({ tally }) => tally);
}

/** The variants that each path votes for, one after the other. */
function votes(sightings: readonly Sighting[]): string[] {
  const perPath = new Map<number, string[][]>();
  for (const { path, found } of sightings) {
    const opaque = found.records.filter(({ form }) => form === 'opaque');
    const voters = perPath.get(path) ?? [];
    if (opaque.length === 0 || voters.length === VOTERS) continue;
    perPath.set(path, [...voters, opaque.map(({ variant }) => variant)]);
  }
  return [...perPath.values()].flatMap((voters) => mostFrequent(voters.flat()));
}

function mostFrequent(variants: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const variant of variants) counts.set(variant, (counts.get(variant) ?? 0) + 1);
  const most = Math.max(...counts.values());
  return [...counts].filter(([, count]) => count === most).map(([variant]) => variant);
}

/** The one that lives longest stands for all with that value. */
function tallyOf(tallies: Map<string, Tally>, record: DhtRecord): Tally {
  const known = tallies.get(record.variant);
  if (known === undefined) {
    const tally = { record, holders: [], votes: 0 };
    tallies.set(record.variant, tally);
    return tally;
  }
  if (record.createdS > known.record.createdS) known.record = record;
  return known;
}

const RANK: Readonly<Record<Form, number>> = { content: 0, signed: 1, opaque: 2 };

function compare(a: Tally, b: Tally): number {
  const [left, right] = [a.record, b.record];
  return (
    RANK[left.form] - RANK[right.form] ||
    (right.signer?.seq ?? 0) - (left.signer?.seq ?? 0) ||
    b.votes - a.votes ||
    right.createdS - left.createdS
  );
}

function alphabetic(a: Tally, b: Tally): number {
  return a.record.variant < b.record.variant ? -1 : 1;
}

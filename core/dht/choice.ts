// Which value of a key a reader believes (protocol 7, "conflict"). Content and signed records prove themselves. Of opaque
// ones everybody could have stored any, so the nodes nearest to the key vote, whichever path they were found on: nobody can
// come nearer at will. Then the newest, the one with the most work, the first in the alphabet.

import type { Contact } from './contact.ts';
import type { Sighting } from './lookup.ts';
import { type DhtRecord, type Form, type RecordRules, workOf } from './record.ts';

/** Of all that answered. As many as hold a value by default: further ones that have one are rather liars. */
const VOTERS = 8;

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
 * the key. `kept`: what we hold ourselves, which counts like one node.
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
  for (const { found } of sightings.slice(0, VOTERS)) {
    for (const record of found.records) tallyOf(tallies, record).votes++;
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

/** The newest stands for all with that value. */
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

// The three signs of an eclipse (protocol 5, "Checks"): answers that are not uniform, samplers that agree too often or too
// seldom for the size of the network, and too many of one netgroup. They warn and decide nothing: each can be wrong by
// chance.

import type { IdentityKey } from '../identity/index.ts';
import { netgroup } from '../runtime/index.ts';
import type { Contact } from './contact.ts';

export type Warning = 'answers not uniform' | 'size disagrees' | 'one netgroup prevails';

/** Protocol 5. */
const ANSWERS = 1000;
const SIZE_RATIO_MAX = 4;
const WINDOWS = 3;
const NETGROUP_SHARE_MAX = 0.2;
/** A window of the second check. A guess: samplers change in minutes. */
export const CHECK_MS = 60_000;
/** Standard deviations of chi-square: wrong once in some ten thousand times. */
const SIGMAS = 5;
/** Fewer draws tell nothing about netgroups. A guess. */
const DRAWS_MIN = 10;
/** With no collision a network of m²/6 is as likely as not to have had one (Poisson, 95 %). */
const NO_COLLISION = 3;

interface Count {
  given: number;
  expected: number;
}

export class Checks {
  readonly #countsNetgroups: boolean;
  /** Those that could be given, since the count began; as many as samplers hold in 1000 answers. */
  #counts = new Map<IdentityKey, Count>();
  #answers = 0;
  #isSkewed = false;
  #windowsOff = 0;
  #isOneGroup = false;
  #nextMs: number;

  /** In test networks all are of one netgroup. */
  constructor({ countsNetgroups }: { readonly countsNetgroups: boolean }, nowMs: number) {
    this.#countsNetgroups = countsNetgroups;
    this.#nextMs = nowMs + CHECK_MS;
  }

  get warnings(): Warning[] {
    const found: Warning[] = [];
    if (this.#isSkewed) found.push('answers not uniform');
    if (this.#windowsOff >= WINDOWS) found.push('size disagrees');
    if (this.#isOneGroup) found.push('one netgroup prevails');
    return found;
  }

  /** An answer to a client, and all that it could have been. */
  onAnswer(given: IdentityKey, candidates: readonly IdentityKey[]): void {
    for (const key of candidates) this.#countOf(key).expected += 1 / candidates.length;
    this.#countOf(given).given++;
    this.#answers++;
    if (this.#answers < ANSWERS) return;
    this.#isSkewed = isSkewed([...this.#counts.values()]);
    this.#counts = new Map();
    this.#answers = 0;
  }

  nextDeadlineMs(): number {
    return this.#nextMs;
  }

  /** `draws`: whom each sampler holds; `networkSize`: as NSE has it. */
  onTimer(draws: readonly Contact[], networkSize: number | undefined, nowMs: number): void {
    if (nowMs < this.#nextMs) return;
    this.#nextMs = nowMs + CHECK_MS;
    this.#isOneGroup = this.#countsNetgroups && hasOneGroup(draws);
    const isOff = networkSize !== undefined && disagrees(draws, networkSize);
    this.#windowsOff = isOff ? this.#windowsOff + 1 : 0;
  }

  #countOf(key: IdentityKey): Count {
    const count = this.#counts.get(key) ?? { given: 0, expected: 0 };
    this.#counts.set(key, count);
    return count;
  }
}

function isSkewed(counts: readonly Count[]): boolean {
  const chiSquare = counts.reduce(
    (sum, { given, expected }) => sum + (given - expected) ** 2 / expected,
    0,
  );
  const degrees = counts.length - 1;
  return chiSquare > degrees + SIGMAS * Math.sqrt(2 * degrees);
}

/** N' = m(m − 1) / (2 · collisions), and what that leaves open when there are few collisions. */
function disagrees(draws: readonly Contact[], networkSize: number): boolean {
  const pairs = (draws.length * (draws.length - 1)) / 2;
  const perIdentity = tally(draws.map(({ key }) => key));
  const collisions = perIdentity.reduce((sum, count) => sum + (count * (count - 1)) / 2, 0);
  const tooFew = collisions > NO_COLLISION && pairs / collisions < networkSize / SIZE_RATIO_MAX;
  const tooMany = pairs / Math.max(collisions, NO_COLLISION) > networkSize * SIZE_RATIO_MAX;
  return tooFew || tooMany;
}

/** Counted by identity: of a small network each is drawn many times. */
function hasOneGroup(draws: readonly Contact[]): boolean {
  const contacts = [...new Map(draws.map((contact) => [contact.key, contact])).values()];
  if (contacts.length < DRAWS_MIN) return false;
  const groups = tally(contacts.map(({ address }) => netgroup(address.ip)));
  return Math.max(...groups) > NETGROUP_SHARE_MAX * contacts.length;
}

function tally(keys: readonly string[]): number[] {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return [...counts.values()];
}

// The routing table (protocol 7, "bucket rules"): the nodes that have answered us, in buckets by how many bits their ids
// share with ours. Old ones are preferred; a newcomer gets a place when there is one, else waits among the bucket's spares.
// One network (/24, /48) gets few places, so that addresses count and not identities.

import type { Identity, IdentityKey } from '../identity/index.ts';
import { type Address, formatAddress, pick, type Rng, subnet } from '../runtime/index.ts';
import { type Contact, K } from './contact.ts';
import { compareDistance, sharedBits } from './distance.ts';

/** Protocol 7. */
const PER_SUBNET_AND_BUCKET = 2;
const PER_SUBNET = 10;
const FAILURES_MAX = 3;

interface Entry {
  readonly contact: Contact;
  readonly subnet: string;
  seenMs: number;
  /** In a row. */
  failures: number;
}

interface Bucket {
  /** At most K. */
  readonly entries: Map<IdentityKey, Entry>;
  /** At most K, the newest last: they have answered us once and found no place, or have lost theirs. */
  readonly spares: Map<IdentityKey, Entry>;
}

export interface TableOptions {
  readonly own: Identity;
  readonly rng: Rng;
  /** Test networks: every address counts as a network. */
  readonly allowPrivate: boolean;
}

export class Table {
  readonly #options: TableOptions;
  /** By shared bits; 256 at most, of which a network of N nodes fills about log2(N / K). */
  readonly #buckets = new Map<number, Bucket>();
  readonly #perSubnet = new Map<string, number>();

  constructor(options: TableOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries().length;
  }

  has({ identity, key }: Pick<Contact, 'identity' | 'key'>): boolean {
    return this.#bucketOf(identity).entries.has(key);
  }

  all(): Contact[] {
    return this.#entries().map(({ contact }) => contact);
  }

  /** Numbers of buckets with somebody in them. */
  get filled(): number[] {
    return [...this.#buckets].filter(([, { entries }]) => entries.size > 0).map(([bits]) => bits);
  }

  /** Whether a node not known yet would find a place: those are worth a question. */
  hasRoomFor(contact: Contact): boolean {
    const bucket = this.#bucketOf(contact.identity);
    return bucket.entries.size < K && this.#isWithinLimits(bucket, this.#subnetOf(contact.address));
  }

  /** It has answered a question of ours. */
  confirm(contact: Contact, nowMs: number): void {
    const bucket = this.#bucketOf(contact.identity);
    const known = bucket.entries.get(contact.key);
    if (known !== undefined && isSame(known.contact.address, contact.address)) {
      known.seenMs = nowMs;
      known.failures = 0;
      return;
    }
    this.#remove(bucket, contact.key);
    const subnetOf = this.#subnetOf(contact.address);
    const entry: Entry = { contact, subnet: subnetOf, seenMs: nowMs, failures: 0 };
    if (bucket.entries.size < K && this.#isWithinLimits(bucket, subnetOf)) this.#add(bucket, entry);
    else spare(bucket, entry);
  }

  /** It did not answer, while others do. */
  failed({ identity, key }: Contact): void {
    const bucket = this.#bucketOf(identity);
    const entry = bucket.entries.get(key);
    if (entry === undefined) {
      bucket.spares.delete(key);
      return;
    }
    entry.failures++;
    if (entry.failures < FAILURES_MAX) return;
    this.#remove(bucket, key);
    this.#promote(bucket);
    spare(bucket, entry);
  }

  /** The nearest to `target`, those that failed last time behind all others. */
  closest(target: Uint8Array, count: number): Contact[] {
    const all = this.#entries();
    const sound = all.filter(({ failures }) => failures === 0);
    const chosen = nearest(target, sound, count);
    if (chosen.length === count) return chosen;
    const failing = all.filter(({ failures }) => failures > 0);
    return [...chosen, ...nearest(target, failing, count - chosen.length)];
  }

  /** The node that has been silent for longest, if for so long. */
  quiet(silentMs: number, nowMs: number): Contact | undefined {
    const [first] = this.#entries().toSorted((a, b) => a.seenMs - b.seenMs);
    return first !== undefined && first.seenMs + silentMs <= nowMs ? first.contact : undefined;
  }

  /** One of those without a place. */
  randomSpare(): Contact | undefined {
    const spares = [...this.#buckets.values()].flatMap((bucket) => [...bucket.spares.values()]);
    return pick(this.#options.rng, spares)?.contact;
  }

  #entries(): Entry[] {
    return [...this.#buckets.values()].flatMap(({ entries }) => [...entries.values()]);
  }

  #bucketOf(identity: Identity): Bucket {
    const bits = sharedBits(this.#options.own, identity);
    const known = this.#buckets.get(bits);
    if (known !== undefined) return known;
    const bucket: Bucket = { entries: new Map(), spares: new Map() };
    this.#buckets.set(bits, bucket);
    return bucket;
  }

  #subnetOf(address: Address): string {
    return this.#options.allowPrivate ? formatAddress(address) : subnet(address.ip);
  }

  #isWithinLimits({ entries }: Bucket, group: string): boolean {
    if ((this.#perSubnet.get(group) ?? 0) >= PER_SUBNET) return false;
    const alike = [...entries.values()].filter((entry) => entry.subnet === group);
    return alike.length < PER_SUBNET_AND_BUCKET;
  }

  #add(bucket: Bucket, entry: Entry): void {
    bucket.entries.set(entry.contact.key, entry);
    bucket.spares.delete(entry.contact.key);
    this.#perSubnet.set(entry.subnet, (this.#perSubnet.get(entry.subnet) ?? 0) + 1);
  }

  #remove(bucket: Bucket, key: IdentityKey): void {
    const entry = bucket.entries.get(key);
    bucket.spares.delete(key);
    if (entry === undefined) return;
    bucket.entries.delete(key);
    const left = (this.#perSubnet.get(entry.subnet) ?? 1) - 1;
    if (left > 0) this.#perSubnet.set(entry.subnet, left);
    else this.#perSubnet.delete(entry.subnet);
  }

  /** The newest spare that has not lost a place before. */
  #promote(bucket: Bucket): void {
    const waiting = [...bucket.spares.values()].toReversed();
    const next = waiting.find(
      ({ failures, subnet: group }) => failures === 0 && this.#isWithinLimits(bucket, group),
    );
    if (next !== undefined) this.#add(bucket, next);
  }
}

function spare({ spares }: Bucket, entry: Entry): void {
  spares.delete(entry.contact.key);
  spares.set(entry.contact.key, entry);
  const [oldest] = spares.keys();
  if (spares.size > K && oldest !== undefined) spares.delete(oldest);
}

function nearest(target: Uint8Array, entries: readonly Entry[], count: number): Contact[] {
  return entries
    .map(({ contact }) => contact)
    .sort((a, b) => compareDistance(target, a.identity, b.identity))
    .slice(0, count);
}

function isSame(a: Address, b: Address): boolean {
  return a.ip === b.ip && a.port === b.port;
}

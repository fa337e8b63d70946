// The nodes we have heard of (protocol 4, "Eclipse defence"; Bitcoin's address manager scaled down). NEW holds what others
// told us, TRIED whom we have reached ourselves. A secret hash says in which bucket and place each belongs: by its netgroup
// and that of who told us, so that one party with few networks fills few buckets, and cannot choose which. A place in TRIED
// is given to somebody else only when its holder does not answer any more.

import { concatBytes, utf8 } from '../bytes/index.ts';
import { sha256 } from '../crypto/index.ts';
import { type IdentityKey, identityKey, type NodeDescriptor } from '../identity/index.ts';
import {
  type Address,
  formatAddress,
  isPublic,
  netgroup,
  pick,
  type Rng,
  randomUnit,
  shuffled,
} from '../runtime/index.ts';
import type { SavedNode } from './state.ts';
import { PEERS_MAX } from './wire.ts';

/** Protocol 4. */
const NEW_BUCKETS = 256;
const TRIED_BUCKETS = 64;
const BUCKET_PLACES = 32;
/** One source's nodes are in so many buckets of NEW: a quarter. One netgroup's are in so many of TRIED (Bitcoin's 8). */
const BUCKETS_PER_SOURCE = 64;
const BUCKETS_PER_GROUP = 8;
/** Of what we know in one answer (Bitcoin's share), and what small networks need to find together (a guess). */
const TOLD_SHARE = 0.23;
const TOLD_MIN = 8;
/** Failures in a row after which nobody is told of a node, and its place is free. A guess. */
const FAILURES_MAX = 3;
/** Between calls to one that does not answer (protocol 3.1). */
const RETRY_MS = { first: 12_000, max: 600_000 };
/** Bitcoin's: candidates for places in TRIED whose holders are to be tried first. */
const TESTS_MAX = 10;

export interface KnownNode {
  readonly descriptor: NodeDescriptor;
  readonly key: IdentityKey;
  /** Netgroup of who told us. */
  readonly source: string;
  readonly isTried: boolean;
  /** In its table. */
  readonly place: number;
  readonly failures: number;
  readonly retryMs: number;
}

export interface AddressBookOptions {
  readonly rng: Rng;
  /** 32 bytes that nobody else knows; kept over a restart. */
  readonly secret: Uint8Array;
  /** Test networks: private addresses too, and every address counts as a netgroup. */
  readonly allowPrivate: boolean;
}

export class AddressBook {
  readonly #options: AddressBookOptions;
  /** By place; at most NEW_BUCKETS and TRIED_BUCKETS times BUCKET_PLACES. */
  readonly #new = new Map<number, KnownNode>();
  readonly #tried = new Map<number, KnownNode>();
  /** All of both. */
  readonly #byKey = new Map<IdentityKey, KnownNode>();
  /** Holder of a place in TRIED, and who could have it. */
  readonly #tests = new Map<IdentityKey, IdentityKey>();

  constructor(options: AddressBookOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#byKey.size;
  }

  get triedSize(): number {
    return this.#tried.size;
  }

  all(): Iterable<KnownNode> {
    return this.#byKey.values();
  }

  find(key: IdentityKey): KnownNode | undefined {
    return this.#byKey.get(key);
  }

  /** Which nodes are too much alike to be called both. */
  groupOf(address: Address): string {
    return this.#options.allowPrivate ? formatAddress(address) : netgroup(address.ip);
  }

  /** Where it is to be called: another of its addresses after each failure. */
  addressOf({
    descriptor,
    failures,
  }: Pick<KnownNode, 'descriptor' | 'failures'>): Address | undefined {
    const port = descriptor.ports.gossip;
    const ips = [...new Set(descriptor.addresses.map(({ ip }) => ip))].filter(
      (ip) => this.#options.allowPrivate || isPublic(ip),
    );
    const ip = ips[failures % ips.length];
    return ip === undefined || port === 0 ? undefined : { ip, port };
  }

  /** As it was in the last run. */
  restore({ descriptor, source, isTried }: SavedNode, nowMs: number): void {
    this.learn(descriptor, source);
    if (isTried) this.confirm(descriptor, nowMs);
  }

  /** Somebody of the netgroup `source` told us of it. */
  learn(descriptor: NodeDescriptor, source: string): void {
    const key = identityKey(descriptor.identity);
    const known = this.#byKey.get(key);
    if (known !== undefined && known.descriptor.serial >= descriptor.serial) return;
    const address = this.addressOf({ descriptor, failures: 0 });
    if (known?.isTried === true && sameAddress(address, this.addressOf(known))) {
      this.#put({ ...known, descriptor });
      return;
    }
    if (known !== undefined) this.#remove(known);
    if (address !== undefined) this.#learnNew(descriptor, key, { address, source });
  }

  /** We have reached it. */
  confirm(descriptor: NodeDescriptor, nowMs: number): void {
    const key = identityKey(descriptor.identity);
    const address = this.addressOf({ descriptor, failures: 0 });
    if (address === undefined) return;
    const source = this.#byKey.get(key)?.source ?? this.groupOf(address);
    this.learn(descriptor, source);
    const place = this.#triedPlace(key, address);
    const holder = this.#tried.get(place);
    if (holder !== undefined && holder.key !== key) {
      if (holder.failures < FAILURES_MAX) {
        this.#test(holder.key, key);
        return;
      }
      this.#demote(holder);
    }
    const known = this.#byKey.get(key);
    if (known !== undefined) this.#remove(known);
    this.#put({ descriptor, key, source, isTried: true, place, failures: 0, retryMs: nowMs });
  }

  /** It did not answer. `isOnline`: others do, so it is not for us. */
  failed(key: IdentityKey, isOnline: boolean, nowMs: number): void {
    const known = this.#byKey.get(key);
    if (known === undefined) return;
    const gapMs = Math.min(RETRY_MS.first * 2 ** known.failures, RETRY_MS.max);
    const failures = known.failures + (isOnline ? 1 : 0);
    this.#put({ ...known, failures, retryMs: nowMs + gapMs });
  }

  /** Somebody to call; half of the time one that we have reached before. */
  choose(isWanted: (node: KnownNode) => boolean, nowMs: number): KnownNode | undefined {
    const tables = [this.#tried, this.#new];
    if (randomUnit(this.#options.rng) < 0.5) tables.reverse();
    for (const table of tables) {
      const chosen = this.#chooseFrom(table, isWanted, nowMs);
      if (chosen !== undefined) return chosen;
    }
    return undefined;
  }

  /** For a feeler: the holder of a place that somebody else could have, else one of whom we have only heard. */
  chooseToProbe(isWanted: (node: KnownNode) => boolean, nowMs: number): KnownNode | undefined {
    for (const holder of this.#tests.keys()) {
      const known = this.#byKey.get(holder);
      if (known !== undefined && isWanted(known)) return known;
    }
    return this.#chooseFrom(this.#new, isWanted, nowMs);
  }

  /** The holder of a place in TRIED that somebody else could have was tried. */
  probed(key: IdentityKey, isThere: boolean, nowMs: number): void {
    const candidateKey = this.#tests.get(key);
    const candidate = candidateKey && this.#byKey.get(candidateKey);
    const holder = this.#byKey.get(key);
    this.#tests.delete(key);
    if (isThere || candidate === undefined || holder?.isTried !== true) return;
    this.#demote(holder);
    this.confirm(candidate.descriptor, nowMs);
  }

  /** For others who ask: never so many that asking shows all we know. */
  sample(): readonly NodeDescriptor[] {
    const good = [...this.#byKey.values()].filter(({ failures }) => failures < FAILURES_MAX);
    const count = Math.min(PEERS_MAX, Math.max(TOLD_MIN, Math.floor(good.length * TOLD_SHARE)));
    return shuffled(this.#options.rng, good)
      .slice(0, count)
      .map(({ descriptor }) => descriptor);
  }

  /** Forgets descriptors that have run out. */
  expire(wallMs: number): void {
    for (const known of this.#byKey.values()) {
      if (known.descriptor.notAfterS * 1000 < wallMs) this.#remove(known);
    }
  }

  #learnNew(
    descriptor: NodeDescriptor,
    key: IdentityKey,
    { address, source }: { readonly address: Address; readonly source: string },
  ): void {
    const place = this.#newPlace(key, address, source);
    const holder = this.#new.get(place);
    if (holder !== undefined && holder.failures < FAILURES_MAX) return;
    if (holder !== undefined) this.#remove(holder);
    this.#put({ descriptor, key, source, isTried: false, place, failures: 0, retryMs: 0 });
  }

  #chooseFrom(
    table: ReadonlyMap<number, KnownNode>,
    isWanted: (node: KnownNode) => boolean,
    nowMs: number,
  ): KnownNode | undefined {
    const due = [...table.values()].filter((node) => node.retryMs <= nowMs && isWanted(node));
    return pick(this.#options.rng, due);
  }

  #test(holder: IdentityKey, candidate: IdentityKey): void {
    if (this.#tests.size < TESTS_MAX) this.#tests.set(holder, candidate);
  }

  /** Back to NEW, if there is a place. */
  #demote(known: KnownNode): void {
    this.#remove(known);
    const address = this.addressOf(known);
    if (address !== undefined) this.#learnNew(known.descriptor, known.key, { ...known, address });
  }

  #put(known: KnownNode): void {
    (known.isTried ? this.#tried : this.#new).set(known.place, known);
    this.#byKey.set(known.key, known);
  }

  #remove(known: KnownNode): void {
    (known.isTried ? this.#tried : this.#new).delete(known.place);
    this.#byKey.delete(known.key);
    this.#tests.delete(known.key);
  }

  #newPlace(key: IdentityKey, address: Address, source: string): number {
    const spread = this.#hash('new group', this.groupOf(address), source) % BUCKETS_PER_SOURCE;
    const bucket = this.#hash('new bucket', source, String(spread)) % NEW_BUCKETS;
    return bucket * BUCKET_PLACES + (this.#hash('new', String(bucket), key) % BUCKET_PLACES);
  }

  #triedPlace(key: IdentityKey, address: Address): number {
    const spread = this.#hash('tried node', key) % BUCKETS_PER_GROUP;
    const group = this.groupOf(address);
    const bucket = this.#hash('tried bucket', group, String(spread)) % TRIED_BUCKETS;
    return bucket * BUCKET_PLACES + (this.#hash('tried', String(bucket), key) % BUCKET_PLACES);
  }

  /** No part contains a line's end. */
  #hash(...parts: readonly string[]): number {
    const digest = sha256(concatBytes(this.#options.secret, utf8(parts.join('\n'))));
    return new DataView(digest.buffer, digest.byteOffset).getUint32(0);
  }
}

function sameAddress(a: Address | undefined, b: Address | undefined): boolean {
  return a !== undefined && b !== undefined && formatAddress(a) === formatAddress(b);
}

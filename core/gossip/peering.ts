// Whom we call, so that nobody decides for us who our neighbours are (protocol 4, "Eclipse defence"): eight of different
// netgroups, first those of the last run (anchors), then from the address book, half of them reached before; bootstrappers
// when there is nobody else. And now and then a probe, to know which of the addresses we heard of are true.

import { type IdentityKey, identityKey, type NodeDescriptor } from '../identity/index.ts';
import { type HostPort, type Rng, shuffled } from '../runtime/index.ts';
import type { AddressBook, KnownNode } from './addresses.ts';
import type { Neighbour, Neighbours } from './neighbours.ts';
import type { DialId, DialOutput } from './port.ts';

/** Protocol 4. */
const OUTBOUND_MAX = 8;
const PROBE_MS = 120_000;
const ANCHORS = 2;
/** Calls under way at a time. A guess. */
const DIALS_MAX = 3;
/** Between calls to a bootstrapper, twice as long after each. A guess: they are few, and there is nothing else to do. */
const BOOTSTRAP_MS = { first: 1000, max: 20_000 };

interface Bootstrapper {
  readonly host: HostPort;
  /** Who answered there last. */
  key: IdentityKey | undefined;
  gapMs: number;
  retryMs: number;
}

type Purpose =
  | { readonly type: 'neighbour' | 'probe'; readonly node: Pick<KnownNode, 'key'> }
  | { readonly type: 'bootstrap'; readonly bootstrapper: Bootstrapper };

interface Call {
  readonly purpose: Purpose;
  /** Netgroup it goes to; undefined when only the driver will know. */
  readonly group: string | undefined;
}

export interface PeeringOptions {
  readonly rng: Rng;
  readonly book: AddressBook;
  readonly neighbours: Neighbours;
  readonly bootstrappers: readonly HostPort[];
  /** Outbound neighbours of the last run. */
  readonly anchors: readonly NodeDescriptor[];
  readonly outboundMax?: number;
  /** Ourselves, and who is banned. */
  isUnwanted(key: IdentityKey, nowMs: number): boolean;
  readonly dial: DialOutput;
}

export class Peering {
  readonly #options: PeeringOptions;
  readonly #outboundMax: number;
  readonly #bootstrappers: readonly Bootstrapper[];
  #anchors: readonly NodeDescriptor[];
  /** At most DIALS_MAX, and a probe. */
  readonly #calls = new Map<DialId, Call>();
  #lastDial = 0;
  #probesMs: number;

  constructor(options: PeeringOptions, nowMs: number) {
    this.#options = options;
    this.#outboundMax = Math.min(OUTBOUND_MAX, options.outboundMax ?? OUTBOUND_MAX);
    this.#bootstrappers = shuffled(options.rng, options.bootstrappers).map((host) => ({
      host,
      key: undefined,
      gapMs: BOOTSTRAP_MS.first,
      retryMs: nowMs,
    }));
    this.#anchors = options.anchors.slice(0, ANCHORS);
    this.#probesMs = nowMs + PROBE_MS;
  }

  /** To be kept for the next run: outbound neighbours that have stayed longest. */
  anchors(): readonly NodeDescriptor[] {
    return this.#outbound()
      .toSorted((a, b) => a.sinceMs - b.sinceMs)
      .map(({ peer }) => peer)
      .filter((descriptor) => this.#options.book.addressOf({ descriptor, failures: 0 }))
      .slice(0, ANCHORS);
  }

  heartbeat(nowMs: number): void {
    while (this.#wanted() > 0 && this.#calls.size < DIALS_MAX && this.#callNext(nowMs)) {
      // Until there are enough, or nobody is left.
    }
    if (nowMs < this.#probesMs) return;
    this.#probesMs = nowMs + PROBE_MS;
    const node = this.#options.book.chooseToProbe((one) => this.#isFree(one.key, nowMs), nowMs);
    if (node !== undefined) this.#call({ type: 'probe', node }, node);
  }

  /** Whether that call was a probe, and has done its work. */
  connected(dial: DialId, peer: NodeDescriptor, nowMs: number): 'neighbour' | 'probe' {
    const { book } = this.#options;
    const purpose = this.#calls.get(dial)?.purpose;
    this.#calls.delete(dial);
    book.confirm(peer, nowMs);
    if (purpose?.type === 'bootstrap') purpose.bootstrapper.key = identityKey(peer.identity);
    if (purpose?.type !== 'probe') return 'neighbour';
    book.probed(purpose.node.key, true, nowMs);
    return 'probe';
  }

  failed(dial: DialId, nowMs: number): void {
    const { book, neighbours } = this.#options;
    const purpose = this.#calls.get(dial)?.purpose;
    this.#calls.delete(dial);
    if (purpose === undefined || purpose.type === 'bootstrap') return;
    book.failed(purpose.node.key, neighbours.size > 0, nowMs);
    if (purpose.type === 'probe') book.probed(purpose.node.key, false, nowMs);
  }

  /** How many more neighbours we want to call. */
  #wanted(): number {
    const calling = [...this.#calls.values()].filter(({ purpose }) => purpose.type !== 'probe');
    return this.#outboundMax - this.#outbound().length - calling.length;
  }

  #outbound(): readonly Neighbour[] {
    return this.#options.neighbours.all().filter(({ isOutbound }) => isOutbound);
  }

  #callNext(nowMs: number): boolean {
    const node = this.#nextAnchor(nowMs) ?? this.#chosen(nowMs);
    if (node !== undefined) return this.#call({ type: 'neighbour', node }, node);
    const bootstrapper = this.#bootstrappers.find((one) => this.#isDue(one, nowMs));
    if (bootstrapper !== undefined) this.#bootstrap(bootstrapper, nowMs);
    return bootstrapper !== undefined;
  }

  #bootstrap(bootstrapper: Bootstrapper, nowMs: number): void {
    const { host, gapMs } = bootstrapper;
    bootstrapper.retryMs = nowMs + gapMs;
    bootstrapper.gapMs = Math.min(2 * gapMs, BOOTSTRAP_MS.max);
    this.#dial({ type: 'bootstrap', bootstrapper }, undefined, { type: 'bootstrapper', host });
  }

  #nextAnchor(nowMs: number): Called | undefined {
    const [descriptor, ...rest] = this.#anchors;
    if (descriptor === undefined) return undefined;
    this.#anchors = rest;
    const key = identityKey(descriptor.identity);
    return this.#isFree(key, nowMs) ? { descriptor, key, failures: 0 } : this.#nextAnchor(nowMs);
  }

  #chosen(nowMs: number): KnownNode | undefined {
    const { book } = this.#options;
    const taken = this.#groups();
    return book.choose((node) => {
      const address = book.addressOf(node);
      const isElsewhere = address !== undefined && !taken.has(book.groupOf(address));
      return isElsewhere && this.#isFree(node.key, nowMs);
    }, nowMs);
  }

  /** Netgroups that we call or have called. */
  #groups(): ReadonlySet<string | undefined> {
    const { book } = this.#options;
    return new Set([
      ...this.#outbound().map(({ address }) => book.groupOf(address)),
      ...[...this.#calls.values()].map(({ group }) => group),
    ]);
  }

  #isDue(bootstrapper: Bootstrapper, nowMs: number): boolean {
    const { key, retryMs } = bootstrapper;
    const isCalled = [...this.#calls.values()].some(
      ({ purpose }) => purpose.type === 'bootstrap' && purpose.bootstrapper === bootstrapper,
    );
    return nowMs >= retryMs && !isCalled && (key === undefined || this.#isFree(key, nowMs));
  }

  /** Neither we nor a neighbour, nor banned, nor being called. */
  #isFree(key: IdentityKey, nowMs: number): boolean {
    const { neighbours, isUnwanted } = this.#options;
    const isCalled = [...this.#calls.values()].some(
      ({ purpose }) => purpose.type !== 'bootstrap' && purpose.node.key === key,
    );
    return !isCalled && neighbours.withIdentity(key) === undefined && !isUnwanted(key, nowMs);
  }

  #call(purpose: Purpose, node: Called): boolean {
    const address = this.#options.book.addressOf(node);
    if (address === undefined) return false;
    const { identity } = node.descriptor;
    const group = this.#options.book.groupOf(address);
    this.#dial(purpose, group, { type: 'node', identity, address });
    return true;
  }

  #dial(purpose: Purpose, group: string | undefined, target: Parameters<DialOutput>[1]): void {
    this.#lastDial++;
    this.#calls.set(this.#lastDial, { purpose, group });
    this.#options.dial(this.#lastDial, target);
  }
}

type Called = Pick<KnownNode, 'descriptor' | 'key' | 'failures'>;

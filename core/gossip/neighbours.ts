// The nodes we have a channel with, and what each may make us do (protocol 4 and 11). What is over a quota is ignored: a
// channel delivers late and at once what was sent in time, so it proves no fault.

import { type IdentityKey, identityKey, type NodeDescriptor } from '../identity/index.ts';
import { type Address, subnet } from '../runtime/index.ts';
import { Outbox } from './outbox.ts';
import { Rate, type RateLimit } from './rate.ts';

/** The driver's number of a channel, never used twice. */
export type NeighbourId = number;

/** Protocol 4, "Messages", each with room for what comes late and all at once. IWANT is a guess. */
const QUOTAS = {
  items: { perSecond: 20, burst: 100 },
  itemBytes: { perSecond: 128 << 10, burst: 640 << 10 },
  hello: { perSecond: 1, burst: 3 },
  ihave: { perSecond: 1, burst: 3 },
  iwant: { perSecond: 2, burst: 8 },
  pull: { perSecond: 1 / 30, burst: 3 },
  peers: { perSecond: 1 / 60, burst: 2 },
  ping: { perSecond: 1 / 10, burst: 3 },
} as const satisfies Readonly<Record<string, RateLimit>>;

export type Quota = keyof typeof QUOTAS;

export interface NewNeighbour {
  readonly id: NeighbourId;
  readonly peer: NodeDescriptor;
  /** Where it is, or where it called from. */
  readonly address: Address;
  readonly isOutbound: boolean;
}

export class Neighbour {
  readonly id: NeighbourId;
  readonly peer: NodeDescriptor;
  readonly key: IdentityKey;
  readonly address: Address;
  readonly subnet: string;
  readonly isOutbound: boolean;
  readonly sinceMs: number;
  readonly outbox = new Outbox();
  /** What it understands; undefined until its HELLO. */
  dataTypes: ReadonlySet<number> | undefined;
  /** When anything came from it. */
  heardMs: number;
  /** When it was the first to bring an item that was good. */
  usefulMs = Number.NEGATIVE_INFINITY;
  /** The shortest round trip so far. */
  pingMs = Number.POSITIVE_INFINITY;
  /** The last PING. */
  ping: { readonly nonce: Uint8Array; readonly atMs: number; readonly isOpen: boolean } | undefined;
  pulledMs = Number.NEGATIVE_INFINITY;
  askedPeersMs = Number.NEGATIVE_INFINITY;
  awaitsPeers = false;
  readonly #quotas: Readonly<Record<Quota, Rate>>;

  constructor({ id, peer, address, isOutbound }: NewNeighbour, nowMs: number) {
    this.id = id;
    this.peer = peer;
    this.key = identityKey(peer.identity);
    this.address = address;
    this.subnet = subnet(address.ip);
    this.isOutbound = isOutbound;
    this.sinceMs = nowMs;
    this.heardMs = nowMs;
    this.#quotas = {
      items: new Rate(QUOTAS.items),
      itemBytes: new Rate(QUOTAS.itemBytes),
      hello: new Rate(QUOTAS.hello),
      ihave: new Rate(QUOTAS.ihave),
      iwant: new Rate(QUOTAS.iwant),
      pull: new Rate(QUOTAS.pull),
      peers: new Rate(QUOTAS.peers),
      ping: new Rate(QUOTAS.ping),
    };
  }

  /** Whether it has introduced itself. */
  get isReady(): boolean {
    return this.dataTypes !== undefined;
  }

  mayAsk(quota: Quota, nowMs: number): boolean {
    return this.#quotas[quota].take(1, nowMs);
  }

  mayPush(bytes: number, nowMs: number): boolean {
    const { items, itemBytes } = this.#quotas;
    return items.has(1, nowMs) && itemBytes.take(bytes, nowMs) && items.take(1, nowMs);
  }
}

export class Neighbours {
  /** Bounded by what the driver connects; `peering.ts` says how many. */
  readonly #byId = new Map<NeighbourId, Neighbour>();
  readonly #byKey = new Map<IdentityKey, Neighbour>();
  readonly #subnets = new Map<string, number>();

  get size(): number {
    return this.#byId.size;
  }

  all(): readonly Neighbour[] {
    return [...this.#byId.values()];
  }

  /** Those that have introduced themselves. */
  ready(): readonly Neighbour[] {
    return this.all().filter(({ isReady }) => isReady);
  }

  find(id: NeighbourId): Neighbour | undefined {
    return this.#byId.get(id);
  }

  withIdentity(key: IdentityKey): Neighbour | undefined {
    return this.#byKey.get(key);
  }

  /** How many are in this one's subnet, itself included. */
  inSubnetOf(neighbour: Neighbour): number {
    return this.#subnets.get(neighbour.subnet) ?? 0;
  }

  add(neighbour: Neighbour): void {
    this.#byId.set(neighbour.id, neighbour);
    this.#byKey.set(neighbour.key, neighbour);
    this.#count(neighbour, 1);
  }

  remove(neighbour: Neighbour): void {
    this.#byId.delete(neighbour.id);
    this.#byKey.delete(neighbour.key);
    this.#count(neighbour, -1);
  }

  #count(neighbour: Neighbour, change: 1 | -1): void {
    const count = (this.#subnets.get(neighbour.subnet) ?? 0) + change;
    if (count > 0) this.#subnets.set(neighbour.subnet, count);
    else this.#subnets.delete(neighbour.subnet);
  }
}

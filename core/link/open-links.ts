// The links that are open, by the identity at their other end: which of two to use when both sides called each other
// (protocol 3.1), and which have been of no use for so long that they are closed.

import { compareBytes } from '../bytes/index.ts';
import {
  type Identity,
  type IdentityKey,
  identityKey,
  type NodeDescriptor,
} from '../identity/index.ts';
import type { Link } from './link.ts';
import type { LinkStatus, LinkUp } from './links-port.ts';
import type { LinkId } from './port.ts';

/** LINK_IDLE_S: a link without circuits. */
export const IDLE_MS = 60_000;
/** The one of two that is not kept, once its circuits have ended: the other side may just be starting one. */
export const CROSSED_MS = 10_000;
/** Two called each other, or one came back before we noticed that it was gone. A third shows that one is of no use. */
const PER_IDENTITY_MAX = 2;

export interface OpenEntry {
  readonly link: Link;
  readonly peer: NodeDescriptor;
  readonly clockAheadS: number;
  readonly sinceMs: number;
  inUse: boolean;
  kept: boolean;
  unusedSinceMs: number;
}

export class OpenLinks {
  readonly #self: Identity;
  readonly #entries = new Map<LinkId, OpenEntry>();
  /** The one to use first, at most PER_IDENTITY_MAX. */
  readonly #byIdentity = new Map<IdentityKey, readonly OpenEntry[]>();

  constructor(self: Identity) {
    this.#self = self;
  }

  get size(): number {
    return this.#entries.size;
  }

  find(id: LinkId): OpenEntry | undefined {
    return this.#entries.get(id);
  }

  all(): Iterable<OpenEntry> {
    return this.#entries.values();
  }

  /** The links to this node, the one to use first. */
  of(identity: Identity): readonly OpenEntry[] {
    return this.#byIdentity.get(identityKey(identity)) ?? [];
  }

  /** `surplus` must go: too many of one identity. */
  add(
    link: Link,
    { peer, clockAheadS }: Pick<OpenEntry, 'peer' | 'clockAheadS'>,
    nowMs: number,
  ): { readonly added: OpenEntry; readonly surplus: OpenEntry | undefined } {
    const before = this.of(peer.identity);
    for (const entry of before) entry.unusedSinceMs = nowMs;
    const unused = { inUse: false, kept: false, unusedSinceMs: nowMs };
    const added = { link, peer, clockAheadS, sinceMs: nowMs, ...unused };
    this.#entries.set(link.id, added);
    const entries = this.#goesFirst(added, before[0]) ? [added, ...before] : [...before, added];
    this.#byIdentity.set(identityKey(peer.identity), entries);
    return { added, surplus: entries[PER_IDENTITY_MAX] };
  }

  /** Harmless when it is not open. */
  remove(id: LinkId): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    const key = identityKey(entry.peer.identity);
    const others = this.of(entry.peer.identity).filter((other) => other !== entry);
    if (others.length > 0) this.#byIdentity.set(key, others);
    else this.#byIdentity.delete(key);
  }

  setInUse(id: LinkId, inUse: boolean, nowMs: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    if (entry.inUse) entry.unusedSinceMs = nowMs;
    entry.inUse = inUse;
  }

  setKept(id: LinkId, kept: boolean): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.kept = kept;
  }

  /** Those to close now. */
  expired(nowMs: number): readonly OpenEntry[] {
    return [...this.#entries.values()].filter((entry) => nowMs >= this.#expiresMs(entry));
  }

  nextDeadlineMs(): number {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const entry of this.#entries.values()) nextMs = Math.min(nextMs, this.#expiresMs(entry));
    return nextMs;
  }

  #expiresMs(entry: OpenEntry): number {
    if (entry.inUse) return Number.POSITIVE_INFINITY;
    if (this.of(entry.peer.identity)[0] !== entry) return entry.unusedSinceMs + CROSSED_MS;
    return entry.kept ? Number.POSITIVE_INFINITY : entry.unusedSinceMs + IDLE_MS;
  }

  /** Of two that crossed the smaller identity's; otherwise the newer, as who still had the older would not have called. */
  #goesFirst({ link, peer, sinceMs }: OpenEntry, first: OpenEntry | undefined): boolean {
    if (first === undefined || link.isInitiator === first.link.isInitiator) return true;
    if (sinceMs > first.sinceMs + CROSSED_MS) return true;
    return link.isInitiator === compareBytes(this.#self, peer.identity) < 0;
  }
}

export function linkUp({ link, peer, clockAheadS }: OpenEntry): LinkUp {
  const { id, address, transport, isInitiator: initiator } = link;
  const { identity } = peer;
  return { link: id, identity, address, transport, initiator, descriptor: peer, clockAheadS };
}

export function linkStatus(
  { link, peer, inUse, kept, sinceMs }: OpenEntry,
  nowMs: number,
): LinkStatus {
  const { id, address, transport, isInitiator: initiator, rttMs, powBits } = link;
  return {
    link: id,
    identity: peer.identity,
    address,
    transport,
    initiator,
    ageMs: nowMs - sinceMs,
    rttMs,
    inUse,
    kept,
    powBits,
  };
}

// Whom we do not deal with for a while (protocol 3.1 and 11): an identity whose own keys broke the protocol, or, when
// nobody had proven to be anybody yet, the address it happened at. Never a netgroup, and never for what others can
// cause. Whoever wants to keep them over a restart takes them with `saved`.

import { type Identity, identityKey } from '../identity/index.ts';
import { type Address, formatAddress } from '../runtime/index.ts';
import type { Now } from './link.ts';

/** BAN_S. */
export const BAN_IDENTITY_MS = 3_600_000;
export const BAN_ADDRESS_MS = 600_000;
/** A guess: an identity costs a proof of work, so filling this in an hour is work for a farm of them. */
const BANS_MAX = 4096;
export const SAVED_BANS_MAX = 2 * BANS_MAX;

export interface SavedBan {
  readonly whom: 'identity' | 'address';
  /** As text: of an address with its port. */
  readonly key: string;
  /** Unix time. */
  readonly untilMs: number;
}

/** Keys that are in it until their time; beyond `max` the one that was added first is forgotten. */
class TimedSet {
  readonly #max: number;
  /** At most `max`. */
  readonly #untilMs = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#untilMs.size;
  }

  add(key: string, untilMs: number): void {
    this.#untilMs.delete(key);
    this.#untilMs.set(key, untilMs);
    const [oldest] = this.#untilMs.keys();
    if (this.#untilMs.size > this.#max && oldest !== undefined) this.#untilMs.delete(oldest);
  }

  entries(): Iterable<readonly [key: string, untilMs: number]> {
    return this.#untilMs;
  }

  has(key: string, nowMs: number): boolean {
    const untilMs = this.#untilMs.get(key);
    if (untilMs === undefined || nowMs < untilMs) return untilMs !== undefined;
    this.#untilMs.delete(key);
    return false;
  }
}

export class Bans {
  readonly #identities = new TimedSet(BANS_MAX);
  readonly #addresses = new TimedSet(BANS_MAX);

  get size(): number {
    return this.#identities.size + this.#addresses.size;
  }

  saved({ nowMs, wallMs }: Now): readonly SavedBan[] {
    const list = (whom: SavedBan['whom'], set: TimedSet): SavedBan[] =>
      [...set.entries()]
        .filter(([, untilMs]) => untilMs > nowMs)
        .map(([key, untilMs]) => ({ whom, key, untilMs: Math.floor(wallMs + untilMs - nowMs) }));
    return [...list('identity', this.#identities), ...list('address', this.#addresses)];
  }

  /** However the clock was set meanwhile, none lasts longer than a new one would. */
  restore(bans: readonly SavedBan[], { nowMs, wallMs }: Now): void {
    for (const { whom, key, untilMs } of bans) {
      const [set, maxMs] =
        whom === 'identity'
          ? [this.#identities, BAN_IDENTITY_MS]
          : [this.#addresses, BAN_ADDRESS_MS];
      const leftMs = Math.min(untilMs - wallMs, maxMs);
      if (leftMs > 0) set.add(key, nowMs + leftMs);
    }
  }

  banIdentity(identity: Identity, nowMs: number): void {
    this.#identities.add(identityKey(identity), nowMs + BAN_IDENTITY_MS);
  }

  banAddress(address: Address, nowMs: number): void {
    this.#addresses.add(formatAddress(address), nowMs + BAN_ADDRESS_MS);
  }

  hasIdentity(identity: Identity, nowMs: number): boolean {
    return this.#identities.has(identityKey(identity), nowMs);
  }

  hasAddress(address: Address, nowMs: number): boolean {
    return this.#addresses.has(formatAddress(address), nowMs);
  }
}

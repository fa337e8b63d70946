// The values that are kept here (protocol 7, "value" and "conflict"): those of others within their quotas, the nearest to
// our id when there is no room for all, and those of our own clients, whatever their distance. Whoever calls has looked at
// token, key rule and proof of work; here values are only kept, completed, and given up.

import { toHex } from '../bytes/index.ts';
import type { Identity } from '../identity/index.ts';
import type { Now } from '../link/index.ts';
import { type Rng, randomBetween } from '../runtime/index.ts';
import { compareDistance } from './distance.ts';
import { isPart, joinParts } from './manifest.ts';
import { Quotas } from './quotas.ts';
import { type DhtRecord, expiryMs, isValueOf, valueBytes, workOf } from './record.ts';
import { type Part, type Stored, VARIANTS_MAX } from './wire.ts';

/** Protocol 7, for values of others and for our clients' each. */
const BYTES_MAX = 64 << 20;
/** What a value costs besides its bytes: the record, its place in maps, a file. A guess. */
const OVERHEAD_BYTES = 512;
/** Protocol 7: once per hour ± 10 min. */
const REPUBLISH_MS = { min: 3_000_000, max: 4_200_000 };
/** How long the parts of a value may take to come. A guess. */
const INCOMPLETE_MS = 60_000;

export interface Held {
  readonly key: Uint8Array;
  record: DhtRecord;
  /** Who stored it, or RESTORED; undefined: a client of ours. */
  readonly source: string | undefined;
  readonly parts: Map<number, Uint8Array>;
  readonly sinceMs: number;
  /** When we see to it that there are enough copies, unless somebody else does before. */
  dueMs: number;
}

export interface Offer {
  readonly key: Uint8Array;
  readonly record: DhtRecord;
  readonly source: string | undefined;
}

/** The source of what was here before a restart: who stored it is forgotten, and the quotas with it. */
export const RESTORED = 'restored';

export interface HoldingsOptions {
  readonly own: Identity;
  readonly networkId: Uint8Array;
  readonly rng: Rng;
  /** For the disk: a value is complete, or has got a longer life; and it is no longer here. */
  onKept(held: Held): void;
  onGone(held: Held): void;
  readonly bytesMax?: number;
}

export class Holdings {
  readonly #options: HoldingsOptions;
  /** By key, at most VARIANTS_MAX each; in all bounded by #bytes. */
  readonly #byKey = new Map<string, Held[]>();
  readonly #quotas = new Quotas();
  /** Of others, and of our clients. */
  readonly #bytes = { others: 0, own: 0 };

  constructor(options: HoldingsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.all().length;
  }

  get bytes(): number {
    return this.#bytes.others + this.#bytes.own;
  }

  all(): Held[] {
    return [...this.#byKey.values()].flat();
  }

  offer({ key, record, source }: Offer, now: Now): Stored {
    const known = this.#find(key, record.variant);
    // What somebody stored here, and a client of ours now puts as well, is ours from now on.
    const isTakenOver = source === undefined && known?.source !== undefined;
    if (known !== undefined && !isTakenOver) return this.#repeat(known, record, now);
    if (known !== undefined) this.remove(known);
    if (!this.#makeWay(key, record)) return { type: 'stored', status: 'full', missing: [] };
    const bytes = costOf(record);
    const hasQuota = source !== undefined && source !== RESTORED;
    if (hasQuota && !this.#quotas.take(source, bytes, now.nowMs)) {
      return { type: 'stored', status: 'full', missing: [] };
    }
    const parts = new Map<number, Uint8Array>();
    const held = { key, record, source, parts, sinceMs: now.nowMs, dueMs: this.#nextDue(now) };
    this.#add(held);
    if (!this.#makeRoom(held, now)) return { type: 'stored', status: 'full', missing: [] };
    if (isComplete(held)) this.#options.onKept(held);
    return { type: 'stored', status: 'stored', missing: missingOf(held) };
  }

  /** Parts of a value that was offered before. */
  offerParts(key: Uint8Array, variant: string, parts: readonly Part[]): Stored {
    const held = this.#find(key, variant);
    const manifest = held?.record.manifest;
    if (held === undefined || manifest === undefined) return REFUSED;
    if (isComplete(held)) return { type: 'stored', status: 'known', missing: [] };
    for (const { index, bytes } of parts) {
      if (!isPart(manifest, index, bytes)) return REFUSED;
      held.parts.set(index, bytes);
    }
    if (isComplete(held)) {
      if (!isValueOf(key, held.record.form, wholeValue(held))) {
        this.remove(held);
        return REFUSED;
      }
      this.#options.onKept(held);
    }
    return { type: 'stored', status: 'stored', missing: missingOf(held) };
  }

  /** A value with all of its parts. */
  offerWhole(offer: Offer, parts: readonly Uint8Array[], now: Now): void {
    this.offer(offer, now);
    const all = parts.map((bytes, index) => ({ index, bytes }));
    if (all.length > 0) this.offerParts(offer.key, offer.record.variant, all);
  }

  /** All of a key, complete or not. */
  at(key: Uint8Array): readonly Held[] {
    return this.#byKey.get(toHex(key)) ?? [];
  }

  /** What can be told of a key: complete and not run out; the hardest work first. */
  under(key: Uint8Array, { wallMs }: Pick<Now, 'wallMs'>): Held[] {
    return this.at(key)
      .filter((held) => isComplete(held) && expiryMs(held.record) > wallMs)
      .sort((a, b) => this.#work(b) - this.#work(a));
  }

  parts(key: Uint8Array, variant: string, indexes: readonly number[]): Part[] {
    const held = this.#find(key, variant);
    return indexes.flatMap((index) => {
      const bytes = held?.parts.get(index);
      return bytes === undefined ? [] : [{ index, bytes }];
    });
  }

  /** Gives up what has run out or has not been completed. */
  expire({ nowMs, wallMs }: Now): void {
    for (const held of this.all()) {
      const isStuck = !isComplete(held) && held.sinceMs + INCOMPLETE_MS <= nowMs;
      if (isStuck || expiryMs(held.record) <= wallMs) this.remove(held);
    }
  }

  /** Values of others whose copies it is our turn to look after. They are due again in an hour. */
  takeDue(now: Now, max: number): Held[] {
    const due = this.all().filter(
      (held) => held.source !== undefined && held.dueMs <= now.nowMs && isComplete(held),
    );
    const taken = due.slice(0, max);
    for (const held of taken) held.dueMs = this.#nextDue(now);
    return taken;
  }

  /** Harmless when it is gone. */
  remove(held: Held): void {
    const name = toHex(held.key);
    const before = this.at(held.key);
    const left = before.filter((other) => other !== held);
    if (left.length === before.length) return;
    if (left.length > 0) this.#byKey.set(name, left);
    else this.#byKey.delete(name);
    this.#bytes[accountOf(held)] -= costOf(held.record);
    if (held.source !== undefined) this.#quotas.release(held.source);
    this.#options.onGone(held);
  }

  #find(key: Uint8Array, variant: string): Held | undefined {
    return this.at(key).find(({ record }) => record.variant === variant);
  }

  #nextDue({ nowMs }: Now): number {
    return nowMs + randomBetween(this.#options.rng, REPUBLISH_MS.min, REPUBLISH_MS.max);
  }

  /** The same value once more: from its owner, who has paid for a longer life, or from another holder. */
  #repeat(held: Held, record: DhtRecord, now: Now): Stored {
    held.dueMs = this.#nextDue(now);
    const livesLonger = expiryMs(record) > expiryMs(held.record);
    if (livesLonger) held.record = record;
    if (!isComplete(held)) return { type: 'stored', status: 'stored', missing: missingOf(held) };
    if (livesLonger) this.#options.onKept(held);
    return { type: 'stored', status: 'known', missing: [] };
  }

  #add(held: Held): void {
    const name = toHex(held.key);
    this.#byKey.set(name, [...(this.#byKey.get(name) ?? []), held]);
    this.#bytes[accountOf(held)] += costOf(held.record);
  }

  /** A place under this key: false when those who are there have the better right to it. */
  #makeWay(key: Uint8Array, record: DhtRecord): boolean {
    const there = this.at(key);
    if (record.signer !== undefined) {
      const older = there.find((held) => held.record.form === 'signed');
      if (older !== undefined) {
        if ((older.record.signer?.seq ?? 0) >= record.signer.seq) return false;
        this.remove(older);
        return true;
      }
    }
    if (there.length < VARIANTS_MAX) return true;
    const rivals = there
      .filter((held) => held.record.form !== 'signed' && held.source !== undefined)
      .sort((a, b) => this.#work(a) - this.#work(b));
    const [weakest] = rivals;
    if (weakest === undefined) return false;
    const work = workOf(this.#options.networkId, key, record);
    if (record.form === 'opaque' && work <= this.#work(weakest)) return false;
    this.remove(weakest);
    return true;
  }

  #work({ key, record }: Held): number {
    return workOf(this.#options.networkId, key, record);
  }

  /** Expiry, then distance: false when `newest` is what had to go. */
  #makeRoom(newest: Held, now: Now): boolean {
    const { own, bytesMax = BYTES_MAX } = this.#options;
    const account = accountOf(newest);
    if (this.#bytes[account] > bytesMax) this.expire(now);
    while (this.#bytes[account] > bytesMax) {
      const others = this.all().filter((held) => accountOf(held) === account);
      // Our clients' values are all equally near to us: the newest is refused.
      const farthest =
        account === 'own'
          ? newest
          : others.reduce((a, b) => (compareDistance(own, a.key, b.key) < 0 ? b : a), newest);
      this.remove(farthest);
      if (farthest === newest) return false;
    }
    return true;
  }
}

export const REFUSED: Stored = { type: 'stored', status: 'refused', missing: [] };

export function isComplete({ record, parts }: Held): boolean {
  return parts.size === (record.manifest?.hashes.length ?? 0);
}

/** Of a complete one. */
export function wholeValue({ record, parts }: Held): Uint8Array {
  const { manifest, payload } = record;
  return manifest === undefined ? payload : joinParts(manifest, parts);
}

function missingOf({ record, parts }: Held): number[] {
  const indexes = record.manifest?.hashes.map((_, i) => i) ?? [];
  return indexes.filter((index) => !parts.has(index));
}

function costOf(record: DhtRecord): number {
  return valueBytes(record) + OVERHEAD_BYTES;
}

function accountOf({ source }: Held): 'own' | 'others' {
  return source === undefined ? 'own' : 'others';
}

// An item: what gossip spreads (protocol 4). On the wire:
//
//   0   1   version 1
//   1   2   data type
//   3   1   ttl (ttl.ts), the one field that changes on the way
//   4   4   created, in minutes since 1970
//   8   2   lifetime in minutes, 1 to 1440
//  10   1   bits of the proof of work
//  11   8   its nonce
//  19   -   data, at most 65,527 bytes
//
// All but ttl and nonce is hashed under a label into the challenge of the proof; the hash of challenge and nonce, which the
// proof is about, also names the item: the id is its last 16 bytes, where a proof has left no zeros.

import { concatBytes, DecodeError, Reader, Writer } from '../bytes/index.ts';
import { POW_NONCE_BYTES, type PowTask, sha256, signedPrefix, verifyPow } from '../crypto/index.ts';
import { CLOCK_SKEW_MAX_S } from '../identity/index.ts';
import { GOSSIP_DATA_BYTES_MAX } from '../module-api/index.ts';
import { isTtl } from './ttl.ts';

const VERSION = 1;
const TTL_AT = 3;
const HEADER_BYTES = 19;

export const ITEM_BYTES_MAX = HEADER_BYTES + GOSSIP_DATA_BYTES_MAX;
export const ITEM_ID_BYTES = 16;

/** Protocol 4. */
export const LIFETIME_MAX_MIN = 1440;
/** Of what modules announce: a guess, several times what a PULL looks back. */
const LIFETIME_MIN = 60;
/** Size estimation speaks of its rounds of 5 minutes, the one before and the next. */
const LIFETIMES_MIN: ReadonlyMap<number, number> = new Map([[5200, 15]]);
/** Ours are dated back a little: minutes are coarse, and clocks of others may be behind. A guess. */
const BACKDATED_S = 30;

/** `bits` of a proof (core/crypto): more nobody can have found. */
const POW_BITS_MAX = 32;
/** Protocol 4: 12 bits, and one more for each doubling of the size. */
const POW_BITS_BASE = 12;
/** Data types with a rule of their own (protocol 4): presence (protocol 8), size estimation (core/nse/wire.ts). */
const POW_BITS: ReadonlyMap<number, number> = new Map([
  [5100, 18],
  [5200, 0],
]);

declare const itemId: unique symbol;

/** The 16 bytes as characters 0 to 255: the key of maps. */
export type ItemId = string & { readonly [itemId]: 'ItemId' };

/** An item without ttl and proof. */
export interface Draft {
  readonly dataType: number;
  readonly createdMin: number;
  readonly lifetimeMin: number;
  readonly powBits: number;
  readonly data: Uint8Array;
}

export interface Item extends Draft {
  readonly id: ItemId;
  readonly ttl: number;
  /** What the proof of work is about. */
  readonly challenge: Uint8Array;
  readonly powNonce: Uint8Array;
  /** As it came; `data` and the others are views of it. */
  readonly encoded: Uint8Array;
}

export function toItemId(bytes: Uint8Array): ItemId {
  return String.fromCharCode(...bytes) as ItemId;
}

export function writeItemId(writer: Writer, id: ItemId): void {
  for (let i = 0; i < ITEM_ID_BYTES; i++) writer.u8(id.charCodeAt(i));
}

/** How many bits an item of this type and size must prove. */
export function powBitsOf(dataType: number, dataBytes: number): number {
  return POW_BITS.get(dataType) ?? POW_BITS_BASE + Math.ceil(Math.log2(1 + dataBytes / 1024));
}

/** What a module of ours announces. */
export function draftItem(dataType: number, data: Uint8Array, wallMs: number): Draft {
  const createdMin = Math.floor((wallMs / 1000 - BACKDATED_S) / 60);
  const powBits = powBitsOf(dataType, data.length);
  const lifetimeMin = LIFETIMES_MIN.get(dataType) ?? LIFETIME_MIN;
  return { dataType, createdMin, lifetimeMin, powBits, data };
}

export function itemPowTask(draft: Draft, networkId: Uint8Array): PowTask {
  return { kind: 'fast', challenge: challengeOf(draft, networkId), bits: draft.powBits };
}

export function encodeItem(draft: Draft, ttl: number, powNonce: Uint8Array): Uint8Array {
  const { dataType, createdMin, lifetimeMin, powBits, data } = draft;
  const writer = new Writer(HEADER_BYTES + data.length).u8(VERSION).u16(dataType).u8(ttl);
  return writer.u32(createdMin).u16(lifetimeMin).u8(powBits).bytes(powNonce).bytes(data).end();
}

/** Keeps `encoded`. Costs a hash of it, so whoever sends items pays first (rate.ts). */
export function decodeItem(encoded: Uint8Array, networkId: Uint8Array): Item {
  if (encoded.length > ITEM_BYTES_MAX) throw new DecodeError('an item too long');
  const reader = new Reader(encoded);
  if (reader.u8() !== VERSION) throw new DecodeError('an item of another version');
  const [dataType, ttl, createdMin] = [reader.u16(), reader.u8(), reader.u32()];
  const [lifetimeMin, powBits] = [reader.u16(), reader.u8()];
  const powNonce = reader.view(POW_NONCE_BYTES);
  const data = reader.rest();
  if (!isTtl(ttl)) throw new DecodeError('an item with a wrong ttl');
  if (lifetimeMin < 1 || lifetimeMin > LIFETIME_MAX_MIN) {
    throw new DecodeError('an item with a wrong lifetime');
  }
  if (powBits > POW_BITS_MAX) throw new DecodeError('an item with a proof nobody can have');
  const draft = { dataType, createdMin, lifetimeMin, powBits, data };
  const challenge = challengeOf(draft, networkId);
  const id = toItemId(sha256(challenge, powNonce).subarray(-ITEM_ID_BYTES));
  return { ...draft, id, ttl, challenge, powNonce, encoded };
}

/** The same item for the next node. */
export function withTtl(encoded: Uint8Array, ttl: number): Uint8Array {
  const copy = new Uint8Array(encoded);
  copy[TTL_AT] = ttl;
  return copy;
}

/** About 2 µs. */
export function hasProof({ dataType, data, powBits, challenge, powNonce }: Item): boolean {
  if (powBits < powBitsOf(dataType, data.length)) return false;
  return verifyPow({ kind: 'fast', challenge, bits: powBits }, powNonce);
}

/** Whether it is its time, as far as clocks agree. */
export function hasBegun({ createdMin }: Draft, wallMs: number): boolean {
  return createdMin * 60 <= wallMs / 1000 + CLOCK_SKEW_MAX_S;
}

export function isOver({ createdMin, lifetimeMin }: Draft, wallMs: number): boolean {
  return (createdMin + lifetimeMin) * 60 < wallMs / 1000 - CLOCK_SKEW_MAX_S;
}

function challengeOf(draft: Draft, networkId: Uint8Array): Uint8Array {
  const { dataType, createdMin, lifetimeMin, powBits, data } = draft;
  const fields = new Writer(10).u8(VERSION).u16(dataType).u32(createdMin);
  fields.u16(lifetimeMin).u8(powBits);
  return sha256(concatBytes(signedPrefix('gossip-item', networkId), fields.end()), data);
}

// What the DHT keeps over a restart, as bytes of a file each (files-driver.ts): a value, and the nodes of the routing table.
//
//   value   0      1   version 1
//           1      1   1: of a client of ours
//           2     32   key
//          34      2   length of the record, then the record
//           -      -   of a parted one: the value
//
//   nodes   version 1 | count u8, at most 50, of groups | groups of nodes as in a message, at most 20 (contact.ts)
//
// Values of others are hostile bytes on disk as on the wire: what is read passes the same checks again.

import { concatBytes, DecodeError, Reader, toHex, Writer } from '../bytes/index.ts';
import { CONTACT_BYTES, type Contact, K, readContacts, writeContacts } from './contact.ts';
import { type Held, isComplete } from './holdings.ts';
import { cut, isPart } from './manifest.ts';
import { type DhtRecord, decodeRecord, isValueOf, RECORD_BYTES_MAX } from './record.ts';
import { KEY_BYTES } from './wire.ts';

const VERSION = 1;
const FIXED_BYTES = 2 + KEY_BYTES + 2;
/** The longest value with its record. */
export const SAVED_VALUE_BYTES_MAX = FIXED_BYTES + RECORD_BYTES_MAX + 65_536;

/** A guess: a full table in the largest networks. */
const NODES_MAX = 1000;
const GROUPS_MAX = NODES_MAX / K;
export const SAVED_NODES_BYTES_MAX = 2 + GROUPS_MAX * (1 + K * CONTACT_BYTES);

export interface SavedValue {
  readonly isOwn: boolean;
  readonly key: Uint8Array;
  readonly record: DhtRecord;
  readonly parts: readonly Uint8Array[];
}

/** Under which name: one for each value of a key, and the same after every change of it. */
export function savedName({ key, record }: Pick<Held, 'key' | 'record'>): string {
  return `${toHex(key)}-${record.variant.slice(0, 32)}`;
}

/** Of a complete one. */
export function encodeSavedValue(held: Held): Uint8Array {
  if (!isComplete(held)) throw new RangeError('parts are missing');
  const { key, record, source, parts } = held;
  const head = new Writer(FIXED_BYTES).u8(VERSION);
  head.u8(source === undefined ? 1 : 0).bytes(key);
  head.u16(record.encoded.length);
  const hashes = record.manifest?.hashes ?? [];
  const value = hashes.map((_, index) => parts.get(index) ?? new Uint8Array());
  return concatBytes(head.end(), record.encoded, ...value);
}

export function decodeSavedValue(bytes: Uint8Array): SavedValue {
  const reader = new Reader(bytes);
  if (reader.u8() !== VERSION) throw new DecodeError('saved by another version');
  const isOwn = reader.u8() === 1;
  const key = reader.bytes(KEY_BYTES);
  const record = decodeRecord(reader.view(reader.u16()));
  const value = reader.rest();
  const { manifest } = record;
  if (manifest === undefined) {
    if (value.length > 0) throw new DecodeError('a value twice');
    return { isOwn, key, record, parts: [] };
  }
  if (value.length !== manifest.length) throw new DecodeError('a value that is not complete');
  const { parts } = cut(value);
  const isWhole = parts.every((part, index) => isPart(manifest, index, part));
  if (!isWhole || !isValueOf(key, record.form, value)) throw new DecodeError('another value');
  return { isOwn, key, record, parts };
}

export function encodeSavedNodes(contacts: readonly Contact[]): Uint8Array {
  const kept = contacts.slice(0, NODES_MAX);
  const groups = Math.ceil(kept.length / K);
  const writer = new Writer(2 + groups + kept.length * CONTACT_BYTES).u8(VERSION).u8(groups);
  for (let i = 0; i < groups; i++) writeContacts(writer, kept.slice(i * K, (i + 1) * K));
  return writer.end();
}

export function decodeSavedNodes(bytes: Uint8Array): Contact[] {
  const reader = new Reader(bytes);
  if (reader.u8() !== VERSION) throw new DecodeError('saved by another version');
  const groups = reader.u8();
  if (groups > GROUPS_MAX) throw new DecodeError('more nodes than can have been saved');
  const contacts = Array.from({ length: groups }, () => readContacts(reader)).flat();
  reader.expectEnd();
  return contacts;
}

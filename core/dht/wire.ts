// What nodes of the DHT ask and answer (protocol 7, RPC), as the messages of core/rpc. Each begins with its type u8:
//
//   1 PING         nonce 8                                     1 PONG    the same nonce
//   2 FIND_NODE    target 32                                   2 FOUND
//   3 FIND_VALUE   key 32                                      2 FOUND
//   4 FIND_PARTS   key 32 | variant 32 | indexes               3 PARTS
//   5 STORE        key 32 | token 16 | record                  4 STORED
//   6 STORE_PARTS  key 32 | variant 32 | parts                 4 STORED
//
//   FOUND     token 16 | nodes (contact.ts) | count u8, at most 8, and for each: length u16, record (record.ts)
//   STORED    status u8: 1 stored, 2 known, 3 full, 4 refused | indexes: the parts that are missing
//   PARTS     parts
//   indexes   count u8, at most 64, then each u8
//   parts     count u8, at most 8, and for each: index u8, length u16, bytes
//
// Who speaks is proven by the link, so no message says it.

import { DecodeError, fromHex, Reader, toHex, Writer } from '../bytes/index.ts';
import { MESSAGE_BYTES_MAX, REQUEST_BYTES_MAX } from '../rpc/index.ts';
import { CONTACT_BYTES, type Contact, K, readContacts, writeContacts } from './contact.ts';
import { PART_BYTES, PARTS_MAX } from './manifest.ts';
import { type DhtRecord, decodeRecord } from './record.ts';

export const KEY_BYTES = 32;
export const TOKEN_BYTES = 16;
export const PING_NONCE_BYTES = 8;
const VARIANT_BYTES = 32;
/** Protocol 7. */
export const VARIANTS_MAX = 8;
/** 17 cells of a link: more of them would too often need to be sent again. */
export const PARTS_PER_MESSAGE = 8;

export interface Part {
  readonly index: number;
  readonly bytes: Uint8Array;
}

export type DhtRequest =
  | { readonly type: 'ping'; readonly nonce: Uint8Array }
  | { readonly type: 'find node' | 'find value'; readonly key: Uint8Array }
  | {
      readonly type: 'find parts';
      readonly key: Uint8Array;
      readonly variant: string;
      readonly indexes: readonly number[];
    }
  | {
      readonly type: 'store';
      readonly key: Uint8Array;
      readonly token: Uint8Array;
      readonly record: DhtRecord;
    }
  | {
      readonly type: 'store parts';
      readonly key: Uint8Array;
      readonly variant: string;
      readonly parts: readonly Part[];
    };

/** In the order of their numbers on the wire, from 1. */
const STATUSES = ['stored', 'known', 'full', 'refused'] as const;

export type StoreStatus = (typeof STATUSES)[number];

export interface Found {
  readonly type: 'found';
  /** For a STORE, within 10 minutes. */
  readonly token: Uint8Array;
  readonly nodes: readonly Contact[];
  readonly records: readonly DhtRecord[];
}

export interface Stored {
  readonly type: 'stored';
  readonly status: StoreStatus;
  readonly missing: readonly number[];
}

export type DhtAnswer =
  | { readonly type: 'pong'; readonly nonce: Uint8Array }
  | Found
  | { readonly type: 'parts'; readonly parts: readonly Part[] }
  | Stored;

const REQUEST = { ping: 1, findNode: 2, findValue: 3, findParts: 4, store: 5, storeParts: 6 };
const ANSWER = { pong: 1, found: 2, parts: 3, stored: 4 };

export function encodeRequest(request: DhtRequest): Uint8Array {
  switch (request.type) {
    case 'ping':
      return message(REQUEST.ping, PING_NONCE_BYTES).bytes(request.nonce).end();
    case 'find node':
      return message(REQUEST.findNode, KEY_BYTES).bytes(request.key).end();
    case 'find value':
      return message(REQUEST.findValue, KEY_BYTES).bytes(request.key).end();
    case 'find parts': {
      const { key, variant, indexes } = request;
      const writer = message(REQUEST.findParts, KEY_BYTES + VARIANT_BYTES + indexesBytes(indexes));
      return writeIndexes(writer.bytes(key).bytes(fromHex(variant)), indexes).end();
    }
    case 'store': {
      const { key, token, record } = request;
      const writer = message(REQUEST.store, KEY_BYTES + TOKEN_BYTES + record.encoded.length);
      return writer.bytes(key).bytes(token).bytes(record.encoded).end();
    }
    case 'store parts': {
      const { key, variant, parts } = request;
      const writer = message(REQUEST.storeParts, KEY_BYTES + VARIANT_BYTES + partsBytes(parts));
      return writeParts(writer.bytes(key).bytes(fromHex(variant)), parts).end();
    }
  }
}

/** Copies: what is in it outlives the message. */
export function decodeRequest(bytes: Uint8Array): DhtRequest {
  if (bytes.length > REQUEST_BYTES_MAX) throw new DecodeError('a request too long');
  const reader = new Reader(bytes);
  const request = readRequest(reader.u8(), reader);
  reader.expectEnd();
  return request;
}

function readRequest(type: number, reader: Reader): DhtRequest {
  if (type === REQUEST.ping) return { type: 'ping', nonce: reader.bytes(PING_NONCE_BYTES) };
  const key = reader.bytes(KEY_BYTES);
  switch (type) {
    case REQUEST.findNode:
      return { type: 'find node', key };
    case REQUEST.findValue:
      return { type: 'find value', key };
    case REQUEST.findParts: {
      const variant = toHex(reader.view(VARIANT_BYTES));
      return { type: 'find parts', key, variant, indexes: readIndexes(reader, PARTS_PER_MESSAGE) };
    }
    case REQUEST.store: {
      const token = reader.bytes(TOKEN_BYTES);
      return { type: 'store', key, token, record: decodeRecord(reader.rest()) };
    }
    case REQUEST.storeParts:
      return {
        type: 'store parts',
        key,
        variant: toHex(reader.view(VARIANT_BYTES)),
        parts: readParts(reader),
      };
    default:
      throw new DecodeError('an unknown request');
  }
}

export function encodeAnswer(answer: DhtAnswer): Uint8Array {
  switch (answer.type) {
    case 'pong':
      return message(ANSWER.pong, PING_NONCE_BYTES).bytes(answer.nonce).end();
    case 'found':
      return encodeFound(answer);
    case 'parts':
      return writeParts(message(ANSWER.parts, partsBytes(answer.parts)), answer.parts).end();
    case 'stored': {
      const writer = message(ANSWER.stored, 1 + indexesBytes(answer.missing));
      writer.u8(1 + STATUSES.indexOf(answer.status));
      return writeIndexes(writer, answer.missing).end();
    }
  }
}

/** The first of the records, as many as a message holds. */
function encodeFound({ token, nodes, records }: Found): Uint8Array {
  let bytes = TOKEN_BYTES + 1 + nodes.length * CONTACT_BYTES + 1;
  const fitting: Uint8Array[] = [];
  for (const { encoded } of records.slice(0, VARIANTS_MAX)) {
    if (1 + bytes + 2 + encoded.length > MESSAGE_BYTES_MAX) break;
    bytes += 2 + encoded.length;
    fitting.push(encoded);
  }
  const writer = writeContacts(message(ANSWER.found, bytes).bytes(token), nodes);
  writer.u8(fitting.length);
  for (const encoded of fitting) writer.u16(encoded.length).bytes(encoded);
  return writer.end();
}

/** Copies, as above. */
export function decodeAnswer(bytes: Uint8Array): DhtAnswer {
  if (bytes.length > MESSAGE_BYTES_MAX) throw new DecodeError('an answer too long');
  const reader = new Reader(bytes);
  const answer = readAnswer(reader.u8(), reader);
  reader.expectEnd();
  return answer;
}

function readAnswer(type: number, reader: Reader): DhtAnswer {
  switch (type) {
    case ANSWER.pong:
      return { type: 'pong', nonce: reader.bytes(PING_NONCE_BYTES) };
    case ANSWER.found:
      return readFound(reader);
    case ANSWER.parts:
      return { type: 'parts', parts: readParts(reader) };
    case ANSWER.stored: {
      const status = STATUSES[reader.u8() - 1];
      if (status === undefined) throw new DecodeError('an unknown status');
      return { type: 'stored', status, missing: readIndexes(reader, PARTS_MAX) };
    }
    default:
      throw new DecodeError('an unknown answer');
  }
}

function readFound(reader: Reader): Found {
  const token = reader.bytes(TOKEN_BYTES);
  const nodes = readContacts(reader);
  const count = reader.u8();
  if (count > VARIANTS_MAX) throw new DecodeError('too many variants');
  const records = Array.from({ length: count }, () => decodeRecord(reader.view(reader.u16())));
  return { type: 'found', token, nodes, records };
}

function message(type: number, bytes: number): Writer {
  return new Writer(1 + bytes).u8(type);
}

function indexesBytes(indexes: readonly number[]): number {
  return 1 + indexes.length;
}

function writeIndexes(writer: Writer, indexes: readonly number[]): Writer {
  writer.u8(indexes.length);
  for (const index of indexes) writer.u8(index);
  return writer;
}

function readIndexes(reader: Reader, max: number): number[] {
  const count = reader.u8();
  if (count > max) throw new DecodeError('too many parts');
  return Array.from({ length: count }, () => readIndex(reader));
}

function readIndex(reader: Reader): number {
  const index = reader.u8();
  if (index >= PARTS_MAX) throw new DecodeError('a part past the last');
  return index;
}

function partsBytes(parts: readonly Part[]): number {
  return parts.reduce((sum, { bytes }) => sum + 3 + bytes.length, 1);
}

function writeParts(writer: Writer, parts: readonly Part[]): Writer {
  writer.u8(parts.length);
  for (const { index, bytes } of parts) writer.u8(index).u16(bytes.length).bytes(bytes);
  return writer;
}

function readParts(reader: Reader): Part[] {
  const count = reader.u8();
  if (count > PARTS_PER_MESSAGE) throw new DecodeError('too many parts');
  return Array.from({ length: count }, () => {
    const index = readIndex(reader);
    const length = reader.u16();
    if (length > PART_BYTES) throw new DecodeError('a part too long');
    return { index, bytes: reader.bytes(length) };
  });
}

/** What a node tells of the others, at most. */
export const NODES_MAX = K;

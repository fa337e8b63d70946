// The messages between neighbours (protocol 4), as they stand in the records of a channel (channel.ts): type u8, then
//
//   1 HELLO   version u8 = 1 | data types understood, at most 32, u16 each
//   2 PUSH    item (item.ts)
//   3 IHAVE   1 to 256 item ids, 16 bytes each
//   4 IWANT   1 to 64 item ids
//   5 PULL    since u32, minutes since 1970 | up to 1024 item ids: all we have that was created since then
//   6 PEERS   answer u8: 0 asks | 1, count u8, at most 32, and for each: length u16, node descriptor
//   7 PING    answer u8: 0 asks, 1 answers | 8 bytes, the same in the answer
//   8 BYE     reason u8
//
// Network, time, identity and ports are known from the handshake. HELLO comes first, and again when the types change. What
// an item is, is looked at after the quotas (spread.ts).

import { concatBytes, DecodeError, Reader, Writer } from '../bytes/index.ts';
import { DESCRIPTOR_BYTES_MAX } from '../identity/index.ts';
import { ITEM_BYTES_MAX, ITEM_ID_BYTES, type ItemId, toItemId, writeItemId } from './item.ts';

const VERSION = 1;
export const TYPES_MAX = 32;
export const IHAVE_IDS_MAX = 256;
export const IWANT_IDS_MAX = 64;
export const PULL_IDS_MAX = 1024;
export const PEERS_MAX = 32;
export const NONCE_BYTES = 8;
/** PUSH is the longest. */
export const MESSAGE_BYTES_MAX = 1 + ITEM_BYTES_MAX;

/** In the order of their numbers, from 0. */
const BYE_REASONS = ['stopping', 'full', 'banned', 'duplicate', 'probe', 'silent'] as const;

export type ByeReason = (typeof BYE_REASONS)[number];

export type GossipMessage =
  | { readonly type: 'hello'; readonly dataTypes: readonly number[] }
  | { readonly type: 'push'; readonly item: Uint8Array }
  | { readonly type: 'ihave' | 'iwant'; readonly ids: readonly ItemId[] }
  | { readonly type: 'pull'; readonly sinceMin: number; readonly ids: readonly ItemId[] }
  | { readonly type: 'peers request' }
  | { readonly type: 'peers'; readonly descriptors: readonly Uint8Array[] }
  | { readonly type: 'ping' | 'pong'; readonly nonce: Uint8Array }
  | { readonly type: 'bye'; readonly reason: ByeReason };

const HELLO = 1;
const PUSH = 2;
const IHAVE = 3;
const IWANT = 4;
const PULL = 5;
const PEERS = 6;
const PING = 7;
const BYE = 8;
const ASKS = 0;
const ANSWERS = 1;

export function encodeMessage(message: GossipMessage): Uint8Array {
  switch (message.type) {
    case 'hello':
      return encodeHello(message.dataTypes);
    case 'push':
      return concatBytes(Uint8Array.of(PUSH), message.item);
    case 'ihave':
      return encodeIds(new Writer(1 + idsBytes(message.ids)).u8(IHAVE), message.ids);
    case 'iwant':
      return encodeIds(new Writer(1 + idsBytes(message.ids)).u8(IWANT), message.ids);
    case 'pull': {
      const writer = new Writer(5 + idsBytes(message.ids)).u8(PULL).u32(message.sinceMin);
      return encodeIds(writer, message.ids);
    }
    case 'peers request':
      return Uint8Array.of(PEERS, ASKS);
    case 'peers':
      return encodePeers(message.descriptors);
    case 'ping':
      return concatBytes(Uint8Array.of(PING, ASKS), message.nonce);
    case 'pong':
      return concatBytes(Uint8Array.of(PING, ANSWERS), message.nonce);
    case 'bye':
      return Uint8Array.of(BYE, BYE_REASONS.indexOf(message.reason));
  }
}

/** Items and descriptors are copies: they outlive the record. */
export function decodeMessage(bytes: Uint8Array): GossipMessage {
  const reader = new Reader(bytes);
  const message = decodeBody(reader.u8(), reader);
  reader.expectEnd();
  return message;
}

function decodeBody(type: number, reader: Reader): GossipMessage {
  switch (type) {
    case HELLO:
      return decodeHello(reader);
    case PUSH:
      return { type: 'push', item: reader.bytes(reader.remaining) };
    case IHAVE:
      return { type: 'ihave', ids: decodeIds(reader, 1, IHAVE_IDS_MAX) };
    case IWANT:
      return { type: 'iwant', ids: decodeIds(reader, 1, IWANT_IDS_MAX) };
    case PULL:
      return { type: 'pull', sinceMin: reader.u32(), ids: decodeIds(reader, 0, PULL_IDS_MAX) };
    case PEERS:
      return isAnswer(reader) ? decodePeers(reader) : { type: 'peers request' };
    case PING:
      return { type: isAnswer(reader) ? 'pong' : 'ping', nonce: reader.bytes(NONCE_BYTES) };
    case BYE:
      return decodeBye(reader.u8());
    default:
      throw new DecodeError('an unknown message');
  }
}

function encodeHello(dataTypes: readonly number[]): Uint8Array {
  const writer = new Writer(2 + 2 * dataTypes.length).u8(HELLO).u8(VERSION);
  for (const dataType of dataTypes) writer.u16(dataType);
  return writer.end();
}

function decodeHello(reader: Reader): GossipMessage {
  if (reader.u8() !== VERSION) throw new DecodeError('gossip of another version');
  if (reader.remaining > 2 * TYPES_MAX) throw new DecodeError('too many data types');
  const dataTypes: number[] = [];
  while (reader.remaining > 0) dataTypes.push(reader.u16());
  return { type: 'hello', dataTypes };
}

function encodeIds(writer: Writer, ids: readonly ItemId[]): Uint8Array {
  for (const id of ids) writeItemId(writer, id);
  return writer.end();
}

function decodeIds(reader: Reader, min: number, max: number): ItemId[] {
  const count = reader.remaining / ITEM_ID_BYTES;
  if (!Number.isInteger(count) || count < min || count > max) {
    throw new DecodeError(`${reader.remaining} bytes of item ids`);
  }
  return Array.from({ length: count }, () => toItemId(reader.view(ITEM_ID_BYTES)));
}

function idsBytes(ids: readonly ItemId[]): number {
  return ids.length * ITEM_ID_BYTES;
}

function encodePeers(descriptors: readonly Uint8Array[]): Uint8Array {
  const bytes = descriptors.reduce((sum, { length }) => sum + 2 + length, 3);
  const writer = new Writer(bytes).u8(PEERS).u8(ANSWERS).u8(descriptors.length);
  for (const descriptor of descriptors) writer.u16(descriptor.length).bytes(descriptor);
  return writer.end();
}

function decodePeers(reader: Reader): GossipMessage {
  const count = reader.u8();
  if (count > PEERS_MAX) throw new DecodeError('too many peers');
  const descriptors = Array.from({ length: count }, () => {
    const length = reader.u16();
    if (length > DESCRIPTOR_BYTES_MAX) throw new DecodeError('a descriptor too long');
    return reader.bytes(length);
  });
  return { type: 'peers', descriptors };
}

function isAnswer(reader: Reader): boolean {
  const answer = reader.u8();
  if (answer > ANSWERS) throw new DecodeError('neither a question nor an answer');
  return answer === ANSWERS;
}

function decodeBye(number: number): GossipMessage {
  const reason = BYE_REASONS[number];
  if (reason === undefined) throw new DecodeError('an unknown reason to go');
  return { type: 'bye', reason };
}

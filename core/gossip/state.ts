// What gossip keeps over a restart: the address book with its secret, two of the neighbours we had called (anchors), and
// bans, so that nobody can choose our neighbours by making us restart. As a file:
//
//   0   1   version 1
//   1  32   secret of the address book
//  33   1   count of anchors, then for each: length u16, node descriptor
//   -   4   count of nodes, then for each: 1 if we have reached it, else 0; source: length u8, text; length u16, descriptor
//   -   2   count of bans, then for each: 1 for an address, else 0; until u64, Unix milliseconds; key: length u8, text
//
// Whatever stands in a descriptor is proven again by whoever is called there.

import { concatBytes, DecodeError, decodeUtf8, Reader, utf8, Writer } from '../bytes/index.ts';
import { decodeDescriptor, type NodeDescriptor } from '../identity/index.ts';
import { SAVED_BANS_MAX, type SavedBan } from '../link/index.ts';
import type { Shape } from '../runtime/index.ts';

const VERSION = 1;
export const SECRET_BYTES = 32;
/** The address book full, and some. */
const STATE_BYTES_MAX = 16 << 20;
const ANCHORS_MAX = 8;
const NODES_MAX = 10_240;

export interface SavedNode {
  readonly descriptor: NodeDescriptor;
  readonly source: string;
  readonly isTried: boolean;
}

export interface SavedState {
  readonly secret: Uint8Array;
  readonly anchors: readonly NodeDescriptor[];
  readonly nodes: readonly SavedNode[];
  readonly bans: readonly SavedBan[];
}

export const GOSSIP_STATE: Shape<SavedState> = {
  bytesMax: STATE_BYTES_MAX,
  encode: encodeState,
  decode: decodeState,
};

export function encodeState({ secret, anchors, nodes, bans }: SavedState): Uint8Array {
  const parts = [
    new Writer(2 + SECRET_BYTES).u8(VERSION).bytes(secret).u8(anchors.length).end(),
    ...anchors.map(encodeDescriptor),
    new Writer(4).u32(nodes.length).end(),
    ...nodes.flatMap(({ descriptor, source, isTried }) => [
      Uint8Array.of(isTried ? 1 : 0),
      encodeText(source),
      encodeDescriptor(descriptor),
    ]),
    new Writer(2).u16(bans.length).end(),
    ...bans.flatMap(({ whom, key, untilMs }) => [
      new Writer(9)
        .u8(whom === 'address' ? 1 : 0)
        .u64(untilMs)
        .end(),
      encodeText(key),
    ]),
  ];
  return concatBytes(...parts);
}

export function decodeState(bytes: Uint8Array): SavedState {
  const reader = new Reader(bytes);
  if (reader.u8() !== VERSION) throw new DecodeError('saved by another version');
  const secret = reader.bytes(SECRET_BYTES);
  const anchors = Array.from({ length: count(reader.u8(), ANCHORS_MAX) }, () => descriptor(reader));
  const nodes = Array.from({ length: count(reader.u32(), NODES_MAX) }, () => {
    const isTried = reader.u8() === 1;
    const source = text(reader);
    return { descriptor: descriptor(reader), source, isTried };
  });
  const bans = Array.from({ length: count(reader.u16(), SAVED_BANS_MAX) }, () => ban(reader));
  reader.expectEnd();
  return { secret, anchors, nodes, bans };
}

function ban(reader: Reader): SavedBan {
  const whom = reader.u8() === 1 ? 'address' : 'identity';
  const untilMs = reader.u64AsNumber();
  return { whom, key: text(reader), untilMs };
}

function encodeDescriptor({ encoded }: NodeDescriptor): Uint8Array {
  return new Writer(2 + encoded.length).u16(encoded.length).bytes(encoded).end();
}

function encodeText(text: string): Uint8Array {
  const bytes = utf8(text);
  return new Writer(1 + bytes.length).u8(bytes.length).bytes(bytes).end();
}

function text(reader: Reader): string {
  return decodeUtf8(reader.view(reader.u8()));
}

function descriptor(reader: Reader): NodeDescriptor {
  return decodeDescriptor(reader.view(reader.u16()));
}

function count(value: number, max: number): number {
  if (value > max) throw new DecodeError('more than can have been saved');
  return value;
}

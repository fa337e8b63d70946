// What gossip keeps over a restart: the address book with its secret, and two of the neighbours we had called (anchors), so
// that nobody can choose our neighbours by making us restart. As a file:
//
//   0   1   version 1
//   1  32   secret of the address book
//  33   1   count of anchors, then for each: length u16, node descriptor
//   -   4   count of nodes, then for each: 1 if we have reached it, else 0; source: length u8, text; length u16, descriptor
//
// Whatever stands in a descriptor is proven again by whoever is called there.

import { DecodeError, decodeUtf8, Reader, utf8, Writer } from '../bytes/index.ts';
import { decodeDescriptor, type NodeDescriptor } from '../identity/index.ts';

const VERSION = 1;
export const SECRET_BYTES = 32;
/** The address book full, and some. */
export const STATE_BYTES_MAX = 16 << 20;
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
}

export function encodeState({ secret, anchors, nodes }: SavedState): Uint8Array {
  const sources = nodes.map(({ source }) => utf8(source));
  const bytes =
    anchors.reduce((sum, { encoded }) => sum + 2 + encoded.length, 0) +
    nodes.reduce((sum, { descriptor }) => sum + 4 + descriptor.encoded.length, 0) +
    sources.reduce((sum, { length }) => sum + length, 0);
  const writer = new Writer(1 + SECRET_BYTES + 1 + 4 + bytes).u8(VERSION).bytes(secret);
  writer.u8(anchors.length);
  for (const { encoded } of anchors) writer.u16(encoded.length).bytes(encoded);
  writer.u32(nodes.length);
  nodes.forEach(({ descriptor: { encoded }, isTried }, i) => {
    const source = sources[i] ?? new Uint8Array();
    writer
      .u8(isTried ? 1 : 0)
      .u8(source.length)
      .bytes(source);
    writer.u16(encoded.length).bytes(encoded);
  });
  return writer.end();
}

export function decodeState(bytes: Uint8Array): SavedState {
  const reader = new Reader(bytes);
  if (reader.u8() !== VERSION) throw new DecodeError('saved by another version');
  const secret = reader.bytes(SECRET_BYTES);
  const anchors = Array.from({ length: count(reader.u8(), ANCHORS_MAX) }, () => descriptor(reader));
  const nodes = Array.from({ length: count(reader.u32(), NODES_MAX) }, () => {
    const isTried = reader.u8() === 1;
    const source = decodeUtf8(reader.view(reader.u8()));
    return { descriptor: descriptor(reader), source, isTried };
  });
  reader.expectEnd();
  return { secret, anchors, nodes };
}

function descriptor(reader: Reader): NodeDescriptor {
  return decodeDescriptor(reader.view(reader.u16()));
}

function count(value: number, max: number): number {
  if (value > max) throw new DecodeError('more than can have been saved');
  return value;
}

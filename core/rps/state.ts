// What peer sampling keeps over a restart (protocol 5): the samplers' seeds, and the nodes that have answered.
//
//   0    1   version 1
//   1    2   number of seeds, at most 512; 32 bytes each
//   .    2   number of nodes, at most 256; of each:
//            ip 16 | port u16 | first u64 | last u64 (Unix milliseconds) | successes u32 | failures u32
//            | length of source u8, at most 16 | source | length of descriptor u16 | descriptor
//
// Whoever reads it knows whom this node may choose, so it is written with mode 0600.

import { DecodeError, decodeUtf8, Reader, utf8, Writer } from '../bytes/index.ts';
import { DESCRIPTOR_BYTES_MAX, decodeDescriptor } from '../identity/index.ts';
import { IP_BYTES, ipFromBytes, ipToBytes, type Shape } from '../runtime/index.ts';
import { contactAt } from './contact.ts';
import { KNOWN_MAX, type Known } from './known.ts';
import { SEED_BYTES } from './ranking.ts';

const VERSION = 1;
/** More than samplers are ever drawn. */
const SEEDS_MAX = 512;
const SOURCE_BYTES_MAX = 16;
const FIXED_BYTES = IP_BYTES + 2 + 8 + 8 + 4 + 4 + 1 + 2;

const STATE_BYTES_MAX =
  5 + SEEDS_MAX * SEED_BYTES + KNOWN_MAX * (FIXED_BYTES + SOURCE_BYTES_MAX + DESCRIPTOR_BYTES_MAX);

export interface SavedState {
  readonly seeds: readonly Uint8Array[];
  readonly known: readonly Known[];
}

export const RPS_STATE: Shape<SavedState> = {
  bytesMax: STATE_BYTES_MAX,
  encode: encodeState,
  decode: decodeState,
};

export function encodeState({ seeds, known }: SavedState): Uint8Array {
  const keptSeeds = seeds.slice(0, SEEDS_MAX);
  const keptNodes = known.slice(-KNOWN_MAX);
  const bytes = keptNodes.reduce((sum, one) => sum + bytesOf(one), 0);
  const writer = new Writer(5 + keptSeeds.length * SEED_BYTES + bytes);
  writer.u8(VERSION).u16(keptSeeds.length);
  for (const seed of keptSeeds) writer.bytes(seed);
  writer.u16(keptNodes.length);
  for (const one of keptNodes) writeKnown(writer, one);
  return writer.end();
}

export function decodeState(bytes: Uint8Array): SavedState {
  const reader = new Reader(bytes);
  if (reader.u8() !== VERSION) throw new DecodeError('peers of another version');
  const seedCount = reader.u16();
  if (seedCount > SEEDS_MAX) throw new DecodeError(`${seedCount} seeds`);
  const seeds = Array.from({ length: seedCount }, () => reader.bytes(SEED_BYTES));
  const count = reader.u16();
  if (count > KNOWN_MAX) throw new DecodeError(`${count} peers`);
  const known = Array.from({ length: count }, () => readKnown(reader));
  reader.expectEnd();
  return { seeds, known };
}

function bytesOf({ source, descriptor }: Known): number {
  return FIXED_BYTES + utf8(source).length + descriptor.encoded.length;
}

function writeKnown(writer: Writer, known: Known): void {
  const { contact, descriptor, firstMs, lastMs, successes, failures } = known;
  const { ip, port } = contact.address;
  writer.bytes(ipToBytes(ip)).u16(port).u64(Math.floor(firstMs)).u64(Math.floor(lastMs));
  writer.u32(successes).u32(failures);
  const source = utf8(known.source);
  writer.u8(source.length).bytes(source);
  writer.u16(descriptor.encoded.length).bytes(descriptor.encoded);
}

function readKnown(reader: Reader): Known {
  const ip = ipFromBytes(reader.view(IP_BYTES));
  const port = reader.u16();
  if (port === 0) throw new DecodeError('a peer with port 0');
  const firstMs = reader.u64AsNumber();
  const lastMs = reader.u64AsNumber();
  const successes = reader.u32();
  const failures = reader.u32();
  const sourceBytes = reader.u8();
  if (sourceBytes > SOURCE_BYTES_MAX) throw new DecodeError('a long netgroup');
  const source = decodeUtf8(reader.view(sourceBytes));
  const descriptor = decodeDescriptor(reader.view(reader.u16()));
  const contact = contactAt(descriptor.identity, { ip, port });
  return { contact, descriptor, firstMs, lastMs, successes, failures, source };
}

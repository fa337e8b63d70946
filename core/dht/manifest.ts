// Values of more than 1 KiB (protocol 7, "value"): cut into parts, of which a manifest names the hashes, so that each part
// can be checked by itself, whoever it comes from. The manifest, at most 2050 bytes:
//
//   0    2   length of the value
//   2   32   SHA-256 of each part; all parts but the last have 1024 bytes

import { concatBytes, DecodeError, equalBytes, Reader, Writer } from '../bytes/index.ts';
import { HASH_BYTES, sha256 } from '../crypto/index.ts';
import { DHT_VALUE_BYTES_MAX } from '../module-api/index.ts';

export const PART_BYTES = 1024;
export const PARTS_MAX = Math.ceil(DHT_VALUE_BYTES_MAX / PART_BYTES);
export const MANIFEST_BYTES_MAX = 2 + PARTS_MAX * HASH_BYTES;

export interface Manifest {
  readonly length: number;
  readonly hashes: readonly Uint8Array[];
}

export interface Cut {
  readonly manifest: Uint8Array;
  readonly parts: readonly Uint8Array[];
}

/** Of a value of more than PART_BYTES. */
export function cut(value: Uint8Array): Cut {
  const count = Math.ceil(value.length / PART_BYTES);
  const parts = Array.from({ length: count }, (_, i) =>
    value.slice(i * PART_BYTES, (i + 1) * PART_BYTES),
  );
  const writer = new Writer(2 + count * HASH_BYTES).u16(value.length);
  for (const part of parts) writer.bytes(sha256(part));
  return { manifest: writer.end(), parts };
}

export function decodeManifest(bytes: Uint8Array): Manifest {
  const reader = new Reader(bytes);
  const length = reader.u16();
  if (length <= PART_BYTES || length > DHT_VALUE_BYTES_MAX) {
    throw new DecodeError(`a manifest of ${length} bytes`);
  }
  const count = Math.ceil(length / PART_BYTES);
  const hashes = Array.from({ length: count }, () => reader.bytes(HASH_BYTES));
  reader.expectEnd();
  return { length, hashes };
}

export function isPart({ length, hashes }: Manifest, index: number, bytes: Uint8Array): boolean {
  const hash = hashes[index];
  if (hash === undefined) return false;
  const isLast = index === hashes.length - 1;
  const wanted = isLast ? length - index * PART_BYTES : PART_BYTES;
  return bytes.length === wanted && equalBytes(sha256(bytes), hash);
}

/** The parts that are there, in order: the value, if none is missing. */
export function joinParts(manifest: Manifest, parts: ReadonlyMap<number, Uint8Array>): Uint8Array {
  return concatBytes(...manifest.hashes.map((_, i) => parts.get(i) ?? new Uint8Array()));
}

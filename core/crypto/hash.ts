// SHA-256, HMAC-SHA-256 and HKDF-SHA-256 (RFC 5869) by node:crypto, which has them in OpenSSL and in Electron's
// BoringSSL alike, and the comparison of secrets: protocol 2.1. Once per message or handshake, not once per cell.
//
// Parts are joined without marks between them: where more than one can vary in length, the caller writes the lengths.
// All results are plain Uint8Arrays of their own, no views of Node's pools.

import { createHash, hash, hkdfSync, timingSafeEqual } from 'node:crypto';
import { concatBytes } from '../bytes/index.ts';

export const HASH_BYTES = 32;

/** SHA-256's. */
const HMAC_BLOCK_BYTES = 64;

/** HKDF's own limit: 255 blocks (RFC 5869, 2.3). */
const HKDF_BYTES_MAX = 255 * HASH_BYTES;

export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

/**
 * RFC 2104 over Node's one-shot hash, because a flooded INIT costs us two of these: 5 µs for 520 bytes, where `createHmac`
 * takes 20 to 30.
 */
export function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const short = key.length > HMAC_BLOCK_BYTES ? sha256(key) : key;
  const inner = hash('sha256', concatBytes(padded(short, 0x36), ...parts), 'buffer');
  return new Uint8Array(hash('sha256', concatBytes(padded(short, 0x5c), inner), 'buffer'));
}

/** The key, filled up to a block, XOR the pad. */
function padded(key: Uint8Array, pad: number): Uint8Array {
  const block = new Uint8Array(HMAC_BLOCK_BYTES).fill(pad);
  key.forEach((byte, i) => {
    block[i] = byte ^ pad;
  });
  return block;
}

export function hkdf(
  secret: Uint8Array,
  salt: Uint8Array,
  info: Uint8Array,
  length: number,
): Uint8Array {
  if (!Number.isInteger(length) || length < 1 || length > HKDF_BYTES_MAX) {
    throw new RangeError(`HKDF of ${length} bytes`);
  }
  return new Uint8Array(hkdfSync('sha256', secret, salt, info, length));
}

/** In constant time, but for the length, which is no secret. */
export function equalSecrets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

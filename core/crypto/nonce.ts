// The nonce of protocol 2.1: 32 zero bits and a 64-bit little-endian counter, as in Noise's ChaChaPoly. Counters are
// numbers here, exact below 2^53, so that a cell costs no BigInt.

import { expectLength } from './lengths.ts';
import { NONCE_BYTES } from './provider.ts';

/** Whoever sends replaces the key before counting this far; counters never wrap (protocol 2.1, rule 7). */
export const COUNTER_MAX = 2 ** 48;

/**
 * Writes all of the 12 bytes of `nonce`. Takes every counter a decoder lets through, COUNTER_MAX and more too: a
 * stranger's packet is to fail at its tag and not here.
 */
export function writeNonce(nonce: Uint8Array, counter: number): void {
  expectLength(nonce, NONCE_BYTES, 'nonce');
  if (!Number.isSafeInteger(counter) || counter < 0) throw new RangeError(`counter ${counter}`);
  nonce.fill(0, 0, 4);
  writeU32(nonce, 4, counter % 2 ** 32);
  writeU32(nonce, 8, Math.floor(counter / 2 ** 32));
}

/** Without the DataView that would have to be made for each nonce. */
function writeU32(target: Uint8Array, at: number, value: number): void {
  target[at] = value;
  target[at + 1] = value >>> 8;
  target[at + 2] = value >>> 16;
  target[at + 3] = value >>> 24;
}

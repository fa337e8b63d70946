// The provider in plain JavaScript, by the noble libraries, for where libsodium does not load. Results are the same to
// the byte; it is ten to thirty times slower and not constant-time where it uses BigInt.
//
// Ed25519 signatures are verified here and not by the library, which multiplies by the cofactor and so accepts some
// that libsodium refuses.

import { chacha20, chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { bytesToNumberLE } from '@noble/curves/utils.js';
import { blake2b } from '@noble/hashes/blake2.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { equalBytes } from '../bytes/index.ts';
import { randomBytes } from '../runtime/index.ts';
import { kem } from './kem.ts';
import { expectLength, expectPrf, expectSealable, isOpenable } from './lengths.ts';
import {
  type CryptoProvider,
  ED25519_SIGNATURE_BYTES,
  KEY_BYTES,
  NONCE_BYTES,
  PRF_BYTES,
  TAG_BYTES,
} from './provider.ts';

const ZERO_NONCE = new Uint8Array(NONCE_BYTES);

/** Undefined for what is no canonical encoding of a point, or one of small order. */
function strictPoint(bytes: Uint8Array): InstanceType<typeof ed25519.Point> | undefined {
  try {
    const point = ed25519.Point.fromBytes(bytes);
    return point.isSmallOrder() ? undefined : point;
  } catch {
    return undefined;
  }
}

export const nobleProvider: CryptoProvider = {
  name: 'noble',

  seal(buffer, nonce, aad, key) {
    expectSealable(buffer, nonce, key);
    chacha20poly1305(key, nonce, aad).encrypt(buffer.subarray(0, -TAG_BYTES), buffer);
  },

  open(buffer, nonce, aad, key) {
    if (!isOpenable(buffer, nonce, key)) return false;
    try {
      chacha20poly1305(key, nonce, aad).decrypt(buffer, buffer.subarray(0, -TAG_BYTES));
      return true;
    } catch {
      return false;
    }
  },

  stream(buffer, key) {
    expectLength(key, KEY_BYTES, 'key');
    chacha20(key, ZERO_NONCE, buffer, buffer);
  },

  prf(out, key, input) {
    expectPrf(out, key);
    out.set(blake2b(input, { key, dkLen: PRF_BYTES }));
  },

  x25519KeyPair(rng) {
    const secretKey = randomBytes(rng, KEY_BYTES);
    return { publicKey: x25519.getPublicKey(secretKey), secretKey };
  },

  x25519Public(secretKey) {
    expectLength(secretKey, KEY_BYTES, 'secret key');
    return x25519.getPublicKey(secretKey);
  },

  x25519(secretKey, publicKey) {
    expectLength(secretKey, KEY_BYTES, 'secret key');
    expectLength(publicKey, KEY_BYTES, 'public key');
    try {
      return x25519.getSharedSecret(secretKey, publicKey);
    } catch {
      return undefined;
    }
  },

  ed25519Public(seed) {
    expectLength(seed, KEY_BYTES, 'seed');
    return ed25519.getPublicKey(seed);
  },

  ed25519Sign(seed, message) {
    expectLength(seed, KEY_BYTES, 'seed');
    return ed25519.sign(message, seed);
  },

  ed25519Verify(publicKey, message, signature) {
    expectLength(publicKey, KEY_BYTES, 'public key');
    expectLength(signature, ED25519_SIGNATURE_BYTES, 'signature');
    const r = signature.subarray(0, KEY_BYTES);
    const s = bytesToNumberLE(signature.subarray(KEY_BYTES));
    const a = strictPoint(publicKey);
    if (a === undefined || s >= ed25519.Point.Fn.ORDER) return false;
    const digest = sha512.create().update(r).update(publicKey).update(message).digest();
    const k = ed25519.Point.Fn.create(bytesToNumberLE(digest));
    const expected = ed25519.Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k));
    return !expected.isSmallOrder() && equalBytes(expected.toBytes(), r);
  },

  ...kem,
};

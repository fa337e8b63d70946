// The primitives that have two implementations: libsodium (fast) and noble (plain JavaScript, for where the native
// library does not load). `chooseProvider` takes the first whose known answers are right. Suite: protocol 2.1.
//
// What runs once per cell (seal, open, stream, prf) works in place; libsodium's then allocates nothing for buffers up
// to 1280 bytes, noble's does inside the library. Wrong lengths are bugs and throw RangeError; whatever may come
// from a stranger (a public key, a ciphertext, a signature) is answered by undefined or false.
//
// Randomness comes from the given Rng alone: the same Rng gives the same keys with both, and a simulated run repeats.

import type { Rng } from '../runtime/index.ts';

export const KEY_BYTES = 32;
export const NONCE_BYTES = 12;
export const TAG_BYTES = 16;
export const PRF_BYTES = 32;
export const ED25519_SIGNATURE_BYTES = 64;

export const KEM_PUBLIC_BYTES = 1184;
export const KEM_SECRET_BYTES = 2400;
export const KEM_CIPHERTEXT_BYTES = 1088;

export interface KeyPair {
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
}

export type ProviderName = 'libsodium' | 'noble';

export interface CryptoProvider {
  readonly name: ProviderName;

  /**
   * ChaCha20-Poly1305 (RFC 8439) in place: `buffer` is the plaintext followed by TAG_BYTES of room, and becomes
   * ciphertext and tag. Never twice with one key and nonce.
   */
  seal(buffer: Uint8Array, nonce: Uint8Array, aad: Uint8Array, key: Uint8Array): void;
  /**
   * The reverse, in place. False when it is not authentic, or too short to be; the buffer's contents are then
   * unspecified. Failing is cheap: an endpoint fails at every body it passes on (protocol 3.5).
   */
  open(buffer: Uint8Array, nonce: Uint8Array, aad: Uint8Array, key: Uint8Array): boolean;
  /** XORs ChaCha20's key stream (zero nonce, counter 0) into the buffer. A key is used for one buffer only. */
  stream(buffer: Uint8Array, key: Uint8Array): void;
  /** Keyed BLAKE2b of PRF_BYTES, written into `out`, which must not overlap the input. */
  prf(out: Uint8Array, key: Uint8Array, input: Uint8Array): void;

  /** Secret keys are any 32 bytes and clamped where they are used (RFC 7748, 5). */
  x25519KeyPair(rng: Rng): KeyPair;
  x25519Public(secretKey: Uint8Array): Uint8Array;
  /** Undefined when the result is all zero: the other side sent a point of small order. */
  x25519(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined;

  /** Ed25519 (RFC 8032); `seed` is the 32-byte secret. */
  ed25519Public(seed: Uint8Array): Uint8Array;
  ed25519Sign(seed: Uint8Array, message: Uint8Array): Uint8Array;
  /**
   * Without the cofactor, and strict: no points of small order, no second encoding of a point or a scalar. Both
   * implementations agree on every input, so no peer can make half of the network believe a signature.
   */
  ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;

  /** ML-KEM-768 (FIPS 203). */
  kemKeyPair(rng: Rng): KeyPair;
  /** Undefined when the public key is malformed. */
  kemEncapsulate(
    rng: Rng,
    publicKey: Uint8Array,
  ): { readonly ciphertext: Uint8Array; readonly shared: Uint8Array } | undefined;
  /** Never fails for a ciphertext of the right length: a wrong one gives a secret nobody else has. */
  kemDecapsulate(secretKey: Uint8Array, ciphertext: Uint8Array): Uint8Array;
}

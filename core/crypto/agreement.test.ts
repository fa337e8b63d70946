// The two providers against each other: on random input, and on the Ed25519 signatures about which libraries differ.

import { ed25519 } from '@noble/curves/ed25519.js';
import { bytesToNumberLE, numberToBytesLE } from '@noble/curves/utils.js';
import { sha512 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, fromHex, utf8 } from '../bytes/index.ts';
import { SeededRng } from '../runtime/index.ts';
import { nobleProvider as noble } from './noble.ts';
import { type CryptoProvider, TAG_BYTES } from './provider.ts';
import { loadSodium } from './sodium.ts';

const sodium = loadSodium();

function bytes(length: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: length, maxLength: length });
}

/** Around the length up to which libsodium's provider works through its scratch array, too. */
const text = fc.uint8Array({ maxLength: 1500, size: 'max' });

describe('libsodium and noble on random input', () => {
  it('seal alike and open what the other sealed', () => {
    fc.assert(
      fc.property(text, bytes(12), text, bytes(32), (plaintext, nonce, aad, key) => {
        const buffer = concatBytes(plaintext, new Uint8Array(TAG_BYTES));
        const copy = buffer.slice();
        sodium.seal(buffer, nonce, aad, key);
        noble.seal(copy, nonce, aad, key);
        expect(copy).toEqual(buffer);
        expect(noble.open(buffer, nonce, aad, key)).toBe(true);
        expect(sodium.open(copy, nonce, aad, key)).toBe(true);
        expect(copy).toEqual(buffer);
        expect(buffer.subarray(0, -TAG_BYTES)).toEqual(plaintext);
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  it('have the same key stream and PRF', () => {
    fc.assert(
      fc.property(text, bytes(32), (input, key) => {
        const outputs = [sodium, noble].map((provider) => {
          const streamed = input.slice();
          const out = new Uint8Array(32);
          provider.stream(streamed, key);
          provider.prf(out, key, input);
          return [streamed, out];
        });
        expect(outputs[1]).toEqual(outputs[0]);
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  it('have the same X25519', () => {
    fc.assert(
      fc.property(bytes(32), bytes(32), fc.integer(), (secretKey, publicKey, seed) => {
        expect(noble.x25519Public(secretKey)).toEqual(sodium.x25519Public(secretKey));
        expect(noble.x25519(secretKey, publicKey)).toEqual(sodium.x25519(secretKey, publicKey));
        expect(noble.x25519KeyPair(new SeededRng(seed))).toEqual(
          sodium.x25519KeyPair(new SeededRng(seed)),
        );
      }),
      { seed: 1, numRuns: 40 },
    );
  });

  it('have the same Ed25519', () => {
    fc.assert(
      fc.property(bytes(32), text, fc.nat(511), (seed, message, bit) => {
        const publicKey = sodium.ed25519Public(seed);
        const signature = sodium.ed25519Sign(seed, message);
        expect(noble.ed25519Public(seed)).toEqual(publicKey);
        expect(noble.ed25519Sign(seed, message)).toEqual(signature);
        expect(verdicts(publicKey, message, signature)).toEqual([true, true]);
        signature[bit >> 3] = (signature[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(verdicts(publicKey, message, signature)).toEqual([false, false]);
      }),
      { seed: 1, numRuns: 40 },
    );
  });
});

function verdicts(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean[] {
  return [sodium, noble].map((provider: CryptoProvider) =>
    provider.ed25519Verify(publicKey, message, signature),
  );
}

/**
 * Signatures that whoever holds the secret key can make so that verifiers disagree ("Taming the many EdDSAs",
 * Chalkias, Garillot, Nikolaenko 2020): points with a component of small order.
 */
describe('libsodium and noble on signatures made to divide verifiers', () => {
  const { Point } = ed25519;
  const order = Point.Fn.ORDER;
  /** A point of order 8, and its multiples: all the points of small order. */
  const eighth = Point.fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a');
  const small = Array.from({ length: 8 }, (_, i) => eighth.multiplyUnsafe(BigInt(i)));
  type EdPoint = typeof eighth;

  interface Signed {
    readonly publicKey: Uint8Array;
    readonly signature: Uint8Array;
    /** The hash that the public key is multiplied by. */
    readonly k: bigint;
  }

  function sign(
    secrets: { a: bigint; r: bigint },
    A: EdPoint,
    R: EdPoint,
    message: Uint8Array,
  ): Signed {
    const publicKey = A.toBytes();
    const hash = sha512(concatBytes(R.toBytes(), publicKey, message));
    const k = bytesToNumberLE(hash) % order;
    const s = (secrets.r + k * secrets.a) % order;
    return { publicKey, signature: concatBytes(R.toBytes(), numberToBytesLE(s, 32)), k };
  }

  const a = 123_456_789n;
  const r = 987_654_321n;
  const A = Point.BASE.multiply(a);
  const R = Point.BASE.multiply(r);
  const pairs = small.flatMap((_, i) => small.map((__, j) => [i, j] as const));

  it.each(pairs)('agree with %d eighths in the key and %d in R', (i, j) => {
    const [inKey = Point.ZERO, inR = Point.ZERO] = [small[i], small[j]];
    for (const message of [utf8('one'), utf8('two')]) {
      const { publicKey, signature, k } = sign({ a, r }, A.add(inKey), R.add(inR), message);
      const holds = (k * BigInt(i) + BigInt(j)) % 8n === 0n;
      expect(verdicts(publicKey, message, signature)).toEqual([holds, holds]);
    }
  });

  it('refuse keys of small order (attack 16)', () => {
    for (const key of small) {
      for (const inR of small) {
        const { publicKey, signature } = sign({ a: 0n, r }, key, R.add(inR), utf8('any'));
        expect(verdicts(publicKey, utf8('any'), signature)).toEqual([false, false]);
      }
    }
  });

  it('refuse an R of small order', () => {
    for (const inR of small) {
      const { publicKey, signature } = sign({ a, r: 0n }, A, inR, utf8('any'));
      expect(verdicts(publicKey, utf8('any'), signature)).toEqual([false, false]);
    }
  });

  it('refuse second encodings of the key, R and S', () => {
    const { publicKey, signature } = sign({ a, r }, A, R, utf8('any'));
    expect(verdicts(publicKey, utf8('any'), signature)).toEqual([true, true]);
    // y = p and y = p + 1, which are 0 and 1; and 1 with the sign of x set, which is 0.
    const second = ['ed', 'ee'].map((low) => fromHex(`${low}${'ff'.repeat(30)}7f`));
    second.push(fromHex(`01${'00'.repeat(30)}80`));
    for (const point of second) {
      expect(verdicts(point, utf8('any'), signature)).toEqual([false, false]);
      const withPoint = concatBytes(point, signature.subarray(32));
      expect(verdicts(publicKey, utf8('any'), withPoint)).toEqual([false, false]);
    }
    for (
      let more = order;
      more + bytesToNumberLE(signature.subarray(32)) < 2n ** 256n;
      more += order
    ) {
      const s = bytesToNumberLE(signature.subarray(32)) + more;
      const withMore = concatBytes(signature.subarray(0, 32), numberToBytesLE(s, 32));
      expect(verdicts(publicKey, utf8('any'), withMore)).toEqual([false, false]);
    }
  });
});

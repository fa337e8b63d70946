import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex, utf8 } from '../bytes/index.ts';
import { hkdf, sha256 } from './hash.ts';
import {
  BODY_BYTES,
  type HopDirection,
  Lioness,
  type LionessKeys,
  lionessKeys,
} from './lioness.ts';
import type { CryptoProvider } from './provider.ts';
import { BOTH } from './testing/providers.ts';

const SECRET = Uint8Array.from({ length: 32 }, (_, i) => i);
const PLAIN = Uint8Array.from({ length: BODY_BYTES }, (_, i) => i % 256);

function encrypted(provider: CryptoProvider, body: Uint8Array, keys: LionessKeys): Uint8Array {
  const copy = body.slice();
  new Lioness(provider).encrypt(copy, keys);
  return copy;
}

function decrypted(provider: CryptoProvider, body: Uint8Array, keys: LionessKeys): Uint8Array {
  const copy = body.slice();
  new Lioness(provider).decrypt(copy, keys);
  return copy;
}

/** protocol 2.3 as it is written there. */
function reference(
  provider: CryptoProvider,
  body: Uint8Array,
  direction: HopDirection,
): Uint8Array {
  const keys = hkdf(SECRET, new Uint8Array(), utf8(`VPv1/hop ${direction} lioness`), 128);
  const key = (i: number): Uint8Array => keys.slice(32 * (i - 1), 32 * i);
  const prf = (k: Uint8Array, input: Uint8Array): Uint8Array => {
    const out = new Uint8Array(32);
    provider.prf(out, k, input);
    return out;
  };
  const stream = (k: Uint8Array): Uint8Array => {
    const out = new Uint8Array(480);
    provider.stream(out, k);
    return out;
  };
  const xor = (a: Uint8Array, b: Uint8Array): Uint8Array => a.map((byte, i) => byte ^ (b[i] ?? 0));
  let left: Uint8Array = body.slice(0, 32);
  let right: Uint8Array = body.slice(32);
  right = xor(right, stream(prf(key(1), left)));
  left = xor(left, prf(key(2), right));
  right = xor(right, stream(prf(key(3), left)));
  left = xor(left, prf(key(4), right));
  return Uint8Array.of(...left, ...right);
}

describe.each(BOTH)('LIONESS-512 by $name', (provider) => {
  const keys = lionessKeys(SECRET, 'fwd');

  it("gives protocol 2.3's vector", () => {
    const ciphertext = encrypted(provider, PLAIN, keys);
    expect(toHex(ciphertext.subarray(0, 32))).toBe(
      'd177c31124c807c88edd3139d2afcdf03b67d4df9bc190372e05bb45c3f11c22',
    );
    expect(toHex(ciphertext.subarray(480))).toBe(
      '2143c38a817ca4acb63578886d354f3c4630ca192c4e8a22f66ba908e13a9a00',
    );
    expect(toHex(sha256(ciphertext))).toBe(
      '51a2156e99da9f3dc3ea5f58caa22441b79624e10f6fb37e828c694806bd6fc1',
    );
    expect(toHex(sha256(decrypted(provider, PLAIN, keys)))).toBe(
      '628ac29c6969c4a8ca5fffb4bbe75e05ff25eb5441c088c9a943f9e2f3db3ffb',
    );
  });

  it.each(['fwd', 'bwd'] as const)('agrees with a plain reference, %s', (direction) => {
    const body = encrypted(provider, PLAIN, lionessKeys(SECRET, direction));
    expect(body).toEqual(reference(provider, PLAIN, direction));
  });

  it('comes back, whichever way round', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 512, maxLength: 512 }), (body) => {
        expect(decrypted(provider, encrypted(provider, body, keys), keys)).toEqual(body);
        expect(encrypted(provider, decrypted(provider, body, keys), keys)).toEqual(body);
      }),
      { seed: 1, numRuns: 20 },
    );
  });

  it('turns one changed bit, wherever it is, into noise everywhere', () => {
    for (const at of [0, 31, 32, 255, 511]) {
      const marked = encrypted(provider, PLAIN, keys);
      marked[at] = (marked[at] ?? 0) ^ 0x10;
      const result = decrypted(provider, marked, keys);
      const same = result.filter((byte, i) => byte === PLAIN[i]).length;
      // 512 random bytes agree in 2 places on average; 16 or more happens once in 10^9.
      expect(same).toBeLessThan(16);
    }
  });

  it('works on a view and leaves its surroundings alone', () => {
    const cell = new Uint8Array(600).fill(0xee);
    cell.set(PLAIN, 41);
    new Lioness(provider).encrypt(cell.subarray(41, 41 + BODY_BYTES), keys);
    expect(cell.subarray(41, 41 + BODY_BYTES)).toEqual(encrypted(provider, PLAIN, keys));
    expect(cell.subarray(0, 41).every((byte) => byte === 0xee)).toBe(true);
    expect(cell.subarray(41 + BODY_BYTES).every((byte) => byte === 0xee)).toBe(true);
  });

  it('refuses a body of another length', () => {
    const lioness = new Lioness(provider);
    for (const length of [0, 511, 513]) {
      expect(() => lioness.encrypt(new Uint8Array(length), keys)).toThrow(RangeError);
      expect(() => lioness.decrypt(new Uint8Array(length), keys)).toThrow(RangeError);
    }
  });
});

import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex, utf8 } from '../bytes/index.ts';
import { equalSecrets, hkdf, hmac, sha256 } from './hash.ts';

const NONE = new Uint8Array();

describe('hashes', () => {
  it('has SHA-256 of FIPS 180-4, in any number of parts', () => {
    const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect(toHex(sha256(utf8('abc')))).toBe(abc);
    expect(toHex(sha256(utf8('a'), NONE, utf8('bc')))).toBe(abc);
    expect(toHex(sha256())).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
  });

  it('has HMAC of RFC 4231, test case 2, in any number of parts', () => {
    const mac = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843';
    expect(toHex(hmac(utf8('Jefe'), utf8('what do ya want for nothing?')))).toBe(mac);
    expect(toHex(hmac(utf8('Jefe'), utf8('what do ya '), utf8('want for nothing?')))).toBe(mac);
  });

  it("has Node's HMAC for keys of every length, longer than a block too", () => {
    const bytes = fc.uint8Array({ maxLength: 150 });
    fc.assert(
      fc.property(bytes, bytes, (key, message) => {
        const expected = createHmac('sha256', key).update(message).digest('hex');
        expect(toHex(hmac(key, message))).toBe(expected);
      }),
      { seed: 1 },
    );
  });

  it('has HKDF of RFC 5869, test cases 1 and 3', () => {
    const secret = new Uint8Array(22).fill(0x0b);
    const salt = fromHex('000102030405060708090a0b0c');
    const info = fromHex('f0f1f2f3f4f5f6f7f8f9');
    expect(toHex(hkdf(secret, salt, info, 42))).toBe(
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    );
    expect(toHex(hkdf(secret, NONE, NONE, 42))).toBe(
      '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    );
    expect(hkdf(NONE, salt, NONE, 64)).toHaveLength(64);
  });

  it.each([0, -1, 1.5, 255 * 32 + 1])('refuses HKDF of %d bytes', (length) => {
    expect(() => hkdf(NONE, NONE, NONE, length)).toThrow(RangeError);
  });

  it('gives plain arrays, whose slices are copies', () => {
    const results = [sha256(), hmac(NONE), hkdf(NONE, NONE, NONE, 32)];
    for (const result of results) expect(Object.getPrototypeOf(result)).toBe(Uint8Array.prototype);
  });

  it('compares secrets, of different lengths too', () => {
    expect(equalSecrets(utf8('same'), utf8('same'))).toBe(true);
    expect(equalSecrets(utf8('same'), utf8('sane'))).toBe(false);
    expect(equalSecrets(utf8('same'), utf8('same!'))).toBe(false);
    expect(equalSecrets(NONE, NONE)).toBe(true);
  });
});

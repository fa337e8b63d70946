// Every provider against the published vectors. Both against each other: agreement.test.ts.

import { describe, expect, it } from 'vitest';
import { fromHex, toHex, utf8 } from '../bytes/index.ts';
import { type Rng, SeededRng } from '../runtime/index.ts';
import { KEM_PUBLIC_BYTES, TAG_BYTES } from './provider.ts';
import { BOTH } from './testing/providers.ts';
import { AEAD_CASES, ED25519_INVALID, ED25519_VALID, X25519_CASES } from './testing/wycheproof.ts';

const NONE = new Uint8Array();
const KEY = new Uint8Array(32).fill(1);
const NONCE = new Uint8Array(12).fill(2);

/** Byte strings of the lengths next to `right`. */
function wrongLengths(right: number): Uint8Array[] {
  return [0, right - 1, right + 1].map((length) => new Uint8Array(length));
}

function withRoomForTag(plaintext: Uint8Array): Uint8Array {
  return Uint8Array.of(...plaintext, ...new Uint8Array(TAG_BYTES));
}

describe.each(BOTH)('ciphers of $name', (provider) => {
  it('has ChaCha20-Poly1305 of RFC 8439, 2.8.2', () => {
    const key = fromHex('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f');
    const nonce = fromHex('070000004041424344454647');
    const aad = fromHex('50515253c0c1c2c3c4c5c6c7');
    const plaintext = utf8(
      "Ladies and Gentlemen of the class of '99: " +
        'If I could offer you only one tip for the future, sunscreen would be it.',
    );
    const buffer = withRoomForTag(plaintext);
    provider.seal(buffer, nonce, aad, key);
    expect(toHex(buffer)).toBe(
      'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6' +
        '3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36' +
        '92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc' +
        '3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691',
    );
  });

  it.each(AEAD_CASES)('seals and opens Wycheproof AEAD $tcId', ({ bytes }) => {
    const [key = NONE, nonce = NONE, aad = NONE, plaintext = NONE, tag = NONE] = bytes;
    const buffer = withRoomForTag(plaintext);
    provider.seal(buffer, nonce, aad, key);
    expect(buffer.subarray(-TAG_BYTES)).toEqual(tag);
    expect(provider.open(buffer, nonce, aad, key)).toBe(true);
    expect(buffer.subarray(0, -TAG_BYTES)).toEqual(plaintext);
  });

  it.each([0, 1, 64, 536, 1263, 1264, 1265, 20_000])(
    'opens nothing changed of %d bytes',
    (length) => {
      const sealed = withRoomForTag(new SeededRng(length).fill(new Uint8Array(length)));
      const aad = utf8('header');
      provider.seal(sealed, NONCE, aad, KEY);
      for (const at of [0, length >> 1, length, length + TAG_BYTES - 1]) {
        const changed = sealed.slice();
        changed[at] = (changed[at] ?? 0) ^ 0x80;
        expect(provider.open(changed, NONCE, aad, KEY)).toBe(false);
      }
      const other = new Uint8Array(32);
      expect(provider.open(sealed.slice(), NONCE, aad, other)).toBe(false);
      expect(provider.open(sealed.slice(), other.subarray(0, 12), aad, KEY)).toBe(false);
      expect(provider.open(sealed.slice(), NONCE, NONE, KEY)).toBe(false);
      expect(provider.open(sealed.slice(1), NONCE, aad, KEY)).toBe(false);
      expect(provider.open(sealed, NONCE, aad, KEY)).toBe(true);
    },
  );

  it('works inside a larger buffer at any offset, and touches nothing else', () => {
    for (let offset = 0; offset < 9; offset++) {
      const packet = new Uint8Array(80).fill(0xee);
      const part = packet.subarray(offset, offset + 48);
      part.fill(5, 0, 32);
      provider.seal(part, NONCE, NONE, KEY);
      expect(provider.open(part, NONCE, NONE, KEY)).toBe(true);
      expect(part.subarray(0, 32).every((byte) => byte === 5)).toBe(true);
      provider.stream(part, KEY);
      provider.prf(part.subarray(0, 32), KEY, packet.subarray(offset + 48));
      expect(packet.subarray(0, offset).every((byte) => byte === 0xee)).toBe(true);
      expect(packet.subarray(offset + 48).every((byte) => byte === 0xee)).toBe(true);
    }
  });

  it('keeps calls of different lengths apart', () => {
    const long = withRoomForTag(new Uint8Array(600).fill(9));
    const short = withRoomForTag(new Uint8Array(3).fill(8));
    provider.seal(long, NONCE, NONE, KEY);
    provider.seal(short, NONCE, utf8('other'), KEY);
    expect(provider.open(long, NONCE, NONE, KEY)).toBe(true);
    expect(provider.open(short, NONCE, utf8('other'), KEY)).toBe(true);
    expect(long.subarray(0, 600)).toEqual(new Uint8Array(600).fill(9));
    expect(short.subarray(0, 3)).toEqual(new Uint8Array(3).fill(8));
  });

  it("has ChaCha20's key stream of RFC 8439, A.1, vectors 1 and 2", () => {
    const buffer = new Uint8Array(128);
    provider.stream(buffer, new Uint8Array(32));
    expect(toHex(buffer)).toBe(
      '76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7' +
        'da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586' +
        '9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed' +
        '29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f',
    );
  });

  // Python's hashlib.blake2b(digest_size=32): the key 00 01 … 1f, the input 00 01 … ff 00 ….
  it.each([
    [0, '4e51e7a913fc80137da52880fecca175bf81e117d5c68126dc2774033517ea0d'],
    [32, '9ea4a7c5f78b4c5b7775841e2a07db514c510b14f5006d27aee5e20f8406bdd8'],
    [480, '3a391f5a3fb873dd3816aa9d67d1d7717f54293161411a61b621ffa6d7217f44'],
  ])('has keyed BLAKE2b of %d bytes', (length, expected) => {
    const counting = Uint8Array.from({ length: 480 }, (_, i) => i % 256);
    const out = new Uint8Array(32);
    provider.prf(out, counting.subarray(0, 32), counting.subarray(0, length));
    expect(toHex(out)).toBe(expected);
  });

  it('refuses wrong lengths of what we choose ourselves', () => {
    const buffer = new Uint8Array(48);
    for (const key of wrongLengths(32)) {
      expect(() => provider.seal(buffer, NONCE, NONE, key)).toThrow(RangeError);
      expect(() => provider.open(buffer, NONCE, NONE, key)).toThrow(RangeError);
      expect(() => provider.stream(buffer, key)).toThrow(RangeError);
      expect(() => provider.prf(new Uint8Array(32), key, NONE)).toThrow(RangeError);
      expect(() => provider.prf(key, KEY, NONE)).toThrow(RangeError);
    }
    for (const nonce of wrongLengths(12)) {
      expect(() => provider.seal(buffer, nonce, NONE, KEY)).toThrow(RangeError);
      expect(() => provider.open(buffer, nonce, NONE, KEY)).toThrow(RangeError);
    }
    expect(() => provider.seal(new Uint8Array(15), NONCE, NONE, KEY)).toThrow(RangeError);
  });

  it('opens nothing shorter than a tag', () => {
    for (let length = 0; length < TAG_BYTES; length++) {
      expect(provider.open(new Uint8Array(length), NONCE, NONE, KEY)).toBe(false);
    }
  });
});

describe.each(BOTH)('X25519 of $name', (provider) => {
  it.each(X25519_CASES)('answers Wycheproof X25519 $tcId', ({ bytes }) => {
    const [secretKey = NONE, publicKey = NONE, shared = NONE] = bytes;
    const expected = shared.length === 0 ? undefined : shared;
    expect(provider.x25519(secretKey, publicKey)).toEqual(expected);
  });

  it('iterates as in RFC 7748, 5.2', () => {
    const nine = fromHex(`09${'00'.repeat(31)}`);
    const once = provider.x25519(nine, nine) ?? NONE;
    expect(toHex(once)).toBe('422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079');
    expect(provider.x25519Public(nine)).toEqual(once);
  });

  it('clamps secret keys where they are used', () => {
    const secretKey = new Uint8Array(32).fill(0xff);
    const clamped = secretKey.slice();
    clamped[0] = 0xf8;
    clamped[31] = 0x7f;
    expect(provider.x25519Public(secretKey)).toEqual(provider.x25519Public(clamped));
    expect(provider.x25519(secretKey, KEY)).toEqual(provider.x25519(clamped, KEY));
  });

  it('makes key pairs of the given randomness that agree on a secret', () => {
    const ours = provider.x25519KeyPair(new SeededRng(1));
    const theirs = provider.x25519KeyPair(new SeededRng(2));
    expect(ours.secretKey).toEqual(new SeededRng(1).fill(new Uint8Array(32)));
    expect(ours.publicKey).toEqual(provider.x25519Public(ours.secretKey));
    expect(provider.x25519(ours.secretKey, theirs.publicKey)).toEqual(
      provider.x25519(theirs.secretKey, ours.publicKey),
    );
  });

  it('refuses wrong lengths', () => {
    for (const wrong of wrongLengths(32)) {
      expect(() => provider.x25519Public(wrong)).toThrow(RangeError);
      expect(() => provider.x25519(wrong, KEY)).toThrow(RangeError);
      expect(() => provider.x25519(KEY, wrong)).toThrow(RangeError);
    }
  });
});

describe.each(BOTH)('Ed25519 of $name', (provider) => {
  // RFC 8032, 7.1, tests 1 to 3: seed, public key, message, signature.
  it.each([
    [
      '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
      '',
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155' +
        '5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    ],
    [
      '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
      '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
      '72',
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
        '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    ],
    [
      'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
      'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
      'af82',
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac' +
        '18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
    ],
  ])('signs as in RFC 8032 with %s', (seed, publicKey, message, signature) => {
    expect(toHex(provider.ed25519Public(fromHex(seed)))).toBe(publicKey);
    expect(toHex(provider.ed25519Sign(fromHex(seed), fromHex(message)))).toBe(signature);
    expect(provider.ed25519Verify(fromHex(publicKey), fromHex(message), fromHex(signature))).toBe(
      true,
    );
  });

  it.each(ED25519_VALID)('accepts Wycheproof Ed25519 $tcId', ({ bytes }) => {
    const [publicKey = NONE, message = NONE, signature = NONE] = bytes;
    expect(provider.ed25519Verify(publicKey, message, signature)).toBe(true);
  });

  it.each(ED25519_INVALID)('refuses Wycheproof Ed25519 $tcId', ({ bytes }) => {
    const [publicKey = NONE, message = NONE, signature = NONE] = bytes;
    expect(provider.ed25519Verify(publicKey, message, signature)).toBe(false);
  });

  it('refuses wrong lengths', () => {
    for (const wrong of wrongLengths(32)) {
      expect(() => provider.ed25519Public(wrong)).toThrow(RangeError);
      expect(() => provider.ed25519Sign(wrong, NONE)).toThrow(RangeError);
      expect(() => provider.ed25519Verify(wrong, NONE, new Uint8Array(64))).toThrow(RangeError);
    }
    for (const wrong of wrongLengths(64)) {
      expect(() => provider.ed25519Verify(KEY, NONE, wrong)).toThrow(RangeError);
    }
  });
});

describe.each(BOTH)('ML-KEM-768 of $name', (provider) => {
  const pair = provider.kemKeyPair(new SeededRng(3));

  it('takes its randomness from the given source alone', () => {
    expect(provider.kemKeyPair(new SeededRng(3))).toEqual(pair);
    const first = provider.kemEncapsulate(new SeededRng(4), pair.publicKey);
    const again = provider.kemEncapsulate(new SeededRng(4), pair.publicKey);
    const other = provider.kemEncapsulate(new SeededRng(5), pair.publicKey);
    expect(again).toEqual(first);
    expect(other?.ciphertext).not.toEqual(first?.ciphertext);
    expect(other?.shared).not.toEqual(first?.shared);
  });

  it('shares a secret, and gives another one for a changed ciphertext', () => {
    const sent = provider.kemEncapsulate(new SeededRng(4), pair.publicKey);
    const ciphertext = sent?.ciphertext ?? NONE;
    expect(provider.kemDecapsulate(pair.secretKey, ciphertext)).toEqual(sent?.shared);
    const changed = ciphertext.slice();
    changed[500] = (changed[500] ?? 0) ^ 1;
    const rejected = provider.kemDecapsulate(pair.secretKey, changed);
    expect(rejected).toHaveLength(32);
    expect(rejected).not.toEqual(sent?.shared);
    expect(provider.kemDecapsulate(pair.secretKey, changed)).toEqual(rejected);
  });

  // As Wycheproof's ModulusOverflow: a coefficient is 12 bits, the first in byte 0 and the low half of byte 1.
  it.each([
    [3328, true],
    [3329, false],
    [4095, false],
  ])('takes a public key with the coefficient %d: %s', (coefficient, taken) => {
    const publicKey = pair.publicKey.slice();
    publicKey[0] = coefficient & 0xff;
    publicKey[1] = ((publicKey[1] ?? 0) & 0xf0) | (coefficient >> 8);
    const sent = provider.kemEncapsulate(new SeededRng(4), publicKey);
    expect(sent !== undefined).toBe(taken);
  });

  it('refuses wrong lengths', () => {
    const rng: Rng = new SeededRng(1);
    for (const wrong of wrongLengths(KEM_PUBLIC_BYTES)) {
      expect(() => provider.kemEncapsulate(rng, wrong)).toThrow(RangeError);
    }
    for (const wrong of wrongLengths(1088)) {
      expect(() => provider.kemDecapsulate(pair.secretKey, wrong)).toThrow(RangeError);
    }
    for (const wrong of wrongLengths(2400)) {
      expect(() => provider.kemDecapsulate(wrong, new Uint8Array(1088))).toThrow(RangeError);
    }
  });
});

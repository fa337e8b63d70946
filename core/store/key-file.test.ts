import { describe, expect, it } from 'vitest';
import { concatBytes, DecodeError, fromHex, toHex, utf8 } from '../bytes/index.ts';
import { chooseProvider, providers, sha256 } from '../crypto/index.ts';
import { SeededRng } from '../runtime/index.ts';
import {
  decodeKeyFile,
  encodeKeyFile,
  KEY_FILE_BYTES,
  type KeyFile,
  keyFromPassphrase,
  openKey,
  sealKey,
} from './key-file.ts';

const crypto = chooseProvider();
const dataKey = Uint8Array.from({ length: 32 }, (_, i) => i);
const secret = { key: new Uint8Array(32).fill(7) };

// Written by this code, opened with HKDF and ChaCha20-Poly1305 of OpenSSL: what lies on people's disks must not change.
const VECTOR = [
  '566f696450686f6e652073746f7265000102009e299091277b01c12f52afe305fb717dc2167878000cbefb5a',
  '175c5ae13d068965abe135bc5ab45b937ab547cf340f32e2123441546e84de9766b48c18b2e1a2e53b64abce',
  '69fab4ba3bc0199d44cbb89f702bc196ac4c9861105fbc5e0ba8cf14f8a70f586a98b1e5891bdddc16c8c3',
].join('');

function seal(): Promise<KeyFile> {
  return sealKey(dataKey, secret, { crypto, rng: new SeededRng(1) });
}

/** What a forger, or a later version, would write: changed bytes under a checksum that is right. */
function forged(at: number, ...bytes: readonly number[]): Uint8Array {
  const file: KeyFile = {
    kind: 'passphrase',
    cost: 17,
    salt: new Uint8Array(32),
    sealedKey: new Uint8Array(48),
  };
  const body = encodeKeyFile(file).slice(0, -32);
  body.set(bytes, at);
  return checked(body);
}

function checked(body: Uint8Array): Uint8Array {
  return concatBytes(body, sha256(body));
}

describe('the key file', () => {
  it('has the layout it has always had', async () => {
    expect(toHex(encodeKeyFile(await seal()))).toBe(VECTOR);
    const file = decodeKeyFile(fromHex(VECTOR));
    expect(file).toEqual(await seal());
  });

  it('gives the key back for the right secret only', async () => {
    const file = await seal();
    expect(await openKey(file, secret, crypto)).toEqual(dataKey);
    const wrong = { key: new Uint8Array(32).fill(8) };
    expect(await openKey(file, wrong, crypto)).toBeUndefined();
    expect(await openKey(file, { passphrase: 'x' }, crypto)).toBeUndefined();
    await expect(openKey(file, { key: new Uint8Array(31) }, crypto)).rejects.toThrow(RangeError);
  });

  it('opens with either cryptographic library', async () => {
    for (const { provider } of providers()) {
      if (provider !== undefined)
        expect(await openKey(await seal(), secret, provider)).toEqual(dataKey);
    }
  });

  it('authenticates what stands before the sealed key', async () => {
    const { salt, ...rest } = await seal();
    expect(await openKey({ ...rest, salt: salt.map((byte) => byte ^ 1) }, secret, crypto)).toBe(
      undefined,
    );
    expect(await openKey({ ...rest, salt, cost: 1 }, secret, crypto)).toBeUndefined();
  });

  it('is refused when cut, extended, or changed anywhere', async () => {
    const bytes = encodeKeyFile(await seal());
    expect(bytes).toHaveLength(KEY_FILE_BYTES);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeKeyFile(bytes.subarray(0, length))).toThrow(DecodeError);
      const changed = bytes.with(length, (bytes[length] ?? 0) ^ 1);
      expect(() => decodeKeyFile(changed)).toThrow(DecodeError);
    }
    expect(() => decodeKeyFile(concatBytes(bytes, Uint8Array.of(0)))).toThrow(DecodeError);
  });

  it('of another version is told from a damaged one', () => {
    expect(decodeKeyFile(forged(16, 2))).toBe('too new');
  });

  it.each([
    ['an unknown kind', forged(17, 3)],
    ['no kind', forged(17, 0)],
    ['a cost that is too low', forged(18, 13)],
    ['a cost that would take all memory', forged(18, 21)],
    ['a cost for a key', forged(17, 2, 14)],
    ['trailing bytes', checked(concatBytes(forged(17, 1).slice(0, -32), Uint8Array.of(0)))],
  ])('with %s is refused', (_, bytes) => {
    expect(() => decodeKeyFile(bytes)).toThrow(DecodeError);
  });

  it.each([14, 20])('with a cost of %i is accepted', (cost) => {
    expect(decodeKeyFile(forged(18, cost))).toMatchObject({ kind: 'passphrase', cost });
  });
});

describe('a key from a passphrase', () => {
  it('is what RFC 7914 says', async () => {
    // Section 12, third vector (of 64 bytes the first 32: PBKDF2 makes them block by block).
    expect(toHex(await keyFromPassphrase('pleaseletmein', utf8('SodiumChloride'), 14))).toBe(
      '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2',
    );
  });

  it('is the same for composed and decomposed letters, and no others', async () => {
    const salt = new Uint8Array(32);
    const keys = ['Z\u00fcrich', 'Zu\u0308rich', 'Zurich'].map((text) =>
      keyFromPassphrase(text, salt, 14),
    );
    const [composed, decomposed, plain] = await Promise.all(keys);
    expect(composed).toEqual(decomposed);
    expect(composed).not.toEqual(plain);
  });
});

import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
} from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { concatBytes, DecodeError, fromHex, utf8 } from '../bytes/index.ts';
import { survivesHostileBytes } from '../bytes/testing/hostile.ts';
import { RSA_SIGNATURE_BYTES, RsaPrivateKey, rsaVerify } from './rsa.ts';
import {
  decodeRsaPublicKey,
  decodeRsaSpki,
  RSA_PKCS1_BYTES,
  RSA_SPKI_BYTES,
} from './rsa-public-key.ts';
import { WYCHEPROOF_PSS, WYCHEPROOF_SPKI } from './testing/rsa-vectors.ts';

const MESSAGE = utf8('VPv1/test');
const MODULUS = WYCHEPROOF_SPKI.subarray(33, 545);

let key: RsaPrivateKey;

beforeAll(async () => {
  key = await RsaPrivateKey.generate();
});

/** One DER element; `lengthBytes` makes its length longer than it needs to be. */
function tlv(tag: number, content: Uint8Array, lengthBytes?: number): Uint8Array {
  const digits: number[] = [];
  for (let left = content.length; left > 0; left = Math.floor(left / 256)) {
    digits.unshift(left % 256);
  }
  while (digits.length < (lengthBytes ?? 0)) digits.unshift(0);
  const isShort = content.length < 0x80 && lengthBytes === undefined;
  const head = isShort ? [tag, content.length] : [tag, 0x80 | digits.length, ...digits];
  return concatBytes(Uint8Array.from(head), content);
}

function pkcs1(modulus: Uint8Array, exponent: string, lengthBytes?: number): Uint8Array {
  return tlv(0x30, concatBytes(tlv(2, modulus, lengthBytes), tlv(2, fromHex(exponent))));
}

function spki(key: Uint8Array, algorithm = '06092a864886f70d0101010500'): Uint8Array {
  const bits = tlv(3, concatBytes(fromHex('00'), key));
  return tlv(0x30, concatBytes(tlv(0x30, fromHex(algorithm)), bits));
}

const PADDED = concatBytes(fromHex('00'), MODULUS);
const SMALL = concatBytes(fromHex('00'), MODULUS.subarray(0, 256));
const ODD_LENGTH = concatBytes(fromHex('7f'), MODULUS.subarray(1));
const EVEN = concatBytes(PADDED.subarray(0, 512), fromHex('02'));
const GOOD = pkcs1(PADDED, '010001');

describe('acceptance of public keys (attack 16)', () => {
  it('takes the canonical SPKI, as a copy', () => {
    const accepted = decodeRsaSpki(WYCHEPROOF_SPKI);
    expect(accepted).toEqual(WYCHEPROOF_SPKI);
    expect(accepted).toHaveLength(RSA_SPKI_BYTES);
    expect(accepted.buffer).not.toBe(WYCHEPROOF_SPKI.buffer);
    expect(spki(GOOD)).toEqual(WYCHEPROOF_SPKI);
  });

  it('turns PKCS#1 into SPKI on the API, and refuses it between peers', () => {
    expect(GOOD).toHaveLength(RSA_PKCS1_BYTES);
    expect(decodeRsaPublicKey(GOOD)).toEqual(WYCHEPROOF_SPKI);
    expect(decodeRsaPublicKey(WYCHEPROOF_SPKI)).toEqual(WYCHEPROOF_SPKI);
    expect(() => decodeRsaSpki(GOOD)).toThrow(DecodeError);
  });

  it.each([
    ['2048 bits', pkcs1(SMALL, '010001'), 'an RSA key of 2048 bits, not 4096'],
    ['4095 bits', pkcs1(ODD_LENGTH, '010001'), 'an RSA key of 4095 bits, not 4096'],
    ['no modulus', pkcs1(fromHex('0000'), '010001'), 'an RSA key of 0 bits, not 4096'],
    ['exponent 3', pkcs1(PADDED, '03'), 'an RSA exponent other than 65537'],
    ['exponent 65539', pkcs1(PADDED, '010003'), 'an RSA exponent other than 65537'],
    ['a huge exponent', pkcs1(PADDED, '7f'.repeat(512)), 'an RSA exponent other than 65537'],
    ['exponent 0', pkcs1(PADDED, '00'), 'an RSA exponent other than 65537'],
    [
      'a negative modulus',
      pkcs1(MODULUS, '010001'),
      'not canonical DER: the RSA modulus is negative',
    ],
    [
      'a modulus padded with zeros',
      pkcs1(concatBytes(fromHex('00'), PADDED), '010001'),
      'not canonical DER: the RSA modulus is padded with zeros',
    ],
    [
      'an exponent padded with zeros',
      pkcs1(PADDED, '00010001'),
      'not canonical DER: a length or a field is not as it must be',
    ],
    [
      'a length in more bytes than it needs',
      pkcs1(PADDED, '010001', 3),
      'not canonical DER: a length or a field is not as it must be',
    ],
    ['an even modulus', pkcs1(EVEN, '010001'), 'the RSA modulus is even'],
  ])('refuses %s, in PKCS#1 and in SPKI', (_, der, message) => {
    expect(() => decodeRsaPublicKey(der)).toThrow(new DecodeError(message));
    expect(() => decodeRsaSpki(spki(der))).toThrow(new DecodeError(message));
  });

  const sameLength = 'not canonical DER: a length or a field is not as it must be';
  it.each([
    [
      'bytes after PKCS#1',
      concatBytes(GOOD, fromHex('0000')),
      'not canonical DER: 2 bytes after the key',
    ],
    [
      'bytes after SPKI',
      concatBytes(WYCHEPROOF_SPKI, fromHex('00')),
      'not canonical DER: 1 bytes after the key',
    ],
    ['missing algorithm parameters', spki(GOOD, '06092a864886f70d010101'), sameLength],
    [
      'the type rsa-pss',
      spki(GOOD, '06092a864886f70d01010a'),
      'not an RSA key: its algorithm is not rsaEncryption',
    ],
    [
      'BER of indefinite length',
      concatBytes(fromHex('3080'), WYCHEPROOF_SPKI.subarray(4), fromHex('0000')),
      'not a public key in DER encoding',
    ],
    ['unused bits in the bit string', WYCHEPROOF_SPKI.with(23, 1), sameLength],
    ['nothing', new Uint8Array(), 'not a public key in DER encoding'],
    ['text', utf8('-----BEGIN PUBLIC KEY-----'), 'not a public key in DER encoding'],
  ])('refuses %s', (_, der, message) => {
    expect(() => decodeRsaPublicKey(der)).toThrow(new DecodeError(message));
  });

  it('refuses keys of other algorithms by saying so', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    expect(() => decodeRsaPublicKey(publicKey.export({ type: 'spki', format: 'der' }))).toThrow(
      'not an RSA key: its algorithm is not rsaEncryption',
    );
  });

  it('refuses private keys by saying so', () => {
    const pkcs8 = createPrivateKey({
      key: Buffer.from(key.encodePkcs8()),
      format: 'der',
      type: 'pkcs8',
    });
    const sealed = {
      type: 'pkcs8',
      format: 'der',
      cipher: 'aes-256-cbc',
      passphrase: 'x',
    } as const;
    for (const der of [
      key.encodePkcs8(),
      pkcs8.export({ type: 'pkcs1', format: 'der' }),
      pkcs8.export(sealed),
    ]) {
      expect(() => decodeRsaPublicKey(der)).toThrow('a private key where a public key belongs');
    }
  });

  it('survives hostile bytes', () => {
    survivesHostileBytes(decodeRsaPublicKey, [WYCHEPROOF_SPKI, GOOD]);
  });

  it('refuses every truncation and every changed byte of the frame', () => {
    for (let length = 0; length < RSA_SPKI_BYTES; length++) {
      expect(() => decodeRsaPublicKey(WYCHEPROOF_SPKI.subarray(0, length))).toThrow(DecodeError);
    }
    const frame = [...Array(34).keys(), ...Array.from({ length: 6 }, (_, i) => 544 + i)];
    for (const at of frame) {
      const changed = WYCHEPROOF_SPKI.with(at, (WYCHEPROOF_SPKI[at] ?? 0) ^ 0x81);
      expect(() => decodeRsaPublicKey(changed)).toThrow(DecodeError);
    }
  });
});

describe('signatures', () => {
  it.each(WYCHEPROOF_PSS)('answers as Wycheproof does to $what', (vector) => {
    const publicKey = decodeRsaSpki(WYCHEPROOF_SPKI);
    expect(rsaVerify(publicKey, utf8(vector.message), vector.signature)).toBe(vector.valid);
  });

  it('verify for the message, the key and the bytes that were signed, and for no others', () => {
    const signature = key.sign(MESSAGE);
    expect(signature).toHaveLength(RSA_SIGNATURE_BYTES);
    expect(rsaVerify(key.publicKey, MESSAGE, signature)).toBe(true);
    expect(rsaVerify(key.publicKey, utf8('VPv1/tesT'), signature)).toBe(false);
    expect(rsaVerify(decodeRsaSpki(WYCHEPROOF_SPKI), MESSAGE, signature)).toBe(false);
    const changed = signature.with(100, (signature[100] ?? 0) ^ 1);
    expect(rsaVerify(key.publicKey, MESSAGE, changed)).toBe(false);
  });

  it('are salted', () => {
    expect(key.sign(MESSAGE)).not.toEqual(key.sign(MESSAGE));
  });

  it.each([0, 1, 511, 513, 4096])('of %i bytes are wrong, not an exception', (length) => {
    expect(rsaVerify(key.publicKey, MESSAGE, new Uint8Array(length).fill(1))).toBe(false);
  });

  const { RSA_PKCS1_PADDING, RSA_PKCS1_PSS_PADDING } = constants;
  it.each([
    ['PKCS#1 v1.5', 'sha256', RSA_PKCS1_PADDING, undefined],
    ['PSS without salt', 'sha256', RSA_PKCS1_PSS_PADDING, 0],
    ['PSS with the longest salt', 'sha256', RSA_PKCS1_PSS_PADDING, 478],
    ['PSS with SHA-512', 'sha512', RSA_PKCS1_PSS_PADDING, 32],
    ['PSS with SHA-1', 'sha1', RSA_PKCS1_PSS_PADDING, 32],
  ] as const)('by %s do not verify', (_, hash, padding, saltLength) => {
    const der = Buffer.from(key.encodePkcs8());
    const signature = sign(hash, MESSAGE, {
      key: createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }),
      padding,
      ...(saltLength === undefined ? {} : { saltLength }),
    });
    expect(rsaVerify(key.publicKey, MESSAGE, signature)).toBe(false);
  });
});

describe('private keys', () => {
  it('come back from PKCS#8 and from PKCS#1', () => {
    const pkcs8 = key.encodePkcs8();
    const object = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
    const pkcs1 = object.export({ type: 'pkcs1', format: 'der' });
    expect(RsaPrivateKey.decode(pkcs8, 'pkcs8').publicKey).toEqual(key.publicKey);
    expect(RsaPrivateKey.decode(pkcs1, 'pkcs1').encodePkcs8()).toEqual(pkcs8);
  });

  it('are of the ordinary type, with the parameters of the protocol', () => {
    const object = createPublicKey({
      key: Buffer.from(key.publicKey),
      format: 'der',
      type: 'spki',
    });
    expect(object.asymmetricKeyType).toBe('rsa');
    expect(object.asymmetricKeyDetails).toMatchObject({
      modulusLength: 4096,
      publicExponent: 65_537n,
    });
  });

  it.each([
    ['2048 bits', { modulusLength: 2048 }, 'an RSA key of 2048 bits, not 4096'],
    [
      '1024 bits and exponent 3',
      { modulusLength: 1024, publicExponent: 3 },
      'an RSA key of 1024 bits, not 4096',
    ],
  ])('of %s are refused', (_, options, message) => {
    const { privateKey } = generateKeyPairSync('rsa', options);
    const der = privateKey.export({ type: 'pkcs8', format: 'der' });
    expect(() => RsaPrivateKey.decode(der, 'pkcs8')).toThrow(new DecodeError(message));
  });

  it('of another algorithm are refused', () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const der = privateKey.export({ type: 'pkcs8', format: 'der' });
    expect(() => RsaPrivateKey.decode(der, 'pkcs8')).toThrow('not an RSA key');
  });

  it('are refused when cut off', () => {
    const der = key.encodePkcs8();
    expect(() => RsaPrivateKey.decode(der.subarray(0, 2000), 'pkcs8')).toThrow(
      'not a private key in DER encoding',
    );
  });

  it.each([
    ['modulus', 100],
    ['private exponent', 800],
    ['first prime', 1300],
    ['second prime', 1500],
    ['first CRT exponent', 1700],
    ['second CRT exponent', 2000],
    ['CRT coefficient', 2300],
  ])('are refused when their %s is wrong', (_, at) => {
    const der = key.encodePkcs8();
    expect(() => RsaPrivateKey.decode(der.with(at, (der[at] ?? 0) ^ 2), 'pkcs8')).toThrow(
      new DecodeError('the numbers of the RSA key do not fit together'),
    );
  });

  it('survive hostile bytes', () => {
    survivesHostileBytes((der) => RsaPrivateKey.decode(der, 'pkcs8'), [key.encodePkcs8()]);
  });

  it('show nothing of themselves to a log', () => {
    expect(Object.keys(key)).toEqual(['publicKey']);
    expect(JSON.stringify(key)).not.toContain('"d"');
  });
});

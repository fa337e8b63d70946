import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { concatBytes, DecodeError, utf8 } from '../bytes/index.ts';
import { encodePem } from './pem.ts';
import { decodePublicKeyFile, decodePublicKeyPem, encodePublicKeyPem } from './public-key.ts';
import { TEST_HOSTKEY_PEMS, testHostkey } from './testing/keys.ts';

const key = testHostkey('alice').publicKey;
const pem = encodePublicKeyPem(key);
const pkcs1 = key.subarray(24);

describe('a pasted public key', () => {
  it('is read from PEM in its usual forms', () => {
    expect(decodePublicKeyPem(pem)).toEqual(key);
    expect(decodePublicKeyPem(encodePem('RSA PUBLIC KEY', pkcs1))).toEqual(key);
  });

  it.each([
    ['with other line ends', pem.replaceAll('\n', '\r\n')],
    ['on one line', pem.replaceAll('\n', '')],
    ['on one line with spaces', pem.replaceAll('\n', ' ')],
    ['indented, within a mail', `Hi, this is my key:\n\n${pem.replaceAll('\n', '\n    ')}\nBob`],
  ])('is read %s', (_, text) => {
    expect(decodePublicKeyPem(text)).toEqual(key);
  });

  it.each([
    ['PKCS#8', TEST_HOSTKEY_PEMS.alice],
    ['PKCS#1', TEST_HOSTKEY_PEMS.alice.replaceAll(' PRIVATE', ' RSA PRIVATE')],
    ['encrypted', TEST_HOSTKEY_PEMS.alice.replaceAll(' PRIVATE', ' ENCRYPTED PRIVATE')],
    ['beside the public one', pem + TEST_HOSTKEY_PEMS.alice],
    ['cut off', TEST_HOSTKEY_PEMS.alice.slice(0, 500)],
  ])('is refused loudly when it is private: %s', (_, text) => {
    expect(() => decodePublicKeyPem(text)).toThrow(
      'it is a PRIVATE key: never paste or send it anywhere',
    );
  });

  it.each([
    ['nothing', '', 'there is no public key in it'],
    ['other text', 'k7qd-93mf', 'there is no public key in it'],
    ['two keys', pem + pem, 'there is more than one key in it'],
    ['a certificate', encodePem('CERTIFICATE', key), 'it is a certificate, not a public key'],
    ['a part of a key', pem.slice(0, 300), 'the "-----END" of the key is missing'],
    ['a changed letter', pem.replace('MIIC', 'MI!C'), 'the base64 of the key is damaged'],
    ['a lost letter', pem.replace('MIIC', 'MII'), 'the base64 of the key is damaged'],
    ['a lost line', pem.replace(/\n.{64}\n/, '\n'), 'not a public key in DER encoding'],
    ['far too much', pem + ' '.repeat(20_000), 'it is too long for a public key'],
  ])('is refused when it is %s', (_, text, message) => {
    expect(() => decodePublicKeyPem(text)).toThrow(message);
    expect(() => decodePublicKeyPem(text)).toThrow(DecodeError);
  });

  it('is refused when it is no RSA-4096 key', () => {
    const encoding = { type: 'spki', format: 'pem' } as const;
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export(encoding);
    const ec = generateKeyPairSync('ed25519').publicKey.export(encoding);
    expect(() => decodePublicKeyPem(rsa)).toThrow('an RSA key of 2048 bits, not 4096');
    expect(() => decodePublicKeyPem(ec)).toThrow('not an RSA key');
  });
});

describe('a file with a public key', () => {
  it.each([
    ['PEM', utf8(pem)],
    ['PEM behind a comment in Latin-1', concatBytes(Uint8Array.of(0xe4, 0x0a), utf8(pem))],
    ['SPKI DER', key],
    ['PKCS#1 DER', pkcs1],
  ])('may hold %s', (_, bytes) => {
    expect(decodePublicKeyFile(bytes)).toEqual(key);
  });

  it('is refused when it holds a private key in DER', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    for (const type of ['pkcs1', 'pkcs8'] as const) {
      const der = privateKey.export({ type, format: 'der' });
      expect(() => decodePublicKeyFile(der)).toThrow('a private key where a public key belongs');
    }
  });
});

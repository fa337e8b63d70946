import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { DecodeError, equalBytes, utf8 } from '../bytes/index.ts';
import { NETWORK_ID_BYTES, rsaVerify, sha256 } from '../crypto/index.ts';
import { realRuntime } from '../runtime/index.ts';
import { createHostkey, decodeHostkey, verifySigned } from './hostkey.ts';
import { identityKey, identityOf } from './identity.ts';
import { encodePublicKeyPem } from './public-key.ts';
import { TEST_HOSTKEY_PEMS, testHostkey } from './testing/keys.ts';

const NETWORK = new Uint8Array(NETWORK_ID_BYTES).fill(7);
const alice = testHostkey('alice');

function exported(key: KeyObject, type: 'pkcs1' | 'pkcs8', passphrase?: string): Uint8Array {
  const encryption = passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase };
  return utf8(key.export({ type, format: 'pem', ...encryption } as const).toString());
}

describe('a hostkey', () => {
  it('is named by the hash of its canonical public key', () => {
    expect(alice.identity).toEqual(sha256(alice.publicKey));
    expect(identityKey(identityOf(alice.publicKey))).toMatch(/^[0-9a-f]{64}$/);
    expect(alice.identity).not.toEqual(testHostkey('bob').identity);
  });

  it('signs for one purpose and one network', () => {
    const body = utf8('body');
    const signature = alice.sign('desc', NETWORK, body);
    const signed = { purpose: 'desc', networkId: NETWORK, body, signature } as const;
    expect(verifySigned(alice.publicKey, signed)).toBe(true);
    expect(verifySigned(alice.publicKey, { ...signed, purpose: 'desc-compact' })).toBe(false);
    expect(verifySigned(alice.publicKey, { ...signed, networkId: NETWORK.with(0, 8) })).toBe(false);
    expect(verifySigned(alice.publicKey, { ...signed, body: utf8('Body') })).toBe(false);
    expect(verifySigned(testHostkey('bob').publicKey, signed)).toBe(false);
  });

  it('signs exactly the label, a zero byte, the network and the body', () => {
    const signature = alice.sign('desc', NETWORK, utf8('body'));
    const message = utf8(`VPv1/desc\0${'\x07'.repeat(16)}body`);
    expect(rsaVerify(alice.publicKey, message, signature)).toBe(true);
  });

  it('is made off the main thread, reporting that time passes', async () => {
    const reports: number[] = [];
    const hostkey = await createHostkey(eager, (elapsedMs) => void reports.push(elapsedMs));
    expect(reports.length).toBeGreaterThan(0);
    expect(reports).toEqual([...reports].sort((a, b) => a - b));
    expect(equalBytes(decodeHostkey(utf8(hostkey.encodePem())).identity, hostkey.identity)).toBe(
      true,
    );
    const count = reports.length;
    await new Promise((resolve) => setImmediate(resolve));
    expect(reports).toHaveLength(count);
  });

  it('shows nothing of itself to a log', () => {
    expect(Object.keys(alice)).toEqual(['publicKey', 'identity']);
  });
});

/** Reports as often as it can, so that the test does not depend on how long a key takes. */
const eager = {
  clock: realRuntime.clock,
  timers: {
    after(_: number, run: () => void) {
      const handle = setImmediate(run);
      return { cancel: () => clearImmediate(handle) };
    },
  },
};

describe('a hostkey in PEM', () => {
  const object = createPrivateKey(TEST_HOSTKEY_PEMS.alice);

  it('is read from PKCS#1 and PKCS#8, and written as PKCS#8', () => {
    for (const type of ['pkcs1', 'pkcs8'] as const) {
      expect(decodeHostkey(exported(object, type)).encodePem()).toBe(TEST_HOSTKEY_PEMS.alice);
    }
  });

  it('may stand among comments, certificates and its own public half', () => {
    const text = `# mine\n${encodePublicKeyPem(alice.publicKey)}\r\n${TEST_HOSTKEY_PEMS.alice}end`;
    expect(decodeHostkey(utf8(text)).identity).toEqual(alice.identity);
  });

  const small = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const sec1 = ec.export({ type: 'sec1', format: 'pem' }).toString();
  const pem = TEST_HOSTKEY_PEMS.alice;
  it.each([
    ['an empty file', '', 'it is empty'],
    ['other text', 'hello', 'there is no PEM key in it; a hostkey begins with'],
    ['a public key', encodePublicKeyPem(alice.publicKey), 'it holds a public key only'],
    ['two private keys', pem + TEST_HOSTKEY_PEMS.bob, 'it holds 2 private keys, and needs one'],
    ['OpenSSH', '-----BEGIN OPENSSH PRIVATE KEY-----', 'it is in the format of OpenSSH'],
    ['an EC key in SEC1', sec1, 'not an RSA key, but an ec private key'],
    ['a cut-off file', pem.slice(0, 1000), 'the "-----END" of the key is missing'],
    ['a changed letter', pem.replace('MIIJ', 'MI*J'), 'the base64 of the key is damaged'],
    ['a lost line', pem.replace(/\n.{64}\n/, '\n'), 'not a private key in DER encoding'],
    ['a flipped bit', flipped(pem), 'the numbers of the RSA key do not fit together'],
  ])('is refused with its own message: %s', (_, text, message) => {
    expect(() => decodeHostkey(utf8(text))).toThrow(message);
    expect(() => decodeHostkey(utf8(text))).toThrow(DecodeError);
  });

  it.each([
    ['2048 bits', exported(small, 'pkcs8'), 'an RSA key of 2048 bits, not 4096'],
    ['2048 bits in PKCS#1', exported(small, 'pkcs1'), 'an RSA key of 2048 bits, not 4096'],
    ['an EC key', exported(ec, 'pkcs8'), 'not an RSA key: its algorithm is not rsaEncryption'],
    ['an encrypted PKCS#8', exported(object, 'pkcs8', 'x'), 'it is protected by a passphrase'],
    ['an encrypted PKCS#1', exported(object, 'pkcs1', 'x'), 'it is protected by a passphrase'],
    ['DER', object.export({ type: 'pkcs8', format: 'der' }), 'it is in binary DER form'],
  ])('is refused with its own message: %s', (_, bytes, message) => {
    expect(() => decodeHostkey(bytes)).toThrow(message);
    expect(() => decodeHostkey(bytes)).toThrow(DecodeError);
  });
});

/** Changes a digit in the middle of a line in the middle of the key. */
function flipped(pem: string): string {
  const at = Math.floor(pem.length / 2);
  return pem.slice(0, at) + (pem.charAt(at) === 'A' ? 'B' : 'A') + pem.slice(at + 1);
}

import { describe, it } from 'vitest';
import { utf8 } from '../bytes/index.ts';
import { survivesHostileBytes } from '../bytes/testing/hostile.ts';
import { NETWORK_ID_BYTES, POW_NONCE_BYTES } from '../crypto/index.ts';
import { openCompactCertificate, signCompactCertificate } from './compact-certificate.ts';
import { openDescriptor, signDescriptor } from './descriptor.ts';
import { decodeHostkey } from './hostkey.ts';
import { formatIdentity, parseIdentity } from './human.ts';
import { decodePublicKeyFile, encodePublicKeyPem } from './public-key.ts';
import { TEST_HOSTKEY_PEMS, testHostkey } from './testing/keys.ts';

const alice = testHostkey('alice');
const bob = testHostkey('bob');
const networkId = new Uint8Array(NETWORK_ID_BYTES);
const wallMs = 1_795_000_000_000;
const times = { serial: 1, notBeforeS: wallMs / 1000, notAfterS: wallMs / 1000 + 86_400 };
const linkDh = new Uint8Array(32).fill(1);
const latin1 = new TextDecoder('latin1');

describe('hostile bytes (attack 16)', () => {
  it('as a node descriptor give one, or a DecodeError', () => {
    const { encoded } = signDescriptor(alice, networkId, {
      ...times,
      linkDh,
      opSign: linkDh,
      flags: { relay: true, dht: true, mailbox: true, streamOnly: false },
      addresses: [
        { transport: 'udp', ip: '127.0.0.1', port: 6301 },
        { transport: 'tcp', ip: '2606:2800:220:1::25', port: 443 },
      ],
      ports: { dht: 1, gossip: 2, nse: 3, onion: 4 },
      powNonce: new Uint8Array(POW_NONCE_BYTES),
    });
    const rules = { networkId, wallMs, allowPrivate: true };
    survivesHostileBytes((bytes) => openDescriptor(bytes, rules), [encoded]);
  });

  it('as a compact certificate give one, or a DecodeError', () => {
    const certificate = signCompactCertificate(alice, networkId, { ...times, linkDh });
    const rules = { publicKey: alice.publicKey, networkId, wallMs };
    survivesHostileBytes((bytes) => openCompactCertificate(bytes, rules), [certificate]);
  });

  it('as a public key give one, or a DecodeError', () => {
    const pem = utf8(encodePublicKeyPem(bob.publicKey));
    survivesHostileBytes(decodePublicKeyFile, [alice.publicKey, alice.publicKey.subarray(24), pem]);
  });

  it('as a hostkey give one, or a DecodeError', () => {
    survivesHostileBytes(decodeHostkey, [utf8(TEST_HOSTKEY_PEMS.alice)]);
  });

  it('as a typed identity give one, or a DecodeError', () => {
    const typed = [alice, bob].map(({ identity }) => utf8(formatIdentity(identity)));
    survivesHostileBytes((bytes) => parseIdentity(latin1.decode(bytes)), typed, { runs: 100 });
  });
});

import { describe, expect, it } from 'vitest';
import { concatBytes, DecodeError, fromHex, toHex } from '../bytes/index.ts';
import { NETWORK_ID_BYTES } from '../crypto/index.ts';
import {
  COMPACT_CERTIFICATE_BYTES,
  openCompactCertificate,
  signCompactCertificate,
} from './compact-certificate.ts';
import { testHostkey } from './testing/keys.ts';
import { COMPACT_SIGNATURE } from './testing/vectors.ts';

const alice = testHostkey('alice');
const bob = testHostkey('bob');
const NETWORK = new Uint8Array(NETWORK_ID_BYTES).fill(7);
const NOW_S = 1_795_000_000;
const RULES = { publicKey: alice.publicKey, networkId: NETWORK, wallMs: NOW_S * 1000 };

const FIELDS = {
  serial: 0x01020304,
  notBeforeS: NOW_S - 3600,
  notAfterS: NOW_S + 3600,
  linkDh: new Uint8Array(32).fill(0xd1),
};

/** Written down by hand from Appendix A. */
const BODY = concatBytes(
  alice.identity,
  fromHex('01020304000000006afd78b0000000006afd94d0'),
  FIELDS.linkDh,
);
const VECTOR = concatBytes(BODY, COMPACT_SIGNATURE);

describe('a compact certificate', () => {
  it('is encoded as Appendix A says, in 596 bytes', () => {
    const bytes = signCompactCertificate(alice, NETWORK, FIELDS);
    expect(toHex(bytes.subarray(0, BODY.length))).toBe(toHex(BODY));
    expect(bytes).toHaveLength(COMPACT_CERTIFICATE_BYTES);
    expect(COMPACT_CERTIFICATE_BYTES).toBe(612 - 16);
    expect(openCompactCertificate(bytes, RULES)).toEqual({ identity: alice.identity, ...FIELDS });
  });

  it('opens from a recorded one', () => {
    const opened = openCompactCertificate(VECTOR, RULES);
    expect(opened).toEqual({ identity: alice.identity, ...FIELDS });
  });

  it('does not change with the buffer it was read from', () => {
    const packet = new Uint8Array(VECTOR);
    const opened = openCompactCertificate(packet, RULES);
    packet.fill(0);
    expect(opened).toEqual({ identity: alice.identity, ...FIELDS });
  });

  it('is refused at every other length', () => {
    for (let length = 0; length < VECTOR.length; length++) {
      expect(() => openCompactCertificate(VECTOR.subarray(0, length), RULES)).toThrow(DecodeError);
    }
    expect(() => openCompactCertificate(concatBytes(VECTOR, fromHex('00')), RULES)).toThrow(
      '1 bytes too many',
    );
  });

  it('is refused with any byte changed', () => {
    for (let at = 0; at < VECTOR.length; at++) {
      const changed = VECTOR.with(at, (VECTOR[at] ?? 0) ^ 1);
      expect(() => openCompactCertificate(changed, RULES)).toThrow(DecodeError);
    }
  });

  it('is refused for another hop, network or purpose', () => {
    expect(() => openCompactCertificate(VECTOR, { ...RULES, publicKey: bob.publicKey })).toThrow(
      'a compact certificate of another identity',
    );
    const wrong = 'the signature of a compact certificate is wrong';
    const networkId = NETWORK.with(15, 8);
    expect(() => openCompactCertificate(VECTOR, { ...RULES, networkId })).toThrow(wrong);
    const asDescriptor = concatBytes(BODY, alice.sign('desc', NETWORK, BODY));
    expect(() => openCompactCertificate(asDescriptor, RULES)).toThrow(wrong);
    const byAnother = concatBytes(BODY, bob.sign('desc-compact', NETWORK, BODY));
    expect(() => openCompactCertificate(byAnother, RULES)).toThrow(wrong);
  });

  it('is refused outside its time, and beyond 72 hours', () => {
    const at = (nowS: number) => () =>
      openCompactCertificate(VECTOR, { ...RULES, wallMs: nowS * 1000 });
    expect(at(FIELDS.notBeforeS - 11)).toThrow('a certificate not yet valid');
    expect(at(FIELDS.notBeforeS - 10)).not.toThrow();
    expect(at(FIELDS.notAfterS + 10)).not.toThrow();
    expect(at(FIELDS.notAfterS + 11)).toThrow('a certificate that has expired');
    const long = { ...FIELDS, notAfterS: FIELDS.notBeforeS + 72 * 3600 + 1 };
    expect(() =>
      openCompactCertificate(signCompactCertificate(alice, NETWORK, long), RULES),
    ).toThrow('a certificate valid for more than 72 hours');
  });
});

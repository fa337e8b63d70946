import { describe, expect, it } from 'vitest';
import { concatBytes, DecodeError, fromHex, toHex } from '../bytes/index.ts';
import { NETWORK_ID_BYTES, RSA_SIGNATURE_BYTES } from '../crypto/index.ts';
import {
  DESCRIPTOR_BYTES_MAX,
  type DescriptorFields,
  decodeDescriptor,
  openDescriptor,
  signDescriptor,
} from './descriptor.ts';
import type { NodeAddress } from './node-address.ts';
import { testHostkey } from './testing/keys.ts';
import { DESCRIPTOR_SIGNATURE } from './testing/vectors.ts';

const alice = testHostkey('alice');
const NETWORK = new Uint8Array(NETWORK_ID_BYTES).fill(7);
const NOW_S = 1_795_000_000;
const RULES = { networkId: NETWORK, wallMs: NOW_S * 1000, allowPrivate: false };

const FIELDS: DescriptorFields = {
  serial: 0x01020304,
  notBeforeS: NOW_S - 3600,
  notAfterS: NOW_S + 3600,
  flags: { relay: true, dht: false, mailbox: true, streamOnly: false },
  linkDh: new Uint8Array(32).fill(0xd1),
  opSign: new Uint8Array(32).fill(0xe2),
  addresses: [
    { transport: 'udp', ip: '93.184.216.34', port: 6301 },
    { transport: 'tls', ip: '2606:2800:220:1::25', port: 443 },
  ],
  ports: { dht: 6401, gossip: 6001, nse: 0, onion: 6301 },
  powNonce: fromHex('a1a2a3a4a5a6a7a8'),
};

/** The fields above, written down by hand from Appendix A. */
const HEAD = fromHex(
  [
    '56504e44 01 05', // magic, version, relay and mailbox
    '01020304 000000006afd78b0 000000006afd94d0', // serial, not_before, not_after
    'd1'.repeat(32),
    'e2'.repeat(32),
    '02',
    '01 04 189d 00000000000000000000ffff5db8d822',
    '03 06 01bb 26062800022000010000000000000025',
    '1901 1771 0000 189d', // dht, gossip, nse, onion
    '02b4 a1a2a3a4a5a6a7a8', // month 692, nonce
  ]
    .join('')
    .replaceAll(' ', ''),
);
const VECTOR = concatBytes(HEAD, alice.publicKey, DESCRIPTOR_SIGNATURE);

const signed = signDescriptor(alice, NETWORK, FIELDS);

function signedWith(changes: Partial<DescriptorFields>): Uint8Array {
  return signDescriptor(alice, NETWORK, { ...FIELDS, ...changes }).encoded;
}

/** The body with other bytes at an offset, signed as it stands: what a hostile node can send. */
function forged(at: number, bytes: string): Uint8Array {
  const body = concatBytes(HEAD, alice.publicKey);
  body.set(fromHex(bytes), at);
  return concatBytes(body, alice.sign('desc', NETWORK, body));
}

function addresses(...list: readonly NodeAddress[]): Uint8Array {
  return signedWith({ addresses: list });
}

describe('the encoding of a node descriptor', () => {
  it('is what Appendix A says', () => {
    expect(toHex(signed.encoded.subarray(0, HEAD.length))).toBe(toHex(HEAD));
    expect(signed.encoded).toHaveLength(HEAD.length + 550 + 512);
    expect(signed.encoded.subarray(HEAD.length, HEAD.length + 550)).toEqual(alice.publicKey);
  });

  it('opens from a recorded one, with every field', () => {
    const descriptor = openDescriptor(VECTOR, RULES);
    expect(descriptor).toMatchObject(FIELDS);
    expect(descriptor.identity).toEqual(alice.identity);
    expect(descriptor.publicKey).toEqual(alice.publicKey);
    expect(descriptor.powEpoch).toBe(692);
    expect(descriptor.encoded).toEqual(VECTOR);
  });

  it('holds none to four addresses', () => {
    const public4 = ['8.8.8.8', '8.8.4.4', '1.1.1.1', '9.9.9.9'];
    const list = public4.map((ip) => ({ transport: 'tcp', ip, port: 1 }) as const);
    expect(openDescriptor(addresses(), RULES).addresses).toEqual([]);
    const longest = addresses(...list);
    expect(longest).toHaveLength(DESCRIPTOR_BYTES_MAX);
    expect(DESCRIPTOR_BYTES_MAX).toBe(1251);
    expect(openDescriptor(longest, RULES).addresses).toEqual(list);
  });

  it('does not change with the buffer it was read from', () => {
    const packet = new Uint8Array(VECTOR);
    const descriptor = openDescriptor(packet, RULES);
    packet.fill(0);
    expect(descriptor).toMatchObject(FIELDS);
    expect(descriptor.encoded).toEqual(VECTOR);
  });

  it('is refused at every other length', () => {
    for (let length = 0; length < VECTOR.length; length++) {
      expect(() => decodeDescriptor(VECTOR.subarray(0, length))).toThrow(DecodeError);
    }
    expect(() => decodeDescriptor(concatBytes(VECTOR, fromHex('00')))).toThrow('1 bytes too many');
    expect(() => decodeDescriptor(new Uint8Array(DESCRIPTOR_BYTES_MAX + 1))).toThrow(
      'too long for a node descriptor',
    );
  });

  it.each([
    ['another magic', forged(0, '58'), 'no node descriptor'],
    ['version 0', forged(4, '00'), 'a node descriptor of version 0'],
    ['version 2', forged(4, '02'), 'a node descriptor of version 2'],
    ['a fifth flag', forged(5, '10'), 'an unknown flag of a node'],
    ['an end before its beginning', forged(18, '000000006afd78af'), 'ends before it begins'],
    ['72 hours and a second', forged(18, '000000006b016d31'), 'valid for more than 72 hours'],
    ['an endless life', forged(18, '7fffffffffffffff'), 'a 64-bit field is too large'],
    ['five addresses', forged(90, '05'), '5 addresses of one node'],
    ['transport 0', forged(91, '00'), 'an address with an unknown transport'],
    ['transport 4', forged(91, '04'), 'an address with an unknown transport'],
    ['family 5', forged(92, '05'), 'an address of another family than it says'],
    ['IPv4 called IPv6', forged(92, '06'), 'an address of another family than it says'],
    ['IPv6 called IPv4', forged(112, '04'), 'an address of another family than it says'],
    ['port 0', forged(93, '0000'), 'an address with port 0'],
    ['a multicast address', forged(107, 'e0000001'), 'an address that is no one host'],
    ['the address 0.0.0.0', forged(107, '00000000'), 'an address that is no one host'],
    ['an IPv6 multicast address', forged(115, `ff02${'00'.repeat(13)}01`), 'that is no one host'],
    ['the address ::', forged(115, '00'.repeat(16)), 'an address that is no one host'],
    ['the work of another month', forged(139, '02b3'), 'the proof of work of another month'],
    ['another algorithm', forged(149 + 16, '0a'), 'not an RSA key'],
  ])('is refused with %s, though signed', (_, bytes, message) => {
    expect(() => openDescriptor(bytes, RULES)).toThrow(message);
    expect(() => openDescriptor(bytes, RULES)).toThrow(DecodeError);
  });

  it('is refused with one address twice', () => {
    const one = { transport: 'udp', ip: '8.8.8.8', port: 1 } as const;
    expect(() => addresses(one, one)).toThrow('an address of a node twice');
    expect(() => addresses(one, { ...one, transport: 'tcp' })).not.toThrow();
  });
});

describe('the verification of a node descriptor', () => {
  it('covers every byte', () => {
    for (let at = 0; at < VECTOR.length; at++) {
      const changed = VECTOR.with(at, (VECTOR[at] ?? 0) ^ 0x40);
      expect(() => openDescriptor(changed, { ...RULES, allowPrivate: true })).toThrow(DecodeError);
    }
  });

  it('is for one network, one purpose and one key', () => {
    const wrong = 'the signature of a node descriptor is wrong';
    const networkId = NETWORK.with(0, 8);
    expect(() => openDescriptor(VECTOR, { ...RULES, networkId })).toThrow(wrong);
    const body = VECTOR.subarray(0, -RSA_SIGNATURE_BYTES);
    const otherPurpose = concatBytes(body, alice.sign('desc-compact', NETWORK, body));
    expect(() => openDescriptor(otherPurpose, RULES)).toThrow(wrong);
    const otherKey = concatBytes(body, testHostkey('bob').sign('desc', NETWORK, body));
    expect(() => openDescriptor(otherKey, RULES)).toThrow(wrong);
  });

  it.each([
    [FIELDS.notBeforeS - 11, 'a certificate not yet valid'],
    [FIELDS.notBeforeS - 10, 'valid'],
    [FIELDS.notAfterS + 10, 'valid'],
    [FIELDS.notAfterS + 11, 'a certificate that has expired'],
  ])('tolerates ten seconds of clock skew: at %i', (nowS, expected) => {
    const outcome = () => openDescriptor(VECTOR, { ...RULES, wallMs: nowS * 1000 }) && 'valid';
    if (expected === 'valid') expect(outcome()).toBe('valid');
    else expect(outcome).toThrow(expected);
  });

  it('accepts a life of 72 hours and of one second', () => {
    const notAfterS = FIELDS.notBeforeS + 72 * 3600;
    expect(openDescriptor(signedWith({ notAfterS }), RULES).notAfterS).toBe(notAfterS);
    const instant = { notBeforeS: NOW_S, notAfterS: NOW_S };
    expect(openDescriptor(signedWith(instant), RULES)).toMatchObject(instant);
  });

  it.each(['127.0.0.1', '10.1.2.3', '192.168.0.1', '::1', 'fe80::1', 'fd00::1', '2001:db8::1'])(
    'refuses %s outside test networks',
    (ip) => {
      const bytes = addresses({ transport: 'udp', ip, port: 6301 });
      expect(() => openDescriptor(bytes, RULES)).toThrow('a node address not public');
      expect(openDescriptor(bytes, { ...RULES, allowPrivate: true }).addresses).toHaveLength(1);
    },
  );
});

import { describe, expect, it } from 'vitest';
import { concatBytes, DecodeError, fromHex, toHex } from '../bytes/index.ts';
import { survivesHostileBytes } from '../bytes/testing/hostile.ts';
import { toIdentity } from '../identity/index.ts';
import { decodeExtend, encodeExtend } from './extend.ts';
import { CREATE_BYTES } from './hop.ts';

const identity = toIdentity(new Uint8Array(32).fill(0x1d));
const create = Uint8Array.from({ length: CREATE_BYTES }, (_, i) => i % 251);
const EXTEND_V4 = { address: { ip: '20.1.2.3', port: 4000 }, identity, create };
const EXTEND_V6 = { ...EXTEND_V4, address: { ip: '2001:db8::7', port: 65_535 } };

const IDENTITY_SPEC = concatBytes(fromHex('0320'), identity);
const V4_SPEC = fromHex('0107140102030fa001');
const V6_SPEC = fromHex('021320010db8000000000000000000000007ffff01');

function extend(head: string, ...specs: readonly Uint8Array[]): Uint8Array {
  return concatBytes(fromHex(head), ...specs, create);
}

describe('EXTEND', () => {
  it('has the layout of protocol 3.3, for IPv4 and IPv6', () => {
    const bytes = extend('0002', V4_SPEC, IDENTITY_SPEC);
    expect(toHex(encodeExtend(EXTEND_V4))).toBe(toHex(bytes));
    expect(toHex(encodeExtend(EXTEND_V6))).toBe(toHex(extend('0002', V6_SPEC, IDENTITY_SPEC)));
  });

  it('is read as it was written, with its specs in either order', () => {
    for (const sample of [EXTEND_V4, EXTEND_V6]) {
      expect(decodeExtend(encodeExtend(sample))).toEqual(sample);
    }
    expect(decodeExtend(extend('0002', IDENTITY_SPEC, V4_SPEC))).toEqual(EXTEND_V4);
  });

  it('outlives the buffer it was read from', () => {
    const packet = encodeExtend(EXTEND_V4);
    const decoded = decodeExtend(packet);
    packet.fill(0);
    expect(decoded).toEqual(EXTEND_V4);
  });

  it.each<[string, Uint8Array]>([
    ['an unknown mode', extend('0102', V4_SPEC, IDENTITY_SPEC)],
    ['no identity', extend('0002', V4_SPEC, V6_SPEC)],
    ['no address', extend('0002', IDENTITY_SPEC, IDENTITY_SPEC)],
    ['one spec', extend('0001', V4_SPEC)],
    ['three specs', extend('0003', V4_SPEC, V6_SPEC, IDENTITY_SPEC)],
    ['an unknown spec', extend('0002', fromHex('0407140102030fa001'), IDENTITY_SPEC)],
    ['a spec too short', extend('0002', fromHex('0106140102030fa0'), IDENTITY_SPEC)],
    ['a spec too long', extend('0002', fromHex('0108140102030fa00100'), IDENTITY_SPEC)],
    ['an identity too short', extend('0002', V4_SPEC, fromHex('031f'), identity.subarray(1))],
    ['port 0', extend('0002', fromHex('0107140102030000' + '01'), IDENTITY_SPEC)],
    ['another transport', extend('0002', fromHex('0107140102030fa002'), IDENTITY_SPEC)],
    [
      'an IPv4 address as IPv6',
      extend('0002', fromHex('021300000000000000000000ffff140102030fa001'), IDENTITY_SPEC),
    ],
    ['something behind the CREATE', Uint8Array.of(...encodeExtend(EXTEND_V4), 0)],
  ])('is refused with %s', (_, bytes) => {
    expect(() => decodeExtend(bytes)).toThrow(DecodeError);
  });

  it('is refused cut off anywhere', () => {
    const bytes = encodeExtend(EXTEND_V6);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeExtend(bytes.subarray(0, length))).toThrow(DecodeError);
    }
  });

  it('survives hostile bytes', () => {
    survivesHostileBytes(decodeExtend, [EXTEND_V4, EXTEND_V6].map(encodeExtend));
  });
});

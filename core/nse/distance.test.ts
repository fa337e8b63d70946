import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fromHex } from '../bytes/index.ts';
import { toIdentity } from '../identity/index.ts';
import { distanceOf, fractionOf, leadingZeroBits } from './distance.ts';

const networkId = new Uint8Array(16).fill(7);
const identity = toIdentity(new Uint8Array(32).fill(1));

describe('a distance', () => {
  it('is SHA-256 over target and identity', () => {
    const sha256 = (...parts: (string | Uint8Array)[]): Uint8Array =>
      new Uint8Array(
        createHash('sha256')
          .update(Buffer.concat(parts.map((part) => Buffer.from(part))))
          .digest(),
      );
    const target = sha256('VPv1/nse\0', networkId, fromHex('00000102'));
    expect(distanceOf(networkId, 0x102, identity)).toEqual(sha256(target, identity));
  });

  it('is another one for another round, network and identity', () => {
    const other = new Uint8Array(32).fill(2);
    const distances = [
      distanceOf(networkId, 1, identity),
      distanceOf(networkId, 2, identity),
      distanceOf(other.subarray(0, 16), 1, identity),
      distanceOf(networkId, 1, toIdentity(other)),
    ];
    expect(new Set(distances.map(leadingZeroBits)).size).toBeGreaterThan(1);
    expect(new Set(distances.map(fractionOf)).size).toBe(4);
  });

  it.each<[string, number, number]>([
    ['ffffffffffffffff', 0, 1],
    ['8000000000000000', 0, 0.5],
    ['7fffffffffffffff', 1, 0.5],
    ['0040000000000000', 9, 2 ** -10],
    ['0000000000001000', 51, 1.5 * 2 ** -52],
    ['0000000000000001', 63, 0.5 * 2 ** -52],
  ])('%s begins with %i zero bits and is %f of the greatest', (hex, bits, fraction) => {
    const distance = fromHex(hex.padEnd(64, '0'));
    expect(leadingZeroBits(distance)).toBe(bits);
    expect(fractionOf(distance) / fraction).toBeCloseTo(1, 9);
  });

  it('is never 0 and never all, as a fraction', () => {
    expect(fractionOf(new Uint8Array(32))).toBeGreaterThan(0);
    expect(fractionOf(new Uint8Array(32).fill(0xff))).toBeLessThan(1);
  });

  it('is read where it is, within a larger buffer', () => {
    const buffer = new Uint8Array(40).fill(0xff);
    buffer.fill(0, 3, 5);
    expect(leadingZeroBits(buffer.subarray(3, 35))).toBe(16);
    expect(fractionOf(buffer.subarray(3, 35))).toBeCloseTo(2 ** -16, 12);
  });
});

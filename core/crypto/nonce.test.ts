import fc from 'fast-check';
import { expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import { COUNTER_MAX, writeNonce } from './nonce.ts';

function nonceOf(counter: number): Uint8Array {
  const nonce = new Uint8Array(12).fill(0xee);
  writeNonce(nonce, counter);
  return nonce;
}

it.each([
  [0, '000000000000000000000000'],
  [1, '000000000100000000000000'],
  [0x1_0203_0405, '000000000504030201000000'],
  [COUNTER_MAX, '000000000000000000000100'],
  [Number.MAX_SAFE_INTEGER, '00000000ffffffffffff1f00'],
])('writes counter %d', (counter, nonce) => {
  expect(toHex(nonceOf(counter))).toBe(nonce);
});

it('agrees with DataView', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (counter) => {
      const reference = new DataView(new ArrayBuffer(12));
      reference.setBigUint64(4, BigInt(counter), true);
      expect(nonceOf(counter)).toEqual(new Uint8Array(reference.buffer));
    }),
    { seed: 1 },
  );
});

it('refuses what is no counter and no nonce', () => {
  for (const counter of [-1, 0.5, 2 ** 53, Number.NaN]) {
    expect(() => nonceOf(counter)).toThrow(RangeError);
  }
  expect(() => writeNonce(new Uint8Array(8), 0)).toThrow(RangeError);
});

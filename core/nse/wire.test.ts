import { describe, expect, it } from 'vitest';
import { DecodeError, toHex } from '../bytes/index.ts';
import { survivesHostileBytes } from '../bytes/testing/hostile.ts';
import { testHostkey } from '../identity/testing/keys.ts';
import {
  decodeFloodMessage,
  encodeFloodMessage,
  FLOOD_MESSAGE_BYTES,
  type FloodFields,
} from './wire.ts';

const alice = testHostkey('alice');
const signature = new Uint8Array(512).fill(0xdd);
const fields: FloodFields = {
  round: 0x0051_0203,
  bits: 10,
  timeS: 0x6a00_0001,
  publicKey: alice.publicKey,
  powNonce: new Uint8Array(8).fill(0xcc),
};
const sample = encodeFloodMessage(fields, () => signature);

/** A copy with one byte changed. */
function changed(at: number, value: number): Uint8Array {
  const copy = new Uint8Array(sample);
  copy[at] = value;
  return copy;
}

describe('a flood message', () => {
  it('has the layout that is written above it', () => {
    expect(toHex(sample)).toBe(
      ['01', '0000', '00510203', '0a', '000000006a000001'].join('') +
        toHex(alice.publicKey) +
        'cc'.repeat(8) +
        'dd'.repeat(512),
    );
    expect(FLOOD_MESSAGE_BYTES).toBe(1 + 2 + 4 + 1 + 8 + 550 + 8 + 512);
  });

  it('is decoded as it was encoded, and apart from what it was decoded from', () => {
    const bytes = new Uint8Array(sample);
    const message = decodeFloodMessage(bytes);
    bytes.fill(0);
    expect(message).toEqual({ ...fields, body: sample.subarray(0, 574), signature });
  });

  it('is signed in all but the signature', () => {
    const signed: Uint8Array[] = [];
    encodeFloodMessage(fields, (body) => {
      signed.push(body);
      return signature;
    });
    expect(signed).toEqual([sample.subarray(0, -512)]);
  });

  it.each<[string, Uint8Array]>([
    ['of another version', changed(0, 2)],
    ['with a hop', changed(2, 1)],
    ['with a time no number can hold', changed(8, 1)],
    ['with a key of another exponent', changed(565, 3)],
    ['with an even modulus', changed(560, 0)],
    ['with a byte too many', new Uint8Array(FLOOD_MESSAGE_BYTES + 1).fill(1)],
  ])('%s is refused', (_, bytes) => {
    expect(() => decodeFloodMessage(bytes)).toThrow(DecodeError);
  });

  it('is refused when it is cut short anywhere', () => {
    for (let length = 0; length < FLOOD_MESSAGE_BYTES; length++) {
      expect(() => decodeFloodMessage(sample.subarray(0, length))).toThrow(DecodeError);
    }
  });

  it('survives hostile bytes', () => {
    survivesHostileBytes(decodeFloodMessage, [sample]);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, DecodeError, fromHex, toHex } from '../bytes/index.ts';
import { type ItemId, toItemId } from './item.ts';
import { decodeMessage, encodeMessage, type GossipMessage, MESSAGE_BYTES_MAX } from './wire.ts';

const [A, B] = [`${'0'.repeat(31)}1`, 'f'.repeat(32)];
const ids: readonly ItemId[] = [toItemId(fromHex(A)), toItemId(fromHex(B))];
const nonce = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

/** Written down from the table in wire.ts. */
const MESSAGES: readonly (readonly [string, GossipMessage])[] = [
  ['01 01', { type: 'hello', dataTypes: [] }],
  ['01 01 0001 13ec', { type: 'hello', dataTypes: [1, 5100] }],
  ['02 aabbcc', { type: 'push', item: Uint8Array.of(0xaa, 0xbb, 0xcc) }],
  [`03 ${A}${B}`, { type: 'ihave', ids }],
  [`04 ${A}${B}`, { type: 'iwant', ids }],
  ['05 01c8bc9f', { type: 'pull', sinceMin: 0x01c8bc9f, ids: [] }],
  [`05 00000000 ${A}${B}`, { type: 'pull', sinceMin: 0, ids }],
  ['06 00', { type: 'peers request' }],
  ['06 01 00', { type: 'peers', descriptors: [] }],
  [
    '06 01 02 0001 aa 0000',
    { type: 'peers', descriptors: [Uint8Array.of(0xaa), new Uint8Array()] },
  ],
  ['07 00 0102030405060708', { type: 'ping', nonce }],
  ['07 01 0102030405060708', { type: 'pong', nonce }],
  ['08 00', { type: 'bye', reason: 'stopping' }],
  ['08 05', { type: 'bye', reason: 'silent' }],
];

function bytesOf(hex: string): Uint8Array {
  return fromHex(hex.replaceAll(' ', ''));
}

function many(count: number, head: string): Uint8Array {
  return concatBytes(bytesOf(head), new Uint8Array(16 * count));
}

describe('messages', () => {
  it.each(MESSAGES)('%s', (hex, message) => {
    expect(toHex(encodeMessage(message))).toBe(hex.replaceAll(' ', ''));
    expect(decodeMessage(bytesOf(hex))).toEqual(message);
  });

  it.each([
    ['nothing', ''],
    ['an unknown type', '09'],
    ['type 0', '00'],
    ['another version of HELLO', '01 02'],
    ['half a data type', '01 01 00'],
    ['33 data types', `01 01 ${'0001'.repeat(33)}`],
    ['IHAVE of nothing', '03'],
    ['IWANT of nothing', '04'],
    ['part of an id', `03 ${A}00`],
    ['a PULL without its time', '05 01c8bc'],
    ['a question with an answer', '06 00 00'],
    ['neither question nor answer', '06 02'],
    ['33 peers', `06 01 21 ${'0000'.repeat(33)}`],
    ['fewer peers than announced', '06 01 02 0000'],
    ['a descriptor longer than any', `06 01 01 04e4 ${'00'.repeat(0x4e4)}`],
    ['a PING too short', '07 00 01020304050607'],
    ['a PING too long', '07 00 010203040506070809'],
    ['BYE without reason', '08'],
    ['an unknown reason', '08 06'],
    ['something after BYE', '08 00 00'],
  ])('refuses %s', (_, hex) => {
    expect(() => decodeMessage(bytesOf(hex))).toThrow(DecodeError);
  });

  it('takes as many ids as the table says, and not one more', () => {
    for (const [count, head] of [
      [256, '03'],
      [64, '04'],
      [1024, '05 00000000'],
    ] as const) {
      expect(decodeMessage(many(count, head))).toHaveProperty('ids.length', count);
      expect(() => decodeMessage(many(count + 1, head))).toThrow(DecodeError);
    }
  });

  it('fits any item', () => {
    const item = new Uint8Array(MESSAGE_BYTES_MAX - 1);
    expect(encodeMessage({ type: 'push', item })).toHaveLength(MESSAGE_BYTES_MAX);
  });

  it('refuses what is cut off or has something behind it, unless that is a message too', () => {
    for (const [hex] of MESSAGES) {
      const whole = bytesOf(hex);
      for (let length = 0; length < whole.length; length++) {
        expect(canonical(whole.subarray(0, length))).toBe(true);
      }
      expect(canonical(concatBytes(whole, Uint8Array.of(0)))).toBe(true);
    }
  });

  it('has one encoding for each message, whatever the bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), canonical), { numRuns: 2000 });
  });
});

/** Refused, or what it decodes to encodes to the same bytes. */
function canonical(bytes: Uint8Array): boolean {
  try {
    return toHex(encodeMessage(decodeMessage(bytes))) === toHex(bytes);
  } catch (error) {
    return error instanceof DecodeError;
  }
}

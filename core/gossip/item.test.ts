import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError, fromHex, toHex } from '../bytes/index.ts';
import { GOSSIP_DATA_BYTES_MAX } from '../module-api/index.ts';
import {
  decodeItem,
  draftItem,
  encodeItem,
  hasBegun,
  hasProof,
  ITEM_BYTES_MAX,
  isOver,
  itemPowTask,
  powBitsOf,
  withTtl,
} from './item.ts';
import {
  DEAR_TYPE,
  encodedItem,
  NETWORK_ID,
  solveNow,
  testItem,
  WALL_MS,
} from './testing/fixtures.ts';

/** Written down by hand: version, type 1337, no limit, 2026-11-21 11:59, 60 min, 13 bits, nonce, "hello". */
const HEADER = '01 0539 ff 01c88f0f 003c 0d';
const MINUTE_MS = 60_000;

function idHex({ id }: { readonly id: string }): string {
  return toHex(Uint8Array.from(id, (character) => character.charCodeAt(0)));
}

describe('an item', () => {
  it('has the bytes of the table', () => {
    const encoded = encodedItem(new TextEncoder().encode('hello'), { dataType: DEAR_TYPE });
    expect(toHex(encoded.subarray(0, 11))).toBe(HEADER.replaceAll(' ', ''));
    expect(toHex(encoded.subarray(19))).toBe('68656c6c6f');
    expect(decodeItem(encoded, NETWORK_ID)).toMatchObject({
      dataType: 1337,
      ttl: 255,
      createdMin: WALL_MS / MINUTE_MS - 1,
      lifetimeMin: 60,
      powBits: 13,
      encoded,
    });
  });

  it('lives an hour, and of size estimation a quarter of one', () => {
    for (const [dataType, lifetimeMin] of [
      [DEAR_TYPE, 60],
      [5200, 15],
    ] as const) {
      expect(draftItem(dataType, new Uint8Array(), WALL_MS).lifetimeMin).toBe(lifetimeMin);
    }
  });

  it('keeps its name whatever its ttl, and has another for any other change', () => {
    const encoded = encodedItem(Uint8Array.of(1, 2, 3), { dataType: DEAR_TYPE });
    const name = idHex(decodeItem(encoded, NETWORK_ID));
    expect(name).toHaveLength(32);
    expect(idHex(decodeItem(withTtl(encoded, 7), NETWORK_ID))).toBe(name);
    for (const i of encoded.keys()) {
      const changed = encoded.with(i, (encoded[i] ?? 0) ^ 1);
      if (i === 0 || i === 3) continue;
      expect(idHex(decodeItem(changed, NETWORK_ID))).not.toBe(name);
      expect(hasProof(decodeItem(changed, NETWORK_ID))).toBe(false);
    }
  });

  it('has a proof for its own network only', () => {
    const encoded = encodedItem(Uint8Array.of(1), { dataType: DEAR_TYPE });
    expect(hasProof(decodeItem(encoded, NETWORK_ID))).toBe(true);
    expect(hasProof(decodeItem(encoded, NETWORK_ID.with(0, 0)))).toBe(false);
  });

  it('must prove what its type and size cost, whatever it says', () => {
    const draft = { ...draftItem(DEAR_TYPE, new Uint8Array(10), WALL_MS), powBits: 4 };
    const encoded = encodeItem(draft, 255, solveNow(itemPowTask(draft, NETWORK_ID)));
    expect(hasProof(decodeItem(encoded, NETWORK_ID))).toBe(false);
  });

  it.each([
    [5100, 1088, 18],
    [5200, 1086, 0],
    [DEAR_TYPE, 0, 12],
    [DEAR_TYPE, 1, 13],
    [DEAR_TYPE, 1024, 13],
    [DEAR_TYPE, 1025, 14],
    [DEAR_TYPE, GOSSIP_DATA_BYTES_MAX, 19],
  ])('of type %i and %i bytes costs %i bits', (dataType, bytes, bits) => {
    expect(powBitsOf(dataType, bytes)).toBe(bits);
  });

  it('holds as much as the API carries', () => {
    const data = new Uint8Array(GOSSIP_DATA_BYTES_MAX);
    const encoded = encodeItem(draftItem(1, data, WALL_MS), 255, new Uint8Array(8));
    expect(encoded).toHaveLength(ITEM_BYTES_MAX);
    expect(decodeItem(encoded, NETWORK_ID).data).toEqual(data);
    expect(() => decodeItem(new Uint8Array([...encoded, 0]), NETWORK_ID)).toThrow(DecodeError);
  });

  it.each([
    ['another version', '02 0539 ff 01c88f0f 003c 0d 0000000000000000'],
    ['a ttl of 0', '01 0539 00 01c88f0f 003c 0d 0000000000000000'],
    ['a fresh ttl of 0', '01 0539 80 01c88f0f 003c 0d 0000000000000000'],
    ['no lifetime', '01 0539 ff 01c88f0f 0000 0d 0000000000000000'],
    ['a lifetime of more than a day', '01 0539 ff 01c88f0f 05a1 0d 0000000000000000'],
    ['a proof of 33 bits', '01 0539 ff 01c88f0f 003c 21 0000000000000000'],
  ])('is refused with %s', (_, hex) => {
    expect(() => decodeItem(fromHex(hex.replaceAll(' ', '')), NETWORK_ID)).toThrow(DecodeError);
  });

  it('is refused when it is cut off anywhere in its header', () => {
    const encoded = encodedItem(new Uint8Array());
    for (let length = 0; length < encoded.length; length++) {
      expect(() => decodeItem(encoded.subarray(0, length), NETWORK_ID)).toThrow(DecodeError);
    }
  });

  it('is decoded or refused, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          decodeItem(bytes, NETWORK_ID);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });

  it('is of its time for as long as it lives, with 10 s for clocks', () => {
    const item = testItem(1, { lifetimeMin: 5 });
    const createdMs = WALL_MS - MINUTE_MS;
    expect(hasBegun(item, createdMs - 10_000)).toBe(true);
    expect(hasBegun(item, createdMs - 10_001)).toBe(false);
    expect(isOver(item, createdMs + 5 * MINUTE_MS + 10_000)).toBe(false);
    expect(isOver(item, createdMs + 5 * MINUTE_MS + 10_001)).toBe(true);
  });

  it.each([-15, 15])('is of its time where clocks are %i s ahead', (aheadS) => {
    for (let second = 0; second < 60; second++) {
      const wallMs = WALL_MS + 1000 * second;
      expect(hasBegun(testItem(1, { wallMs }), wallMs + 1000 * aheadS)).toBe(true);
    }
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError, fromHex, toHex } from '../bytes/index.ts';
import { survivesHostileBytes } from '../bytes/testing/hostile.ts';
import { FRAG_DATA_MAX, INNER_DATA_MAX, INNER_PLAIN_BYTES, TUNNEL_DATA_MAX } from './geometry.ts';
import { encodeInner, INNER, InnerReceiver } from './inner.ts';

const SEED = { seed: 1, numRuns: 50 };

function padded(message: Uint8Array): Uint8Array {
  const plaintext = new Uint8Array(INNER_PLAIN_BYTES);
  plaintext.set(message);
  return plaintext;
}

function filled(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i % 251);
}

describe('inner messages', () => {
  it('have the layout of protocol 3.5', () => {
    const [one = new Uint8Array()] = encodeInner(INNER.data, fromHex('aabb'), 0);
    expect(toHex(one)).toBe('03000002aabb');
    const [first = new Uint8Array(), second = new Uint8Array()] = encodeInner(
      INNER.data,
      filled(FRAG_DATA_MAX + 5),
      0x1234,
    );
    expect(toHex(first.subarray(0, 8))).toBe('040301e412340002');
    expect(toHex(second.subarray(0, 8))).toBe('0403000912340102');
  });

  it('come out as they went in, in one piece or many, in any order and with copies', () => {
    const lengths = fc.oneof(
      fc.nat(INNER_DATA_MAX),
      fc.integer({ min: 485, max: TUNNEL_DATA_MAX }),
    );
    fc.assert(
      fc.property(lengths, fc.infiniteStream(fc.nat()), (length, order) => {
        const receiver = new InnerReceiver();
        const pieces = encodeInner(INNER.data, filled(length), 7);
        const shuffled = pieces
          .map((piece) => ({ piece, key: order.next().value }))
          .sort((a, b) => a.key - b.key);
        const whole = shuffled.flatMap(({ piece }) => {
          const message = receiver.receive(padded(piece), 0);
          if (pieces.length > 1 && message === undefined) receiver.receive(padded(piece), 0);
          return message === undefined ? [] : [message];
        });
        expect(whole).toHaveLength(1);
        expect(whole[0]?.data).toEqual(filled(length));
      }),
      SEED,
    );
  });

  it('are refused when nothing may be that long', () => {
    expect(() => encodeInner(INNER.data, new Uint8Array(TUNNEL_DATA_MAX + 1), 0)).toThrow(
      RangeError,
    );
    expect(() => encodeInner(INNER.open, new Uint8Array(INNER_DATA_MAX + 1), 0)).toThrow(
      RangeError,
    );
  });

  it.each([
    ['a length beyond the cell', '030001e5'],
    ['something behind the data', '0300000100ff'],
    ['flags on a whole message', '03010000'],
    ['a piece of a type that is never cut', '040001e4000100020000'],
    ['a piece of one', '040301e40001 0001'],
    ['a piece behind the last', '040301e400010202'],
    ['too many pieces', '040301e4000100ff'],
    ['a first piece that is not full', '0403000500010002aa'],
    ['an empty last piece', '0403000400010102'],
    ['a message that needed no pieces', '0403000800010102aabbccdd'],
    ['a message beyond the longest', `040301e400018889${'aa'.repeat(480)}`],
  ])('are refused: %s', (_, hex) => {
    const plaintext = padded(fromHex(hex.replaceAll(' ', '')));
    expect(() => new InnerReceiver().receive(plaintext, 0)).toThrow(DecodeError);
  });

  it('wait for their pieces: eight at a time, 2 s from piece to piece', () => {
    const receiver = new InnerReceiver();
    const cut = (id: number) => encodeInner(INNER.data, filled(600), id).map(padded);
    for (let id = 0; id < 9; id++) receiver.receive(cut(id)[0] ?? filled(0), 0);
    expect(receiver.receive(cut(7)[1] ?? filled(0), 1000)?.data).toEqual(filled(600));
    expect(receiver.receive(cut(8)[1] ?? filled(0), 1000)).toBeUndefined();
    expect(receiver.receive(cut(0)[1] ?? filled(0), 2001)).toBeUndefined();
    expect(receiver.receive(cut(0)[0] ?? filled(0), 2002)?.data).toEqual(filled(600));
  });

  it('make us hold no more than two of the longest', () => {
    const receiver = new InnerReceiver();
    const cut = (id: number) => encodeInner(INNER.data, filled(TUNNEL_DATA_MAX), id).map(padded);
    const [first = [], second = [], third = []] = [1, 2, 3].map(cut);
    const all = (pieces: Uint8Array[]) =>
      pieces.map((piece) => receiver.receive(piece, 0)).filter((one) => one !== undefined).length;
    const butLast = first.length - 1;
    expect(all([...first.slice(0, butLast), ...second.slice(0, butLast)])).toBe(0);
    expect(all(third.slice(0, 3))).toBe(0);
    // The first had to go, and what comes of it now begins it anew.
    expect(all(first.slice(butLast))).toBe(0);
    expect(all([...second.slice(butLast), ...third.slice(3)])).toBe(2);
  });

  it('survive hostile bytes', () => {
    const samples = [
      ...encodeInner(INNER.data, filled(1000), 3),
      ...encodeInner(INNER.cover, filled(9), 0),
    ];
    survivesHostileBytes((bytes) => new InnerReceiver().receive(bytes, 0), samples.map(padded));
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError, Reader, utf8, Writer } from '../index.ts';
import { hostileBytes, survivesHostileBytes } from './hostile.ts';

/** Version 1 and a text of u16 bytes. */
const SAMPLE = new Writer(9).u8(1).u16(6).bytes(utf8('sample')).end();

function decode(bytes: Uint8Array): Uint8Array {
  const reader = new Reader(bytes);
  if (reader.u8() !== 1) throw new DecodeError('another version');
  const text = reader.bytes(reader.u16());
  reader.expectEnd();
  return text;
}

function broken(fault: (bytes: Uint8Array) => boolean): () => void {
  return () =>
    survivesHostileBytes(
      (bytes) => {
        if (fault(bytes)) throw new TypeError('a bug');
        return decode(bytes);
      },
      [SAMPLE],
      { runs: 3000 },
    );
}

// Without the word that `npm run fuzz` looks for: these need their own number of runs.
describe('survivesHostileBytes', () => {
  it('is passed by a careful decoder', () => {
    survivesHostileBytes(decode, [SAMPLE]);
  });

  it.each<[string, (bytes: Uint8Array) => boolean]>([
    ['nothing at all', ({ length }) => length === 0],
    ['a missing end', ({ length }) => length < SAMPLE.length],
    ['a byte too many', ({ length }) => length > SAMPLE.length],
    [
      'a flipped bit',
      ([version, , length, first]) => version === 1 && length === 6 && first === 0x72,
    ],
    ['the largest length', (bytes) => bytes[1] === 0xff && bytes[2] === 0xff],
    [
      'random bytes of the right length',
      ({ length, [7]: h = 0, [8]: i = 0 }) => length === 9 && h + i > 400,
    ],
    ['a forgotten offset', (bytes) => bytes.byteOffset > 0],
  ])('finds a decoder that fails at %s', (_, fault) => {
    expect(broken(fault)).toThrow();
  });

  it('refuses samples that show nothing', () => {
    expect(() => survivesHostileBytes(decode, [utf8('no sample')])).toThrow(DecodeError);
    expect(() => survivesHostileBytes(decode, [])).toThrow(RangeError);
  });

  it('leaves the samples as they are', () => {
    const before = new Uint8Array(SAMPLE);
    fc.assert(
      fc.property(hostileBytes([SAMPLE]), (bytes) => {
        bytes.fill(0);
        expect(SAMPLE).toEqual(before);
      }),
      { seed: 1 },
    );
  });
});

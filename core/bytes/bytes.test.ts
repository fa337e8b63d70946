import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareBytes,
  concatBytes,
  DecodeError,
  decodeUtf8,
  equalBytes,
  fromBase64Url,
  fromHex,
  printable,
  Reader,
  toBase64Url,
  toHex,
  utf8,
  Writer,
} from './index.ts';

describe('Reader', () => {
  it('reads big-endian fields in order', () => {
    const reader = new Reader(fromHex('01 0203 04050607 08090a0b0c0d0e0f ff'.replaceAll(' ', '')));
    expect(reader.u8()).toBe(0x01);
    expect(reader.u16()).toBe(0x0203);
    expect(reader.u32()).toBe(0x04050607);
    expect(reader.u64()).toBe(0x08090a0b0c0d0e0fn);
    expect(toHex(reader.rest())).toBe('ff');
    reader.expectEnd();
  });

  it.each([
    ['u8', 0],
    ['u16', 1],
    ['u32', 3],
    ['u64', 7],
  ] as const)('refuses a %s when only %i bytes are left', (field, length) => {
    expect(() => new Reader(new Uint8Array(length))[field]()).toThrow(DecodeError);
  });

  it('refuses a length that lies, without allocating it', () => {
    expect(() => new Reader(new Uint8Array(8)).view(2 ** 40)).toThrow(DecodeError);
    expect(() => new Reader(new Uint8Array(8)).bytes(9)).toThrow(DecodeError);
  });

  it('treats an impossible length as a bug of ours', () => {
    for (const length of [-1, 1.5, Number.NaN]) {
      expect(() => new Reader(new Uint8Array(8)).view(length)).toThrow(RangeError);
    }
  });

  it('refuses trailing bytes', () => {
    const reader = new Reader(Uint8Array.of(1, 2));
    reader.u8();
    expect(() => reader.expectEnd()).toThrow('1 bytes too many');
  });

  it('refuses reserved bytes that are not zero', () => {
    new Reader(new Uint8Array(3)).zeros(3);
    expect(() => new Reader(Uint8Array.of(0, 1, 0)).zeros(3)).toThrow(DecodeError);
  });

  it('refuses a 64-bit field that a number cannot hold', () => {
    expect(new Reader(fromHex('001fffffffffffff')).u64AsNumber()).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => new Reader(fromHex('0020000000000000')).u64AsNumber()).toThrow(DecodeError);
  });

  it('gives views of the packet and copies that outlive it', () => {
    const packet = Buffer.from([1, 2, 3, 4]);
    const reader = new Reader(packet.subarray(1));
    const view = reader.view(1);
    const copy = reader.bytes(1);
    packet.fill(9);
    expect([...view, ...copy]).toEqual([9, 3]);
  });
});

describe('Writer', () => {
  it('refuses values that do not fit their field', () => {
    expect(() => new Writer(1).u8(256)).toThrow(RangeError);
    expect(() => new Writer(2).u16(-1)).toThrow(RangeError);
    expect(() => new Writer(4).u32(1.5)).toThrow(RangeError);
    expect(() => new Writer(8).u64(2n ** 64n)).toThrow(RangeError);
    expect(() => new Writer(8).u64(-1)).toThrow(RangeError);
  });

  it('refuses to write past the end or to stop short of it', () => {
    expect(() => new Writer(1).u16(1)).toThrow(RangeError);
    expect(() => new Writer(1).bytes(new Uint8Array(2))).toThrow(RangeError);
    expect(() => new Writer(2).u8(1).end()).toThrow('1 bytes not written');
  });

  it('writes into a buffer it was given, and only there', () => {
    const buffer = new Uint8Array(6).fill(0xee);
    new Writer(buffer.subarray(1, 5)).u8(1).zeros(2).u8(2).end();
    expect(toHex(buffer)).toBe('ee01000002ee');
  });

  it('is undone by Reader', () => {
    const fields = fc.tuple(
      fc.nat(0xff),
      fc.nat(0xffff),
      fc.nat(0xffff_ffff),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      fc.uint8Array({ maxLength: 40 }),
    );
    fc.assert(
      fc.property(fields, ([a, b, c, d, tail]) => {
        const bytes = new Writer(15 + tail.length).u8(a).u16(b).u32(c).u64(d).bytes(tail).end();
        const reader = new Reader(bytes);
        expect([reader.u8(), reader.u16(), reader.u32(), reader.u64()]).toEqual([a, b, c, d]);
        expect(reader.rest()).toEqual(tail);
      }),
      { seed: 1 },
    );
  });
});

describe('text and bytes', () => {
  it('takes hexadecimal of any case and nothing else', () => {
    expect(toHex(fromHex('00fFA5'))).toBe('00ffa5');
    for (const wrong of ['0', 'xy', '0 ', '+1']) expect(() => fromHex(wrong)).toThrow(DecodeError);
  });

  it('takes base64url without padding and nothing else', () => {
    expect(toBase64Url(fromHex('fbff'))).toBe('-_8');
    for (const hex of ['', '00', '0001', '000102', 'fbefbe']) {
      expect(toHex(fromBase64Url(toBase64Url(fromHex(hex))))).toBe(hex);
    }
    for (const wrong of ['A', 'AA==', '+/8', 'A A']) {
      expect(() => fromBase64Url(wrong)).toThrow(DecodeError);
    }
  });

  it('refuses bytes that are no UTF-8, and keeps a byte-order mark', () => {
    expect(decodeUtf8(utf8('\ufeffgrün 🙂'))).toBe('\ufeffgrün 🙂');
    for (const wrong of ['ff', 'c3', 'eda080', 'c080']) {
      expect(() => decodeUtf8(fromHex(wrong))).toThrow(DecodeError);
    }
  });

  it('shows what a terminal would obey', () => {
    expect(printable('Zoë 📞\t')).toBe('Zoë 📞\\u{9}');
    expect(printable('\x1b[31m\u202e\u2028\ud800')).toBe('\\u{1b}[31m\\u{202e}\\u{2028}\\u{d800}');
  });

  it('joins, compares and orders', () => {
    expect(toHex(concatBytes(Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3)))).toBe(
      '010203',
    );
    expect(equalBytes(fromHex('0102'), fromHex('0102'))).toBe(true);
    expect(equalBytes(fromHex('0102'), fromHex('010200'))).toBe(false);
    expect(compareBytes(fromHex('01ff'), fromHex('0200'))).toBeLessThan(0);
    expect(compareBytes(fromHex('01'), fromHex('0100'))).toBeLessThan(0);
    expect(compareBytes(fromHex('01'), fromHex('01'))).toBe(0);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError, toHex } from '../bytes/index.ts';
import { CELL_BYTES, cellBody, cellFault } from '../link/index.ts';
import { MESSAGE_BYTES_MAX } from './rpc.ts';
import {
  decodeCell,
  decodeRefusal,
  decodeRequest,
  encodeCells,
  encodeRefusal,
  encodeRequest,
  FRAGMENT_BYTES,
  FRAGMENTS_MAX,
} from './wire.ts';

function cellWith(...header: number[]): Uint8Array {
  const cell = new Uint8Array(CELL_BYTES);
  cellBody(cell).set(header);
  return cell;
}

describe('cells of requests and answers', () => {
  it('are laid out as documented', () => {
    const [cell = new Uint8Array()] = encodeCells('answer', 0x0102_0304, Uint8Array.of(0xaa, 0xbb));
    expect(toHex(cell.subarray(0, 16))).toBe('0102030408010000' + '0200010002' + 'aabb' + '00');
    expect(cell).toHaveLength(CELL_BYTES);
  });

  it('are what was said, in fragments that a link lets through', () => {
    const messages = fc.uint8Array({ maxLength: 3 * FRAGMENT_BYTES + 1 });
    fc.assert(
      fc.property(messages, fc.integer({ min: 1, max: 2 ** 32 - 1 }), (message, number) => {
        const cells = encodeCells('request', number, message);
        const fragments = cells.map((cell) => decodeCell(cell));
        expect(cells.map((cell) => cellFault(cell))).toEqual(cells.map(() => undefined));
        expect(fragments.map(({ index }) => index)).toEqual([...cells.keys()]);
        expect(fragments.every((one) => one.count === cells.length)).toBe(true);
        expect(fragments.every((one) => one.kind === 'request' && one.number === number)).toBe(
          true,
        );
        expect(fragments.flatMap(({ data }) => [...data])).toEqual([...message]);
      }),
      { seed: 1 },
    );
  });

  it('carry the longest message, and no longer one', () => {
    expect(encodeCells('answer', 1, new Uint8Array(MESSAGE_BYTES_MAX))).toHaveLength(FRAGMENTS_MAX);
    const tooLong = new Uint8Array(MESSAGE_BYTES_MAX + 1);
    expect(() => encodeCells('answer', 1, tooLong)).toThrow(RangeError);
  });

  it.each<[string, Uint8Array]>([
    ['no kind', cellWith(0, 0, 1, 0, 0)],
    ['a kind nobody knows', cellWith(4, 0, 1, 0, 0)],
    ['no fragments', cellWith(1, 0, 0, 0, 0)],
    ['too many fragments', cellWith(1, 0, FRAGMENTS_MAX + 1, 0x01, 0xfb)],
    ['a fragment past the last', cellWith(1, 1, 1, 0, 0)],
    ['a length past the cell', cellWith(1, 0, 1, 0x01, 0xfc)],
    ['a short fragment before the last', cellWith(1, 0, 2, 0, 9)],
    ['something behind the data', cellWith(1, 0, 1, 0, 1, 7, 7)],
    ['a refusal in fragments', cellWith(3, 0, 2, 0x01, 0xfb)],
  ])('are refused with %s', (_, cell) => {
    expect(() => decodeCell(cell)).toThrow(DecodeError);
  });

  it('throw nothing but DecodeError, whatever is in them (attack 28)', () => {
    const bodies = fc.uint8Array({ minLength: CELL_BYTES, maxLength: CELL_BYTES });
    fc.assert(
      fc.property(bodies, (cell) => {
        try {
          decodeCell(cell);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { seed: 1 },
    );
  });
});

describe('messages', () => {
  it('of a request begin with the service', () => {
    const request = { service: 2, bytes: Uint8Array.of(1, 2) };
    expect(toHex(encodeRequest(request))).toBe('020102');
    expect(decodeRequest(encodeRequest(request))).toEqual(request);
    expect(() => decodeRequest(new Uint8Array())).toThrow(DecodeError);
  });

  it('of a refusal are one reason', () => {
    expect(decodeRefusal(encodeRefusal('busy'))).toBe('busy');
    expect(decodeRefusal(encodeRefusal('no service'))).toBe('no service');
    for (const wrong of [[], [0], [3], [1, 1]]) {
      expect(() => decodeRefusal(Uint8Array.from(wrong))).toThrow(DecodeError);
    }
  });
});

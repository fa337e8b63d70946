import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError, toHex } from '../bytes/index.ts';
import { survivesHostileBytes } from '../bytes/testing/hostile.ts';
import { SeededRng, shuffled } from '../runtime/index.ts';
import { CELL_BYTES, COMMAND, cellFault, writeCellHeader, writeFragment } from './cells.ts';
import {
  CONTROL_DATA_MAX,
  CONTROL_MESSAGE_MAX,
  ControlAssembly,
  type ControlMessage,
  encodeControl,
} from './control.ts';

function message(type: ControlMessage['type'], length: number, salt = 0): ControlMessage {
  return { type, data: Uint8Array.from({ length }, (_, i) => (7 * i + salt) % 256) };
}

function assembled(cells: readonly Uint8Array[], assembly = new ControlAssembly()) {
  return cells.map((cell) => assembly.push(cell)).filter((one) => one !== undefined);
}

/** The first cell of a CERT of two fragments, with its bytes changed. */
function cellWith(change: (cell: Uint8Array) => void): Uint8Array {
  const [cell = new Uint8Array()] = encodeControl(message('cert', CONTROL_DATA_MAX + 1));
  change(cell);
  return cell;
}

describe('LINK_CTRL', () => {
  it('stands in a cell as protocol 3.2 says', () => {
    const [cell = new Uint8Array(), ...others] = encodeControl({
      type: 'ping',
      data: Uint8Array.of(0xab, 0xcd),
    });
    expect(others).toEqual([]);
    expect(toHex(cell.subarray(0, 16))).toBe('0000000001010000' + '08000002abcd0000');
  });

  it('cuts a certificate of 1251 bytes into three cells', () => {
    const cells = encodeControl(message('cert', 1251));
    expect(cells.map((cell) => toHex(cell.subarray(4, 12)))).toEqual([
      '01030000' + '010001fc',
      '01130000' + '010001fc',
      '01230000' + '010000eb',
    ]);
    expect(cells.map(cellFault)).toEqual([undefined, undefined, undefined]);
  });

  it('comes back whole from any order, with repetitions', () => {
    const length = fc.nat(CONTROL_MESSAGE_MAX);
    fc.assert(
      fc.property(length, fc.nat(), (bytes, seed) => {
        const sent = message('cert', bytes);
        const cells = encodeControl(sent);
        const mixed = shuffled(new SeededRng(seed), [...cells, ...cells]);
        expect(assembled(mixed)[0]).toEqual(sent);
      }),
      { seed: 1 },
    );
  });

  it('completes a message from two sendings that both lost a cell', () => {
    const sent = message('cert', 1251);
    const [first, second, third] = encodeControl(sent) as [Uint8Array, Uint8Array, Uint8Array];
    expect(assembled([first, third, first, second])).toEqual([sent]);
  });

  it('comes as often as it is sent', () => {
    const sent = message('cert', 1251);
    const cells = encodeControl(sent);
    expect(assembled([...cells, ...cells])).toEqual([sent, sent]);
  });

  it('puts messages of different types together at the same time', () => {
    const [a, b] = [message('cert', 1251, 1), message('pq ek', 1196, 2)];
    const [a1, a2, a3] = encodeControl(a) as [Uint8Array, Uint8Array, Uint8Array];
    const [b1, b2, b3] = encodeControl(b) as [Uint8Array, Uint8Array, Uint8Array];
    expect(assembled([a1, b3, b1, a3, b2, a2])).toEqual([b, a]);
  });

  it('forgets what was begun when a message of the same type with another id comes', () => {
    const [old] = encodeControl(message('cert', 1251, 1)) as [Uint8Array];
    const fresh = encodeControl(message('cert', 1251, 2));
    for (const cell of fresh) cell[9] = 5;
    const [first, second, third] = fresh as [Uint8Array, Uint8Array, Uint8Array];
    expect(assembled([old, second, third])).toEqual([]);
    expect(assembled([old, second, third, first])).toEqual([message('cert', 1251, 2)]);
  });

  it('hands out bytes that outlive the cell', () => {
    const [cell = new Uint8Array()] = encodeControl(message('load', 17));
    const [received] = assembled([cell]);
    cell.fill(0);
    expect(received).toEqual(message('load', 17));
  });

  it('is never sent longer than it may be', () => {
    encodeControl(message('cert', CONTROL_MESSAGE_MAX));
    expect(() => encodeControl(message('cert', CONTROL_MESSAGE_MAX + 1))).toThrow(RangeError);
    expect(() => encodeControl(message('rekey', CONTROL_DATA_MAX + 1))).toThrow(RangeError);
  });

  it.each<[string, Uint8Array]>([
    ['another command', cellWith((cell) => writeCellHeader(cell, 0, COMMAND.padding))],
    ['a circuit number', cellWith((cell) => cell.fill(1, 3, 4))],
    ['sub 0', cellWith((cell) => cell.fill(0, 8, 9))],
    ['an unknown sub', cellWith((cell) => cell.fill(10, 8, 9))],
    ['a message in fragments that is always whole', cellWith((cell) => cell.fill(4, 8, 9))],
    ['four fragments', cellWith((cell) => writeFragment(cell, 0, 4))],
    ['more data than fits', cellWith((cell) => cell.fill(0xff, 10, 12))],
    ['a fragment that is not full', cellWith((cell) => cell.fill(0, 10).fill(1, 11, 12))],
    ['an empty last fragment', cellWith((cell) => writeFragment(cell.fill(0, 10), 1, 2))],
    ['padding that is not zero', cellWith((cell) => writeFragment(cell.fill(1, 11, 12), 0, 1))],
    ['another size', new Uint8Array(CELL_BYTES - 1)],
  ])('is refused with %s', (_, cell) => {
    expect(() => new ControlAssembly().push(cell)).toThrow(DecodeError);
  });

  it('survives hostile bytes', () => {
    const assembly = new ControlAssembly();
    const samples = [message('cert', 1251), message('ping', 8)].flatMap(encodeControl);
    survivesHostileBytes((bytes) => assembly.push(bytes), samples);
  });
});

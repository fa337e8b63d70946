import { describe, expect, it } from 'vitest';
import { DecodeError, fromHex, toHex } from '../bytes/index.ts';
import { survivesHostileBytes } from '../bytes/testing/hostile.ts';
import { COMMAND, cellBody, cellFault } from '../link/index.ts';
import { SeededRng } from '../runtime/index.ts';
import {
  CellCollector,
  controlCells,
  decodeRefusal,
  destroyCell,
  encodeRefusal,
  REASON,
  refusal,
} from './control-cells.ts';
import { BODY_BYTES, CELL_BYTES } from './geometry.ts';
import { CREATE_BYTES, CREATED_BYTES } from './hop.ts';

const CIRCUIT = 0x8000_0007;

function payload(length: number, tag: number = 1): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * tag) % 251);
}

function createCells(circuit: number = CIRCUIT, tag?: number): Uint8Array[] {
  return controlCells(circuit, COMMAND.create, payload(CREATE_BYTES, tag));
}

function createdCells(circuit: number = CIRCUIT): Uint8Array[] {
  return controlCells(circuit, COMMAND.created, payload(CREATED_BYTES));
}

/** What comes of these cells, one after the other. */
function collected(collector: CellCollector, cells: readonly Uint8Array[], nowMs: number = 0) {
  return cells.map((cell) => collector.collect(cell, nowMs)).filter((one) => one !== undefined);
}

describe('CREATE and CREATED in cells', () => {
  it('have the layout of protocol 3.2', () => {
    const heads = (cells: readonly Uint8Array[]) =>
      cells.map((cell) => toHex(cell.subarray(0, 10)));
    expect(heads(createCells())).toEqual([
      '80000007020300000001',
      '80000007021300000a0b',
      '80000007022300001415',
    ]);
    expect(heads(createdCells())).toEqual([
      '80000007030400000001',
      '80000007031400000a0b',
      '80000007032400001415',
      '80000007033400001e1f',
    ]);
    const all = [...createCells(), ...createdCells()];
    expect(all.map((cell) => [cell.length, cellFault(cell)])).toEqual(
      all.map(() => [CELL_BYTES, undefined]),
    );
    const [, , last = new Uint8Array()] = createCells();
    expect([...cellBody(last).subarray(CREATE_BYTES - 2 * BODY_BYTES)].every((b) => b === 0)).toBe(
      true,
    );
  });

  it('come out whole, in any order and with copies', () => {
    const [a, b, c, d] = createdCells() as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    const collector = new CellCollector();
    expect(collected(collector, [d, b, b, a, d, c])).toEqual([payload(CREATED_BYTES)]);
    expect(collected(collector, [a, b, c, d])).toEqual([payload(CREATED_BYTES)]);
  });

  it('are kept apart by circuit and command', () => {
    const collector = new CellCollector();
    const [first, second, created] = [createCells(1), createCells(2, 3), createdCells(1)];
    const mixed = [0, 1, 2].flatMap((i) => [first, second, created].map((cells) => cells[i]));
    const cells = [...mixed, created[3]].filter((cell) => cell !== undefined);
    expect(collected(collector, cells)).toEqual([
      payload(CREATE_BYTES),
      payload(CREATE_BYTES, 3),
      payload(CREATED_BYTES),
    ]);
  });

  it('complete each other when a retry repeats what was lost', () => {
    const collector = new CellCollector();
    const [a, b, c] = createCells() as [Uint8Array, Uint8Array, Uint8Array];
    expect(collected(collector, [a, c], 0)).toEqual([]);
    expect(collected(collector, [b], 2400)).toEqual([payload(CREATE_BYTES)]);
  });

  it('are forgotten after five seconds', () => {
    const collector = new CellCollector();
    const [a, b, c] = createCells() as [Uint8Array, Uint8Array, Uint8Array];
    collected(collector, [a, b], 0);
    expect(collected(collector, [c], 5001)).toEqual([]);
    expect(collected(collector, [a, b], 5002)).toEqual([payload(CREATE_BYTES)]);
  });

  it('of no more than 64 circuits wait for the rest', () => {
    const collector = new CellCollector();
    const begun = Array.from({ length: 65 }, (_, i) => createCells(i + 1));
    for (const [first] of begun) collected(collector, [first ?? new Uint8Array()], 0);
    const rest = begun.map((cells) => collected(collector, cells.slice(1), 1).length);
    expect(rest).toEqual([...Array(64).fill(1), 0]);
    expect(collected(collector, createCells(65), 2)).toHaveLength(1);
  });

  it('are ignored when the padding is not zero', () => {
    const [a, b, c] = createCells() as [Uint8Array, Uint8Array, Uint8Array];
    const collector = new CellCollector();
    collected(collector, [a, b]);
    expect(collector.collect(c.with(CELL_BYTES - 1, 1), 0)).toBeUndefined();
    expect(collected(collector, [a, b, c])).toEqual([payload(CREATE_BYTES)]);
  });

  it('give payloads of their own', () => {
    const cells = createCells();
    const [whole] = collected(new CellCollector(), cells);
    for (const cell of cells) cell.fill(0);
    expect(whole).toEqual(payload(CREATE_BYTES));
  });
});

describe('DESTROY', () => {
  const why = { reason: REASON.proofRequired, powBits: 17, powSeed: new Uint8Array(16).fill(0x5e) };
  const WHY_HEX = `0211${'5e'.repeat(16)}`;

  it('has the layout of protocol 3.2, with random bytes behind the refusal', () => {
    expect(toHex(encodeRefusal(why))).toBe(WHY_HEX);
    expect(toHex(encodeRefusal(refusal(REASON.resourceLimit)))).toBe(`0100${'00'.repeat(16)}`);
    const [one, two] = [1, 2].map((seed) => destroyCell(new SeededRng(seed), CIRCUIT, why));
    expect(toHex(one?.subarray(0, 26) ?? new Uint8Array())).toBe(`8000000705010000${WHY_HEX}`);
    expect(one?.subarray(26)).not.toEqual(two?.subarray(26));
    expect(cellFault(one ?? new Uint8Array())).toBeUndefined();
  });

  it('is read from a cell, or whole from an EXTEND_FAIL', () => {
    const cell = destroyCell(new SeededRng(1), CIRCUIT, why);
    expect(decodeRefusal(cellBody(cell))).toEqual(why);
    expect(decodeRefusal(fromHex(WHY_HEX))).toEqual(why);
    expect(() => decodeRefusal(fromHex(WHY_HEX.slice(2)))).toThrow(DecodeError);
  });

  it('survives hostile bytes', () => {
    survivesHostileBytes(decodeRefusal, [fromHex(WHY_HEX)]);
  });
});

import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import {
  BODY_BYTES,
  CELL_BYTES,
  CELL_HEADER_BYTES,
  COMMAND,
  type Command,
  cellBody,
  cellCircuit,
  cellCommand,
  cellFault,
  fragmentCount,
  fragmentIndex,
  writeCellHeader,
  writeFragment,
} from './cells.ts';

function cell(circuit: number, command: Command, index = 0, count = 1): Uint8Array {
  const bytes = new Uint8Array(CELL_BYTES).fill(0xee);
  writeCellHeader(bytes, circuit, command);
  writeFragment(bytes, index, count);
  return bytes;
}

describe('cells', () => {
  it('have the header of protocol 3.2 before a body of 512 bytes', () => {
    const bytes = cell(0x8102_0304, COMMAND.created, 2, 4);
    expect(toHex(bytes.subarray(0, CELL_HEADER_BYTES))).toBe('8102030403240000');
    expect([cellCircuit(bytes), cellCommand(bytes)]).toEqual([0x8102_0304, COMMAND.created]);
    expect([fragmentIndex(bytes), fragmentCount(bytes)]).toEqual([2, 4]);
    expect(cellBody(bytes)).toEqual(new Uint8Array(BODY_BYTES).fill(0xee));
  });

  it('are of one piece unless said otherwise', () => {
    const bytes = new Uint8Array(CELL_BYTES);
    writeCellHeader(bytes, 7, COMMAND.relay);
    expect(toHex(bytes.subarray(0, CELL_HEADER_BYTES))).toBe('0000000704010000');
  });

  it.each<[string, Uint8Array]>([
    ['PADDING', cell(0, COMMAND.padding)],
    ['LINK_CTRL', cell(0, COMMAND.linkControl, 2, 3)],
    ['CREATE', cell(1, COMMAND.create, 0, 3)],
    ['CREATED', cell(1, COMMAND.created, 3, 4)],
    ['RELAY', cell(0xffff_ffff, COMMAND.relay)],
    ['DESTROY', cell(1, COMMAND.destroy)],
    ['RDV_CREATE', cell(1, COMMAND.rdvCreate, 1, 3)],
    ['RDV_CREATED', cell(1, COMMAND.rdvCreated, 1, 4)],
    ['RPC', cell(1, COMMAND.rpc)],
  ])('%s has no fault', (_, bytes) => {
    expect(cellFault(bytes)).toBeUndefined();
  });

  it.each<[string, Uint8Array]>([
    ['another size', new Uint8Array(CELL_BYTES - 1)],
    ['a command nobody knows', cell(1, 9 as Command)],
    ['no fragments', cell(0, COMMAND.padding, 0, 0)],
    ['too few fragments', cell(1, COMMAND.create, 0, 2)],
    ['too many fragments', cell(0, COMMAND.linkControl, 0, 4)],
    ['a fragment past the last', cell(1, COMMAND.create, 3, 3)],
    ['a circuit and no circuit command', cell(1, COMMAND.linkControl)],
    ['a circuit command and no circuit', cell(0, COMMAND.relay)],
    ['a reserved byte', cell(0, COMMAND.padding).fill(1, 7, 8)],
  ])('have a fault with %s', (_, bytes) => {
    expect(cellFault(bytes)).toEqual(expect.any(String));
  });
});

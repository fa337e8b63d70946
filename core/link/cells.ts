// Cells, what DATA packets carry (protocol 3.2):
//
//   circ_id u32 | cmd u8 | frag u8 | reserved u16 = 0 | body 512
//
// circ_id 0 is the link itself: PADDING and LINK_CTRL have it, all others a circuit's. frag is a fragment's index in
// the high and the number of fragments in the low half, 0x01 for a message of one cell. These are functions on bytes
// and no decoder of objects, because a relay calls them for each cell. What is in the bodies is not known here.

import { readU32, writeU32 } from './u32.ts';

export const CELL_HEADER_BYTES = 8;
export const BODY_BYTES = 512;
export const CELL_BYTES = CELL_HEADER_BYTES + BODY_BYTES;

export const COMMAND = {
  padding: 0,
  linkControl: 1,
  create: 2,
  created: 3,
  relay: 4,
  destroy: 5,
  rdvCreate: 6,
  rdvCreated: 7,
  /** Of core/rpc; the number is a call's instead of a circuit's, fragments are counted in the body. */
  rpc: 8,
} as const;

export type Command = (typeof COMMAND)[keyof typeof COMMAND];

/** By command: the fewest and the most fragments a message has (3.2, 3.3; LINK_CTRL's longest is CERT). */
const FRAGMENTS: readonly { readonly min: number; readonly max: number }[] = [
  { min: 1, max: 1 },
  { min: 1, max: 3 },
  { min: 3, max: 3 },
  { min: 4, max: 4 },
  { min: 1, max: 1 },
  { min: 1, max: 1 },
  { min: 3, max: 3 },
  { min: 4, max: 4 },
  { min: 1, max: 1 },
];

/** The frag of a message that is in one cell. */
const WHOLE = 0x01;

const COMMAND_AT = 4;
const FRAG_AT = 5;
const RESERVED_AT = 6;

export function cellCircuit(cell: Uint8Array): number {
  return readU32(cell, 0);
}

/** A Command, once `cellFault` has nothing to say. */
export function cellCommand(cell: Uint8Array): number {
  return cell[COMMAND_AT] ?? 0;
}

export function fragmentIndex(cell: Uint8Array): number {
  return (cell[FRAG_AT] ?? 0) >> 4;
}

export function fragmentCount(cell: Uint8Array): number {
  return (cell[FRAG_AT] ?? 0) & 0x0f;
}

export function cellBody(cell: Uint8Array): Uint8Array {
  return cell.subarray(CELL_HEADER_BYTES, CELL_BYTES);
}

export function writeCellHeader(cell: Uint8Array, circuit: number, command: Command): void {
  writeU32(cell, 0, circuit);
  cell[COMMAND_AT] = command;
  cell[FRAG_AT] = WHOLE;
  cell[RESERVED_AT] = 0;
  cell[RESERVED_AT + 1] = 0;
}

export function writeFragment(cell: Uint8Array, index: number, count: number): void {
  cell[FRAG_AT] = (index << 4) | count;
}

/**
 * What is wrong with the header of an authentic cell. The neighbour wrote it and nobody further back, so any fault is
 * its own (3.1, the principle at the end of the session rules).
 */
export function cellFault(cell: Uint8Array): string | undefined {
  if (cell.length !== CELL_BYTES) return 'a cell of another size';
  if (cell[RESERVED_AT] !== 0 || cell[RESERVED_AT + 1] !== 0) return 'a reserved byte is not zero';
  const command = cellCommand(cell);
  const fragments = FRAGMENTS[command];
  if (fragments === undefined) return 'an unknown command';
  const count = fragmentCount(cell);
  if (count < fragments.min || count > fragments.max) return 'a wrong number of fragments';
  if (fragmentIndex(cell) >= count) return 'a fragment past the last';
  const ofLink = command === COMMAND.padding || command === COMMAND.linkControl;
  if (ofLink !== (cellCircuit(cell) === 0)) return 'a command that is not for this circuit number';
  return undefined;
}

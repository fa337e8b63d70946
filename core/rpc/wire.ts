// Requests and answers in cells of a link (core/link/cells.ts, command RPC). circ_id is the number of the call, not 0,
// chosen by the caller. The body:
//
//   0     1   kind      1 request, 2 answer, 3 refusal
//   1     1   index     of this fragment
//   2     1   count     of fragments, 1 to 33
//   3     2   length    of the data in this cell; 507 in all fragments but the last
//   5   507   data, then zeros
//
// A message is its fragments' data: a request begins with the service u8; a refusal is one byte, the reason.

import { DecodeError, Reader, Writer } from '../bytes/index.ts';
import {
  BODY_BYTES,
  CELL_BYTES,
  COMMAND,
  cellBody,
  cellCircuit,
  writeCellHeader,
} from '../link/index.ts';
import { MESSAGE_BYTES_MAX } from './rpc.ts';

const HEADER_BYTES = 5;
export const FRAGMENT_BYTES = BODY_BYTES - HEADER_BYTES;
export const FRAGMENTS_MAX = Math.ceil(MESSAGE_BYTES_MAX / FRAGMENT_BYTES);

/** In the order of their numbers on the wire, from 1. */
const KINDS = ['request', 'answer', 'refusal'] as const;

export type Kind = (typeof KINDS)[number];

export interface Fragment {
  readonly kind: Kind;
  /** The call's. */
  readonly number: number;
  readonly index: number;
  readonly count: number;
  /** A view of the cell. */
  readonly data: Uint8Array;
}

export function encodeCells(kind: Kind, number: number, message: Uint8Array): Uint8Array[] {
  if (message.length > MESSAGE_BYTES_MAX) {
    throw new RangeError(`a message of ${message.length} bytes`);
  }
  const count = Math.max(1, Math.ceil(message.length / FRAGMENT_BYTES));
  return Array.from({ length: count }, (_, index) => {
    const cell = new Uint8Array(CELL_BYTES);
    writeCellHeader(cell, number, COMMAND.rpc);
    const data = message.subarray(index * FRAGMENT_BYTES, (index + 1) * FRAGMENT_BYTES);
    const writer = new Writer(cellBody(cell))
      .u8(1 + KINDS.indexOf(kind))
      .u8(index)
      .u8(count);
    writer.u16(data.length).bytes(data);
    writer.zeros(writer.remaining).end();
    return cell;
  });
}

/** Of a cell with the command RPC. */
export function decodeCell(cell: Uint8Array): Fragment {
  const reader = new Reader(cellBody(cell));
  const kind = KINDS[reader.u8() - 1];
  const index = reader.u8();
  const count = reader.u8();
  const data = reader.view(reader.u16());
  reader.zeros(reader.remaining);
  if (kind === undefined) throw new DecodeError('neither a request nor an answer');
  if (count < 1 || count > FRAGMENTS_MAX) throw new DecodeError(`${count} fragments`);
  if (index >= count) throw new DecodeError('a fragment past the last');
  if (index < count - 1 && data.length < FRAGMENT_BYTES) throw new DecodeError('a short fragment');
  if (kind === 'refusal' && count !== 1) throw new DecodeError('a long refusal');
  return { kind, number: cellCircuit(cell), index, count, data };
}

/** In the order of their numbers on the wire, from 1. */
const REFUSALS = ['busy', 'no service'] as const;

export type Refusal = (typeof REFUSALS)[number];

export function encodeRefusal(why: Refusal): Uint8Array {
  return Uint8Array.of(1 + REFUSALS.indexOf(why));
}

export function decodeRefusal(message: Uint8Array): Refusal {
  const why = REFUSALS[(message[0] ?? 0) - 1];
  if (why === undefined || message.length !== 1) throw new DecodeError('an unknown refusal');
  return why;
}

export interface Request {
  readonly service: number;
  readonly bytes: Uint8Array;
}

export function encodeRequest({ service, bytes }: Request): Uint8Array {
  return new Writer(1 + bytes.length).u8(service).bytes(bytes).end();
}

export function decodeRequest(message: Uint8Array): Request {
  const reader = new Reader(message);
  return { service: reader.u8(), bytes: reader.rest() };
}

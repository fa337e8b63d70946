// LINK_CTRL messages (protocol 3.2): what two neighbours say about their link itself. Each cell's body is
//
//   sub u8 | msg_id u8 | len u16 | data, at most 508 | zeros (checked)
//
// with len the bytes of data in this cell. A message that does not fit is cut into up to three fragments, all full but
// the last, so a fragment's place follows from its index. It is resent whole under the same msg_id, and fragments of
// both sendings complete each other. Only CERT, PQ_EK and PQ_CT are ever cut, and of each at most one message is being
// put together: that is all a neighbour can make us hold. What the data means is said where it is used.

import { concatBytes, DecodeError, Reader, Writer } from '../bytes/index.ts';
import {
  BODY_BYTES,
  CELL_BYTES,
  COMMAND,
  cellBody,
  cellCommand,
  cellFault,
  fragmentCount,
  fragmentIndex,
  writeCellHeader,
  writeFragment,
} from './cells.ts';

export const CONTROL_HEADER_BYTES = 4;
export const CONTROL_DATA_MAX = BODY_BYTES - CONTROL_HEADER_BYTES;
export const CONTROL_FRAGMENTS_MAX = 3;
export const CONTROL_MESSAGE_MAX = CONTROL_FRAGMENTS_MAX * CONTROL_DATA_MAX;

/** In the order of their sub numbers, which start at 1. */
const TYPES = [
  'cert',
  'pq ek',
  'pq ct',
  'rekey',
  'rekey ack',
  'load',
  'close',
  'ping',
  'pong',
] as const;

export type ControlType = (typeof TYPES)[number];

/** Those that need more than one cell. */
const CUT: readonly ControlType[] = ['cert', 'pq ek', 'pq ct'];

export interface ControlMessage {
  readonly type: ControlType;
  readonly data: Uint8Array;
}

/** PING's data when any answer will do. */
export const PING = new Uint8Array(8);

/** Tells messages of one type apart while they are under way. Of ours there is only ever one. */
const MESSAGE_ID = 0;

/** The message's cells, all of CELL_BYTES. */
export function encodeControl({ type, data }: ControlMessage): Uint8Array[] {
  const count = Math.max(1, Math.ceil(data.length / CONTROL_DATA_MAX));
  if (count > (CUT.includes(type) ? CONTROL_FRAGMENTS_MAX : 1)) {
    throw new RangeError(`${type} of ${data.length} bytes`);
  }
  return Array.from({ length: count }, (_, index) => {
    const piece = data.subarray(index * CONTROL_DATA_MAX, (index + 1) * CONTROL_DATA_MAX);
    const cell = new Uint8Array(CELL_BYTES);
    writeCellHeader(cell, 0, COMMAND.linkControl);
    writeFragment(cell, index, count);
    new Writer(cellBody(cell))
      .u8(TYPES.indexOf(type) + 1)
      .u8(MESSAGE_ID)
      .u16(piece.length)
      .bytes(piece);
    return cell;
  });
}

interface Fragment extends ControlMessage {
  readonly id: number;
  readonly index: number;
  readonly count: number;
}

/** `data` is a view of the cell. */
function decodeFragment(cell: Uint8Array): Fragment {
  const fault = cellFault(cell);
  if (fault !== undefined) throw new DecodeError(fault);
  if (cellCommand(cell) !== COMMAND.linkControl) throw new DecodeError('no LINK_CTRL');
  const body = new Reader(cellBody(cell));
  const type = TYPES[body.u8() - 1];
  if (type === undefined) throw new DecodeError('an unknown LINK_CTRL');
  const id = body.u8();
  const data = body.view(body.u16());
  body.zeros(body.remaining);
  const [index, count] = [fragmentIndex(cell), fragmentCount(cell)];
  if (count > 1 && !CUT.includes(type)) throw new DecodeError(`a ${type} in fragments`);
  const last = index === count - 1;
  if (last ? count > 1 && data.length === 0 : data.length !== CONTROL_DATA_MAX) {
    throw new DecodeError('a fragment of the wrong length');
  }
  return { type, id, data, index, count };
}

interface Unfinished {
  readonly id: number;
  readonly pieces: (Uint8Array | undefined)[];
}

/** Puts the LINK_CTRL messages of one link together. */
export class ControlAssembly {
  /** One for each type in CUT. */
  readonly #partials = new Map<ControlType, Unfinished>();

  /**
   * The message that this cell completes, with data of its own. A message that is sent again comes again. DecodeError
   * for what only a neighbour that breaks the protocol sends.
   */
  push(cell: Uint8Array): ControlMessage | undefined {
    const { type, id, data, index, count } = decodeFragment(cell);
    if (count === 1) return { type, data: new Uint8Array(data) };
    const partial = this.#partialOf(type, id, count);
    partial.pieces[index] = new Uint8Array(data);
    const pieces = partial.pieces.filter((piece) => piece !== undefined);
    if (pieces.length < count) return undefined;
    this.#partials.delete(type);
    return { type, data: concatBytes(...pieces) };
  }

  #partialOf(type: ControlType, id: number, count: number): Unfinished {
    const known = this.#partials.get(type);
    if (known?.id === id && known.pieces.length === count) return known;
    const fresh = { id, pieces: new Array<Uint8Array | undefined>(count).fill(undefined) };
    this.#partials.set(type, fresh);
    return fresh;
  }
}

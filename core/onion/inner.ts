// What travels in the innermost layer (protocol 3.5): 488 bytes of plaintext in every cell.
//
//   0  1  type
//   1  1  flags      of a FRAG: the type of the whole message; otherwise 0
//   2  2  length     of the data, at most 484
//   4  …  data, then zeros to the end (checked)
//
// A message longer than one cell travels in FRAG pieces:
//
//   0  2  message id
//   2  1  index
//   3  1  count
//   4  …  480 bytes of the message, fewer in the last piece

import { DecodeError, Reader, Writer } from '../bytes/index.ts';
import {
  FRAG_DATA_MAX,
  FRAG_HEADER_BYTES,
  INNER_DATA_MAX,
  INNER_HEADER_BYTES,
  INNER_PLAIN_BYTES,
  TUNNEL_DATA_MAX,
} from './geometry.ts';

export const INNER = {
  pad: 0,
  cover: 1,
  coverEcho: 2,
  data: 3,
  frag: 4,
  open: 5,
  closeLogical: 6,
  extend: 7,
  extended: 8,
  extendFail: 9,
  probe: 25,
  probeAck: 26,
} as const;

/** What an endpoint sends back as it came, and the type under which it goes back. */
export const ECHOES: ReadonlyMap<number | undefined, number> = new Map([
  [INNER.cover, INNER.coverEcho],
  [INNER.probe, INNER.probeAck],
]);

export interface InnerMessage {
  readonly type: number;
  /** A view of the plaintext it was decoded from. */
  readonly data: Uint8Array;
}

/** Types that may be longer than a cell, with the longest each may be. */
const FRAGMENTED_MAX: ReadonlyMap<number, number> = new Map([
  [INNER.data, TUNNEL_DATA_MAX],
  // An EXTEND with all its specs, and an EXTENDED, are below 2 KiB.
  [INNER.extend, 2048],
  [INNER.extended, 2048],
]);

/** Protocol 3.5: unfinished messages of one circuit, and how long the next piece may take. */
const OPEN_MAX = 8;
const PIECE_TIMEOUT_MS = 2000;
/** One that waits in vain for a lost piece, and the next. Whoever sends in order never has more under way. */
const OPEN_BYTES_MAX = 2 * TUNNEL_DATA_MAX;

/** The plaintexts, header and data without the zeros behind it, that carry one message. */
export function encodeInner(type: number, data: Uint8Array, messageId: number): Uint8Array[] {
  if (data.length <= INNER_DATA_MAX) return [encodeOne(type, 0, data)];
  if (data.length > (FRAGMENTED_MAX.get(type) ?? 0)) {
    throw new RangeError(`${data.length} bytes in a message of type ${type}`);
  }
  const count = Math.ceil(data.length / FRAG_DATA_MAX);
  return Array.from({ length: count }, (_, index) => {
    const piece = data.subarray(index * FRAG_DATA_MAX, (index + 1) * FRAG_DATA_MAX);
    const frag = new Writer(FRAG_HEADER_BYTES + piece.length);
    frag.u16(messageId).u8(index).u8(count).bytes(piece);
    return encodeOne(INNER.frag, type, frag.end());
  });
}

function encodeOne(type: number, flags: number, data: Uint8Array): Uint8Array {
  return new Writer(INNER_HEADER_BYTES + data.length)
    .u8(type)
    .u8(flags)
    .u16(data.length)
    .bytes(data)
    .end();
}

interface OpenMessage {
  readonly type: number;
  readonly pieces: (Uint8Array | undefined)[];
  missing: number;
  bytes: number;
  lastPieceMs: number;
}

/** Takes the plaintexts of one circuit as they come and gives whole messages. */
export class InnerReceiver {
  /** At most OPEN_MAX, of at most OPEN_BYTES_MAX together; the oldest first. */
  readonly #open = new Map<number, OpenMessage>();
  #bytes = 0;

  /** The message that this plaintext completes, if any. DecodeError: the far end broke the rules. */
  receive(plaintext: Uint8Array, nowMs: number): InnerMessage | undefined {
    const reader = new Reader(plaintext);
    const type = reader.u8();
    const flags = reader.u8();
    const data = reader.view(reader.u16());
    if (plaintext.length > INNER_PLAIN_BYTES) throw new DecodeError('a plaintext too long');
    reader.zeros(reader.remaining);
    if (type === INNER.frag) return this.#piece(flags, new Reader(data), nowMs);
    if (flags !== 0) throw new DecodeError('flags of a whole message');
    return { type, data };
  }

  #piece(type: number, reader: Reader, nowMs: number): InnerMessage | undefined {
    const id = reader.u16();
    const index = reader.u8();
    const count = reader.u8();
    checkPiece(type, { index, count, bytes: reader.remaining });
    const message = this.#openMessage(id, type, count, nowMs);
    if (message === undefined || message.pieces[index] !== undefined) return undefined;
    const piece = reader.bytes(reader.remaining);
    message.pieces[index] = piece;
    message.bytes += piece.length;
    this.#bytes += piece.length;
    message.lastPieceMs = nowMs;
    message.missing--;
    if (message.missing === 0) {
      this.#forget(id, message);
      return { type, data: joined(message.pieces) };
    }
    for (const [other, oldest] of this.#open) {
      if (this.#bytes > OPEN_BYTES_MAX) this.#forget(other, oldest);
    }
    return undefined;
  }

  #openMessage(id: number, type: number, count: number, nowMs: number): OpenMessage | undefined {
    for (const [other, message] of this.#open) {
      if (nowMs - message.lastPieceMs > PIECE_TIMEOUT_MS) this.#forget(other, message);
    }
    const found = this.#open.get(id);
    if (found !== undefined) {
      return found.type === type && found.pieces.length === count ? found : undefined;
    }
    if (this.#open.size >= OPEN_MAX) return undefined;
    const pieces = Array.from<undefined>({ length: count });
    const opened = { type, pieces, missing: count, bytes: 0, lastPieceMs: nowMs };
    this.#open.set(id, opened);
    return opened;
  }

  #forget(id: number, { bytes }: OpenMessage): void {
    this.#bytes -= bytes;
    this.#open.delete(id);
  }
}

/** Exactly the pieces `encodeInner` makes: all full but the last, which is not empty. */
function checkPiece(
  type: number,
  { index, count, bytes }: { index: number; count: number; bytes: number },
): void {
  const max = FRAGMENTED_MAX.get(type) ?? 0;
  const countMax = Math.ceil(max / FRAG_DATA_MAX);
  if (count < 2 || count > countMax || index >= count) throw new DecodeError('a piece of nothing');
  const total = index * FRAG_DATA_MAX + bytes;
  const fits = index < count - 1 ? bytes === FRAG_DATA_MAX : total > INNER_DATA_MAX && total <= max;
  if (bytes === 0 || !fits) throw new DecodeError('a piece of the wrong length');
}

function joined(pieces: readonly (Uint8Array | undefined)[]): Uint8Array {
  const writer = new Writer(pieces.reduce((total, piece) => total + (piece?.length ?? 0), 0));
  for (const piece of pieces) writer.bytes(piece ?? new Uint8Array());
  return writer.end();
}

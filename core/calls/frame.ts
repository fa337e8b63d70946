// What a call sends in one slot (protocol 10): a frame of exactly 480 bytes, in one DATA message of the tunnel. Before both
// sides have keys it is a piece of a handshake message, afterwards a list of fields under the traffic keys.
//
//   piece    0    8   0xFF, eight times
//            8   16   id of the call
//           24    1   number of the message (handshake.ts), which fixes its length
//           25    1   index of the piece
//           26  454   its bytes; the last piece is filled up with zeros
//
//   sealed   0    2   epoch of the keys, never 0xFFFF
//            2    6   seq, the nonce; begins at 0 with every epoch
//            8  456   fields under AEAD, AAD the first 8 bytes; zeros behind the last field
//          464   16   tag
//
//   field    0    1   type, 1 to 255
//            1    2   length
//            3    -   data
//
// Not here: what the fields say (signalling.ts, media-wire.ts), and the keys (sealing.ts).

import { DecodeError, Reader, toHex, Writer } from '../bytes/index.ts';
import { TAG_BYTES } from '../crypto/index.ts';

/** CM_FRAME_LEN and CM_PLAIN_LEN of Appendix B. */
export const FRAME_BYTES = 480;
export const HEAD_BYTES = 8;
export const FIELDS_BYTES = FRAME_BYTES - HEAD_BYTES - TAG_BYTES;
export const CALL_ID_BYTES = 16;
const PIECE_HEAD_BYTES = HEAD_BYTES + CALL_ID_BYTES + 2;
const PIECE_BYTES = FRAME_BYTES - PIECE_HEAD_BYTES;
const FIELD_HEAD_BYTES = 3;

/** Numbers on the wire. */
const FIELD = { control: 1, media: 2, report: 3 } as const;
export type FieldName = keyof typeof FIELD;

export interface Field {
  readonly name: FieldName;
  readonly data: Uint8Array;
}

const NAMES: ReadonlyMap<number, FieldName> = new Map(
  Object.entries(FIELD).map(([name, type]) => [type, name as FieldName]),
);

/** What a field takes of a frame. */
export function fieldBytes({ data }: Field): number {
  return FIELD_HEAD_BYTES + data.length;
}

/** RangeError for more than FIELDS_BYTES. */
export function encodeFields(fields: readonly Field[]): Uint8Array {
  const writer = new Writer(FIELDS_BYTES);
  for (const { name, data } of fields) writer.u8(FIELD[name]).u16(data.length).bytes(data);
  return writer.zeros(writer.remaining).end();
}

/** Views. A type that this program does not know is passed over, for programs to come. */
export function decodeFields(bytes: Uint8Array): Field[] {
  const reader = new Reader(bytes);
  const fields: Field[] = [];
  while (reader.remaining > 0) {
    const type = reader.u8();
    if (type === 0) break;
    const data = reader.view(reader.u16());
    const name = NAMES.get(type);
    if (name !== undefined) fields.push({ name, data });
  }
  reader.zeros(reader.remaining);
  return fields;
}

export interface Piece {
  readonly callId: Uint8Array;
  readonly message: number;
  readonly index: number;
  readonly bytes: Uint8Array;
}

export function isPiece(frame: Uint8Array): boolean {
  return frame.length === FRAME_BYTES && frame.subarray(0, HEAD_BYTES).every((b) => b === 0xff);
}

/** All frames of one handshake message, in their order. */
export function encodePieces(callId: Uint8Array, message: number, bytes: Uint8Array): Uint8Array[] {
  const count = Math.ceil(bytes.length / PIECE_BYTES);
  return Array.from({ length: count }, (_, index) => {
    const part = bytes.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES);
    return new Writer(FRAME_BYTES)
      .bytes(new Uint8Array(HEAD_BYTES).fill(0xff))
      .bytes(callId)
      .u8(message)
      .u8(index)
      .bytes(part)
      .zeros(PIECE_BYTES - part.length)
      .end();
  });
}

/** Of a frame that `isPiece`. A copy. */
export function decodePiece(frame: Uint8Array): Piece {
  const reader = new Reader(frame.subarray(HEAD_BYTES));
  return {
    callId: reader.bytes(CALL_ID_BYTES),
    message: reader.u8(),
    index: reader.u8(),
    bytes: reader.bytes(PIECE_BYTES),
  };
}

export interface Assembled {
  readonly callId: Uint8Array;
  readonly message: number;
  readonly bytes: Uint8Array;
}

/**
 * Puts the pieces of one message at a time together: a piece of another call or message begins anew, so one tunnel never
 * makes us keep more than the longest message.
 */
export class Assembly {
  readonly #lengths: ReadonlyMap<number, number>;
  #of = '';
  #pieces = new Map<number, Uint8Array>();

  /** The lengths of the messages that are expected, by number. */
  constructor(lengths: ReadonlyMap<number, number>) {
    this.#lengths = lengths;
  }

  /** The whole message when this piece was the last one missing. DecodeError for a piece that fits nothing. */
  push({ callId, message, index, bytes }: Piece): Assembled | undefined {
    const length = this.#lengths.get(message);
    if (length === undefined) throw new DecodeError('a handshake message out of turn');
    const count = Math.ceil(length / PIECE_BYTES);
    if (index >= count) throw new DecodeError('a piece behind the end');
    const of = `${toHex(callId)} ${message}`;
    if (of !== this.#of) this.#pieces = new Map();
    this.#of = of;
    this.#pieces.set(index, bytes);
    if (this.#pieces.size < count) return undefined;
    return { callId, message, bytes: this.#joined(count, length) };
  }

  #joined(count: number, length: number): Uint8Array {
    const all = new Uint8Array(count * PIECE_BYTES);
    for (const [index, part] of this.#pieces) all.set(part, index * PIECE_BYTES);
    this.#pieces = new Map();
    new Reader(all.subarray(length)).zeros(all.length - length);
    return all.slice(0, length);
  }
}

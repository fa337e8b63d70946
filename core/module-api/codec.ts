// What every message of the module APIs has in common (voidphone-api.md, "Framing"). A message is a header and a body;
// one Codec per type, beside the type it belongs to, says what the body is. message.ts puts the header before it.
//
//   0  2  size of the whole message
//   2  2  type
//   4     body

import type { Reader, Writer } from '../bytes/index.ts';

export const HEADER_BYTES = 4;
/** The specification's limit (section 4), and what a u16 can say. */
export const MESSAGE_BYTES_MAX = 65_535;
export const BODY_BYTES_MAX = MESSAGE_BYTES_MAX - HEADER_BYTES;

/** How long a body is. What is shorter or longer is refused when its header is read, and never written. */
export interface BodySize<M> {
  readonly min: number;
  readonly max: number;
  of(message: M): number;
}

export function exactly(bytes: number): BodySize<unknown> {
  return { min: bytes, max: bytes, of: () => bytes };
}

// Methods, not properties, so that a Codec of one message can stand where a Codec of any is wanted; encodeMessage picks
// the right one.
export interface Codec<M extends { readonly type: string }> {
  /** The type, as the header says it. */
  readonly number: number;
  readonly size: BodySize<M>;
  write(writer: Writer, message: M): void;
  /** From a body of acceptable size. The message holds copies: it outlives the buffer. */
  read(reader: Reader): M;
}

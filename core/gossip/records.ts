// What a channel is made of on its stream (protocol 4): frames, and once there are keys, records in them.
//
//   frame     length u16 | body of that length
//   record    a frame whose body is AEAD(plaintext), plaintext = used u16 | content of that length | zeros (checked)
//
// A plaintext has 256, 512, … or 16,384 bytes, so sizes tell little. The contents of all records are one stream of messages,
// length u32 | bytes; a message may be cut anywhere, and one record may hold many.

import { DecodeError, Reader, Writer } from '../bytes/index.ts';
import { type CipherState, TAG_BYTES } from '../crypto/index.ts';

const LENGTH_BYTES = 2;
const USED_BYTES = 2;
const MESSAGE_LENGTH_BYTES = 4;
const PLAIN_MIN = 256;
const PLAIN_MAX = 16_384;
const CONTENT_MAX = PLAIN_MAX - USED_BYTES;

/** Whether a record can be that long. */
export function isRecordLength(length: number): boolean {
  const plain = length - TAG_BYTES;
  return plain >= PLAIN_MIN && plain <= PLAIN_MAX && Number.isInteger(Math.log2(plain));
}

export function encodeFrame(body: Uint8Array): Uint8Array {
  return new Writer(LENGTH_BYTES + body.length).u16(body.length).bytes(body).end();
}

/** Frames with these messages; without any, one empty record. */
export function sealRecords(cipher: CipherState, messages: readonly Uint8Array[]): Uint8Array[] {
  const bytes = messages.reduce((sum, { length }) => sum + MESSAGE_LENGTH_BYTES + length, 0);
  const writer = new Writer(bytes);
  for (const message of messages) writer.u32(message.length).bytes(message);
  const content = writer.end();
  const count = Math.max(1, Math.ceil(content.length / CONTENT_MAX));
  return Array.from({ length: count }, (_, i) =>
    sealRecord(cipher, content.subarray(i * CONTENT_MAX, (i + 1) * CONTENT_MAX)),
  );
}

function sealRecord(cipher: CipherState, content: Uint8Array): Uint8Array {
  let plain = PLAIN_MIN;
  while (plain < USED_BYTES + content.length) plain *= 2;
  const frame = new Uint8Array(LENGTH_BYTES + plain + TAG_BYTES);
  new Writer(frame)
    .u16(plain + TAG_BYTES)
    .u16(content.length)
    .bytes(content);
  cipher.seal(frame.subarray(LENGTH_BYTES));
  return frame;
}

/** The content of a record, in place; undefined when it is not authentic. */
export function openRecord(cipher: CipherState, body: Uint8Array): Uint8Array | undefined {
  if (!cipher.open(body)) return undefined;
  const reader = new Reader(body.subarray(0, -TAG_BYTES));
  const content = reader.view(reader.u16());
  reader.zeros(reader.remaining);
  return content;
}

/** Cuts a stream into frames; holds one that is incomplete. */
export class FrameReader {
  readonly #header = new Uint8Array(LENGTH_BYTES);
  /** Of at most the length that was allowed. */
  #body: Uint8Array | undefined;
  #filled = 0;
  #bytes: Uint8Array = new Uint8Array();

  /** `next` takes it all up before more is put. */
  put(bytes: Uint8Array): void {
    this.#bytes = bytes;
  }

  /** The body of the next frame; DecodeError when none can be that long. */
  next(isLength: (length: number) => boolean): Uint8Array | undefined {
    if (this.#body === undefined) {
      if (!this.#fill(this.#header)) return undefined;
      const length = new Reader(this.#header).u16();
      if (!isLength(length)) throw new DecodeError(`a frame of ${length} bytes`);
      this.#body = new Uint8Array(length);
    }
    const body = this.#body;
    if (!this.#fill(body)) return undefined;
    this.#body = undefined;
    return body;
  }

  #fill(target: Uint8Array): boolean {
    const piece = this.#bytes.subarray(0, target.length - this.#filled);
    target.set(piece, this.#filled);
    this.#filled += piece.length;
    this.#bytes = this.#bytes.subarray(piece.length);
    if (this.#filled < target.length) return false;
    this.#filled = 0;
    return true;
  }
}

/** Puts messages together; holds one that is incomplete. */
export class MessageReader {
  readonly #header = new Uint8Array(MESSAGE_LENGTH_BYTES);
  readonly #lengthMax: number;
  /** At most `lengthMax`. */
  #message: Uint8Array | undefined;
  #filled = 0;

  constructor(lengthMax: number) {
    this.#lengthMax = lengthMax;
  }

  get isMidMessage(): boolean {
    return this.#message !== undefined || this.#filled > 0;
  }

  /** The messages that this content completes, with bytes of their own. */
  push(content: Uint8Array): Uint8Array[] {
    const messages: Uint8Array[] = [];
    for (let at = 0; at < content.length; ) {
      const target = this.#message ?? this.#header;
      const piece = content.subarray(at, at + target.length - this.#filled);
      target.set(piece, this.#filled);
      this.#filled += piece.length;
      at += piece.length;
      if (this.#filled < target.length) break;
      this.#filled = 0;
      if (this.#message === undefined) this.#begin();
      else {
        messages.push(this.#message);
        this.#message = undefined;
      }
    }
    return messages;
  }

  #begin(): void {
    const length = new Reader(this.#header).u32();
    if (length < 1 || length > this.#lengthMax)
      throw new DecodeError(`a message of ${length} bytes`);
    this.#message = new Uint8Array(length);
  }
}

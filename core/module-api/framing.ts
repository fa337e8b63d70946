// Messages out of a stream of bytes that may be cut anywhere (voidphone-api.md, "Framing"). Every byte is copied once,
// into one buffer that is as large as the largest message, whatever the other side announces. How long a message may
// take to arrive is connection.ts's business.

import { HEADER_BYTES, MESSAGE_BYTES_MAX } from './codec.ts';
import {
  type Codecs,
  codecsOf,
  decodeBody,
  type Header,
  type MessageOf,
  type MessageType,
  readHeader,
} from './message.ts';

export class Framing<T extends MessageType> {
  readonly #codecs: Codecs<T>;
  readonly #buffer = new Uint8Array(MESSAGE_BYTES_MAX);
  #filled = 0;
  #header: Header<T> | undefined;

  constructor(types: readonly T[]) {
    this.#codecs = codecsOf(types);
  }

  /** Whether a message has begun and not ended. */
  get midMessage(): boolean {
    return this.#filled > 0;
  }

  /**
   * The messages that these bytes complete. `bytes` must stay as they are until the last one was taken. Throws a
   * Violation, with which the stream has no meaning any more, at the first byte that tells.
   */
  *push(bytes: Uint8Array): Generator<MessageOf<T>, void, void> {
    let at = 0;
    while (at < bytes.length) {
      at += this.#fill(bytes.subarray(at), this.#header?.size ?? HEADER_BYTES);
      this.#header ??= readHeader(this.#buffer.subarray(0, this.#filled), this.#codecs);
      if (this.#filled === this.#header?.size) yield this.#finish(this.#header);
    }
  }

  /** Takes what is missing to `wanted` bytes, or all there is. */
  #fill(bytes: Uint8Array, wanted: number): number {
    const taken = bytes.subarray(0, wanted - this.#filled);
    this.#buffer.set(taken, this.#filled);
    this.#filled += taken.length;
    return taken.length;
  }

  #finish({ codec }: Header<T>): MessageOf<T> {
    const body = this.#buffer.subarray(HEADER_BYTES, this.#filled);
    this.#filled = 0;
    this.#header = undefined;
    return decodeBody(codec, body);
  }
}

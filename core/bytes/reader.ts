// Reads big-endian fields from bytes somebody else wrote. Every read is checked against what is left, so a decoder
// can be written as a straight list of fields. Nothing is allocated but views: a length that lies cannot make us
// reserve memory.

import { DecodeError } from './error.ts';

export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8));
  }

  /** A u64 that must be exact as a number: times and counters, refused from 2^53 on. */
  u64AsNumber(): number {
    const value = this.u64();
    if (value > BigInt(Number.MAX_SAFE_INTEGER))
      throw new DecodeError('a 64-bit field is too large');
    return Number(value);
  }

  /** A view of the next `length` bytes: valid as long as the packet's buffer is not reused. */
  view(length: number): Uint8Array {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** A copy of the next `length` bytes, for whatever outlives the packet. */
  bytes(length: number): Uint8Array {
    // Not slice(): on a Buffer that is a view again.
    return new Uint8Array(this.view(length));
  }

  /** A view of all that is left. */
  rest(): Uint8Array {
    return this.view(this.remaining);
  }

  /** Reserved bytes of peer-to-peer messages: anything but zero is refused (protocol 2.1, rule 5). */
  zeros(length: number): void {
    for (const byte of this.view(length)) {
      if (byte !== 0) throw new DecodeError('a reserved byte is not zero');
    }
  }

  expectEnd(): void {
    if (this.remaining > 0) throw new DecodeError(`${this.remaining} bytes too many`);
  }

  #take(length: number): number {
    if (!Number.isInteger(length) || length < 0) throw new RangeError(`length ${length}`);
    if (length > this.remaining) {
      throw new DecodeError(`${length} bytes wanted, ${this.remaining} left`);
    }
    const start = this.#at;
    this.#at += length;
    return start;
  }
}

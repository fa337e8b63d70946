// Writes big-endian fields into a buffer of known size. Messages state their size before they are written, so a
// Writer never grows: writing past the end, or a value that does not fit its field, is a bug and throws RangeError.

export class Writer {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  /** Writes into `target`, or into a new buffer of that many zero bytes. */
  constructor(target: number | Uint8Array) {
    this.#bytes = typeof target === 'number' ? new Uint8Array(target) : target;
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  u8(value: number): this {
    this.#view.setUint8(this.#take(1), checked(value, 0xff));
    return this;
  }

  u16(value: number): this {
    this.#view.setUint16(this.#take(2), checked(value, 0xffff));
    return this;
  }

  u32(value: number): this {
    this.#view.setUint32(this.#take(4), checked(value, 0xffff_ffff));
    return this;
  }

  u64(value: bigint | number): this {
    const wide = BigInt(value);
    if (wide < 0n || wide > 0xffff_ffff_ffff_ffffn) throw new RangeError(`${value} is no u64`);
    this.#view.setBigUint64(this.#take(8), wide);
    return this;
  }

  bytes(value: Uint8Array): this {
    const start = this.#take(value.length);
    this.#bytes.set(value, start);
    return this;
  }

  zeros(length: number): this {
    const start = this.#take(length);
    this.#bytes.fill(0, start, start + length);
    return this;
  }

  /** The finished message. Throws when fewer bytes were written than were announced. */
  end(): Uint8Array {
    if (this.remaining !== 0) throw new RangeError(`${this.remaining} bytes not written`);
    return this.#bytes;
  }

  #take(length: number): number {
    if (length > this.remaining) throw new RangeError(`${length} bytes do not fit`);
    const start = this.#at;
    this.#at += length;
    return start;
  }
}

function checked(value: number, max: number): number {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new RangeError(`${value} is not between 0 and ${max}`);
  }
  return value;
}

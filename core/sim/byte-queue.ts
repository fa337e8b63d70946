// Bytes written and not yet cut into segments.

import { concatBytes } from '../bytes/index.ts';

export class ByteQueue {
  readonly #chunks: Uint8Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Takes over `bytes`. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#length += bytes.length;
  }

  /** The next bytes, `max` of them if there are as many. */
  take(max: number): Uint8Array {
    const parts: Uint8Array[] = [];
    let missing = Math.min(max, this.#length);
    this.#length -= missing;
    while (missing > 0) {
      const [chunk = new Uint8Array()] = this.#chunks;
      parts.push(chunk.subarray(0, missing));
      if (chunk.length > missing) this.#chunks[0] = chunk.subarray(missing);
      else this.#chunks.shift();
      missing -= Math.min(missing, chunk.length);
    }
    return concatBytes(...parts);
  }
}

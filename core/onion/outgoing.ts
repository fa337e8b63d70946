// Inner messages that wait for a slot of one circuit. Control messages go first. What the API offers faster than the
// slots carry it waits in 64 KiB, then the oldest goes: the specification promises best effort, and the rate on the
// wire never changes.

import { INNER_HEADER_BYTES } from './geometry.ts';

/** One ONION TUNNEL DATA of the greatest length fits; FRAG headers are not counted. */
const DATA_BYTES_MAX = 65_536 + 137 * 4;
/** A guess: an EXTENDED is three cells, answered once per second at most. */
const CONTROL_MAX = 32;
/** A guess: echoes beyond what one round trip holds tell nobody anything. */
const ECHO_MAX = 64;

export class OutgoingQueue {
  readonly #control: Uint8Array[] = [];
  readonly #data: Uint8Array[] = [];
  readonly #echoes: Uint8Array[] = [];
  #dataBytes = 0;
  #dropped = 0;

  /** Data messages that were dropped since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** False: the far end asks for more than a circuit may. */
  pushControl(message: Uint8Array): boolean {
    if (this.#control.length >= CONTROL_MAX) return false;
    this.#control.push(message);
    return true;
  }

  pushData(message: Uint8Array): void {
    this.#data.push(message);
    this.#dataBytes += message.length - INNER_HEADER_BYTES;
    while (this.#dataBytes > DATA_BYTES_MAX) {
      this.#shiftData();
      this.#dropped++;
    }
  }

  pushEcho(message: Uint8Array): void {
    if (this.#echoes.length < ECHO_MAX) this.#echoes.push(message);
  }

  next(): Uint8Array | undefined {
    return this.#control.shift() ?? this.#shiftData() ?? this.#echoes.shift();
  }

  #shiftData(): Uint8Array | undefined {
    const message = this.#data.shift();
    this.#dataBytes -= message === undefined ? 0 : message.length - INNER_HEADER_BYTES;
    return message;
  }
}

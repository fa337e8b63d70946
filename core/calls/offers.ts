// The OFFERs that were taken. One can be repeated, by whoever has seen it, as long as its hint is of a round that counts:
// to another tunnel, or after the call. None of them rings twice.

import { toHex } from '../bytes/index.ts';

/** More than friends make in the three rounds in which one could be repeated. A guess. */
const OFFERS_MAX = 256;

export class Offers {
  /** At most OFFERS_MAX; the oldest go first. */
  readonly #callIds = new Set<string>();

  has(callId: Uint8Array): boolean {
    return this.#callIds.has(toHex(callId));
  }

  add(callId: Uint8Array): void {
    this.#callIds.add(toHex(callId));
    const [oldest] = this.#callIds;
    if (this.#callIds.size > OFFERS_MAX && oldest !== undefined) this.#callIds.delete(oldest);
  }
}

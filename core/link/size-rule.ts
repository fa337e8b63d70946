// What a DATA packet of the wrong size means (protocol 3.1, "strict size rule without a DoS hole"). The specification
// wants neighbours that deviate from the size cut off; but anybody can forge a UDP source, so only what the neighbour's
// own key made counts. One rule per link, because trying costs an AEAD over as much as the sender likes.

import type { Session } from './session.ts';

export const SIZE_CHECK_MS = 1000;

export class SizeRule {
  #nextCheckMs = Number.NEGATIVE_INFINITY;

  /** True: the neighbour itself made this, so the link must go. False: somebody did, so it is dropped. */
  isViolation(session: Session, bytes: Uint8Array, nowMs: number): boolean {
    if (nowMs < this.#nextCheckMs) return false;
    this.#nextCheckMs = nowMs + SIZE_CHECK_MS;
    return session.isAuthentic(bytes);
  }
}

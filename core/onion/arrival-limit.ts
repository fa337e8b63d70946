// How many cells of one circuit a neighbour may bring: one per slot, as it must, and a burst after a stall somewhere on
// the way. More would cost us a cipher each, and the control plane a message each, at whatever rate its line allows.

/** A guess: what waits after a stall of 1.3 s. */
const BURST_CELLS = 64;
/** Its clock may be faster than ours; a guess, ten times what crystals do. */
const CLOCKS_APART = 1.001;

export class ArrivalLimit {
  readonly #perMs: number;
  #allowed = BURST_CELLS;
  #lastMs: number;

  constructor(tickMs: number, nowMs: number) {
    this.#perMs = CLOCKS_APART / tickMs;
    this.#lastMs = nowMs;
  }

  /** Whether one more may come now. */
  take(nowMs: number): boolean {
    const earned = (nowMs - this.#lastMs) * this.#perMs;
    this.#allowed = Math.min(BURST_CELLS, this.#allowed + earned);
    this.#lastMs = nowMs;
    if (this.#allowed < 1) return false;
    this.#allowed -= 1;
    return true;
  }
}

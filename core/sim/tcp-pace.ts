// How long a simulated TCP waits for an acknowledgement (RFC 6298) and how many segments it dares to have under way
// (Reno, RFC 5681), counted in segments.

/** RFC 6298, with Linux's lower bound in place of its one second. */
const TIMEOUT_FIRST_MS = 1000;
const TIMEOUT_MIN_MS = 200;
const TIMEOUT_MAX_MS = 60_000;

/** RFC 6928. */
const WINDOW_FIRST = 10;
const WINDOW_MIN = 2;

export class RetransmissionTimeout {
  #smoothedMs: number | undefined;
  #deviationMs = 0;
  #factor = 1;

  get ms(): number {
    const plainMs =
      this.#smoothedMs === undefined
        ? TIMEOUT_FIRST_MS
        : Math.max(TIMEOUT_MIN_MS, this.#smoothedMs + 4 * this.#deviationMs);
    return Math.min(TIMEOUT_MAX_MS, plainMs * this.#factor);
  }

  /** The round trip of a segment that was sent once only, the one proof that waiting is long enough (Karn). */
  onRoundTrip(ms: number): void {
    this.#factor = 1;
    if (this.#smoothedMs === undefined) {
      this.#smoothedMs = ms;
      this.#deviationMs = ms / 2;
    } else {
      this.#deviationMs += (Math.abs(ms - this.#smoothedMs) - this.#deviationMs) / 4;
      this.#smoothedMs += (ms - this.#smoothedMs) / 8;
    }
  }

  onTimeout(): void {
    this.#factor *= 2;
  }
}

export class CongestionWindow {
  #size = WINDOW_FIRST;
  #slowStartUntil = Number.POSITIVE_INFINITY;
  /** Losses among transmissions before this one have been answered already. */
  #answeredBefore = 0;

  hasRoomBeside(underWay: number): boolean {
    return underWay < Math.floor(this.#size);
  }

  onAcknowledged(): void {
    this.#size += this.#size < this.#slowStartUntil ? 1 : 1 / this.#size;
  }

  /** Halves the window, once per round trip: `turn` is the lost transmission, `nextTurn` the next to come. */
  onLoss(turn: number, nextTurn: number): void {
    if (turn < this.#answeredBefore) return;
    this.#answeredBefore = nextTurn;
    this.#slowStartUntil = Math.max(WINDOW_MIN, this.#size / 2);
    this.#size = this.#slowStartUntil;
  }

  onTimeout(nextTurn: number): void {
    this.#answeredBefore = nextTurn;
    this.#slowStartUntil = Math.max(WINDOW_MIN, this.#size / 2);
    this.#size = 1;
  }
}

// A token bucket for one purpose: so much per second in the long run, and so much at once.

export interface RateLimit {
  readonly perSecond: number;
  readonly burst: number;
}

export class Rate {
  readonly #limit: RateLimit;
  #tokens: number;
  #atMs = Number.NEGATIVE_INFINITY;

  constructor(limit: RateLimit) {
    this.#limit = limit;
    this.#tokens = limit.burst;
  }

  has(amount: number, nowMs: number): boolean {
    this.#refill(nowMs);
    return this.#tokens >= amount;
  }

  /** False, and nothing is taken, when there is not enough. */
  take(amount: number, nowMs: number): boolean {
    if (!this.has(amount, nowMs)) return false;
    this.#tokens -= amount;
    return true;
  }

  /** For what has come already: says how long to wait until it is paid for. */
  owe(amount: number, nowMs: number): number {
    this.#refill(nowMs);
    this.#tokens -= amount;
    return Math.max(0, (-this.#tokens / this.#limit.perSecond) * 1000);
  }

  #refill(nowMs: number): void {
    const { perSecond, burst } = this.#limit;
    const passedS = (nowMs - this.#atMs) / 1000;
    this.#tokens = Math.min(burst, this.#tokens + passedS * perSecond);
    this.#atMs = nowMs;
  }
}

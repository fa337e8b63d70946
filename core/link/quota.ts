// Two ways to bound what strangers ask for: how many at once, and how many per second. Both count per group (netgroup,
// subnet), because addresses within one are cheap. Both are bounded themselves.

/** So many places at once, and only so many of them to one group. */
export class Quota {
  readonly #max: number;
  readonly #perGroupMax: number;
  /** Groups that hold a place: at most `max`. */
  readonly #taken = new Map<string, number>();
  #used = 0;

  constructor({ max, perGroupMax }: { readonly max: number; readonly perGroupMax: number }) {
    this.#max = max;
    this.#perGroupMax = perGroupMax;
  }

  get used(): number {
    return this.#used;
  }

  take(group: string): boolean {
    const inGroup = this.#taken.get(group) ?? 0;
    if (this.#used >= this.#max || inGroup >= this.#perGroupMax) return false;
    this.#taken.set(group, inGroup + 1);
    this.#used++;
    return true;
  }

  /** Gives back a place that was taken. */
  release(group: string): void {
    const inGroup = this.#taken.get(group);
    if (inGroup === undefined) throw new RangeError('no place was taken');
    if (inGroup > 1) this.#taken.set(group, inGroup - 1);
    else this.#taken.delete(group);
    this.#used--;
  }
}

interface Bucket {
  readonly tokens: number;
  readonly atMs: number;
}

/** Token buckets, one per group. A bucket that is full again is forgotten. */
export class TokenBuckets {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #max: number;
  /** At most `max`, the least recently used first. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: { readonly perSecond: number; readonly burst: number; readonly max: number }) {
    this.#perMs = rate.perSecond / 1000;
    this.#burst = rate.burst;
    this.#max = rate.max;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** False when the group has used up its share, or when more groups ask at once than there is room for. */
  take(group: string, nowMs: number): boolean {
    const tokens = this.#left(group, nowMs);
    if (tokens < 1) return false;
    this.#buckets.delete(group);
    this.#buckets.set(group, { tokens: tokens - 1, atMs: nowMs });
    return true;
  }

  /** Whether there is one to `take`. */
  has(group: string, nowMs: number): boolean {
    return this.#left(group, nowMs) >= 1;
  }

  #left(group: string, nowMs: number): number {
    this.#forgetFull(nowMs);
    const bucket = this.#buckets.get(group);
    if (bucket !== undefined) return this.#tokens(bucket, nowMs);
    return this.#buckets.size < this.#max ? this.#burst : 0;
  }

  #forgetFull(nowMs: number): void {
    for (const [group, bucket] of this.#buckets) {
      if (this.#tokens(bucket, nowMs) < this.#burst) return;
      this.#buckets.delete(group);
    }
  }

  #tokens({ tokens, atMs }: Bucket, nowMs: number): number {
    return Math.min(this.#burst, tokens + (nowMs - atMs) * this.#perMs);
  }
}

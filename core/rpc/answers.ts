// The callee's half: which requests are taken, and what was answered, in case it is asked again because the answer was
// lost. A request is known by its link and number.

import { type LinkId, TokenBuckets } from '../link/index.ts';

/** Protocol 11: 20 RPC a second for each peer. The burst is a guess: what a lookup or a store asks of one node at once. */
export const RATE = { perSecond: 20, burst: 40, max: 4096 };
/** Time for both times that a request is said. */
const KEEP_MS = 4000;
/** A request is several cells: those of one repetition bring one answer. */
const REPEAT_GAP_MS = 500;
/** A guess; what does not fit is forgotten, and the request is taken for a new one. */
const BYTES_MAX = 8 << 20;
/** Of which many wait for their answer: rate × 4 s of 256 busy links would be more, and is not what a node can do. */
const ENTRIES_MAX = 8192;

interface Given {
  readonly atMs: number;
  /** Undefined until it is answered. */
  cells: readonly Uint8Array[] | undefined;
  sentMs: number;
}

export class Answers {
  /** The oldest first; at most ENTRIES_MAX, and BYTES_MAX in answers. */
  readonly #given = new Map<string, Given>();
  readonly #rate = new TokenBuckets(RATE);
  #bytes = 0;

  /** Whether it has come before; then what to say. Of any fragment of it. */
  repeat(link: LinkId, number: number, nowMs: number): readonly Uint8Array[] | undefined {
    this.#expire(nowMs);
    const given = this.#given.get(keyOf(link, number));
    if (given === undefined) return undefined;
    if (given.cells === undefined || nowMs < given.sentMs + REPEAT_GAP_MS) return [];
    given.sentMs = nowMs;
    return given.cells;
  }

  /** Of a whole request that is no repeat: false when this node has asked too much. */
  take(peer: string, link: LinkId, number: number, nowMs: number): boolean {
    if (!this.#rate.take(peer, nowMs)) return false;
    this.#given.set(keyOf(link, number), { atMs: nowMs, cells: undefined, sentMs: nowMs });
    const [oldest] = this.#given.keys();
    if (this.#given.size > ENTRIES_MAX && oldest !== undefined) this.#forget(oldest);
    return true;
  }

  /** False when it is too late, or has been answered. */
  give(link: LinkId, number: number, cells: readonly Uint8Array[], nowMs: number): boolean {
    const given = this.#given.get(keyOf(link, number));
    if (given === undefined || given.cells !== undefined) return false;
    given.cells = cells;
    given.sentMs = nowMs;
    this.#bytes += bytesOf(cells);
    for (const key of this.#given.keys()) {
      if (this.#bytes <= BYTES_MAX) break;
      this.#forget(key);
    }
    return true;
  }

  #expire(nowMs: number): void {
    for (const [key, { atMs }] of this.#given) {
      if (nowMs < atMs + KEEP_MS) return;
      this.#forget(key);
    }
  }

  #forget(key: string): void {
    this.#bytes -= bytesOf(this.#given.get(key)?.cells ?? []);
    this.#given.delete(key);
  }
}

function keyOf(link: LinkId, number: number): string {
  return `${link} ${number}`;
}

function bytesOf(cells: readonly Uint8Array[]): number {
  return cells.reduce((sum, cell) => sum + cell.length, 0);
}

// Brings the parts of a long value together from the nodes that hold it (protocol 7, "value"). Each part is checked by
// itself, so a node that sends a wrong one, or none, is out; the others are asked instead.

import type { Asking } from './ask.ts';
import type { Contact } from './contact.ts';
import { isPart, joinParts, type Manifest } from './manifest.ts';
import { PARTS_PER_MESSAGE, type Part } from './wire.ts';

/** After so long without an answer another holder is asked for the same parts. A guess. */
const HEDGE_MS = 1000;

export interface FetchOptions {
  readonly asking: Asking;
  readonly key: Uint8Array;
  readonly variant: string;
  readonly manifest: Manifest;
  readonly holders: readonly Contact[];
  /** The value; undefined when nobody is left who has it. */
  done(value: Uint8Array | undefined): void;
}

export class Fetch {
  readonly #options: FetchOptions;
  readonly #idle: Contact[];
  readonly #parts = new Map<number, Uint8Array>();
  /** When each part was last asked for. */
  readonly #askedMs = new Map<number, number>();
  #pending = 0;
  #dueMs = Number.POSITIVE_INFINITY;
  #isOver = false;

  constructor(options: FetchOptions) {
    this.#options = options;
    this.#idle = [...options.holders];
  }

  /** Goes on with what there is to do now. The first time, it begins. */
  tick(): void {
    while (!this.#isOver && this.#idle.length > 0) {
      const indexes = this.#wanted();
      const holder = this.#idle[0];
      if (holder === undefined || indexes.length === 0) break;
      this.#idle.shift();
      this.#ask(holder, indexes);
    }
    this.#dueMs = this.#nextHedgeMs();
    if (this.#pending === 0 && this.#idle.length === 0) this.#finish(undefined);
  }

  nextDeadlineMs(): number {
    return this.#isOver ? Number.POSITIVE_INFINITY : this.#dueMs;
  }

  end(): void {
    this.#isOver = true;
  }

  #nextHedgeMs(): number {
    const { nowMs } = this.#options.asking.now();
    const missing = [...this.#askedMs].filter(([index]) => !this.#parts.has(index));
    const hedges = missing.map(([, atMs]) => atMs + HEDGE_MS);
    return Math.min(...hedges.filter((atMs) => atMs > nowMs));
  }

  #wanted(): number[] {
    const { manifest, asking } = this.#options;
    const { nowMs } = asking.now();
    return manifest.hashes
      .map((_, index) => index)
      .filter((index) => !this.#parts.has(index) && this.#askedBefore(index) + HEDGE_MS <= nowMs)
      .sort((a, b) => this.#askedBefore(a) - this.#askedBefore(b) || a - b)
      .slice(0, PARTS_PER_MESSAGE);
  }

  #askedBefore(index: number): number {
    return this.#askedMs.get(index) ?? Number.MIN_SAFE_INTEGER;
  }

  #ask(holder: Contact, indexes: readonly number[]): void {
    const { asking, key, variant } = this.#options;
    const { nowMs } = asking.now();
    for (const index of indexes) this.#askedMs.set(index, nowMs);
    this.#pending++;
    asking.ask(holder, { type: 'find parts', key, variant, indexes }, (answer) => {
      this.#pending--;
      if (this.#isOver) return;
      const isHonest = this.#take(answer?.parts ?? []);
      if (isHonest) this.#idle.push(holder);
      else for (const index of indexes) this.#askedMs.delete(index);
      this.tick();
    });
  }

  /** False when one is wrong, or there is none. */
  #take(parts: readonly Part[]): boolean {
    const { manifest } = this.#options;
    for (const { index, bytes } of parts) {
      if (!isPart(manifest, index, bytes)) return false;
      this.#parts.set(index, bytes);
    }
    if (this.#parts.size === manifest.hashes.length) this.#finish(joinParts(manifest, this.#parts));
    return parts.length > 0;
  }

  #finish(value: Uint8Array | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.done(value);
  }
}

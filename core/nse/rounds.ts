// What is known of the rounds (protocol 6): the nearest node of each, and what that says about the size of the network.
//
// Only rounds won by somebody else count. Who wins says nothing about how near the winner is, so leaving out our own
// victories distorts nothing; counting them would, because a node that nobody reaches wins every round.

import { compareBytes } from '../bytes/index.ts';
import { fractionOf } from './distance.ts';
import { estimateSize, sampleDeviation } from './estimator.ts';

interface Best {
  readonly distance: Uint8Array;
  readonly isOwn: boolean;
}

export class Rounds {
  readonly #history: number;
  /** At most `history` + 1: the newest, and the one that faster clocks have begun. */
  readonly #best = new Map<number, Best>();
  /** Estimates at the beginning of each round; at most `history`. */
  #series: readonly number[] = [];
  #current = 0;
  #size: number | undefined;

  constructor(history: number) {
    this.#history = history;
  }

  /** How many rounds the estimate rests on. */
  get counted(): number {
    return this.#minima().length;
  }

  /** Undefined until somebody was heard. */
  get size(): number | undefined {
    return this.#size;
  }

  get deviation(): number {
    return sampleDeviation(this.#series);
  }

  /** Also after a clock was set: what is then too old or in the future is forgotten. */
  begin(round: number): void {
    this.#current = round;
    for (const known of this.#best.keys()) {
      if (known <= round - this.#history || known > round + 1) this.#best.delete(known);
    }
    this.#size = estimateSize(this.#minima());
    if (this.#size === undefined) return;
    this.#series = [...this.#series, this.#size].slice(-this.#history);
  }

  /** Others' clocks may be a round ahead or behind (protocol 6). */
  isOpen(round: number): boolean {
    return Math.abs(round - this.#current) <= 1;
  }

  /** Whether this is nearer than what is known of an open round. */
  isNews(round: number, distance: Uint8Array): boolean {
    const best = this.#best.get(round);
    const isNearer = best === undefined || compareBytes(distance, best.distance) < 0;
    return isNearer && this.isOpen(round);
  }

  put(round: number, distance: Uint8Array, { isOwn }: { readonly isOwn: boolean }): void {
    this.#best.set(round, { distance, isOwn });
    this.#size = estimateSize(this.#minima());
  }

  #minima(): number[] {
    return [...this.#best]
      .filter(([round, { isOwn }]) => !isOwn && round <= this.#current)
      .map(([, { distance }]) => fractionOf(distance));
  }
}

// By how much the clocks of our neighbours differ from ours (protocol 2.2): told to the user, and never followed.

import type { NeighbourId } from './neighbours.ts';

/** Protocol 2.2: so many clocks of different netgroups, and so far off in the middle, and the user is warned. */
const CLOCKS_MIN = 5;
const CLOCK_OFF_S = 5;

export class Clocks {
  /** Of each neighbour. */
  readonly #clocks = new Map<NeighbourId, { readonly group: string; readonly aheadS: number }>();

  neighbours(): Iterable<NeighbourId> {
    return this.#clocks.keys();
  }

  get size(): number {
    return this.#clocks.size;
  }

  add(neighbour: NeighbourId, group: string, aheadS: number): void {
    this.#clocks.set(neighbour, { group, aheadS });
  }

  remove(neighbour: NeighbourId): void {
    this.#clocks.delete(neighbour);
  }

  /** The median, each netgroup counted once; undefined for too few. */
  get aheadS(): number | undefined {
    const groups = new Map([...this.#clocks.values()].map(({ group, aheadS }) => [group, aheadS]));
    const sorted = [...groups.values()].sort((a, b) => a - b);
    return sorted.length < CLOCKS_MIN ? undefined : sorted[Math.floor(sorted.length / 2)];
  }

  get isOff(): boolean {
    return Math.abs(this.aheadS ?? 0) > CLOCK_OFF_S;
  }
}

// What attackers on both sides of an honest relay have to compare: the bodies one of them sent into it, marked in some
// way, and those that came out of it to the other. And the measures by which a mark would show.

import { BODY_BYTES } from '../geometry.ts';
import { isMarked, windowAt } from './accomplices.ts';
import type { MakeBehaviour, PassingBody, Self } from './hostile-plane.ts';
import type { NodeNumber, Tunnel } from './witness.ts';

export interface SeenBody {
  readonly atMs: number;
  readonly body: Uint8Array;
}

/** One direction of one tunnel, as it came to an attacker from the honest relay. */
export interface Arrivals {
  readonly tunnel: Tunnel;
  /** The attacker on the other side. */
  readonly marker: NodeNumber;
  readonly bodies: SeenBody[];
}

export class Evidence {
  readonly #arrivals = new Map<string, Arrivals>();

  /** Bodies that came to an attacker through an honest relay from an attacker on its other side. */
  get arrivals(): readonly Arrivals[] {
    return [...this.#arrivals.values()];
  }

  /** The behaviour, by one who writes down what arrives. */
  kept(make: MakeBehaviour): MakeBehaviour {
    return (self) => {
      const behaviour = make(self);
      return {
        ...behaviour,
        onBody: (passing) => {
          if (passing.direction === 'in') this.#note(self, passing);
          return behaviour.onBody?.(passing);
        },
      };
    };
  }

  #note({ number, network }: Self, { circuit, side, body }: PassingBody): void {
    const found = network.witness.hopOf(number, circuit);
    if (found === undefined) return;
    const { tunnel, hop } = found;
    const step = side === 'prev' ? -1 : 1;
    const between = tunnel.asked[hop.position + step];
    const marker = tunnel.asked[hop.position + 2 * step];
    if (marker === undefined || !network.isHostile(marker) || network.isHostile(between)) return;
    const name = `${number} ${circuit} ${side}`;
    const arrivals = this.#arrivals.get(name) ?? { tunnel, marker, bodies: [] };
    this.#arrivals.set(name, arrivals);
    arrivals.bodies.push({ atMs: network.world.nowMs(), body: body.slice() });
  }
}

/** How many bits of two bodies differ: 2048 ± 32 when they have nothing to do with each other. */
export function bitsApart(a: Uint8Array, b: Uint8Array): number {
  const [wordsA, wordsB] = [wordsOf(a), wordsOf(b)];
  let apart = 0;
  for (let i = 0; i < wordsA.length; i++) apart += ones((wordsA[i] ?? 0) ^ (wordsB[i] ?? 0));
  return apart;
}

function wordsOf(body: Uint8Array): Uint32Array {
  return new Uint32Array(body.buffer, body.byteOffset, BODY_BYTES / 4);
}

function ones(word: number): number {
  let count = word - ((word >>> 1) & 0x5555_5555);
  count = (count & 0x3333_3333) + ((count >>> 2) & 0x3333_3333);
  count = (count + (count >>> 4)) & 0x0f0f_0f0f;
  return Math.imul(count, 0x0101_0101) >>> 24;
}

/** The nearest two of a sequence, among those at most `reach` apart in it. */
export function nearest(bodies: readonly SeenBody[], reach: number): number {
  let least = Number.POSITIVE_INFINITY;
  bodies.forEach(({ body }, i) => {
    for (const other of bodies.slice(i + 1, i + 1 + reach)) {
      least = Math.min(least, bitsApart(body, other.body));
    }
  });
  return least;
}

/** What an accomplice counts in one window, beside the marks of that window and of those before. */
export interface MarkedWindow {
  readonly cells: number;
  readonly longestGapMs: number;
  readonly marksBefore: readonly number[];
}

export function windowsOf({ tunnel, bodies }: Arrivals, tickMs: number): readonly MarkedWindow[] {
  // The slots have found their phase, and nothing is torn down yet.
  const inUse = bodies.slice(100, -50);
  const byWindow = Map.groupBy(inUse, ({ atMs }) => windowAt(atMs, tickMs));
  return [...byWindow].slice(1, -1).map(([window, seen]) => {
    const gaps = seen.slice(1).map(({ atMs }, i) => atMs - (seen[i]?.atMs ?? atMs));
    return {
      cells: seen.length,
      longestGapMs: Math.max(...gaps),
      marksBefore: [0, 1, 2].map((lag) => (isMarked(tunnel, window - lag) ? 1 : 0)),
    };
  });
}

/** Pearson's. 0 when one of the series does not change at all. */
export function correlation(xs: readonly number[], ys: readonly number[]): number {
  const [meanX, meanY] = [mean(xs), mean(ys)];
  let [xy, xx, yy] = [0, 0, 0];
  xs.forEach((x, i) => {
    const [dx, dy] = [x - meanX, (ys[i] ?? 0) - meanY];
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  });
  return xx === 0 || yy === 0 ? 0 : xy / Math.sqrt(xx * yy);
}

export function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

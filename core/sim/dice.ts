// The simulator's own randomness: which packets are lost, how late they are, which seed each host gets. Everything
// follows from the seed of the world. Hosts draw from an Rng of their own, so that one host drawing more does not
// change the luck of another.

import { SeededRng } from '../runtime/index.ts';

export class Dice {
  readonly #rng: SeededRng;
  readonly #word = new Uint8Array(4);

  constructor(seed: number) {
    this.#rng = new SeededRng(seed);
  }

  /** Uniform in [0, 1), 32 bits: once per packet, so without the allocations of `randomUnit`. */
  unit(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.#rng.fill(this.#word);
    return (a + b * 2 ** 8 + c * 2 ** 16 + d * 2 ** 24) / 2 ** 32;
  }

  chance(probability: number): boolean {
    return probability > 0 && this.unit() < probability;
  }

  between(low: number, high: number): number {
    return low + this.unit() * (high - low);
  }

  /** Standard normal (Box–Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.unit())) * Math.cos(2 * Math.PI * this.unit());
  }
}

/** Seeds for the parts of a world: FNV-1a over the label, then murmur3's finalizer, both keyed by the seed. */
export class Seeds {
  readonly #seed: number;
  readonly #given = new Set<number>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Never the same seed twice: among 10,000 hosts two of 32 bits would collide in one world of a hundred. */
  next(label: string): number {
    let seed = mixed(hash(label) ^ mixed(this.#seed));
    while (this.#given.has(seed)) seed = mixed(seed + 1);
    this.#given.add(seed);
    return seed;
  }
}

function hash(label: string): number {
  let state = 0x811c_9dc5;
  for (let i = 0; i < label.length; i++) {
    state = Math.imul(state ^ label.charCodeAt(i), 0x0100_0193);
  }
  return state;
}

function mixed(word: number): number {
  let state = word;
  state = Math.imul(state ^ (state >>> 16), 0x85eb_ca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2_ae35);
  return (state ^ (state >>> 16)) >>> 0;
}

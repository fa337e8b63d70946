// Remembers which bodies one circuit has carried in one direction, so that a replayed body is noticed (protocol 3.5,
// "Replay inside a circuit"): the wide-block cipher would turn it into an identical body, visible further on.
//
// Open addressing over 32-bit fingerprints of a body's first 8 bytes. Those bytes come from a stranger, so both the
// place and the fingerprint go through a secret hash: nobody can aim at one place and make the search long.

import { type Rng, randomU32 } from '../runtime/index.ts';

/** A circuit never holds more than this share of its table; beyond it the circuit has outlived its round. */
const LOAD_MAX = 0.75;
/**
 * A longer search counts as a replay and costs its sender one cell. Measured: with the cells of a round one in 10^6, in
 * a table filled to the end three in 10^4.
 */
const PROBES_MAX = 64;

export class SeenTable {
  /** 0 is an empty place. */
  readonly #places: Uint32Array;
  /** Four secret numbers, each in a field of its own: taking them out of an array would cost an iterator per cell. */
  readonly #a: number;
  readonly #b: number;
  readonly #c: number;
  readonly #d: number;
  readonly #entriesMax: number;
  #entries = 0;

  /** `cells` is how many the circuit carries in its life, in this direction. */
  constructor(rng: Rng, cells: number) {
    this.#places = new Uint32Array(2 ** Math.ceil(Math.log2(cells / LOAD_MAX)));
    this.#entriesMax = this.#places.length * LOAD_MAX;
    this.#a = randomU32(rng) | 1;
    this.#b = randomU32(rng) | 1;
    this.#c = randomU32(rng) | 1;
    this.#d = randomU32(rng) | 1;
  }

  /** True when this body is new, and remembers it. False for a replay, and for a circuit that carries too much. */
  add(body: Uint8Array): boolean {
    if (this.#entries >= this.#entriesMax) return false;
    const low = word(body, 0);
    const high = word(body, 4);
    const fingerprint = mix(this.#hash(low, high)) || 1;
    const mask = this.#places.length - 1;
    let place = mix(this.#hash(high, low)) & mask;
    for (let probe = 0; probe < PROBES_MAX; probe++) {
      const found = this.#places[place];
      if (found === fingerprint) return false;
      if (found === 0) {
        this.#places[place] = fingerprint;
        this.#entries++;
        return true;
      }
      place = (place + 1) & mask;
    }
    return false;
  }

  #hash(one: number, other: number): number {
    return (Math.imul(one ^ this.#a, this.#b) + Math.imul(other ^ this.#c, this.#d)) | 0;
  }
}

function word(body: Uint8Array, at: number): number {
  return (
    (body[at] ?? 0) |
    ((body[at + 1] ?? 0) << 8) |
    ((body[at + 2] ?? 0) << 16) |
    ((body[at + 3] ?? 0) << 24)
  );
}

/** Finalizer of MurmurHash3: spreads every input bit over the word. */
function mix(value: number): number {
  let mixed = value;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

// Which counters of a channel have been seen: a sliding window over a bitmap, as in RFC 6479 and WireGuard. Packets
// may come late and out of order by up to the window's size; none is taken twice (protocol 3.1 and 3.5).
//
// The bitmap is a ring of one word more than the window fills, so that the words the window moves into can be cleared
// whole.

const WORD_BITS = 32;

export class ReplayWindow {
  readonly #size: number;
  readonly #words: Uint32Array;
  #highest = -1;

  /** `size` counters, a multiple of 32: LINK_REPLAY_WINDOW, INNER_REPLAY_WINDOW (protocol, Appendix B). */
  constructor(size: number) {
    if (!(size >= WORD_BITS) || size % WORD_BITS !== 0) throw new RangeError(`a window of ${size}`);
    this.#size = size;
    this.#words = new Uint32Array(size / WORD_BITS + 1);
  }

  /**
   * True once for each counter, false when it was seen before or is too old to tell. Only for packets that have proven
   * authentic: anybody else could move the window past everything still to come.
   */
  accept(counter: number): boolean {
    if (!Number.isSafeInteger(counter) || counter < 0) throw new RangeError(`counter ${counter}`);
    if (counter <= this.#highest - this.#size) return false;
    if (counter > this.#highest) this.#advance(counter);
    const at = this.#slot(wordOf(counter));
    const word = this.#words[at] ?? 0;
    const bit = 1 << (counter % WORD_BITS);
    if ((word & bit) !== 0) return false;
    this.#words[at] = word | bit;
    return true;
  }

  #advance(counter: number): void {
    const last = wordOf(counter);
    const first = Math.max(wordOf(this.#highest) + 1, last - this.#words.length + 1);
    for (let word = first; word <= last; word++) this.#words[this.#slot(word)] = 0;
    this.#highest = counter;
  }

  #slot(word: number): number {
    return word % this.#words.length;
  }
}

function wordOf(counter: number): number {
  return Math.floor(counter / WORD_BITS);
}

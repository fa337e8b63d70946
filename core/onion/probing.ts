// Whether the endpoint of a tunnel of ours hears us (protocol 3.8, PROBE): what comes back is authentic in every slot, but
// says nothing about what we send, nor whether cover is echoed as it should be. So now and then one message that is to
// be echoed is remembered until its echo comes. A COVER of a client serves as well as a PROBE of ours, so whoever
// echoes only one of the two is found out too. Our own PROBE takes a slot in which nothing waits: no data is late for it,
// and a client that fills every slot with data must judge by what it hears itself.
//
// All is counted in cells, not in time: a thread that was stopped loses no answers. An endpoint that has data to send
// answers later, so its time runs only with cells in which it had room for an answer.

import { equalBytes } from '../bytes/index.ts';
import { type Rng, randomBelow } from '../runtime/index.ts';
import { INNER_HEADER_BYTES, INNER_PLAIN_BYTES } from './geometry.ts';
import { ECHOES, INNER } from './inner.ts';

/** Slots from an answer to the next question, half a second to one and a half: about one question a second. A guess. */
const REST_SLOTS = { min: 25, max: 75 };
/** Cells with room for an answer that may come before it: 1.5 s, more than any round trip over three hops. A guess. */
const PATIENCE_CELLS = 75;
/**
 * Each question in vain counts one, each answer takes one back. So many mean 12 s without an answer; with a tenth of
 * the echoes lost on an honest path it comes to that once in 200,000 rounds.
 */
const IN_VAIN_MAX = 8;
const PROBE_DATA_BYTES = 32;

type State = 'resting' | 'due' | 'asked';

export class Probing {
  readonly #rng: Rng;
  readonly #probe = new Uint8Array(INNER_HEADER_BYTES + PROBE_DATA_BYTES);
  readonly #probeData = this.#probe.subarray(INNER_HEADER_BYTES);
  readonly #expected = new Uint8Array(INNER_PLAIN_BYTES);
  #state: State = 'resting';
  /** Slots to rest, or cells to wait for. */
  #left: number;
  #inVain = 0;

  constructor(rng: Rng) {
    this.#rng = rng;
    this.#probe[0] = INNER.probe;
    this.#probe[INNER_HEADER_BYTES - 1] = PROBE_DATA_BYTES;
    this.#left = this.#drawRest();
  }

  /** Nobody hears us, or nobody echoes. */
  get isInVain(): boolean {
    return this.#inVain >= IN_VAIN_MAX;
  }

  /** Another hop is asked from now on. */
  restart(): void {
    this.#inVain = 0;
    this.#rest();
  }

  /** What goes into this slot, for which this waits. */
  next(waiting: Uint8Array | undefined): Uint8Array | undefined {
    if (this.#state === 'resting') {
      this.#left--;
      if (this.#left <= 0) this.#state = 'due';
    }
    if (this.#state !== 'due') return waiting;
    if (waiting === undefined) {
      this.#rng.fill(this.#probeData);
      return this.#ask(this.#probe);
    }
    return waiting[0] === INNER.cover ? this.#ask(waiting) : waiting;
  }

  /** An authentic plaintext has come. True: it answers our own PROBE, and concerns nobody else. */
  isAnswer(plaintext: Uint8Array): boolean {
    const type = plaintext[0];
    const hadRoom = type === INNER.pad || type === INNER.coverEcho || type === INNER.probeAck;
    if (this.#state !== 'asked' || !hadRoom) return false;
    if (equalBytes(plaintext, this.#expected)) {
      this.#inVain = Math.max(0, this.#inVain - 1);
      this.#rest();
      return type === INNER.probeAck;
    }
    this.#left--;
    if (this.#left > 0) return false;
    this.#inVain = Math.min(IN_VAIN_MAX, this.#inVain + 1);
    this.#state = 'due';
    return false;
  }

  #ask(question: Uint8Array): Uint8Array {
    this.#expected.fill(0);
    this.#expected.set(question);
    this.#expected[0] = ECHOES.get(question[0]) ?? 0;
    this.#state = 'asked';
    this.#left = PATIENCE_CELLS;
    return question;
  }

  #rest(): void {
    this.#state = 'resting';
    this.#left = this.#drawRest();
  }

  #drawRest(): number {
    const { min, max } = REST_SLOTS;
    return min + randomBelow(this.#rng, max - min + 1);
  }
}

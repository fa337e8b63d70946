// One circuit, one direction: what arrives waits here for its slot (protocol 3.5, "Slot filling"). A relay sends exactly
// one cell per slot whatever arrives, so delay, loss, bursts and copies on one side cannot be seen on the other.
//
// Bodies are copied into places reserved at the start; nothing is allocated per cell. The phase of the slots is found
// once, from the first arrivals, and kept.

import { BODY_BYTES } from './geometry.ts';
import type { OnionTiming } from './timing.ts';

/** Protocol 3.5: the oldest is dropped beyond this. */
const QUEUE_MAX = 4;
/** Arrivals after which the phase is set, and slots of a full queue after which one cell is dropped. */
const ARRIVALS_FOR_PHASE = 50;
const FULL_SLOTS_BEFORE_DROP = 50;
const LATE_SHARE = 0.99;

export class SlotQueue {
  readonly #timing: OnionTiming;
  readonly #places: readonly Uint8Array[];
  /** Sequence of each place, -1 when it is free. */
  readonly #sequences = new Float64Array(QUEUE_MAX).fill(-1);
  #lastSent = -1;
  #slotsFull = 0;
  #arrivals: number[] | undefined = [];

  constructor(timing: OnionTiming) {
    this.#timing = timing;
    this.#places = Array.from({ length: QUEUE_MAX }, () => new Uint8Array(BODY_BYTES));
  }

  get length(): number {
    let waiting = 0;
    for (let i = 0; i < QUEUE_MAX; i++) if ((this.#sequences[i] ?? -1) >= 0) waiting++;
    return waiting;
  }

  /**
   * Takes a body; `sequence` is the link's, which tells the order of sending. Answers the phase for the slots of this
   * direction, in [0, tickMs), once: at the arrival that settles it.
   */
  push(body: Uint8Array, sequence: number, nowMs: number): number | undefined {
    const place = sequence > this.#lastSent ? this.#placeFor(sequence) : -1;
    if (place >= 0) {
      this.#places[place]?.set(body);
      this.#sequences[place] = sequence;
    }
    return this.#phaseAfter(nowMs);
  }

  /** Writes the body whose turn it is into `out`. False when there is none: the caller sends noise. */
  pull(out: Uint8Array): boolean {
    this.#slotsFull = this.length >= 2 ? this.#slotsFull + 1 : 0;
    if (this.#slotsFull >= FULL_SLOTS_BEFORE_DROP) {
      this.#sequences[this.#oldest()] = -1;
      this.#slotsFull = 0;
    }
    const place = this.#oldest();
    if (place < 0) return false;
    out.set(this.#places[place] ?? out);
    this.#lastSent = this.#sequences[place] ?? -1;
    this.#sequences[place] = -1;
    return true;
  }

  #oldest(): number {
    let oldest = -1;
    for (let i = 0; i < QUEUE_MAX; i++) {
      const sequence = this.#sequences[i] ?? -1;
      if (sequence >= 0 && (oldest < 0 || sequence < (this.#sequences[oldest] ?? 0))) oldest = i;
    }
    return oldest;
  }

  /** A free one, or the oldest's; -1 when it would be the oldest itself. */
  #placeFor(sequence: number): number {
    const free = this.#sequences.indexOf(-1);
    if (free >= 0) return free;
    const oldest = this.#oldest();
    return sequence > (this.#sequences[oldest] ?? 0) ? oldest : -1;
  }

  #phaseAfter(nowMs: number): number | undefined {
    if (this.#arrivals === undefined) return undefined;
    this.#arrivals.push(nowMs);
    if (this.#arrivals.length < ARRIVALS_FOR_PHASE) return undefined;
    const phase = slotPhase(this.#arrivals, this.#timing);
    this.#arrivals = undefined;
    return phase;
  }
}

/** Median phase of the arrivals, and behind it the margin that all but 1 % of them need. */
export function slotPhase(arrivalsMs: readonly number[], timing: OnionTiming): number {
  const { tickMs, marginMinMs, marginMaxMs } = timing;
  const angles = arrivalsMs.map((ms) => ((ms % tickMs) / tickMs) * 2 * Math.PI);
  const mean = Math.atan2(sum(angles.map(Math.sin)), sum(angles.map(Math.cos)));
  const meanMs = (mean / (2 * Math.PI)) * tickMs;
  // Relative to the mean, phases do not wrap around and can be sorted.
  const lateness = arrivalsMs
    .map((ms) => modulo(ms - meanMs + tickMs / 2, tickMs) - tickMs / 2)
    .sort((a, b) => a - b);
  const median = lateness[lateness.length >> 1] ?? 0;
  const late = (lateness[Math.ceil(LATE_SHARE * lateness.length) - 1] ?? 0) - median;
  const margin = Math.min(Math.max(late, marginMinMs), marginMaxMs);
  return modulo(meanMs + median + margin, tickMs);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}

// When to publish presence (protocol 8 and 3.9): for each round once its meeting point is known, and again when something
// changes. What is published is made by item.ts. A machine; also for people who do not want to be seen, whose items say
// nothing but come at the same times.
//
// A change is not told at once but after a moment of chance, and no more often than MIN_GAP_MS: the endpoint that passes the
// item on would otherwise see our user's hand.

import { type Rng, randomBetween } from '../runtime/index.ts';

/** A guess: within it the tunnel of a new round carries; long against the jitter of rounds that begin everywhere at once. */
const DELAY_MAX_MS = 4000;
/** A guess: so often a proof of work of 18 bits costs nothing, and Gossip's limits are far away. */
const MIN_GAP_MS = 10_000;

interface Planned {
  dueMs: number | undefined;
  lastMs: number;
}

export class Publishing {
  readonly #rng: Rng;
  /** The rounds whose meeting point is known and that are not over: this one and the next. */
  readonly #rounds = new Map<number, Planned>();

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  /** A tunnel for that round stands, or has been replaced by another. */
  onMeetingPoint(round: number, nowMs: number): void {
    const planned = this.#rounds.get(round) ?? { dueMs: undefined, lastMs: -MIN_GAP_MS };
    this.#rounds.set(round, planned);
    this.#plan(planned, nowMs);
  }

  /** Of the status, or of who may see it. */
  onChange(nowMs: number): void {
    for (const planned of this.#rounds.values()) this.#plan(planned, nowMs);
  }

  onRound(round: number): void {
    for (const known of this.#rounds.keys()) if (known < round) this.#rounds.delete(known);
  }

  /** The rounds to publish for, now. */
  onTick(nowMs: number): number[] {
    const due = [...this.#rounds].filter(([, { dueMs }]) => dueMs !== undefined && dueMs <= nowMs);
    for (const [, planned] of due) {
      planned.dueMs = undefined;
      planned.lastMs = nowMs;
    }
    return due.map(([round]) => round);
  }

  nextDeadlineMs(): number {
    const due = [...this.#rounds.values()].map(({ dueMs }) => dueMs ?? Number.POSITIVE_INFINITY);
    return Math.min(Number.POSITIVE_INFINITY, ...due);
  }

  #plan(planned: Planned, nowMs: number): void {
    const soonMs = nowMs + randomBetween(this.#rng, 0, DELAY_MAX_MS);
    planned.dueMs ??= Math.max(soonMs, planned.lastMs + MIN_GAP_MS);
  }
}

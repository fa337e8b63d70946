// Time that passes only when told to: a Clock and Timers for unit tests, and the heart of a World. Between two
// events everything their promises set off is settled, so an await never lets virtual time slip by.
//
// Not simulated: how late a real machine's timers are. Only promises settle between events; real I/O, worker threads
// and thread-pool crypto take real time that the virtual clock knows nothing of, so nothing under it may use them.

import { type Clock, realRuntime, type Timer, type Timers } from '../runtime/index.ts';
import { EventQueue } from './events.ts';

/** Any fixed date does; one in the future makes confusions with the real date visible. */
export const WALL_START_MS = Date.UTC(2030, 0, 1);

/**
 * Times are multiples of this, rounded up: about a microsecond, and a power of two so that adding stays exact. So no
 * timer is early, and waiting for the last fraction of a deadline always moves the clock.
 */
const TICK_MS = 2 ** -10;

/** Events in one instant before we call it an endless loop. 100 for each of 10,000 hosts; a guess. */
const SAME_INSTANT_MAX = 1_000_000;

/** Every so many events the real event loop gets a turn, for test time-outs and reporters: some ten times a second. */
const EVENTS_PER_BREATH = 1 << 16;

/**
 * Resolves when no promise has anything left to do: Node runs the next tick only once the microtask queue is empty.
 * A third of a microsecond, a fifth of `setImmediate` (measured on Node 24).
 */
export async function settled(): Promise<void> {
  // Called from outside a microtask, the next tick would come first.
  await undefined;
  await new Promise<void>((resolve) => process.nextTick(resolve));
}

export class VirtualTime implements Clock, Timers {
  readonly wallStartMs: number;
  readonly #events = new EventQueue();
  #nowMs = 0;
  #eventsRun = 0;
  #eventsThisInstant = 0;
  #running = false;

  constructor(wallStartMs: number = WALL_START_MS) {
    this.wallStartMs = wallStartMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return Math.floor(this.wallStartMs + this.#nowMs);
  }

  /** Timers that have not run yet. */
  get pending(): number {
    return this.#events.size;
  }

  get eventsRun(): number {
    return this.#eventsRun;
  }

  /** `owner`: what `cancelOwnedBy` knows the timer by. */
  after(delayMs: number, run: () => void, owner?: object): Timer {
    return this.#events.push(this.#nowMs + onTick(delayMs), run, owner);
  }

  cancelOwnedBy(owner: object): void {
    this.#events.cancelOwnedBy(owner);
  }

  /**
   * Runs everything due in the next `ms` milliseconds, at once and without settling promises in between: for code
   * that has none. `runFor` is for the rest.
   */
  advance(ms: number): void {
    if (this.#running) throw new Error('advance() inside a run: use after()');
    const untilMs = this.#nowMs + onTick(ms);
    let ran = true;
    while (ran) ran = this.#step(untilMs);
  }

  /** Runs the next event and what its promises set off. False when there was none. */
  step(): Promise<boolean> {
    const before = this.#eventsRun;
    return this.runUntil(Number.POSITIVE_INFINITY, () => this.#eventsRun > before);
  }

  async runFor(ms: number): Promise<void> {
    await this.runUntil(this.#nowMs + ms);
  }

  /**
   * Runs until that time on the monotonic clock, or until `done` says so, asked before every event. Answers whether
   * it was `done`.
   */
  async runUntil(untilMs: number, done: () => boolean = () => false): Promise<boolean> {
    if (this.#running) throw new Error('this world is running already');
    this.#running = true;
    try {
      await settled();
      return await this.#turns(onTick(untilMs), done);
    } finally {
      this.#running = false;
    }
  }

  /**
   * An event, then whatever it set off, then the next. By callbacks, because an await for each event makes a whole
   * simulated datagram cost half as much again (measured).
   */
  #turns(untilMs: number, done: () => boolean): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        try {
          if (done()) resolve(true);
          else if (!this.#step(untilMs)) resolve(false);
          else if (this.#eventsRun % EVENTS_PER_BREATH === 0) realRuntime.timers.after(0, turn);
          else queueMicrotask(onceSettled);
        } catch (error) {
          reject(error);
        }
      };
      const onceSettled = (): void => process.nextTick(turn);
      onceSettled();
    });
  }

  /** Runs the next event; without one until then, lets that time pass. */
  #step(untilMs: number): boolean {
    const event = this.#events.popUntil(untilMs);
    if (event === undefined) {
      if (untilMs < Number.POSITIVE_INFINITY) this.#nowMs = Math.max(this.#nowMs, untilMs);
      return false;
    }
    this.#eventsThisInstant = event.atMs > this.#nowMs ? 0 : this.#eventsThisInstant + 1;
    if (this.#eventsThisInstant > SAME_INSTANT_MAX) {
      throw new Error(`time stands still at ${this.#nowMs} ms: timers of no delay without end`);
    }
    this.#nowMs = event.atMs;
    this.#eventsRun++;
    event.run();
    return true;
  }
}

function onTick(ms: number): number {
  return ms > 0 ? Math.ceil(ms / TICK_MS) * TICK_MS : 0;
}

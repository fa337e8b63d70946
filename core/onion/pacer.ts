// When is whose slot? An absolute schedule (t0 + n · tick + phase, protocol 3.1, "Pacing and cover"): a late turn never
// moves the next one. Streams are kept in a wheel of 1 ms steps, so a turn costs as much as the streams that are due.
//
// After a stall the slot that is due is served, and the one before it made up for; what is older is skipped. So a stream
// sends at most two cells back to back: what was lost to a stall is lost, instead of leaving as a burst that shows the
// stall to everybody.

/** Fine enough to spread streams evenly; platform timers are no finer. */
const STEP_MS = 1;

interface Step<Stream> {
  readonly streams: Stream[];
  /** Number of the last turn that was served. */
  lastTurn: number;
}

export class Pacer<Stream> {
  readonly #tickMs: number;
  readonly #steps: readonly Step<Stream>[];
  readonly #stepOf = new Map<Stream, number>();
  #skipped = 0;

  constructor(tickMs: number) {
    this.#tickMs = tickMs;
    this.#steps = Array.from({ length: Math.ceil(tickMs / STEP_MS) }, () => ({
      streams: [],
      lastTurn: -1,
    }));
  }

  /** Slots lost to stalls since the start. */
  get skipped(): number {
    return this.#skipped;
  }

  /** Adds a stream, or moves it to another phase. Its first slot is the next one of that phase. */
  place(stream: Stream, phaseMs: number, nowMs: number): void {
    this.remove(stream);
    const index = Math.ceil(phaseMs / STEP_MS) % this.#steps.length;
    const step = this.#steps[index];
    if (step === undefined) throw new RangeError(`phase ${phaseMs}`);
    if (step.streams.length === 0) step.lastTurn = this.#turnAt(index, nowMs);
    step.streams.push(stream);
    this.#stepOf.set(stream, index);
  }

  remove(stream: Stream): void {
    const index = this.#stepOf.get(stream);
    if (index === undefined) return;
    const streams = this.#steps[index]?.streams ?? [];
    const last = streams.pop();
    const at = last === stream ? -1 : streams.indexOf(stream);
    if (last !== undefined && at >= 0) streams[at] = last;
    this.#stepOf.delete(stream);
  }

  /** Calls `send` for every slot that is due. Streams must not be placed or removed during the call. */
  run(nowMs: number, send: (stream: Stream) => void): void {
    for (let index = 0; index < this.#steps.length; index++) {
      const step = this.#steps[index];
      if (step === undefined || step.streams.length === 0) continue;
      const turn = this.#turnAt(index, nowMs);
      const due = turn - step.lastTurn;
      if (due <= 0) continue;
      step.lastTurn = turn;
      this.#skipped += Math.max(0, due - 2) * step.streams.length;
      for (const stream of step.streams) {
        send(stream);
        if (due > 1) send(stream);
      }
    }
  }

  /** When `run` has something to do next; Infinity when there is no stream. */
  nextDeadlineMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (let index = 0; index < this.#steps.length; index++) {
      const step = this.#steps[index];
      if (step === undefined || step.streams.length === 0) continue;
      next = Math.min(next, (step.lastTurn + 1) * this.#tickMs + index * STEP_MS);
    }
    return next;
  }

  #turnAt(index: number, nowMs: number): number {
    return Math.floor((nowMs - index * STEP_MS) / this.#tickMs);
  }
}

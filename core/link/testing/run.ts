// Two link ends, the network between them, and a clock that jumps to whatever happens next.

import type { LinkEnd } from './end.ts';

/** When a packet arrives: never if it is lost, twice if it is doubled. */
export type Fate = (packet: Uint8Array, from: 'a' | 'b', nowMs: number) => readonly number[];

/** Half of a round trip of 50 ms. */
export const PROMPT: Fate = (_packet, _from, nowMs) => [nowMs + 25];

export interface Ends {
  readonly a: LinkEnd;
  readonly b: LinkEnd;
}

interface InFlight {
  readonly atMs: number;
  readonly to: LinkEnd;
  readonly packet: Uint8Array;
}

export class Line {
  readonly #ends: Ends;
  readonly #fate: Fate;
  #flying: readonly InFlight[] = [];
  #nowMs: number;

  constructor(ends: Ends, { fate = PROMPT, fromMs = 0 }: { fate?: Fate; fromMs?: number } = {}) {
    this.#ends = ends;
    this.#fate = fate;
    this.#nowMs = fromMs;
  }

  /** Lets happen what happens up to and at `untilMs`; the time of the last event. */
  run(untilMs: number): number {
    let lastMs = this.#nowMs;
    for (;;) {
      this.#send('a', this.#ends.b);
      this.#send('b', this.#ends.a);
      const nextMs = this.#nextMs();
      this.#nowMs = Math.min(nextMs, untilMs);
      if (nextMs > untilMs) return lastMs;
      lastMs = nextMs;
      this.#arrive(nextMs);
      for (const end of [this.#ends.a, this.#ends.b]) {
        if (end.nextDeadlineMs() <= nextMs) end.tick(nextMs);
      }
    }
  }

  #send(from: 'a' | 'b', to: LinkEnd): void {
    for (const packet of this.#ends[from].outbox.splice(0)) {
      const arrivals = this.#fate(packet, from, this.#nowMs);
      this.#flying = [...this.#flying, ...arrivals.map((atMs) => ({ atMs, to, packet }))];
    }
  }

  #nextMs(): number {
    const { a, b } = this.#ends;
    const arrivals = this.#flying.map(({ atMs }) => atMs);
    return Math.min(a.nextDeadlineMs(), b.nextDeadlineMs(), ...arrivals);
  }

  #arrive(nowMs: number): void {
    const arriving = this.#flying.filter(({ atMs }) => atMs <= nowMs);
    this.#flying = this.#flying.filter(({ atMs }) => atMs > nowMs);
    for (const { to, packet } of arriving) to.receive(packet, nowMs);
  }
}

/** One line's whole life. */
export function run(
  ends: Ends,
  { untilMs = 60_000, ...line }: { fate?: Fate; fromMs?: number; untilMs?: number } = {},
): number {
  return new Line(ends, line).run(untilMs);
}

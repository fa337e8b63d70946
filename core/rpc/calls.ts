// The caller's half: calls without an outcome yet, and when each is said, said again and given up. A call first waits for
// a link, then for its answer over it; a link that ends takes one of its two times with it.

import { type Identity, type IdentityKey, identityKey } from '../identity/index.ts';
import type { LinkId, Target } from '../link/index.ts';
import { type Rng, randomU32 } from '../runtime/index.ts';
import type { Outcome } from './rpc.ts';

/** Protocol 7. */
export const TRY_MS = 1500;
const TRIES = 2;
/** A link takes three round trips, and 1.2 s more where only streams pass (protocol 3.1): a guess that leaves room. */
export const LINKING_MS = 3000;
/** A guess: 16 lookups with all their paths, and a round of peer sampling. */
export const CALLS_MAX = 512;

export interface Call {
  readonly number: number;
  readonly target: Target;
  readonly peer: IdentityKey;
  readonly message: Uint8Array;
  done(outcome: Outcome): void;
  /** Undefined while there is none. */
  link: LinkId | undefined;
  triesLeft: number;
  deadlineMs: number;
}

export class Calls {
  readonly #rng: Rng;
  /** By number; at most CALLS_MAX. */
  readonly #calls = new Map<number, Call>();

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  get size(): number {
    return this.#calls.size;
  }

  get isFull(): boolean {
    return this.#calls.size >= CALLS_MAX;
  }

  add({ target, message, done }: Pick<Call, 'target' | 'message' | 'done'>, nowMs: number): Call {
    const call = {
      number: this.#freeNumber(),
      target,
      peer: identityKey(target.identity),
      message,
      done,
      link: undefined,
      triesLeft: TRIES,
      deadlineMs: nowMs + LINKING_MS,
    };
    this.#calls.set(call.number, call);
    return call;
  }

  find(number: number): Call | undefined {
    return this.#calls.get(number);
  }

  remove(number: number): void {
    this.#calls.delete(number);
  }

  /** Those that wait for a link to this node. */
  waitingFor(identity: Identity): Call[] {
    const peer = identityKey(identity);
    return this.#all().filter((call) => call.peer === peer && call.link === undefined);
  }

  over(link: LinkId): Call[] {
    return this.#all().filter((call) => call.link === link);
  }

  due(nowMs: number): Call[] {
    return this.#all().filter(({ deadlineMs }) => nowMs >= deadlineMs);
  }

  nextDeadlineMs(): number {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { deadlineMs } of this.#calls.values()) nextMs = Math.min(nextMs, deadlineMs);
    return nextMs;
  }

  #all(): Call[] {
    return [...this.#calls.values()];
  }

  #freeNumber(): number {
    for (;;) {
      const number = randomU32(this.#rng);
      if (number !== 0 && !this.#calls.has(number)) return number;
    }
  }
}

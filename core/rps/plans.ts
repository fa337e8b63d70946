// Whom to push to and to pull from in this round, and when: not all at once, since each may need a link.

import { type Rng, randomUnit } from '../runtime/index.ts';
import type { Contact } from './contact.ts';
import { ROUND_MS } from './parameters.ts';

/** The rest of a round is left for answers. A guess. */
const SPREAD_MS = 0.8 * ROUND_MS;

export interface Plan {
  readonly atMs: number;
  readonly kind: 'push' | 'pull';
  readonly to: Contact;
}

export class Plans {
  readonly #rng: Rng;
  /** In time; at most what one round plans, and what is left of the one before. */
  #plans: readonly Plan[] = [];

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  make(kind: Plan['kind'], contacts: readonly Contact[], nowMs: number): void {
    const made = contacts.map((to) => ({
      atMs: nowMs + randomUnit(this.#rng) * SPREAD_MS,
      kind,
      to,
    }));
    this.#plans = [...this.#plans, ...made].sort((a, b) => a.atMs - b.atMs);
  }

  takeDue(nowMs: number): readonly Plan[] {
    const due = this.#plans.filter(({ atMs }) => nowMs >= atMs);
    this.#plans = this.#plans.slice(due.length);
    return due;
  }

  nextDeadlineMs(): number {
    return this.#plans[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }
}

// The nodes that have answered us, for after a restart or a partition of the network: what they said of themselves, since
// when, how often, and in whose netgroup we heard of them. Wall-clock times, since they outlive us.

import type { IdentityKey, NodeDescriptor } from '../identity/index.ts';
import { pick, type Rng } from '../runtime/index.ts';
import type { Contact } from './contact.ts';

/** A guess: two sets of samplers. 300 KB on disk. */
export const KNOWN_MAX = 256;

export interface Known {
  readonly contact: Contact;
  readonly descriptor: NodeDescriptor;
  readonly firstMs: number;
  readonly lastMs: number;
  /** Probes. */
  readonly successes: number;
  readonly failures: number;
  /** Of who told us; empty if it was the node itself, or the news of Gossip. */
  readonly source: string;
}

export class KnownNodes {
  readonly #rng: Rng;
  /** At most KNOWN_MAX; who has not answered for longest comes first, and goes first. */
  readonly #known = new Map<IdentityKey, Known>();

  constructor(rng: Rng, saved: readonly Known[]) {
    this.#rng = rng;
    for (const known of saved.slice(-KNOWN_MAX)) this.#known.set(known.contact.key, known);
  }

  get all(): Known[] {
    return [...this.#known.values()];
  }

  pick(): Contact | undefined {
    return pick(this.#rng, this.all)?.contact;
  }

  answered(contact: Contact, descriptor: NodeDescriptor, source: string, wallMs: number): void {
    const before = this.#known.get(contact.key);
    this.#known.delete(contact.key);
    this.#known.set(contact.key, {
      contact,
      descriptor,
      firstMs: before?.firstMs ?? wallMs,
      lastMs: wallMs,
      successes: (before?.successes ?? 0) + 1,
      failures: before?.failures ?? 0,
      source: before?.source ?? source,
    });
    const [oldest] = this.#known.keys();
    if (this.#known.size > KNOWN_MAX && oldest !== undefined) this.#known.delete(oldest);
  }

  failed(key: IdentityKey): void {
    const before = this.#known.get(key);
    if (before !== undefined) this.#known.set(key, { ...before, failures: before.failures + 1 });
  }
}

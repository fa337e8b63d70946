// Brahms' view (protocol 5): the nodes we speak with. Each round it is drawn anew from those that pushed themselves to us,
// those that others told of, and a few from the samplers; unless somebody floods us with pushes, or one kind is missing.
// Nothing in it is proven, and nobody but ourselves relies on it.

import type { IdentityKey } from '../identity/index.ts';
import { type Rng, shuffled } from '../runtime/index.ts';
import type { Contact } from './contact.ts';
import type { Parameters } from './parameters.ts';

/** Answers to more pulls than we put in a round are late ones. */
const PULLS_MAX = 64;

export class View {
  readonly #rng: Rng;
  #contacts: readonly Contact[] = [];
  /** Of this round, one for each node; one more than the limit tells of a flood. */
  readonly #pushed = new Map<IdentityKey, Contact>();
  #pulled: (readonly Contact[])[] = [];

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  get contacts(): readonly Contact[] {
    return this.#contacts;
  }

  /** Somebody to begin with, as long as there is room. */
  seed(contact: Contact, { view }: Parameters): void {
    if (this.#contacts.length < view) this.#contacts = distinct([...this.#contacts, contact]);
  }

  pick(count: number): Contact[] {
    return shuffled(this.#rng, this.#contacts).slice(0, count);
  }

  /** False: it has in this round, or too many have. */
  onPush(contact: Contact, { pushesMax }: Parameters): boolean {
    if (this.#pushed.size > pushesMax || this.#pushed.has(contact.key)) return false;
    this.#pushed.set(contact.key, contact);
    return true;
  }

  onPulled(contacts: readonly Contact[]): void {
    if (this.#pulled.length < PULLS_MAX) this.#pulled.push(contacts);
  }

  /**
   * Ends the round; `sampled` are those the samplers hold. False: the view stays as it was. A node that cannot be reached
   * is told to nobody, so nobody pushes to it: it makes do with pulls.
   */
  renew(sampled: readonly Contact[], parameters: Parameters, isPushedTo: boolean): boolean {
    const pushed = [...this.#pushed.values()];
    const pulled = distinct(this.#pulled.flat());
    this.#pushed.clear();
    this.#pulled = [];
    const isMissing = pulled.length === 0 || (isPushedTo && pushed.length === 0);
    if (isMissing || pushed.length > parameters.pushesMax) return false;
    const told = distinct([
      ...shuffled(this.#rng, pushed).slice(0, parameters.pushed),
      ...shuffled(this.#rng, pulled).slice(0, parameters.pulled),
    ]);
    // In a small or young network few are told of; the samplers are the better source in any case.
    const missing = Math.max(parameters.sampled, parameters.view - told.length);
    this.#contacts = distinct([...told, ...shuffled(this.#rng, sampled).slice(0, missing)]);
    return true;
  }

  /** A node that is not where it was said to be. */
  remove(key: IdentityKey): void {
    this.#contacts = this.#contacts.filter((contact) => contact.key !== key);
  }
}

function distinct(contacts: readonly Contact[]): Contact[] {
  return [...new Map(contacts.map((contact) => [contact.key, contact])).values()];
}

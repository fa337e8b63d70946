// Contacts from Gossip: what a node begins with that knows nobody. They are anybody's say-so, so they seed an empty view
// and are asked now and then, and never take the place of what Brahms found.

import { netgroup, pick, type Rng, randomBelow } from '../runtime/index.ts';
import type { Contact } from './contact.ts';

/** A guess. */
const HEARD_MAX = 64;
/** Of one netgroup: addresses of one are cheap, and a crowd of them must not push out all others. */
const PER_NETGROUP_MAX = 8;

export class Heard {
  readonly #rng: Rng;
  #contacts: Contact[] = [];

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  get all(): readonly Contact[] {
    return this.#contacts;
  }

  pick(): Contact | undefined {
    return pick(this.#rng, this.#contacts);
  }

  /** When there is no room, in place of a random one: of its own netgroup if that has its share. */
  add(contact: Contact): void {
    this.#contacts = this.#contacts.filter(({ key }) => key !== contact.key);
    const group = netgroup(contact.address.ip);
    const same = this.#contacts.filter(({ address }) => netgroup(address.ip) === group);
    if (same.length >= PER_NETGROUP_MAX) this.#drop(same);
    else if (this.#contacts.length >= HEARD_MAX) this.#drop(this.#contacts);
    this.#contacts.push(contact);
  }

  #drop(candidates: readonly Contact[]): void {
    const gone = candidates[randomBelow(this.#rng, candidates.length)];
    this.#contacts = this.#contacts.filter((contact) => contact !== gone);
  }
}

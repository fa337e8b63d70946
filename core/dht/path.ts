// One of the disjoint paths of a lookup (lookup.ts): the nodes it has heard of, and whom it asks next. Nearest first, as
// Kademlia has it, but whoever told of nodes that do not exist is not believed any further.

import type { IdentityKey } from '../identity/index.ts';
import type { Contact } from './contact.ts';
import { compareDistance } from './distance.ts';

/** Without an answer for so long, the path goes on with the next node, and takes the answer if it still comes. A guess. */
export const HEDGE_MS = 400;
/** Such nodes at a time. A guess. */
const PENDING_MAX = 8;
/** Nodes in a row that one node told of and that do not answer, when the rest of what it told is dropped. A guess. */
const LIES_MAX = 3;

interface Candidate {
  readonly contact: Contact;
  /** Who told of it; undefined: our own table. */
  readonly teller: IdentityKey | undefined;
}

export interface PathOptions {
  readonly target: Uint8Array;
  /** The nearest nodes that must have answered. */
  readonly width: number;
  /** Whether a node may be asked at all, and has not been asked yet. */
  isWanted(contact: Contact): boolean;
}

export class Path {
  readonly number: number;
  readonly #target: Uint8Array;
  readonly #width: number;
  readonly #isWanted: (contact: Contact) => boolean;
  /** Not asked yet. At most K for each answer. */
  readonly #open = new Map<IdentityKey, Candidate>();
  /** Asked, since when, by whom we know them. */
  readonly #pending = new Map<IdentityKey, Candidate & { readonly sinceMs: number }>();
  readonly #answered: Contact[] = [];
  #dueMs = Number.POSITIVE_INFINITY;
  /** How many nodes in a row did not answer, of those that one told of. */
  readonly #lies = new Map<IdentityKey, number>();

  constructor(number: number, { target, width, isWanted }: PathOptions) {
    this.number = number;
    this.#target = target;
    this.#width = width;
    this.#isWanted = isWanted;
  }

  learn(contacts: readonly Contact[], teller: IdentityKey | undefined): void {
    for (const contact of contacts) {
      const isNew = !this.#open.has(contact.key) && this.#isWanted(contact);
      if (isNew) this.#open.set(contact.key, { contact, teller });
    }
  }

  /** Whom to ask now, if it is time to ask anybody. `isFree`: no other path has asked it. */
  next(isFree: (key: IdentityKey) => boolean, nowMs: number): Contact | undefined {
    const fresh = [...this.#pending.values()].some(({ sinceMs }) => nowMs < sinceMs + HEDGE_MS);
    if (fresh) return undefined;
    this.#dueMs = Number.POSITIVE_INFINITY;
    if (this.#pending.size >= PENDING_MAX) return undefined;
    const doubtful = this.#doubtful(nowMs);
    const chosen = this.#nearest(isFree, doubtful) ?? this.#nearest(isFree);
    if (chosen === undefined) return undefined;
    this.#open.delete(chosen.contact.key);
    this.#pending.set(chosen.contact.key, { ...chosen, sinceMs: nowMs });
    this.#dueMs = nowMs + HEDGE_MS;
    return chosen.contact;
  }

  answered(contact: Contact, told: readonly Contact[]): void {
    const teller = this.#pending.get(contact.key)?.teller;
    this.#pending.delete(contact.key);
    this.#answered.push(contact);
    this.#answered.sort((a, b) => this.#compare(a, b));
    if (teller !== undefined) this.#lies.set(teller, 0);
    this.learn(told, contact.key);
  }

  failed({ key }: Contact): void {
    const teller = this.#pending.get(key)?.teller;
    this.#pending.delete(key);
    if (teller === undefined) return;
    const lies = (this.#lies.get(teller) ?? 0) + 1;
    this.#lies.set(teller, lies);
    if (lies < LIES_MAX) return;
    for (const [open, candidate] of this.#open) {
      if (candidate.teller === teller) this.#open.delete(open);
    }
  }

  /** Nobody is left to ask, and nobody may still answer. */
  isOver(isFree: (key: IdentityKey) => boolean): boolean {
    return this.#pending.size === 0 && this.#nearest(isFree) === undefined;
  }

  /** When it goes on without the answers it waits for. */
  get nextDeadlineMs(): number {
    return this.#dueMs;
  }

  /** Who told of a node that has not answered yet: the others it told of come last. */
  #doubtful(nowMs: number): ReadonlySet<IdentityKey | undefined> {
    const late = [...this.#pending.values()].filter(({ sinceMs }) => nowMs >= sinceMs + HEDGE_MS);
    return new Set(late.map(({ teller }) => teller).filter((teller) => teller !== undefined));
  }

  /** Of those not asked yet; nobody, once enough nodes nearer than all of them have answered. */
  #nearest(
    isFree: (key: IdentityKey) => boolean,
    doubtful: ReadonlySet<IdentityKey | undefined> = new Set(),
  ): Candidate | undefined {
    let best: Candidate | undefined;
    for (const candidate of this.#open.values()) {
      if (!isFree(candidate.contact.key)) {
        this.#open.delete(candidate.contact.key);
        continue;
      }
      if (doubtful.has(candidate.teller)) continue;
      if (best === undefined || this.#compare(candidate.contact, best.contact) < 0) {
        best = candidate;
      }
    }
    const last = this.#answered[this.#width - 1];
    const isEnough = best && last && this.#compare(last, best.contact) < 0;
    return isEnough ? undefined : best;
  }

  #compare(a: Contact, b: Contact): number {
    return compareDistance(this.#target, a.identity, b.identity);
  }
}

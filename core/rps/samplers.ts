// Brahms' samplers (protocol 5): each keeps, of all identities it was ever offered, the one that comes first in its own
// secret order. Saying an identity often is of no use, so what samplers hold becomes uniform over all that were offered
// at least once, however loud some are. Whom they hold is probed; who does not answer three times is let go, by drawing a
// new order. A machine without time of its own.

import type { IdentityKey, NodeDescriptor } from '../identity/index.ts';
import { type Rng, randomBetween } from '../runtime/index.ts';
import { type Contact, isSameAddress } from './contact.ts';
import type { Ranking } from './ranking.ts';

/** Protocol 5: 60 ± 20 s. */
const PROBE_MS = { min: 40_000, max: 80_000 };
/** Of whom we have not asked yet: soon, but not all at once. A guess. */
const FIRST_PROBE_MS = 2000;
/** After a failure, so that a dead node is gone within half a minute of its first. A guess. */
const RETRY_MS = 10_000;
const FAILURES_MAX = 3;
/** A guess: each costs a link. */
const PROBES_MAX = 16;
/** Contacts that were offered since orders last changed, and need not be ranked again. A guess, 1 MiB. */
const OFFERED_MAX = 16_384;

export interface Held {
  contact: Contact;
  /** What it said of itself when it was last probed; undefined: never yet. */
  descriptor: NodeDescriptor | undefined;
  /** Since the last success. */
  failures: number;
  isProbed: boolean;
  nextProbeMs: number;
  /** In how many samplers. */
  slots: number;
}

interface Slot {
  rank: number;
  held: Held | undefined;
}

export class Samplers {
  readonly #rng: Rng;
  readonly #ranking: Ranking;
  readonly #slots: Slot[] = [];
  /** Whom the slots hold. */
  readonly #held = new Map<IdentityKey, Held>();
  readonly #offered = new Set<IdentityKey>();
  #probes = 0;

  constructor(rng: Rng, ranking: Ranking) {
    this.#rng = rng;
    this.#ranking = ranking;
  }

  get held(): Iterable<Held> {
    return this.#held.values();
  }

  find(key: IdentityKey): Held | undefined {
    return this.#held.get(key);
  }

  /** For each slot whom it holds, if that node is alive. */
  draws(): Contact[] {
    return this.#slots.flatMap(({ held }) => (isLive(held) ? [held.contact] : []));
  }

  live(): Held[] {
    return [...this.#held.values()].filter((one) => isLive(one));
  }

  resize(count: number): void {
    if (count > this.#slots.length) this.#offered.clear();
    while (this.#slots.length < count) this.#slots.push({ rank: Infinity, held: undefined });
    for (const slot of this.#slots.splice(count)) this.#release(slot);
  }

  offer(contact: Contact, nowMs: number): void {
    const known = this.#held.get(contact.key);
    if (known !== undefined) correct(known, contact);
    if (this.#offered.has(contact.key)) return;
    if (this.#offered.size >= OFFERED_MAX) this.#offered.clear();
    this.#offered.add(contact.key);
    this.#slots.forEach((slot, i) => {
      const rank = this.#ranking.rank(i, contact.identity);
      if (rank < slot.rank) this.#take(slot, rank, contact, nowMs);
    });
  }

  /** Whom to probe now; each until `proven` or `failed`. */
  takeDue(nowMs: number): Contact[] {
    const due: Contact[] = [];
    for (const held of this.#held.values()) {
      if (this.#probes >= PROBES_MAX) break;
      if (held.isProbed || nowMs < held.nextProbeMs) continue;
      held.isProbed = true;
      this.#probes++;
      due.push(held.contact);
    }
    return due;
  }

  nextDeadlineMs(): number {
    if (this.#probes >= PROBES_MAX) return Number.POSITIVE_INFINITY;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { isProbed, nextProbeMs } of this.#held.values()) {
      if (!isProbed) nextMs = Math.min(nextMs, nextProbeMs);
    }
    return nextMs;
  }

  proven(key: IdentityKey, descriptor: NodeDescriptor, nowMs: number): void {
    this.#probes--;
    const held = this.#held.get(key);
    if (held === undefined) return;
    held.isProbed = false;
    held.descriptor = descriptor;
    held.failures = 0;
    held.nextProbeMs = nowMs + randomBetween(this.#rng, PROBE_MS.min, PROBE_MS.max);
  }

  failed(key: IdentityKey, nowMs: number): void {
    this.#probes--;
    const held = this.#held.get(key);
    if (held === undefined) return;
    held.isProbed = false;
    held.failures++;
    held.nextProbeMs = nowMs + RETRY_MS;
    if (held.failures >= FAILURES_MAX) this.#letGo(held);
  }

  /** The samplers that held it begin again; what was offered before may come again. */
  #letGo(gone: Held): void {
    this.#offered.clear();
    this.#slots.forEach((slot, i) => {
      if (slot.held !== gone) return;
      this.#ranking.redraw(i);
      this.#release(slot);
    });
  }

  #take(slot: Slot, rank: number, contact: Contact, nowMs: number): void {
    this.#release(slot);
    slot.rank = rank;
    slot.held = this.#held.get(contact.key) ?? this.#enter(contact, nowMs);
    slot.held.slots++;
  }

  #enter(contact: Contact, nowMs: number): Held {
    const held: Held = {
      contact,
      descriptor: undefined,
      failures: 0,
      isProbed: false,
      nextProbeMs: nowMs + randomBetween(this.#rng, 0, FIRST_PROBE_MS),
      slots: 0,
    };
    this.#held.set(contact.key, held);
    return held;
  }

  #release(slot: Slot): void {
    const { held } = slot;
    slot.rank = Infinity;
    slot.held = undefined;
    if (held === undefined) return;
    held.slots--;
    if (held.slots === 0) this.#held.delete(held.contact.key);
  }
}

/** Has answered, and says that others can reach it. */
export function isLive(held: Held | undefined): held is Held & { descriptor: NodeDescriptor } {
  return held !== undefined && held.failures === 0 && held.descriptor?.flags.relay === true;
}

/** Somebody says that it is elsewhere: believed once it was not where we were told before. */
function correct(held: Held, contact: Contact): void {
  if (held.failures === 0 || held.isProbed) return;
  if (!isSameAddress(held.contact.address, contact.address)) held.contact = contact;
}

// Brings one value to the nodes that should have it (protocol 7, "replication"): the nearest to its key, of distinct networks
// as far as there are such. Those who have it already only hear of it again. Whoever refuses is passed over for the next.

import type { IdentityKey } from '../identity/index.ts';
import type { Address } from '../runtime/index.ts';
import type { Asking } from './ask.ts';
import { compareDistance } from './distance.ts';
import type { Held } from './holdings.ts';
import type { Lookup, Sighting, StartLookup } from './lookup.ts';
import { PARTS_PER_MESSAGE, type StoreStatus } from './wire.ts';

/** A guess; with many dead nodes around a key it takes some seconds. */
const LOOKUP_MS = 15_000;

export interface Published {
  /** Other nodes that have it now. */
  readonly copies: number;
  /** Of which so many had it before. */
  readonly known: number;
}

export interface PublicationOptions {
  readonly held: Held;
  readonly own: Uint8Array;
  readonly asking: Asking;
  readonly startLookup: StartLookup;
  /** Which addresses are too much alike to hold two copies. */
  groupOf(address: Address): string;
  /** Once. */
  done(published: Published): void;
}

export class Publication {
  readonly #options: PublicationOptions;
  #lookup: Lookup | undefined;
  #waiting: Sighting[] = [];
  #copies = 0;
  #known = 0;
  #pending = 0;
  #wanted = 0;
  #isOver = false;

  constructor(options: PublicationOptions) {
    this.#options = options;
  }

  begin(): void {
    const { held, asking, startLookup } = this.#options;
    this.#lookup = startLookup('find value', {
      target: held.key,
      untilMs: asking.now().nowMs + LOOKUP_MS,
      onSighting: () => false,
      done: (sightings) => this.#onNearest(sightings),
    });
    this.#lookup.tick();
  }

  tick(): void {
    this.#lookup?.tick();
  }

  nextDeadlineMs(): number {
    return this.#lookup?.nextDeadlineMs() ?? Number.POSITIVE_INFINITY;
  }

  #onNearest(sightings: readonly Sighting[]): void {
    const { own, held, groupOf } = this.#options;
    const { key, record } = held;
    const nearer = sightings.filter(
      ({ contact }) => compareDistance(key, contact.identity, own) < 0,
    );
    // We have a copy ourselves: one of those wanted, if we are among the nearest.
    this.#wanted = record.copies - (nearer.length < record.copies ? 1 : 0);
    this.#waiting = diverse(sightings, groupOf);
    this.#goOn();
  }

  #goOn(): void {
    while (this.#copies + this.#pending < this.#wanted) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.#pending++;
      this.#store(next, (status) => this.#onStored(status));
    }
    if (this.#pending > 0 || this.#isOver) return;
    this.#isOver = true;
    this.#options.done({ copies: this.#copies, known: this.#known });
  }

  #onStored(status: StoreStatus | undefined): void {
    this.#pending--;
    if (status === 'known') this.#known++;
    if (status === 'known' || status === 'stored') this.#copies++;
    this.#goOn();
  }

  #store({ contact, found }: Sighting, done: (status: StoreStatus | undefined) => void): void {
    const { asking, held } = this.#options;
    const { key, record } = held;
    asking.ask(contact, { type: 'store', key, token: found.token, record }, (answer) => {
      if (answer?.status === 'stored') this.#sendParts(contact, answer.missing, done);
      else done(answer?.status);
    });
  }

  /** A batch after the other: each must make less be missing, or it is the last. */
  #sendParts(
    to: Sighting['contact'],
    missing: readonly number[],
    done: (status: StoreStatus | undefined) => void,
  ): void {
    const { asking, held } = this.#options;
    const { key, record } = held;
    const parts = missing.slice(0, PARTS_PER_MESSAGE).flatMap((index) => {
      const bytes = held.parts.get(index);
      return bytes === undefined ? [] : [{ index, bytes }];
    });
    if (parts.length === 0) {
      done('stored');
      return;
    }
    const request = { type: 'store parts', key, variant: record.variant, parts } as const;
    asking.ask(to, request, (answer) => {
      if (answer?.status === 'known') done('stored');
      else if (answer?.status !== 'stored') done(answer?.status);
      else if (answer.missing.length >= missing.length) done(undefined);
      else this.#sendParts(to, answer.missing, done);
    });
  }
}

/** In this order, but a second node of the same network only when all networks have had their turn. */
function diverse(
  sightings: readonly Sighting[],
  groupOf: (address: Address) => string,
): Sighting[] {
  const groups = new Set<string>();
  const first = new Set<IdentityKey>();
  for (const { contact } of sightings) {
    const group = groupOf(contact.address);
    if (groups.has(group)) continue;
    groups.add(group);
    first.add(contact.key);
  }
  return [
    ...sightings.filter(({ contact }) => first.has(contact.key)),
    ...sightings.filter(({ contact }) => !first.has(contact.key)),
  ];
}

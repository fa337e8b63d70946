// Looks for the nodes nearest to an id over disjoint paths (protocol 7; S/Kademlia): each path begins at other nodes of our
// table and goes on with what its own nodes tell, and no node is asked by two paths. So one hostile node misleads one path.
// A machine without input and output of its own: `ask` comes from dht.ts, and time with it.

import type { IdentityKey } from '../identity/index.ts';
import type { Contact } from './contact.ts';
import { compareDistance } from './distance.ts';
import { Path } from './path.ts';
import type { Found } from './wire.ts';

/** However many nodes there seem to be. A guess: what a lookup in a large network asks twice over. */
const ASKED_MAX = 200;

export interface Sighting {
  readonly contact: Contact;
  /** Number of the path. */
  readonly path: number;
  readonly found: Found;
}

export interface LookupOptions {
  readonly target: Uint8Array;
  /** d. */
  readonly paths: number;
  /** Of each path, the nearest nodes that must have answered. */
  readonly width: number;
  /** Whether a node may be asked: not ourselves, for one. */
  isUsable(contact: Contact): boolean;
  /** Where to begin: the nearest first. */
  readonly seeds: readonly Contact[];
  /** When it has to be over. */
  readonly untilMs: number;
  ask(contact: Contact, done: (found: Found | undefined) => void): void;
  nowMs(): number;
  /** Each answer; true: that was enough. */
  onSighting(sighting: Sighting): boolean;
  /** Once, unless it was ended. All answers, the nearest first. */
  done(sightings: readonly Sighting[]): void;
}

/** Of dht.ts: begins with the table, and with `seeds` if there are any. The first `tick` sets it going. */
export type StartLookup = (
  question: 'find node' | 'find value',
  options: Pick<LookupOptions, 'target' | 'untilMs' | 'onSighting' | 'done'> & {
    readonly seeds?: readonly Contact[];
  },
) => Lookup;

export class Lookup {
  readonly #options: LookupOptions;
  readonly #paths: readonly Path[];
  /** Asked, and by which path; at most ASKED_MAX. */
  readonly #asked = new Map<IdentityKey, number>();
  readonly #sightings: Sighting[] = [];
  #isOver = false;

  constructor(options: LookupOptions) {
    const { target, width, paths, seeds } = options;
    this.#options = options;
    const isWanted = (contact: Contact): boolean =>
      !this.#asked.has(contact.key) && options.isUsable(contact);
    this.#paths = Array.from({ length: paths }, (_, i) => {
      const path = new Path(i, { target, width, isWanted });
      const first = seeds.filter((__, j) => j % paths === i);
      path.learn(first, undefined);
      return path;
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Goes on with what there is to do now. The first time, it begins. */
  tick(): void {
    if (this.#isOver) return;
    const nowMs = this.#options.nowMs();
    for (const path of this.#paths) {
      if (this.#asked.size >= ASKED_MAX) break;
      const contact = path.next((key) => !this.#asked.has(key), nowMs);
      if (contact !== undefined) this.#ask(path, contact);
    }
    if (nowMs >= this.#options.untilMs || this.#isExhausted()) this.#finish();
  }

  nextDeadlineMs(): number {
    if (this.#isOver) return Number.POSITIVE_INFINITY;
    return Math.min(this.#options.untilMs, ...this.#paths.map((path) => path.nextDeadlineMs));
  }

  /** Nobody wants to know any more. */
  end(): void {
    this.#isOver = true;
  }

  #ask(path: Path, contact: Contact): void {
    this.#asked.set(contact.key, path.number);
    this.#options.ask(contact, (found) => {
      if (this.#isOver) return;
      if (found === undefined) path.failed(contact);
      else this.#onFound(path, contact, found);
      this.tick();
    });
  }

  #onFound(path: Path, contact: Contact, found: Found): void {
    path.answered(contact, found.nodes);
    const sighting = { contact, path: path.number, found };
    this.#sightings.push(sighting);
    if (this.#options.onSighting(sighting)) this.#finish();
  }

  #isExhausted(): boolean {
    const isFree = (key: IdentityKey): boolean =>
      this.#asked.size < ASKED_MAX && !this.#asked.has(key);
    return this.#paths.every((path) => path.isOver(isFree));
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { target, done } = this.#options;
    done(
      this.#sightings.toSorted((a, b) =>
        compareDistance(target, a.contact.identity, b.contact.identity),
      ),
    );
  }
}

// Keeps the routing table in shape (protocol 7, "bucket rules"): finds the first nodes, looks around its own id and in
// every bucket now and then, asks those whether they are still there who have been silent, and gives those another chance
// who have lost their place, so that two halves of a network that was parted find each other again.

import type { Identity, IdentityKey } from '../identity/index.ts';
import { type Rng, randomBytes } from '../runtime/index.ts';
import type { Asking } from './ask.ts';
import { type Contact, K } from './contact.ts';
import { idInBucket, sharedBits } from './distance.ts';
import type { Lookup, StartLookup } from './lookup.ts';
import type { Table } from './table.ts';
import { KEY_BYTES, PING_NONCE_BYTES } from './wire.ts';

/** Protocol 7. */
const REFRESH_MS = 3_600_000;
/** Around our own id, where values come and go with their neighbours. A guess. */
const OWN_REFRESH_MS = 600_000;
const LOOKUP_MS = 15_000;
/** How often others are asked for nodes: alone, with few, with enough. Guesses. */
const SEEDS_MS = { alone: 3000, few: 30_000, enough: 300_000 };
const SEEDS = 5;
/** Guesses: some hundred nodes are all asked once in half an hour. */
const PROBE_MS = 10_000;
const SILENT_MS = 300_000;
/** Callers that are asked back at a time, and how long none is asked again. Guesses. */
const CALLERS_MAX = 8;
const CALLER_PAUSE_MS = 60_000;
const CALLERS_REMEMBERED_MAX = 512;

export interface UpkeepOptions {
  readonly own: Identity;
  readonly table: Table;
  readonly rng: Rng;
  readonly asking: Asking;
  readonly startLookup: StartLookup;
  /** Nodes from elsewhere are wanted, at most so many: `onSeeds`. */
  wantSeeds(count: number): void;
}

export class Upkeep {
  readonly #options: UpkeepOptions;
  /** When a lookup last went to each bucket; 256 at most. */
  readonly #lookedMs = new Map<number, number>();
  /** When callers were asked back; at most CALLERS_REMEMBERED_MAX. */
  readonly #askedBack = new Map<IdentityKey, number>();
  #askingBack = 0;
  #ownMs = Number.NEGATIVE_INFINITY;
  #seedsMs = Number.NEGATIVE_INFINITY;
  #probeMs = Number.NEGATIVE_INFINITY;
  #probesSpare = false;
  #lookup: Lookup | undefined;

  constructor(options: UpkeepOptions) {
    this.#options = options;
  }

  /** A lookup of anybody's goes there. */
  looked(target: Uint8Array): void {
    const { own, asking } = this.#options;
    this.#lookedMs.set(sharedBits(own, target), asking.now().nowMs);
  }

  /** From RPS, the configuration or the last run. */
  onSeeds(contacts: readonly Contact[]): void {
    const seeds = contacts.filter((contact) => !this.#options.table.has(contact)).slice(0, K);
    if (seeds.length > 0) this.#lookAround(seeds);
  }

  /** A node that asked us, and can be called. */
  onCaller(contact: Contact): void {
    const { table, asking } = this.#options;
    const { nowMs } = asking.now();
    const lastMs = this.#askedBack.get(contact.key) ?? Number.NEGATIVE_INFINITY;
    if (table.has(contact) || !table.hasRoomFor(contact)) return;
    if (this.#askingBack >= CALLERS_MAX || nowMs < lastMs + CALLER_PAUSE_MS) return;
    this.#askedBack.delete(contact.key);
    this.#askedBack.set(contact.key, nowMs);
    const [oldest] = this.#askedBack.keys();
    const isFull = this.#askedBack.size > CALLERS_REMEMBERED_MAX;
    if (isFull && oldest !== undefined) this.#askedBack.delete(oldest);
    this.#askingBack++;
    this.#ping(contact, () => this.#askingBack--);
  }

  tick(): void {
    const { nowMs } = this.#options.asking.now();
    this.#lookup?.tick();
    if (nowMs >= this.#seedsMs + this.#seedsGapMs()) {
      this.#seedsMs = nowMs;
      this.#options.wantSeeds(SEEDS);
    }
    if (nowMs >= this.#probeMs + PROBE_MS) {
      this.#probeMs = nowMs;
      this.#probe();
    }
    if (this.#isLooking || this.#options.table.size === 0) return;
    if (nowMs >= this.#ownMs + OWN_REFRESH_MS) this.#lookAround([]);
    else this.#refresh();
  }

  nextDeadlineMs(): number {
    return this.#lookup?.nextDeadlineMs() ?? Number.POSITIVE_INFINITY;
  }

  get #isLooking(): boolean {
    return this.#lookup !== undefined && !this.#lookup.isOver;
  }

  #seedsGapMs(): number {
    const { size } = this.#options.table;
    if (size === 0) return SEEDS_MS.alone;
    return size < K ? SEEDS_MS.few : SEEDS_MS.enough;
  }

  #lookAround(seeds: readonly Contact[]): void {
    const { own, asking } = this.#options;
    this.#ownMs = asking.now().nowMs;
    this.#look(own, seeds);
  }

  /** The bucket that has waited longest, of those that can have anybody in them. */
  #refresh(): void {
    const { own, table, rng, asking } = this.#options;
    const { nowMs } = asking.now();
    const deepest = Math.max(-1, ...table.filled);
    for (let bits = 0; bits <= deepest; bits++) {
      const lastMs = this.#lookedMs.get(bits) ?? Number.NEGATIVE_INFINITY;
      if (nowMs < lastMs + REFRESH_MS) continue;
      this.#look(idInBucket(own, bits, randomBytes(rng, KEY_BYTES)), []);
      return;
    }
  }

  #look(target: Uint8Array, seeds: readonly Contact[]): void {
    const { asking, startLookup } = this.#options;
    this.#lookup?.end();
    this.#lookup = startLookup('find node', {
      target,
      seeds,
      untilMs: asking.now().nowMs + LOOKUP_MS,
      onSighting: () => false,
      done: () => {},
    });
    this.#lookup.tick();
  }

  /** In turn: somebody who has been silent, somebody without a place. */
  #probe(): void {
    const { table, asking } = this.#options;
    this.#probesSpare = !this.#probesSpare;
    const quiet = table.quiet(SILENT_MS, asking.now().nowMs);
    const probed = this.#probesSpare
      ? (table.randomSpare() ?? quiet)
      : (quiet ?? table.randomSpare());
    if (probed !== undefined) this.#ping(probed, () => {});
  }

  #ping(contact: Contact, done: () => void): void {
    const nonce = randomBytes(this.#options.rng, PING_NONCE_BYTES);
    this.#options.asking.ask(contact, { type: 'ping', nonce }, done);
  }
}

// One GET (protocol 7): looks for the key, chooses what to believe (choice.ts), brings its parts together. What proves
// itself is taken as soon as it is seen; for the rest all paths are heard. There is an answer before GET_MS have passed.

import type { Asking } from './ask.ts';
import { type Choice, ranked } from './choice.ts';
import type { Contact } from './contact.ts';
import { Fetch } from './fetch.ts';
import { type Held, wholeValue } from './holdings.ts';
import type { Lookup, Sighting, StartLookup } from './lookup.ts';
import { isValueOf, type RecordRules, recordFault } from './record.ts';

/** Of the 10 s in which the API answers (issue of the module), less what a busy machine takes. */
export const GET_MS = 9000;
/** Of which the lookup may take so much when parts have to be fetched afterwards. A guess. */
const LOOKUP_MS = 5000;
/** Nodes that hold the same parted content: then it is tried. */
const HOLDERS_TO_TRY = 2;

export interface GetOptions {
  readonly key: Uint8Array;
  readonly asking: Asking;
  readonly rules: RecordRules;
  readonly startLookup: StartLookup;
  /** What we hold of it ourselves. */
  readonly held: readonly Held[];
  /** Once. */
  done(value: Uint8Array | undefined): void;
}

export class Get {
  readonly #options: GetOptions;
  readonly #untilMs: number;
  /** Of parted content, by variant. */
  readonly #seen = new Map<string, number>();
  #lookup: Lookup | undefined;
  #fetch: Fetch | undefined;
  #isOver = false;

  constructor(options: GetOptions) {
    this.#options = options;
    this.#untilMs = options.asking.now().nowMs + GET_MS;
  }

  begin(): void {
    const { held } = this.#options;
    const proven = held.find(({ record }) => record.form === 'content');
    if (proven === undefined) this.#look(true);
    else this.#finish(wholeValue(proven));
  }

  tick(): void {
    if (this.#isOver) return;
    this.#lookup?.tick();
    this.#fetch?.tick();
    if (this.#options.asking.now().nowMs >= this.#untilMs) this.#finish(undefined);
  }

  nextDeadlineMs(): number {
    if (this.#isOver) return Number.POSITIVE_INFINITY;
    return Math.min(
      this.#untilMs,
      this.#lookup?.nextDeadlineMs() ?? Number.POSITIVE_INFINITY,
      this.#fetch?.nextDeadlineMs() ?? Number.POSITIVE_INFINITY,
    );
  }

  /** `isHasty`: parted content is tried before all paths are at their end. */
  #look(isHasty: boolean): void {
    const { key, asking } = this.#options;
    let wasHasty = false;
    this.#lookup = this.#options.startLookup('find value', {
      target: key,
      untilMs: Math.min(this.#untilMs, asking.now().nowMs + LOOKUP_MS),
      onSighting: (sighting) => {
        const isEnough = this.#onSighting(sighting);
        wasHasty ||= isEnough;
        return isHasty && isEnough;
      },
      done: (sightings) => {
        const choices = this.#choices(sightings);
        this.#try(choices, () => {
          if (isHasty && wasHasty) this.#look(false);
          else this.#finish(undefined);
        });
      },
    });
    this.#lookup.tick();
  }

  #onSighting(sighting: Sighting): boolean {
    for (const record of this.#valid(sighting).found.records) {
      if (record.form !== 'content') continue;
      if (record.manifest === undefined) {
        this.#finish(record.payload);
        return true;
      }
      const seen = (this.#seen.get(record.variant) ?? 0) + 1;
      this.#seen.set(record.variant, seen);
      if (seen >= HOLDERS_TO_TRY) return true;
    }
    return false;
  }

  #valid(sighting: Sighting): Sighting {
    const { key, rules, asking } = this.#options;
    const { wallMs } = asking.now();
    const records = sighting.found.records.filter(
      (record) => recordFault(key, record, wallMs, rules) === undefined,
    );
    return { ...sighting, found: { ...sighting.found, records } };
  }

  #choices(sightings: readonly Sighting[]): Choice[] {
    const { key, held, rules } = this.#options;
    const kept = held.map(({ record }) => record);
    const valid = sightings.map((sighting) => this.#valid(sighting));
    return ranked(key, valid, kept, rules);
  }

  /** One choice after the other, until one proves to be there. */
  #try([choice, ...others]: readonly Choice[], onNone: () => void): void {
    if (this.#isOver) return;
    if (choice === undefined) {
      onNone();
      return;
    }
    const { record, holders } = choice;
    const kept = this.#options.held.find((held) => held.record.variant === record.variant);
    if (kept !== undefined) this.#finish(wholeValue(kept));
    else if (record.manifest === undefined) this.#finish(record.payload);
    else this.#bring(choice, holders, () => this.#try(others, onNone));
  }

  #bring({ record }: Choice, holders: readonly Contact[], onFailed: () => void): void {
    const { key, asking } = this.#options;
    const { manifest, variant, form } = record;
    if (manifest === undefined) return;
    const done = (value: Uint8Array | undefined): void => {
      this.#fetch = undefined;
      if (value !== undefined && isValueOf(key, form, value)) this.#finish(value);
      else onFailed();
    };
    this.#fetch = new Fetch({ asking, key, variant, manifest, holders, done });
    this.#fetch.tick();
  }

  #finish(value: Uint8Array | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#lookup?.end();
    this.#fetch?.end();
    this.#options.done(value);
  }
}

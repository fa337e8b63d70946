// The values of our own clients (protocol 7, "republish: owner"): first the proof of work, one after the other, then copies
// on other nodes, and again until the value runs out: the more copies are found gone, the sooner.

import { equalBytes } from '../bytes/index.ts';
import { POW_NONCE_BYTES, type PowTask, type RsaPublicKey, sha256 } from '../crypto/index.ts';
import type { Now } from '../link/index.ts';
import type { Held, Holdings } from './holdings.ts';
import { cut, PART_BYTES } from './manifest.ts';
import type { Published } from './publication.ts';
import {
  type DhtRecord,
  expiryMs,
  LIFETIME_MAX_S,
  makeRecord,
  recordTask,
  signedBody,
  withNonce,
} from './record.ts';

/** Waiting for their proof of work, in number and bytes. Guesses: some minutes of work. */
const QUEUE_MAX = 256;
const QUEUE_BYTES_MAX = 4 << 20;
/** Publications under way at a time. A guess. */
const PUBLISHING_MAX = 4;
/** Between two publications: when the first has found nobody, after the first, and at least. Guesses. */
const GAP_MS = { alone: 15_000, first: 300_000, min: 60_000 };
/** Of the copies, those that must still be there for the next look to be later than this one. A guess. */
const SOUND_SHARE = 0.75;

/** Who may write under the key of a signed value. */
export interface ValueSigner {
  readonly publicKey: RsaPublicKey;
  readonly salt: Uint8Array;
  readonly seq: number;
  /** Over a body for the purpose "dht-sig". */
  sign(body: Uint8Array): Uint8Array;
}

export interface OwnValue {
  readonly key: Uint8Array;
  /** 1 byte to 65,495. */
  readonly value: Uint8Array;
  /** At most LIFETIME_MAX_S count. */
  readonly lifetimeS: number;
  readonly copies: number;
  readonly signer?: ValueSigner;
}

interface Waiting {
  readonly key: Uint8Array;
  readonly record: DhtRecord;
  readonly value: Uint8Array;
  readonly parts: readonly Uint8Array[];
}

interface Schedule {
  dueMs: number;
  /** Undefined until it has been published for the first time. */
  gapMs: number | undefined;
  isRunning: boolean;
}

export interface OwnValuesOptions {
  readonly networkId: Uint8Array;
  readonly holdings: Holdings;
  now(): Now;
  solve(work: number, task: PowTask): void;
  publish(held: Held, done: (published: Published) => void): void;
}

export class OwnValues {
  readonly #options: OwnValuesOptions;
  /** By number of the work, the oldest being worked on; at most QUEUE_MAX. */
  readonly #queue = new Map<number, Waiting>();
  #queueBytes = 0;
  #lastWork = 0;
  /** Bounded by what Holdings keeps for our clients. */
  readonly #schedules = new Map<Held, Schedule>();
  #publishing = 0;

  constructor(options: OwnValuesOptions) {
    this.#options = options;
    const { nowMs } = options.now();
    for (const held of options.holdings.all()) {
      if (held.source !== undefined) continue;
      this.#schedules.set(held, { dueMs: nowMs, gapMs: undefined, isRunning: false });
    }
  }

  /** False when there is too much to do already. */
  put(put: OwnValue): boolean {
    const { value } = put;
    const isFull = this.#queue.size >= QUEUE_MAX;
    if (isFull || this.#queueBytes + value.length > QUEUE_BYTES_MAX) return false;
    this.#lastWork++;
    this.#queue.set(this.#lastWork, prepare(put, this.#options.now()));
    this.#queueBytes += value.length;
    if (this.#queue.size === 1) this.#workOnNext();
    return true;
  }

  /** What a client has put and nobody else can have yet. */
  waitingValue(key: Uint8Array): Uint8Array | undefined {
    return [...this.#queue.values()].findLast((waiting) => equalBytes(waiting.key, key))?.value;
  }

  onSolved(work: number, nonce: Uint8Array): void {
    const waiting = this.#queue.get(work);
    if (waiting === undefined) return;
    this.#queue.delete(work);
    this.#queueBytes -= waiting.value.length;
    this.#keep({ ...waiting, record: withNonce(waiting.record, nonce) });
    this.#workOnNext();
    this.tick();
  }

  /** Publishes what is due. */
  tick(): void {
    const now = this.#options.now();
    for (const [held, schedule] of this.#schedules) {
      if (expiryMs(held.record) <= now.wallMs) this.#schedules.delete(held);
      else if (!schedule.isRunning && schedule.dueMs <= now.nowMs) this.#publish(held, schedule);
    }
  }

  #workOnNext(): void {
    const [next] = this.#queue;
    if (next === undefined) return;
    const [work, { key, record }] = next;
    this.#options.solve(work, recordTask(this.#options.networkId, key, record));
  }

  #keep({ key, record, parts }: Waiting): void {
    const { holdings, now } = this.#options;
    for (const held of holdings.at(key)) {
      const isOlder = held.source === undefined && held.record.variant !== record.variant;
      if (!isOlder || held.record.form !== 'opaque') continue;
      holdings.remove(held);
      this.#schedules.delete(held);
    }
    holdings.offerWhole({ key, record, source: undefined }, parts, now());
    const held = holdings.at(key).find((one) => one.record.variant === record.variant);
    if (held === undefined) return;
    this.#schedules.set(held, { dueMs: now().nowMs, gapMs: undefined, isRunning: false });
  }

  #publish(held: Held, schedule: Schedule): void {
    if (this.#publishing >= PUBLISHING_MAX) return;
    this.#publishing++;
    schedule.isRunning = true;
    this.#options.publish(held, (published) => {
      this.#publishing--;
      schedule.isRunning = false;
      this.#onPublished(held, schedule, published);
      this.tick();
    });
  }

  #onPublished({ record }: Held, schedule: Schedule, { copies, known }: Published): void {
    const { nowMs } = this.#options.now();
    // Protocol 7: at the latest every TTL / 3.
    const maxMs = Math.max(GAP_MS.min, (record.lifetimeS * 1000) / 3);
    if (copies === 0) {
      schedule.dueMs = nowMs + GAP_MS.alone;
      return;
    }
    const { gapMs } = schedule;
    const isSound = known >= SOUND_SHARE * copies;
    const wanted = gapMs === undefined ? GAP_MS.first : isSound ? 2 * gapMs : gapMs / 2;
    schedule.gapMs = Math.min(maxMs, Math.max(GAP_MS.min, wanted));
    schedule.dueMs = nowMs + schedule.gapMs;
  }
}

/** All but the proof of work. A value under its own hash is content, whoever puts it. */
function prepare({ key, value, lifetimeS, copies, signer }: OwnValue, { wallMs }: Now): Waiting {
  const isParted = value.length > PART_BYTES;
  const { manifest, parts } = isParted ? cut(value) : { manifest: value, parts: [] };
  const isContent = equalBytes(key, sha256(value));
  const record = makeRecord({
    form: signer !== undefined ? 'signed' : isContent ? 'content' : 'opaque',
    copies,
    createdS: Math.floor(wallMs / 1000),
    lifetimeS: Math.min(lifetimeS, LIFETIME_MAX_S),
    nonce: new Uint8Array(POW_NONCE_BYTES),
    signer: signer && {
      ...signer,
      signature: signer.sign(signedBody(key, signer.seq, manifest)),
    },
    isParted,
    payload: manifest,
  });
  return { key, record, value, parts };
}

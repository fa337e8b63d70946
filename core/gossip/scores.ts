// What we think of each neighbour (protocol 4, "Score"; a reduced gossipsub v1.1). Ours alone, never told to anybody, and
// remembered for an hour after it has gone, so that coming back does not wash anything off.

import type { IdentityKey } from '../identity/index.ts';

/** Below: not in the mesh; its items ignored; disconnected and banned. */
export const SCORE_MESH_MIN = 0;
export const SCORE_HEARD_MIN = -20;
export const SCORE_BAN = -80;

const REMEMBERED_MS = 3_600_000;
/** A guess; connections, and who was here in the last hour. */
const REMEMBERED_MAX = 4096;
/** Of invalid items and broken promises, what is left after a minute. */
const DECAY_PER_MINUTE = 0.9;

interface Account {
  minutesInMesh: number;
  firstDeliveries: number;
  /** As of `atMs`. */
  invalid: number;
  brokenPromises: number;
  atMs: number;
  seenMs: number;
}

export class Scores {
  /** At most REMEMBERED_MAX; who was here last is forgotten last. */
  readonly #records = new Map<IdentityKey, Account>();

  /** `inSubnet`: how many neighbours, itself included, are in its subnet; 1 where that says nothing. */
  of(key: IdentityKey, inSubnet: number, nowMs: number): number {
    const crowd = 5 * Math.max(0, inSubnet - 2) ** 2;
    const record = this.#records.get(key);
    if (record === undefined) return 0 - crowd;
    this.#decay(record, nowMs);
    const { minutesInMesh, firstDeliveries, invalid, brokenPromises } = record;
    const merit = Math.min(10, minutesInMesh * 0.1) + Math.min(20, firstDeliveries * 0.1);
    return merit - 10 * invalid ** 2 - 5 * brokenPromises ** 2 - crowd;
  }

  /** It has been in the mesh for that long since the last call. */
  inMesh(key: IdentityKey, ms: number, nowMs: number): void {
    this.#record(key, nowMs).minutesInMesh += ms / 60_000;
  }

  delivered(key: IdentityKey, nowMs: number): void {
    this.#record(key, nowMs).firstDeliveries++;
  }

  invalid(key: IdentityKey, nowMs: number): void {
    this.#record(key, nowMs).invalid++;
  }

  brokePromise(key: IdentityKey, nowMs: number): void {
    this.#record(key, nowMs).brokenPromises++;
  }

  /** Forgets those who have been gone for long; the present are `keys`. */
  sweep(keys: Iterable<IdentityKey>, nowMs: number): void {
    for (const key of keys) if (this.#records.has(key)) this.#record(key, nowMs);
    for (const [key, { seenMs }] of this.#records) {
      if (nowMs < seenMs + REMEMBERED_MS) return;
      this.#records.delete(key);
    }
  }

  #record(key: IdentityKey, nowMs: number): Account {
    const known = this.#records.get(key) ?? fresh(nowMs);
    this.#decay(known, nowMs);
    known.seenMs = nowMs;
    this.#records.delete(key);
    this.#records.set(key, known);
    const [oldest] = this.#records.keys();
    if (this.#records.size > REMEMBERED_MAX && oldest !== undefined) this.#records.delete(oldest);
    return known;
  }

  #decay(record: Account, nowMs: number): void {
    const left = DECAY_PER_MINUTE ** ((nowMs - record.atMs) / 60_000);
    record.invalid *= left;
    record.brokenPromises *= left;
    record.atMs = nowMs;
  }
}

function fresh(nowMs: number): Account {
  const counts = { minutesInMesh: 0, firstDeliveries: 0, invalid: 0, brokenPromises: 0 };
  return { ...counts, atMs: nowMs, seenMs: nowMs };
}

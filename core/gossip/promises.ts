// What we asked neighbours for after their IHAVE, and who did not deliver (protocol 4, "broken promises"). Of each IWANT one
// item, drawn at random, is what counts (gossipsub v1.1); it may come from anybody.

import type { IdentityKey } from '../identity/index.ts';
import { pick, type Rng } from '../runtime/index.ts';
import type { ItemId } from './item.ts';

/** Ours wait in a queue that may hold them up for 4 s. A guess. */
const PROMISE_MS = 10_000;
/** Then somebody else may be asked: less than the three heartbeats for which an item is told of. A guess. */
const ASK_AGAIN_MS = 1500;

interface Promised {
  readonly by: IdentityKey;
  readonly untilMs: number;
}

export class Promises {
  readonly #rng: Rng;
  /** One for each IWANT of the last PROMISE_MS. */
  readonly #promised = new Map<ItemId, Promised>();
  /** When each was asked for, in that order; bounded by the ids we look at per heartbeat. */
  readonly #askedMs = new Map<ItemId, number>();

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  isAsked(id: ItemId, nowMs: number): boolean {
    return nowMs < (this.#askedMs.get(id) ?? Number.NEGATIVE_INFINITY) + ASK_AGAIN_MS;
  }

  ask(by: IdentityKey, ids: readonly ItemId[], nowMs: number): void {
    for (const id of ids) {
      this.#askedMs.delete(id);
      this.#askedMs.set(id, nowMs);
    }
    const counted = pick(this.#rng, ids);
    if (counted === undefined || this.#promised.has(counted)) return;
    this.#promised.set(counted, { by, untilMs: nowMs + PROMISE_MS });
  }

  delivered(id: ItemId): void {
    this.#promised.delete(id);
    this.#askedMs.delete(id);
  }

  /** He has gone, and cannot keep them any more. */
  release(by: IdentityKey): void {
    for (const [id, promised] of this.#promised) if (promised.by === by) this.#promised.delete(id);
  }

  /** Who broke one, once for each. */
  takeBroken(nowMs: number): readonly IdentityKey[] {
    for (const [id, askedMs] of this.#askedMs) {
      if (nowMs < askedMs + ASK_AGAIN_MS) break;
      this.#askedMs.delete(id);
    }
    const broken = [...this.#promised].filter(([, { untilMs }]) => nowMs >= untilMs);
    for (const [id] of broken) this.#promised.delete(id);
    return broken.map(([, { by }]) => by);
  }
}

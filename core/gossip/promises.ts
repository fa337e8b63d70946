// What we asked neighbours for after their IHAVE: who else could be asked, and who did not deliver (protocol 4, "broken
// promises"). Of each IWANT one item, drawn at random, is what counts (gossipsub v1.1); it may come from anybody.

import type { IdentityKey } from '../identity/index.ts';
import { pick, type Rng } from '../runtime/index.ts';
import type { ItemId } from './item.ts';
import type { Neighbour, NeighbourId } from './neighbours.ts';

/** Ours wait in a queue that may hold them up for 4 s. A guess. */
const PROMISE_MS = 10_000;
/** Then somebody else is asked. A guess: several round trips. */
const ASK_AGAIN_MS = 1000;
/** Who else told of an item is remembered up to so many, so that liars who are first gain little. A guess. */
const OTHERS_MAX = 8;

interface Promised {
  readonly by: IdentityKey;
  readonly untilMs: number;
}

interface Asked {
  readonly atMs: number;
  /** Who has told of it too, at most OTHERS_MAX. */
  readonly others: NeighbourId[];
}

export class Promises {
  readonly #rng: Rng;
  /** One for each IWANT of the last PROMISE_MS. */
  readonly #promised = new Map<ItemId, Promised>();
  /** In the order they were asked for; bounded by the ids we look at per heartbeat. */
  readonly #asked = new Map<ItemId, Asked>();

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  /** Of what `from` tells us of, what nobody has been asked for. */
  unasked(from: Neighbour, ids: readonly ItemId[]): readonly ItemId[] {
    return ids.filter((id) => {
      const others = this.#asked.get(id)?.others;
      if (others !== undefined && others.length < OTHERS_MAX) others.push(from.id);
      return others === undefined;
    });
  }

  /** `of` is sent an IWANT. */
  ask(of: Neighbour, ids: readonly ItemId[], nowMs: number): void {
    for (const id of ids) {
      const others = this.#asked.get(id)?.others ?? [];
      this.#asked.delete(id);
      this.#asked.set(id, { atMs: nowMs, others });
    }
    const counted = pick(this.#rng, ids);
    if (counted === undefined || this.#promised.has(counted)) return;
    this.#promised.set(counted, { by: of.key, untilMs: nowMs + PROMISE_MS });
  }

  delivered(id: ItemId): void {
    this.#promised.delete(id);
    this.#asked.delete(id);
  }

  /** He has gone, and cannot keep them any more. */
  release(by: IdentityKey): void {
    for (const [id, promised] of this.#promised) if (promised.by === by) this.#promised.delete(id);
  }

  /** What has not come in time, by who else is to be asked for it. */
  takeLate(nowMs: number): ReadonlyMap<NeighbourId, readonly ItemId[]> {
    const late = new Map<NeighbourId, ItemId[]>();
    for (const [id, { atMs, others }] of this.#asked) {
      if (nowMs < atMs + ASK_AGAIN_MS) break;
      const next = others.shift();
      if (next === undefined) this.#asked.delete(id);
      else late.set(next, [...(late.get(next) ?? []), id]);
    }
    return late;
  }

  /** Who broke one, once for each. */
  takeBroken(nowMs: number): readonly IdentityKey[] {
    const broken = [...this.#promised].filter(([, { untilMs }]) => nowMs >= untilMs);
    for (const [id] of broken) this.#promised.delete(id);
    return broken.map(([, { by }]) => by);
  }
}

// Who gets each item at once (protocol 4; gossipsub v1.1 reduced): about D of our neighbours. The others are told what there
// is (IHAVE). The choice is ours alone: there is no GRAFT and PRUNE, so nobody can force himself in, and nobody learns what
// we think of him. Called once per heartbeat.

import type { IdentityKey } from '../identity/index.ts';
import { type Rng, shuffled } from '../runtime/index.ts';
import type { NeighbourId } from './neighbours.ts';
import { SCORE_MESH_MIN } from './scores.ts';

/** Protocol 4 for D = 6: D_lo 4, D_hi 12. */
const LOW = 2 / 3;
const HIGH = 2;
/** D_out. */
const OUTBOUND_MIN = 2;
/** Who was put out stays out for so long. */
const BACKOFF_MS = 60_000;
/** Opportunistic grafting: every minute, if the mesh is no better than this, two who are. */
const GRAFT_MS = 60_000;
const GRAFT_BELOW = 1;
const GRAFTED = 2;

/** A neighbour as far as the mesh is concerned. */
export interface Candidate {
  readonly id: NeighbourId;
  readonly key: IdentityKey;
  readonly isOutbound: boolean;
  readonly score: number;
}

export class Mesh {
  readonly #degree: number;
  readonly #rng: Rng;
  /** At most twice the degree, after a heartbeat. */
  readonly #members = new Set<NeighbourId>();
  /** Until when those that were put out stay out; swept with every heartbeat. */
  readonly #backoffMs = new Map<IdentityKey, number>();
  #graftsMs: number;

  constructor({ degree, rng }: { readonly degree: number; readonly rng: Rng }, nowMs: number) {
    this.#degree = degree;
    this.#rng = rng;
    this.#graftsMs = nowMs + GRAFT_MS;
  }

  get size(): number {
    return this.#members.size;
  }

  has(id: NeighbourId): boolean {
    return this.#members.has(id);
  }

  leave(id: NeighbourId): void {
    this.#members.delete(id);
  }

  /** `all` are the neighbours there are. */
  heartbeat(all: readonly Candidate[], nowMs: number): void {
    for (const [key, untilMs] of this.#backoffMs) {
      if (nowMs >= untilMs) this.#backoffMs.delete(key);
    }
    for (const one of all) {
      if (this.has(one.id) && one.score < SCORE_MESH_MIN) this.#putOut(one, nowMs);
    }
    this.#shrink(all, nowMs);
    this.fill(all);
    if (nowMs >= this.#graftsMs) this.#graftBetter(all, nowMs);
  }

  /** Takes some in when there are too few whom we called, or too few in all. */
  fill(all: readonly Candidate[]): void {
    const called = all.filter(({ isOutbound }) => isOutbound);
    const lacking =
      Math.min(OUTBOUND_MIN, this.#degree) - called.filter(({ id }) => this.has(id)).length;
    this.#takeIn(this.#free(called), lacking);
    if (this.#members.size >= Math.ceil(this.#degree * LOW)) return;
    this.#takeIn(this.#free(all), this.#degree - this.#members.size);
  }

  /** Keeps the best when there are too many, and enough that we chose to call. */
  #shrink(all: readonly Candidate[], nowMs: number): void {
    if (this.#members.size <= this.#degree * HIGH) return;
    const members = shuffled(this.#rng, all)
      .filter(({ id }) => this.has(id))
      .sort((a, b) => b.score - a.score);
    const outbound = members.filter(({ isOutbound }) => isOutbound).slice(0, OUTBOUND_MIN);
    const kept = [...new Set([...outbound, ...members])].slice(0, this.#degree);
    for (const one of members) if (!kept.includes(one)) this.#putOut(one, nowMs);
  }

  #graftBetter(all: readonly Candidate[], nowMs: number): void {
    this.#graftsMs = nowMs + GRAFT_MS;
    const scores = all
      .filter(({ id }) => this.has(id))
      .map(({ score }) => score)
      .sort((a, b) => a - b);
    const median = scores[Math.floor(scores.length / 2)] ?? GRAFT_BELOW;
    if (median >= GRAFT_BELOW) return;
    const better = this.#free(all).filter(({ score }) => score > median);
    this.#takeIn(better, GRAFTED);
  }

  /** Who could be taken in, in random order. */
  #free(all: readonly Candidate[]): Candidate[] {
    return shuffled(this.#rng, all).filter(
      ({ id, key, score }) => !this.has(id) && score >= SCORE_MESH_MIN && !this.#backoffMs.has(key),
    );
  }

  #takeIn(free: readonly Candidate[], count: number): void {
    for (const { id } of free.slice(0, Math.max(0, count))) this.#members.add(id);
  }

  #putOut({ id, key }: Candidate, nowMs: number): void {
    this.#members.delete(id);
    this.#backoffMs.set(key, nowMs + BACKOFF_MS);
  }
}

// How items reach those who were not sent them at once (protocol 4): every heartbeat IHAVE tells some neighbours outside the
// mesh what came in the last three, and IWANT asks for what is new; PULL, when a channel opens and every 30 s, gives a
// neighbour all we know of, and it answers with what we lack.

import { type Rng, shuffled } from '../runtime/index.ts';
import type { Held } from './cache.ts';
import type { Dispatch } from './dispatch.ts';
import { type Holdings, pullFromMin } from './holdings.ts';
import type { ItemId } from './item.ts';
import type { Mesh } from './mesh.ts';
import type { Neighbour, Neighbours } from './neighbours.ts';
import type { Now, SendMessage } from './port.ts';
import { Promises } from './promises.ts';
import { SCORE_HEARD_MIN, SCORE_MESH_MIN } from './scores.ts';
import { IHAVE_IDS_MAX, IWANT_IDS_MAX } from './wire.ts';

/** For how many heartbeats an item is told of (gossipsub's history). */
const WINDOWS = 3;
/** To this share of the neighbours outside the mesh, and at least to as many as the mesh should have. */
const TOLD_SHARE = 0.25;
/** Protocol 4: of all neighbours together, in one heartbeat. */
const IDS_PER_HEARTBEAT_MAX = 5000;
/** Protocol 4. */
const ANSWERS_MAX = 3;
const PULL_MS = 30_000;
/**
 * Protocol 4 has PULL every 30 s. From all neighbours that would be more than the items themselves (1,000 ids are 16 KB),
 * so it is from so many, drawn anew each time. A guess.
 */
const PULLED_FROM = 2;

export interface ExchangeOptions {
  readonly rng: Rng;
  readonly degree: number;
  readonly holdings: Holdings;
  readonly dispatch: Dispatch;
  readonly neighbours: Neighbours;
  readonly mesh: Mesh;
  scoreOf(neighbour: Neighbour): number;
  readonly send: SendMessage;
}

export class Exchange {
  readonly promises: Promises;
  readonly #options: ExchangeOptions;
  /** Ids accepted in the last heartbeats, the latest first; bounded by what all neighbours may push. */
  #windows: readonly ItemId[][] = [[]];
  #idsLeft = IDS_PER_HEARTBEAT_MAX;
  #pullsMs: number;

  constructor(options: ExchangeOptions, nowMs: number) {
    this.#options = options;
    this.promises = new Promises(options.rng);
    this.#pullsMs = nowMs + PULL_MS;
  }

  /** Neighbours outside the mesh are going to be told of it. */
  put({ item }: Held): void {
    this.#windows[0]?.push(item.id);
  }

  heartbeat(now: Now): void {
    const ready = this.#options.neighbours.ready();
    this.#idsLeft = IDS_PER_HEARTBEAT_MAX;
    this.#tell(ready, now);
    this.#windows = [[], ...this.#windows].slice(0, WINDOWS);
    for (const [id, ids] of this.promises.takeLate(now.nowMs)) {
      const other = this.#options.neighbours.find(id);
      if (other !== undefined) this.#ask(other, ids, now.nowMs);
    }
    if (now.nowMs < this.#pullsMs) return;
    this.#pullsMs = now.nowMs + PULL_MS;
    for (const neighbour of this.#some(ready, PULLED_FROM)) this.pull(neighbour, now);
  }

  /** Asks for all that we lack; not more often than is answered, or sooner if it is urgent for once. */
  pull(from: Neighbour, { nowMs, wallMs }: Now, { isUrgent = false } = {}): void {
    if (!isUrgent && nowMs < from.pulledMs + PULL_MS) return;
    from.pulledMs = nowMs;
    this.#options.send(from, { type: 'pull', ...this.#options.holdings.recent(wallMs) });
  }

  onIhave(from: Neighbour, ids: readonly ItemId[], { nowMs }: Now): void {
    const { holdings, scoreOf } = this.#options;
    if (!from.mayAsk('ihave', nowMs) || scoreOf(from) < SCORE_HEARD_MIN) return;
    const lookedAt = ids.slice(0, this.#idsLeft);
    this.#idsLeft -= lookedAt.length;
    for (const id of lookedAt) holdings.find(id)?.holders.add(from.id);
    const unknown = lookedAt.filter((id) => !holdings.isKnown(id));
    this.#ask(from, this.promises.unasked(from, unknown), nowMs);
  }

  onIwant(from: Neighbour, ids: readonly ItemId[], now: Now): void {
    const { holdings, dispatch } = this.#options;
    if (!from.mayAsk('iwant', now.nowMs)) return;
    for (const id of ids) {
      const held = holdings.cache.find(id);
      const answers = held?.answers.get(from.id) ?? 0;
      if (held === undefined || answers >= ANSWERS_MAX) continue;
      held.answers.set(from.id, answers + 1);
      dispatch.put(held, from, 'wanted', now);
    }
    dispatch.flush(from, now);
  }

  onPull(from: Neighbour, sinceMin: number, ids: readonly ItemId[], now: Now): void {
    const { holdings, dispatch } = this.#options;
    if (!from.mayAsk('pull', now.nowMs)) return;
    const earliestMin = Math.max(sinceMin, pullFromMin(now.wallMs));
    const known = new Set(ids);
    const lacking = [...holdings.cache.values()].filter(
      ({ item }) =>
        item.createdMin >= earliestMin &&
        !known.has(item.id) &&
        from.dataTypes?.has(item.dataType) === true,
    );
    for (const held of lacking.reverse()) dispatch.put(held, from, 'backlog', now);
    dispatch.flush(from, now);
  }

  #ask(of: Neighbour, ids: readonly ItemId[], nowMs: number): void {
    const wanted = this.#some([...new Set(ids)], IWANT_IDS_MAX);
    if (wanted.length === 0) return;
    this.promises.ask(of, wanted, nowMs);
    this.#options.send(of, { type: 'iwant', ids: wanted });
  }

  #tell(ready: readonly Neighbour[], now: Now): void {
    const { degree, mesh, scoreOf } = this.#options;
    const held = this.#windows.flatMap((ids) =>
      ids.flatMap((id) => this.#options.holdings.cache.find(id) ?? []),
    );
    if (held.length === 0) return;
    const others = ready.filter((one) => !mesh.has(one.id) && scoreOf(one) >= SCORE_MESH_MIN);
    const count = Math.max(degree, Math.ceil(others.length * TOLD_SHARE));
    for (const neighbour of this.#some(others, count)) this.#tellOne(neighbour, held, now);
  }

  #tellOne(to: Neighbour, all: readonly Held[], now: Now): void {
    const { dispatch, send } = this.#options;
    const news = all.filter((held) => !held.holders.has(to.id) && dispatch.mayGo(held, to, now));
    const ids = this.#some(news, IHAVE_IDS_MAX).map(({ item }) => item.id);
    if (ids.length > 0) send(to, { type: 'ihave', ids });
  }

  #some<T>(all: readonly T[], count: number): T[] {
    return shuffled(this.#options.rng, all).slice(0, count);
  }
}

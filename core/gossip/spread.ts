// The way of an item through our node (protocol 4): from a neighbour, a module or a tunnel, past the cheap checks, to the
// modules that judge it, and on to others.

import type { IdentityKey } from '../identity/index.ts';
import type { Held, Source } from './cache.ts';
import type { ClientId, Clients } from './clients.ts';
import type { Dispatch } from './dispatch.ts';
import type { Exchange } from './exchange.ts';
import type { Holdings } from './holdings.ts';
import { decodeItem, hasBegun, hasProof, type Item, isOver } from './item.ts';
import type { Mesh } from './mesh.ts';
import type { Neighbour, Neighbours } from './neighbours.ts';
import type { Drop, Now } from './port.ts';
import { SCORE_HEARD_MIN, SCORE_MESH_MIN, type Scores } from './scores.ts';
import { Validation, type ValidationCase, type Verdict } from './validation.ts';

export interface SpreadOptions {
  readonly networkId: Uint8Array;
  readonly holdings: Holdings;
  readonly dispatch: Dispatch;
  readonly exchange: Exchange;
  readonly neighbours: Neighbours;
  readonly mesh: Mesh;
  readonly scores: Scores;
  readonly clients: Clients<ValidationCase>;
  scoreOf(neighbour: Neighbour): number;
  /** After something that lowers a score. */
  onFault(key: IdentityKey): void;
  notify(client: ClientId, messageId: number, item: Item): void;
  drop(why: Drop): void;
}

export class Spread {
  readonly validation: Validation;
  readonly #options: SpreadOptions;
  /** Of the input that is being worked on. */
  #now: Now = { nowMs: 0, wallMs: 0 };

  constructor(options: SpreadOptions) {
    this.#options = options;
    this.validation = new Validation({
      clients: options.clients,
      notify: (client, messageId, { item }) => options.notify(client, messageId, item),
      onVerdict: (held, verdict) => this.#onVerdict(held, verdict),
      onOverflow: (held) => {
        options.holdings.forget(held);
        options.drop('too many waiting');
      },
    });
  }

  /** Why it was ignored, if it was. Throws DecodeError. */
  onPush(from: Neighbour, encoded: Uint8Array, now: Now): Drop | undefined {
    const { networkId, exchange, holdings, scoreOf } = this.#options;
    if (scoreOf(from) < SCORE_HEARD_MIN) return 'low score';
    if (!from.mayPush(encoded.length, now.nowMs)) return 'over quota';
    const item = decodeItem(encoded, networkId);
    exchange.promises.delivered(item.id);
    from.outbox.remove(item.id);
    if (!holdings.isKnown(item.id)) return this.#onNew(item, from, now);
    holdings.find(item.id)?.holders.add(from.id);
    return 'known';
  }

  /** An item whose proof was found by somebody at the far end of a tunnel. Throws DecodeError. */
  inject(encoded: Uint8Array, now: Now): Drop | undefined {
    const { networkId, holdings } = this.#options;
    const item = decodeItem(encoded, networkId);
    if (holdings.isKnown(item.id)) return 'known';
    const fault = this.#faultOf(item, now);
    if (fault === undefined) this.#submit(newlyHeld(item, 'tunnel'), undefined, now);
    return fault;
  }

  /** What a module of ours announced, with its proof. */
  announce(encoded: Uint8Array, announcer: ClientId, now: Now): void {
    const item = decodeItem(encoded, this.#options.networkId);
    if (this.#options.holdings.isKnown(item.id)) return;
    this.#submit(newlyHeld(item, 'own'), announcer, now);
  }

  /** Within a call of `validation`. */
  at(now: Now): Validation {
    this.#now = now;
    return this.validation;
  }

  #onNew(item: Item, from: Neighbour, now: Now): Drop | undefined {
    const { scores, onFault } = this.#options;
    const fault = this.#faultOf(item, now);
    if (fault === undefined) {
      const arrived = newlyHeld(item, from.key);
      arrived.holders.add(from.id);
      this.#submit(arrived, undefined, now);
    } else if (fault === 'no proof of work') {
      scores.invalid(from.key, now.nowMs);
      onFault(from.key);
    }
    return fault;
  }

  /** The cheap checks, the cheapest first. */
  #faultOf(item: Item, { wallMs }: Now): Drop | undefined {
    const { clients, holdings } = this.#options;
    if (!clients.wants(item.dataType)) {
      holdings.putUnwanted(item);
      return 'unwanted';
    }
    if (isOver(item, wallMs) || !hasBegun(item, wallMs)) return 'not its time';
    return hasProof(item) ? undefined : 'no proof of work';
  }

  #submit(arrived: Held, announcer: ClientId | undefined, now: Now): void {
    this.#options.holdings.begin(arrived);
    this.at(now).submit(arrived, announcer, now.nowMs);
  }

  #onVerdict(judged: Held, verdict: Verdict): void {
    const { holdings, drop } = this.#options;
    // Nobody has to vouch for what a module of our own announces, but any other may object.
    const isGood = verdict === 'valid' || (verdict === 'unanswered' && judged.source === 'own');
    if (isGood) {
      this.#accept(judged);
      return;
    }
    holdings.refuse(judged);
    drop(verdict === 'invalid' ? 'invalid' : 'not validated');
    if (verdict === 'invalid') this.#blame(judged.source);
  }

  #accept(judged: Held): void {
    const { holdings, exchange } = this.#options;
    holdings.accept(judged);
    exchange.put(judged);
    this.#credit(judged.source);
    this.#forward(judged);
  }

  /** Our own go to all who are not bad, others' to the mesh. */
  #forward(judged: Held): void {
    const { neighbours, mesh, dispatch, scoreOf } = this.#options;
    for (const to of neighbours.ready()) {
      if (judged.holders.has(to.id)) continue;
      const isTarget = judged.source === 'own' ? scoreOf(to) >= SCORE_MESH_MIN : mesh.has(to.id);
      if (!isTarget) continue;
      dispatch.put(judged, to, 'fresh', this.#now);
      dispatch.flush(to, this.#now);
    }
  }

  #credit(source: Source): void {
    if (!isNeighbour(source)) return;
    this.#options.scores.delivered(source, this.#now.nowMs);
    const neighbour = this.#options.neighbours.withIdentity(source);
    if (neighbour !== undefined) neighbour.usefulMs = this.#now.nowMs;
  }

  #blame(source: Source): void {
    if (!isNeighbour(source)) return;
    this.#options.scores.invalid(source, this.#now.nowMs);
    this.#options.onFault(source);
  }
}

function newlyHeld(item: Item, source: Source): Held {
  return { item, source, holders: new Set(), answers: new Map() };
}

function isNeighbour(source: Source): source is IdentityKey {
  return source !== 'own' && source !== 'tunnel';
}

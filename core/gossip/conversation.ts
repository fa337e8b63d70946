// What neighbours say (protocol 4, "Messages"), and to which part of the machine it goes. HELLO comes first; it says which
// data types somebody understands, and comes again when that changes.

import { DecodeError } from '../bytes/index.ts';
import type { Clients } from './clients.ts';
import type { Exchange } from './exchange.ts';
import type { Membership } from './membership.ts';
import type { Candidate, Mesh } from './mesh.ts';
import type { Neighbour } from './neighbours.ts';
import type { Drop, Now, SendMessage } from './port.ts';
import { Rate } from './rate.ts';
import type { Spread } from './spread.ts';
import type { ValidationCase } from './validation.ts';
import { type GossipMessage, TYPES_MAX } from './wire.ts';

/** When our modules want more than before, all neighbours are asked for what they have, as often as they answer. */
const CATCH_UP = { perSecond: 1 / 30, burst: 2 };

type AnyButBye = Exclude<GossipMessage, { readonly type: 'bye' }>;

export interface ConversationOptions {
  readonly membership: Membership;
  readonly clients: Clients<ValidationCase>;
  readonly mesh: Mesh;
  readonly exchange: Exchange;
  readonly spread: Spread;
  readonly send: SendMessage;
  drop(why: Drop): void;
}

export class Conversation {
  readonly #options: ConversationOptions;
  readonly #catchUp = new Rate(CATCH_UP);

  constructor(options: ConversationOptions) {
    this.#options = options;
  }

  open(neighbour: Neighbour): void {
    this.#options.send(neighbour, this.#hello());
  }

  /** A DecodeError is the neighbour's own act: what comes over its channel nobody else can have written. */
  onMessage(from: Neighbour, message: GossipMessage, now: Now): void {
    const { membership } = this.#options;
    from.heardMs = now.nowMs;
    try {
      if (message.type === 'bye') membership.part(from, 'stopping');
      else if (from.dataTypes === undefined) this.#onFirst(from, message, now);
      else this.#onNext(from, message, now);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      membership.ban(from, now.nowMs);
    }
  }

  /** Others learn what we want now, and give us what they have of it. */
  tellTypes(now: Now): void {
    const { membership, exchange, send } = this.#options;
    const ready = membership.neighbours.ready();
    const isUrgent = ready.length > 0 && this.#catchUp.take(1, now.nowMs);
    for (const neighbour of ready) {
      send(neighbour, this.#hello());
      exchange.pull(neighbour, now, { isUrgent });
    }
  }

  /** The neighbours as the mesh sees them. */
  candidates(nowMs: number): readonly Candidate[] {
    const { membership } = this.#options;
    return membership.neighbours.ready().map((neighbour) => {
      const { id, key, isOutbound } = neighbour;
      return { id, key, isOutbound, score: membership.scoreOf(neighbour, nowMs) };
    });
  }

  #onFirst(from: Neighbour, message: AnyButBye, now: Now): void {
    const { membership, mesh, exchange } = this.#options;
    if (message.type !== 'hello') throw new DecodeError('a message before HELLO');
    from.dataTypes = new Set(message.dataTypes);
    mesh.fill(this.candidates(now.nowMs));
    exchange.pull(from, now);
    membership.liveness.heartbeat(from, now.nowMs);
    if (from.isOutbound) membership.introductions.ask(from, now.nowMs);
  }

  #onNext(from: Neighbour, message: AnyButBye, now: Now): void {
    const { exchange, membership } = this.#options;
    const { introductions, liveness } = membership;
    switch (message.type) {
      case 'hello':
        if (from.mayAsk('hello', now.nowMs)) from.dataTypes = new Set(message.dataTypes);
        break;
      case 'push':
        this.#onPush(from, message.item, now);
        break;
      case 'ihave':
        exchange.onIhave(from, message.ids, now);
        break;
      case 'iwant':
        exchange.onIwant(from, message.ids, now);
        break;
      case 'pull':
        exchange.onPull(from, message.sinceMin, message.ids, now);
        break;
      case 'peers request':
        introductions.onRequest(from, now.nowMs);
        break;
      case 'peers':
        introductions.onPeers(from, message.descriptors, now);
        break;
      case 'ping':
        liveness.onPing(from, message.nonce, now.nowMs);
        break;
      case 'pong':
        liveness.onPong(from, message.nonce, now.nowMs);
        break;
    }
  }

  #onPush(from: Neighbour, item: Uint8Array, now: Now): void {
    const why = this.#options.spread.onPush(from, item, now);
    if (why !== undefined) this.#options.drop(why);
  }

  #hello(): GossipMessage {
    const dataTypes = this.#options.clients.dataTypes().slice(0, TYPES_MAX);
    return { type: 'hello', dataTypes };
  }
}

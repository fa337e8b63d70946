// The gossip machine (protocol 4): takes one input at a time and answers with what is to be done. Who the neighbours are is
// membership.ts's business, the way of items spread.ts's and exchange.ts's; here they meet. No socket, clock or thread is
// known: channels, proofs of work and the modules' API are driver.ts's.

import { DecodeError } from '../bytes/index.ts';
import type { NodeDescriptor } from '../identity/index.ts';
import { type Address, randomBetween } from '../runtime/index.ts';
import { Announcing } from './announcing.ts';
import { type ClientId, Clients } from './clients.ts';
import { Conversation } from './conversation.ts';
import { Dispatch } from './dispatch.ts';
import { Exchange } from './exchange.ts';
import { Holdings } from './holdings.ts';
import { type Judgement, Membership, type MembershipOptions } from './membership.ts';
import { Mesh } from './mesh.ts';
import type { Neighbour, NewNeighbour } from './neighbours.ts';
import type { DialId, Drop, GossipInput, GossipOutput, GossipStatus, Now } from './port.ts';
import { Spread } from './spread.ts';
import type { SavedState } from './state.ts';
import { initialTtl } from './ttl.ts';
import type { ValidationCase } from './validation.ts';
import type { GossipMessage } from './wire.ts';

/** Gossipsub's heartbeat of 1 s, not quite regular, so that nodes started together do not all act at once. */
const HEARTBEAT_MS = { min: 900, max: 1100 };
const SWEEP_MS = 60_000;

export interface GossipOptions extends MembershipOptions {
  readonly networkId: Uint8Array;
  readonly degree: number;
  readonly cacheSize: number;
  /** See ttl.ts. */
  readonly hidesOrigin: boolean;
}

export class Gossip {
  readonly #options: GossipOptions;
  readonly #membership: Membership;
  readonly #holdings: Holdings;
  readonly #clients: Clients<ValidationCase>;
  readonly #mesh: Mesh;
  readonly #dispatch: Dispatch;
  readonly #exchange: Exchange;
  readonly #spread: Spread;
  readonly #announcing: Announcing;
  readonly #conversation: Conversation;
  /** Of the input that is being worked on, as the outputs are. */
  #now: Now;
  #outputs: GossipOutput[] = [];
  #hasNewTypes = false;
  #beatenMs: number;
  #beatsMs: number;
  #sweepsMs: number;

  constructor(options: GossipOptions, now: Now) {
    const { rng, networkId, degree, hidesOrigin } = options;
    const { nowMs } = now;
    this.#options = options;
    this.#now = now;
    this.#beatenMs = nowMs;
    this.#beatsMs = nowMs;
    this.#sweepsMs = nowMs + SWEEP_MS;
    const put = (output: GossipOutput): void => void this.#outputs.push(output);
    const send = (to: Neighbour, message: GossipMessage): void =>
      put({ type: 'send', to: to.id, message });
    const membership = new Membership(
      options,
      { put, send, onGone: (neighbour) => this.#onGone(neighbour) },
      now,
    );
    const { neighbours, scores } = membership;
    const scoreOf = (neighbour: Neighbour): number =>
      membership.scoreOf(neighbour, this.#now.nowMs);
    const countsDown = (neighbour: Neighbour): boolean =>
      !hidesOrigin || membership.coin(neighbour);
    const clients = new Clients<ValidationCase>(rng);
    const holdings = new Holdings(options.cacheSize);
    const mesh = new Mesh({ degree, rng }, nowMs);
    const dispatch = new Dispatch({ holdings, countsDown, send });
    const common = { rng, degree, networkId, holdings, dispatch, neighbours, mesh, scoreOf, send };
    const exchange = new Exchange(common, nowMs);
    this.#membership = membership;
    this.#clients = clients;
    this.#holdings = holdings;
    this.#mesh = mesh;
    this.#dispatch = dispatch;
    this.#exchange = exchange;
    this.#spread = new Spread({
      ...common,
      exchange,
      scores,
      clients,
      onFault: (key) => membership.judgeScore(key, this.#now.nowMs),
      notify: (client, messageId, { dataType, data }) =>
        put({ type: 'notification', client, messageId, dataType, data }),
      drop: (why) => this.#drop(why),
    });
    this.#conversation = new Conversation({
      membership,
      clients,
      mesh,
      exchange,
      spread: this.#spread,
      send,
      drop: (why) => this.#drop(why),
    });
    this.#announcing = new Announcing({
      rng,
      networkId,
      solve: (proof, task) => put({ type: 'solve', proof, task }),
      onItem: (encoded, client) => this.#spread.announce(encoded, client, this.#now),
    });
  }

  handle(input: GossipInput, now: Now): readonly GossipOutput[] {
    this.#now = now;
    this.#outputs = [];
    this.#take(input);
    return this.#outputs;
  }

  nextDeadlineMs(): number {
    return Math.min(this.#beatsMs, this.#spread.validation.nextDeadlineMs());
  }

  /** Whether to go on with who has just proven who he is. 'later': to be asked again. */
  judge(peer: NodeDescriptor, nowMs: number): Judgement {
    return this.#membership.judge(peer, nowMs);
  }

  /** Whether nobody from there is listened to. */
  isRefused(address: Address, nowMs: number): boolean {
    return this.#membership.isRefused(address, nowMs);
  }

  /** Somebody there broke the protocol before there was a channel; `peer` if he had proven who he is. */
  fault(address: Address, peer: NodeDescriptor | undefined, nowMs: number): void {
    this.#membership.fault(address, peer, nowMs);
  }

  /** What the next run begins with. */
  saved(): SavedState {
    return this.#membership.saved(this.#now);
  }

  status(nowMs: number): GossipStatus {
    const { knownNodes, neighbours } = this.#membership;
    return {
      neighbours: neighbours.ready().map((neighbour) => ({
        peer: neighbour.peer,
        address: neighbour.address,
        isOutbound: neighbour.isOutbound,
        isInMesh: this.#mesh.has(neighbour.id),
        score: this.#membership.scoreOf(neighbour, nowMs),
        pingMs: Number.isFinite(neighbour.pingMs) ? neighbour.pingMs : undefined,
        ageMs: nowMs - neighbour.sinceMs,
      })),
      knownNodes: knownNodes.all,
      reachedNodes: knownNodes.reached,
      items: this.#holdings.cache.size,
      itemBytes: this.#holdings.cache.bytes,
      waiting: this.#spread.validation.size,
    };
  }

  #take(input: GossipInput): void {
    const { nowMs, wallMs } = this.#now;
    switch (input.type) {
      case 'tick':
        this.#onTick();
        break;
      case 'connected': {
        const { neighbour: id, peer, address, dial } = input;
        this.#onConnected({ id, peer, address, isOutbound: dial !== undefined }, dial);
        break;
      }
      case 'dial failed':
        this.#membership.dialFailed(input.dial, nowMs);
        break;
      case 'message':
        this.#withNeighbour(input.from, (from) =>
          this.#conversation.onMessage(from, input.message, this.#now),
        );
        break;
      case 'violation':
        this.#withNeighbour(input.from, (from) => this.#membership.ban(from, nowMs));
        break;
      case 'disconnected':
        this.#withNeighbour(input.neighbour, (gone) => this.#membership.remove(gone));
        break;
      case 'announce':
        this.#onAnnounce(input);
        break;
      case 'solved':
        this.#announcing.solved(input.proof, input.nonce, wallMs);
        break;
      case 'inject':
        this.#onInject(input.item);
        break;
      case 'notify':
        this.#onNotify(input.client, input.dataType);
        break;
      case 'validation':
        this.#onValidation(input);
        break;
      case 'client gone':
        this.#onClientGone(input.client);
        break;
    }
  }

  #onTick(): void {
    const { nowMs } = this.#now;
    this.#spread.at(this.#now).onTick(nowMs);
    if (nowMs < this.#beatsMs) return;
    this.#beatsMs = nowMs + randomBetween(this.#options.rng, HEARTBEAT_MS.min, HEARTBEAT_MS.max);
    this.#heartbeat();
    this.#beatenMs = nowMs;
  }

  #heartbeat(): void {
    const { nowMs, wallMs } = this.#now;
    const { neighbours, scores } = this.#membership;
    for (const { id, key } of neighbours.all()) {
      if (this.#mesh.has(id)) scores.inMesh(key, nowMs - this.#beatenMs, nowMs);
    }
    for (const key of this.#exchange.promises.takeBroken(nowMs)) {
      scores.brokePromise(key, nowMs);
      this.#membership.judgeScore(key, nowMs);
    }
    this.#membership.heartbeat(nowMs);
    this.#mesh.heartbeat(this.#conversation.candidates(nowMs), nowMs);
    this.#exchange.heartbeat(this.#now);
    if (this.#hasNewTypes) this.#conversation.tellTypes(this.#now);
    this.#hasNewTypes = false;
    for (const neighbour of neighbours.ready()) this.#dispatch.flush(neighbour, this.#now);
    if (nowMs < this.#sweepsMs) return;
    this.#sweepsMs = nowMs + SWEEP_MS;
    this.#holdings.expire(wallMs);
    this.#membership.sweep(this.#now);
  }

  #onConnected(arrived: NewNeighbour, dial: DialId | undefined): void {
    const neighbour = this.#membership.connected(arrived, dial, this.#now.nowMs);
    if (neighbour !== undefined) this.#conversation.open(neighbour);
  }

  #onGone({ id, key }: Neighbour): void {
    this.#mesh.leave(id);
    this.#exchange.promises.release(key);
  }

  #withNeighbour(id: number, act: (neighbour: Neighbour) => void): void {
    const neighbour = this.#membership.neighbours.find(id);
    if (neighbour !== undefined) act(neighbour);
  }

  #onAnnounce({ client, hops, dataType, data }: GossipInput & { readonly type: 'announce' }): void {
    const ttl = initialTtl(hops, this.#options.hidesOrigin);
    const announcement = { client, ttl, dataType, data };
    if (this.#announcing.add(announcement, this.#now.wallMs)) return;
    this.#drop('too many announcements');
  }

  #onInject(item: Uint8Array): void {
    try {
      this.#drop(this.#spread.inject(item, this.#now));
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#drop('malformed');
    }
  }

  #onNotify(client: ClientId, dataType: number): void {
    const isNew = !this.#clients.wants(dataType);
    this.#clients.notify(client, dataType);
    if (!isNew) return;
    this.#holdings.clearUnwanted();
    this.#hasNewTypes = true;
  }

  #onValidation(input: GossipInput & { readonly type: 'validation' }): void {
    const { client, messageId, opinion } = input;
    const validation = this.#spread.at(this.#now);
    if (validation.answer(client, messageId, opinion, this.#now.nowMs)) return;
    this.#drop('no such notification');
  }

  #onClientGone(client: ClientId): void {
    const open = this.#clients.remove(client);
    this.#spread.at(this.#now).clientGone(client, open, this.#now.nowMs);
  }

  #drop(why: Drop | undefined): void {
    if (why !== undefined) this.#outputs.push({ type: 'drop', why });
  }
}

// The DHT of one node (protocol 7, S/Kademlia): answers others, looks up, stores and keeps. A machine: time, randomness and
// verifiers come from outside, calls to other nodes go out as effects (port.ts), and who is at their other end is proven
// by core/rpc. Its parts hold what is under way, and are given `ask` and the time of the present input.

import { DecodeError, equalBytes } from '../bytes/index.ts';
import type { Identity } from '../identity/index.ts';
import { type Address, formatAddress, isPublic, netgroup, type Rng } from '../runtime/index.ts';
import type { Asking } from './ask.ts';
import { Calls } from './calls.ts';
import { type Contact, K } from './contact.ts';
import { compareDistance } from './distance.ts';
import { Get } from './get.ts';
import { type Held, Holdings, RESTORED } from './holdings.ts';
import { Lookup, type StartLookup } from './lookup.ts';
import { OwnValues } from './own-values.ts';
import type { DhtInput, DhtOutput, DhtStatus, GetId, Now } from './port.ts';
import { Publication, type Published } from './publication.ts';
import { type RecordRules, recordFault } from './record.ts';
import { Responder } from './responder.ts';
import { encodeSavedValue, type SavedValue, savedName } from './saved.ts';
import { Table } from './table.ts';
import { Tokens } from './tokens.ts';
import { Upkeep } from './upkeep.ts';
import { decodeRequest, encodeAnswer } from './wire.ts';

/** How often it is looked at what is due. */
const HOUSEKEEPING_MS = 1000;
/** What has run out is swept away every so often; it is never told of before. */
const SWEEP_MS = 10_000;
/** Values of others that are brought to more nodes at a time. A guess. */
const REPUBLISHING_MAX = 4;
/** A guess: 16 API connections that ask for much at once. */
export const GETS_MAX = 256;
/** On each path, the nearest nodes that must have answered. For values, together more than can hold them. Guesses. */
const WIDTH = { 'find node': 3, 'find value': 8 };
/** Nodes of our table that each path begins with. A guess. */
const SEEDS_PER_PATH = 5;

export interface DhtOptions extends RecordRules {
  readonly own: Identity;
  readonly rng: Rng;
  /** d of protocol 7. */
  readonly paths: number;
  /** Test networks: private addresses too, and every address counts as a network. */
  readonly allowPrivate: boolean;
  /** Of the last run. */
  readonly saved: readonly SavedValue[];
}

export class Dht {
  readonly #options: DhtOptions;
  readonly #table: Table;
  readonly #holdings: Holdings;
  readonly #calls: Calls;
  readonly #asking: Asking;
  readonly #responder: Responder;
  readonly #ownValues: OwnValues;
  readonly #upkeep: Upkeep;
  /** At most GETS_MAX. */
  readonly #gets = new Map<GetId, Get>();
  /** A few of our own values', and REPUBLISHING_MAX. */
  readonly #publications = new Set<Publication>();
  readonly #outbox: DhtOutput[] = [];
  #now: Now;
  #republishing = 0;
  #housekeepingMs: number;
  #sweepMs: number;

  constructor(options: DhtOptions, now: Now) {
    const { own, rng } = options;
    this.#options = options;
    this.#now = now;
    this.#housekeepingMs = now.nowMs;
    this.#sweepMs = now.nowMs;
    const table = new Table(options);
    const calls = new Calls({ table, now: () => this.#now, emit: (output) => this.#emit(output) });
    const holdings = this.#makeHoldings();
    this.#table = table;
    this.#calls = calls;
    this.#holdings = holdings;
    this.#asking = { now: () => this.#now, ask: calls.ask };
    this.#responder = new Responder({
      rules: options,
      table,
      holdings,
      tokens: new Tokens(rng),
      now: () => this.#now,
      drop: (why) => this.#emit({ type: 'drop', why }),
    });
    this.#restore();
    this.#ownValues = this.#makeOwnValues();
    this.#upkeep = new Upkeep({
      own,
      rng,
      table,
      asking: this.#asking,
      startLookup: this.#startLookup,
      wantSeeds: (count) => this.#emit({ type: 'want seeds', count }),
    });
  }

  get status(): DhtStatus {
    return {
      nodes: this.#table.size,
      values: this.#holdings.size,
      bytes: this.#holdings.bytes,
      gets: this.#gets.size,
      publications: this.#publications.size,
    };
  }

  /** Of the routing table, for the next run. */
  get contacts(): readonly Contact[] {
    return this.#table.all();
  }

  handle(input: DhtInput, now: Now): DhtOutput[] {
    this.#now = now;
    this.#take(input);
    this.#goOn();
    return this.#outbox.splice(0);
  }

  nextDeadlineMs(): number {
    return Math.min(
      this.#housekeepingMs,
      this.#upkeep.nextDeadlineMs(),
      ...[...this.#gets.values()].map((get) => get.nextDeadlineMs()),
      ...[...this.#publications].map((publication) => publication.nextDeadlineMs()),
    );
  }

  #makeHoldings(): Holdings {
    return new Holdings({
      ...this.#options,
      onKept: (held) =>
        this.#emit({ type: 'keep', name: savedName(held), bytes: encodeSavedValue(held) }),
      onGone: (held) => this.#emit({ type: 'discard', name: savedName(held) }),
    });
  }

  #makeOwnValues(): OwnValues {
    return new OwnValues({
      networkId: this.#options.networkId,
      holdings: this.#holdings,
      now: () => this.#now,
      solve: (work, task) => this.#emit({ type: 'solve', work, task }),
      publish: (held, done) => this.#publish(held, done),
    });
  }

  /** What is on disk passes the same checks as what others store; what does not is swept away. */
  #restore(): void {
    const gone: DhtOutput[] = [];
    for (const { isOwn, key, record, parts } of this.#options.saved) {
      const name = savedName({ key, record });
      const isSound = recordFault(key, record, this.#now.wallMs, this.#options) === undefined;
      if (!isSound) gone.push({ type: 'discard', name });
      else
        this.#holdings.offerWhole(
          { key, record, source: isOwn ? undefined : RESTORED },
          parts,
          this.#now,
        );
    }
    // What was restored is on the disk already.
    this.#outbox.splice(0, this.#outbox.length, ...gone);
  }

  #take(input: DhtInput): void {
    switch (input.type) {
      case 'tick':
        break;
      case 'request':
        this.#onRequest(input);
        break;
      case 'answered':
        this.#calls.onAnswered(input.call, input.bytes, input.ip);
        break;
      case 'failed':
        this.#calls.onFailed(input.call, input.isAway);
        break;
      case 'put':
        if (!this.#ownValues.put(input)) this.#emit({ type: 'drop', why: 'too many puts' });
        break;
      case 'solved':
        this.#ownValues.onSolved(input.work, input.nonce);
        break;
      case 'find':
        this.#find(input.get, input.key);
        break;
      case 'seeds':
        this.#upkeep.onSeeds(input.contacts.filter((contact) => this.#isUsable(contact)));
    }
  }

  /** What time has made due. */
  #goOn(): void {
    const { nowMs } = this.#now;
    // Answers move those on to whom they came.
    for (const get of this.#gets.values()) if (get.nextDeadlineMs() <= nowMs) get.tick();
    for (const one of this.#publications) if (one.nextDeadlineMs() <= nowMs) one.tick();
    if (this.#upkeep.nextDeadlineMs() <= nowMs) this.#upkeep.tick();
    if (nowMs < this.#housekeepingMs) return;
    this.#housekeepingMs = nowMs + HOUSEKEEPING_MS;
    this.#upkeep.tick();
    this.#ownValues.tick();
    if (nowMs < this.#sweepMs) return;
    this.#sweepMs = nowMs + SWEEP_MS;
    this.#holdings.expire(this.#now);
    this.#republish();
  }

  #onRequest({ request, from, bytes }: DhtInput & { readonly type: 'request' }): void {
    try {
      const answer = this.#responder.answer(from, decodeRequest(bytes));
      this.#emit({ type: 'answer', request, bytes: encodeAnswer(answer) });
      const { contact } = from;
      if (contact !== undefined && this.#isUsable(contact)) this.#upkeep.onCaller(contact);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#emit({ type: 'drop', why: 'malformed' });
    }
  }

  #find(id: GetId, key: Uint8Array): void {
    const waiting = this.#ownValues.waitingValue(key);
    if (waiting !== undefined || this.#gets.size >= GETS_MAX) {
      this.#emit({ type: 'found', get: id, value: waiting });
      return;
    }
    const get = new Get({
      key,
      asking: this.#asking,
      rules: this.#options,
      startLookup: this.#startLookup,
      held: this.#holdings.under(key, this.#now),
      done: (value) => {
        this.#gets.delete(id);
        this.#emit({ type: 'found', get: id, value });
      },
    });
    this.#gets.set(id, get);
    get.begin();
  }

  #publish(held: Held, done: (published: Published) => void): void {
    const publication = new Publication({
      held,
      own: this.#options.own,
      asking: this.#asking,
      startLookup: this.#startLookup,
      groupOf: (address) => this.#groupOf(address),
      done: (published) => {
        this.#publications.delete(publication);
        done(published);
      },
    });
    this.#publications.add(publication);
    publication.begin();
  }

  /** Values of others, as long as we are one of the K nearest that we know of. */
  #republish(): void {
    for (const held of this.#holdings.takeDue(this.#now, REPUBLISHING_MAX - this.#republishing)) {
      if (!this.#isAmongNearest(held.key)) continue;
      this.#republishing++;
      this.#publish(held, () => this.#republishing--);
    }
  }

  #isAmongNearest(key: Uint8Array): boolean {
    const last = this.#table.closest(key, K)[K - 1];
    return last === undefined || compareDistance(key, this.#options.own, last.identity) < 0;
  }

  readonly #startLookup: StartLookup = (question, { seeds = [], ...options }) => {
    const { target } = options;
    const { paths } = this.#options;
    this.#upkeep.looked(target);
    const known = this.#table.closest(target, paths * SEEDS_PER_PATH);
    return new Lookup({
      ...options,
      paths,
      width: WIDTH[question],
      seeds: [...seeds, ...known],
      nowMs: () => this.#now.nowMs,
      isUsable: (contact) => this.#isUsable(contact),
      ask: (contact, done) => this.#asking.ask(contact, { type: question, key: target }, done),
    });
  };

  /** Nobody makes us call ourselves, nor into our own network. */
  #isUsable({ identity, address }: Contact): boolean {
    const { own, allowPrivate } = this.#options;
    return (allowPrivate || isPublic(address.ip)) && !equalBytes(identity, own);
  }

  #groupOf(address: Address): string {
    return this.#options.allowPrivate ? formatAddress(address) : netgroup(address.ip);
  }

  #emit(output: DhtOutput): void {
    this.#outbox.push(output);
  }
}

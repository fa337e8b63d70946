// Asking our own modules whether an item is well-formed before it goes on (protocol 4, "Validation pipeline"). Every source
// has a queue of its own, and they take turns: whoever floods us waits behind himself. What an item is worth afterwards, and
// what the source is to be thought of, is said by whoever takes the verdict.

import type { Opinion } from '../module-api/index.ts';
import type { Held, Source } from './cache.ts';
import type { ClientId, Clients } from './clients.ts';

/** VALIDATION_TIMEOUT_S. */
export const VALIDATION_MS = 5000;
/** Protocol 4. Our own modules may announce more at once; a guess. */
const WAITING_MAX = 32;
const OWN_WAITING_MAX = 256;
const OTHERS_WAITING_MAX = 512;
/** Of each source at a time, and of all: what a module has not read yet lies in its connection, 4 MiB at most. Guesses. */
const ASKED_MAX = 4;
const ASKED_BYTES_MAX = 2 << 20;

/** 'unanswered': a module did not say in time, or nobody was there to say anything. */
export type Verdict = 'valid' | 'invalid' | 'unanswered';

/** An item under way to a verdict. */
interface Case {
  readonly held: Held;
  /** Who announced it: he is not asked. */
  readonly announcer: ClientId | undefined;
  /** Its messages at those who have not answered yet. */
  readonly asked: Map<ClientId, number>;
  isApproved: boolean;
  isIgnored: boolean;
  deadlineMs: number;
}

const FRESH = { isApproved: false, isIgnored: false, deadlineMs: 0 };

interface Lane {
  readonly waiting: Case[];
  asked: number;
}

export interface ValidationOptions {
  readonly clients: Clients<ValidationCase>;
  notify(client: ClientId, messageId: number, held: Held): void;
  onVerdict(held: Held, verdict: Verdict): void;
  /** There was no room for it. */
  onOverflow(held: Held): void;
}

export type ValidationCase = Case;

export class Validation {
  readonly #options: ValidationOptions;
  /** Of each source with anything under way; whose turn it is comes first. */
  readonly #lanes = new Map<Source, Lane>();
  /** In the order they were asked about; at most ASKED_MAX per source. */
  readonly #asked = new Set<Case>();
  #askedBytes = 0;
  #waiting = 0;

  constructor(options: ValidationOptions) {
    this.#options = options;
  }

  /** Items that wait for their turn, and those that modules look at. */
  get size(): number {
    return this.#waiting + this.#asked.size;
  }

  submit(held: Held, announcer: ClientId | undefined, nowMs: number): void {
    const lane = this.#lanes.get(held.source) ?? { waiting: [], asked: 0 };
    this.#lanes.set(held.source, lane);
    lane.waiting.push({ held, announcer, asked: new Map(), ...FRESH });
    this.#waiting++;
    this.#askOn(nowMs);
    if (held.source === 'own') this.#limit(lane, OWN_WAITING_MAX);
    else {
      this.#limit(lane, WAITING_MAX);
      this.#limitOthers();
    }
  }

  /** False when that message is not open at this client. */
  answer(client: ClientId, messageId: number, opinion: Opinion, nowMs: number): boolean {
    const one = this.#options.clients.close(client, messageId);
    if (one === undefined) return false;
    one.asked.delete(client);
    if (opinion === 'pass on') one.isApproved = true;
    if (opinion === 'ignore') one.isIgnored = true;
    if (opinion === 'refuse') this.#conclude(one, 'invalid');
    else this.#concludeIfAnswered(one);
    this.#askOn(nowMs);
    return true;
  }

  /** After `clients.remove`, with what it had not answered. */
  clientGone(client: ClientId, open: readonly Case[], nowMs: number): void {
    for (const one of open) {
      one.asked.delete(client);
      this.#concludeIfAnswered(one);
    }
    this.#askOn(nowMs);
  }

  onTick(nowMs: number): void {
    for (const one of this.#asked) {
      if (nowMs < one.deadlineMs) break;
      this.#conclude(one, 'unanswered');
    }
    this.#askOn(nowMs);
  }

  nextDeadlineMs(): number {
    const [first] = this.#asked;
    return first?.deadlineMs ?? Number.POSITIVE_INFINITY;
  }

  /** One of each source in turn, as long as there is room. */
  #askOn(nowMs: number): void {
    let idle = 0;
    while (idle < this.#lanes.size && this.#waiting > 0) {
      const [source] = this.#lanes.keys();
      const lane = source === undefined ? undefined : this.#lanes.get(source);
      if (source === undefined || lane === undefined) return;
      this.#lanes.delete(source);
      this.#lanes.set(source, lane);
      idle = this.#askNext(lane, nowMs) ? 0 : idle + 1;
      this.#forgetIfEmpty(source, lane);
    }
  }

  #askNext(lane: Lane, nowMs: number): boolean {
    const [next] = lane.waiting;
    if (next === undefined || lane.asked >= ASKED_MAX) return false;
    const bytes = next.held.item.data.length;
    if (this.#askedBytes > 0 && this.#askedBytes + bytes > ASKED_BYTES_MAX) return false;
    lane.waiting.shift();
    this.#waiting--;
    lane.asked++;
    this.#askedBytes += bytes;
    this.#ask(next, nowMs);
    return true;
  }

  #ask(one: Case, nowMs: number): void {
    const { clients, notify } = this.#options;
    this.#asked.add(one);
    one.deadlineMs = nowMs + VALIDATION_MS;
    for (const client of clients.subscribers(one.held.item.dataType)) {
      if (client === one.announcer) continue;
      const messageId = clients.open(client, one);
      one.asked.set(client, messageId);
      notify(client, messageId, one.held);
    }
    this.#concludeIfAnswered(one);
  }

  #concludeIfAnswered(one: Case): void {
    if (one.asked.size > 0 || !this.#asked.has(one)) return;
    this.#conclude(one, one.isApproved && !one.isIgnored ? 'valid' : 'unanswered');
  }

  #conclude(one: Case, verdict: Verdict): void {
    if (!this.#asked.delete(one)) return;
    const { held, asked } = one;
    for (const [client, messageId] of asked) this.#options.clients.close(client, messageId);
    this.#askedBytes -= held.item.data.length;
    const lane = this.#lanes.get(held.source);
    if (lane !== undefined) {
      lane.asked--;
      this.#forgetIfEmpty(held.source, lane);
    }
    this.#options.onVerdict(held, verdict);
  }

  #limit(lane: Lane, waitingMax: number): void {
    const dropped = lane.waiting.length > waitingMax ? lane.waiting.pop() : undefined;
    if (dropped === undefined) return;
    this.#waiting--;
    this.#options.onOverflow(dropped.held);
  }

  /** All but our own modules together. */
  #limitOthers(): void {
    const others = [...this.#lanes].flatMap(([source, lane]) => (source === 'own' ? [] : [lane]));
    const waiting = others.reduce((sum, lane) => sum + lane.waiting.length, 0);
    if (waiting <= OTHERS_WAITING_MAX) return;
    const busiest = others.reduce((a, b) => (b.waiting.length > a.waiting.length ? b : a));
    this.#limit(busiest, busiest.waiting.length - 1);
  }

  #forgetIfEmpty(source: Source, { waiting, asked }: Lane): void {
    if (waiting.length === 0 && asked === 0) this.#lanes.delete(source);
  }
}

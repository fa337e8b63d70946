// Our questions under way: what was asked of whom, and who waits for the answer. An answer of the wrong kind is none. Who
// answers from where we called it belongs into the routing table; who does not, while others do, is not there.

import { DecodeError, equalBytes } from '../bytes/index.ts';
import type { Asking } from './ask.ts';
import type { Contact } from './contact.ts';
import type { CallId, DhtOutput, Now } from './port.ts';
import type { Table } from './table.ts';
import { type DhtAnswer, type DhtRequest, decodeAnswer, encodeRequest } from './wire.ts';

interface Call {
  readonly to: Contact;
  readonly request: DhtRequest;
  readonly sinceMs: number;
  readonly done: (answer: DhtAnswer | undefined) => void;
}

export interface CallsOptions {
  readonly table: Table;
  now(): Now;
  emit(output: DhtOutput): void;
}

const ANSWER_TO: Readonly<Record<DhtRequest['type'], DhtAnswer['type']>> = {
  ping: 'pong',
  'find node': 'found',
  'find value': 'found',
  'find parts': 'parts',
  store: 'stored',
  'store parts': 'stored',
};

export class Calls {
  readonly #options: CallsOptions;
  /** Each until its outcome; bounded by what lookups, fetches, publications and upkeep have under way. */
  readonly #calls = new Map<CallId, Call>();
  #lastId = 0;
  #lastAnswerMs = Number.NEGATIVE_INFINITY;

  constructor(options: CallsOptions) {
    this.#options = options;
  }

  ask: Asking['ask'] = (to, request, done) => {
    const { now, emit } = this.#options;
    this.#lastId++;
    this.#calls.set(this.#lastId, {
      to,
      request,
      sinceMs: now().nowMs,
      // Only an answer of the right type gets here.
      done: done as Call['done'],
    });
    emit({ type: 'call', call: this.#lastId, to, request: encodeRequest(request) });
  };

  onAnswered(id: CallId, bytes: Uint8Array, ip: string): void {
    const call = this.#take(id);
    if (call === undefined) return;
    const { now, table, emit } = this.#options;
    const { nowMs } = now();
    this.#lastAnswerMs = nowMs;
    const answer = answerTo(call.request, bytes);
    if (answer === undefined) emit({ type: 'drop', why: 'malformed' });
    else if (call.to.address.ip === ip) table.confirm(call.to, nowMs);
    call.done(answer);
  }

  onFailed(id: CallId, isAway: boolean): void {
    const call = this.#take(id);
    if (call === undefined) return;
    const isOnline = this.#lastAnswerMs >= call.sinceMs;
    if (isAway && isOnline) this.#options.table.failed(call.to);
    call.done(undefined);
  }

  #take(id: CallId): Call | undefined {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    return call;
  }
}

function answerTo(request: DhtRequest, bytes: Uint8Array): DhtAnswer | undefined {
  try {
    const answer = decodeAnswer(bytes);
    if (answer.type !== ANSWER_TO[request.type]) return undefined;
    const isEcho = request.type !== 'ping' || answer.type !== 'pong';
    return isEcho || equalBytes(request.nonce, answer.nonce) ? answer : undefined;
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

// Requests and answers over links: a machine. What happens to links comes in, what is wanted of them goes out; calls and
// their outcomes are functions, because whoever asks is in the same program.
//
// A link that has said nothing since a question was first put to it is closed when the question has failed, so that the
// next one is not lost the same way: a node that was restarted does not know its old links.

import { DecodeError } from '../bytes/index.ts';
import { type IdentityKey, identityKey } from '../identity/index.ts';
import type { LinkId, LinkUp, Target } from '../link/index.ts';
import type { Rng } from '../runtime/index.ts';
import { Answers } from './answers.ts';
import { Assembly } from './assembly.ts';
import { type Call, Calls, TRY_MS } from './calls.ts';
import type { CallFailure, Outcome, RequestHandler, RpcPeer } from './rpc.ts';
import {
  decodeCell,
  decodeRefusal,
  decodeRequest,
  encodeCells,
  encodeRefusal,
  type Fragment,
  type Refusal,
} from './wire.ts';

/** Above so many links the ones without use go, the longest unused first: some must be left to call with. A guess. */
export const LINKS_KEPT = 224;

export type ExchangeOutput =
  /** Answered by `onUp` or `onUnreachable`, at once or later. */
  | { readonly type: 'open'; readonly target: Target }
  | { readonly type: 'send'; readonly link: LinkId; readonly cells: readonly Uint8Array[] }
  /** It is in use: not to be closed as idle. */
  | { readonly type: 'touch'; readonly link: LinkId }
  | { readonly type: 'close'; readonly link: LinkId }
  | { readonly type: 'done'; readonly done: (outcome: Outcome) => void; readonly outcome: Outcome }
  | {
      readonly type: 'request';
      readonly handler: RequestHandler;
      readonly from: RpcPeer;
      readonly bytes: Uint8Array;
      readonly link: LinkId;
      readonly number: number;
    };

type Outputs = readonly ExchangeOutput[];

interface Line {
  readonly link: LinkId;
  readonly key: IdentityKey;
  readonly peer: RpcPeer;
  usedMs: number;
  heardMs: number;
}

export class Exchange {
  readonly #calls: Calls;
  readonly #answers = new Answers();
  readonly #assembly = new Assembly();
  readonly #handlers = new Map<number, RequestHandler>();
  /** Those of Links. */
  readonly #lines = new Map<LinkId, Line>();
  readonly #byPeer = new Map<IdentityKey, Line>();
  #requests = 0;
  #refused = 0;
  #dropped = 0;

  constructor(rng: Rng) {
    this.#calls = new Calls(rng);
  }

  get status() {
    return {
      calls: this.#calls.size,
      requests: this.#requests,
      refused: this.#refused,
      dropped: this.#dropped,
    };
  }

  peerOf(key: IdentityKey): RpcPeer | undefined {
    return this.#byPeer.get(key)?.peer;
  }

  serve(service: number, handler: RequestHandler): void {
    this.#handlers.set(service, handler);
  }

  call(wanted: Pick<Call, 'target' | 'message' | 'done'>, nowMs: number): Outputs {
    if (this.#calls.isFull) return [failed(wanted, 'busy')];
    const { target } = this.#calls.add(wanted, nowMs);
    return [{ type: 'open', target }];
  }

  /** Also of a link that is known, when it is the one to use for an 'open'. */
  onUp(up: LinkUp, nowMs: number): Outputs {
    const line = this.#lines.get(up.link) ?? this.#enter(up, nowMs);
    const waiting = this.#calls.waitingFor(up.identity);
    return [...waiting.flatMap((call) => this.#say(call, line, nowMs)), ...this.#surplus()];
  }

  onDown(link: LinkId, nowMs: number): Outputs {
    const line = this.#lines.get(link);
    if (line === undefined) return [];
    this.#lines.delete(link);
    this.#assembly.forget(link);
    if (this.#byPeer.get(line.key) === line) this.#byPeer.delete(line.key);
    return this.#calls.over(link).flatMap((call) => this.#sayElsewhere(call, nowMs));
  }

  /** Of an 'open'. */
  onUnreachable({ identity, address }: Target): Outputs {
    return this.#calls
      .waitingFor(identity)
      .filter(({ target }) => isSamePlace(target.address, address))
      .map((call) => this.#end(call, { type: 'failed', why: 'unreachable' }));
  }

  onCell(link: LinkId, cell: Uint8Array, nowMs: number): Outputs {
    const line = this.#lines.get(link);
    if (line === undefined) return this.#drop();
    line.heardMs = nowMs;
    try {
      const fragment = decodeCell(cell);
      if (fragment.kind === 'request') return this.#onRequest(line, fragment, nowMs);
      return this.#onAnswer(line, fragment, nowMs);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return this.#drop();
    }
  }

  answer(link: LinkId, number: number, message: Uint8Array, nowMs: number): Outputs {
    const cells = encodeCells('answer', number, message);
    const isWanted = this.#answers.give(link, number, cells, nowMs);
    return isWanted && this.#lines.has(link) ? [{ type: 'send', link, cells }] : [];
  }

  onTimer(nowMs: number): Outputs {
    this.#assembly.expire(nowMs);
    return this.#calls.due(nowMs).flatMap((call) => this.#onDue(call, nowMs));
  }

  nextDeadlineMs(): number {
    return this.#calls.nextDeadlineMs();
  }

  #enter({ link, identity, address, descriptor }: LinkUp, nowMs: number): Line {
    const key = identityKey(identity);
    const peer = { identity, address, descriptor };
    const line = { link, key, peer, usedMs: nowMs, heardMs: nowMs };
    this.#lines.set(link, line);
    this.#byPeer.set(key, line);
    return line;
  }

  #surplus(): Outputs {
    if (this.#lines.size <= LINKS_KEPT) return [];
    const idle = [...this.#lines.values()].filter(
      ({ link }) => this.#calls.over(link).length === 0,
    );
    const oldest = idle.reduce<Line | undefined>(
      (least, line) => (least === undefined || line.usedMs < least.usedMs ? line : least),
      undefined,
    );
    return oldest === undefined ? [] : [{ type: 'close', link: oldest.link }];
  }

  #say(call: Call, line: Line, nowMs: number): Outputs {
    const { link } = line;
    call.link = link;
    call.triesLeft--;
    call.deadlineMs = nowMs + TRY_MS;
    line.usedMs = nowMs;
    const cells = encodeCells('request', call.number, call.message);
    return [
      { type: 'send', link, cells },
      { type: 'touch', link },
    ];
  }

  #sayElsewhere(call: Call, nowMs: number): Outputs {
    call.link = undefined;
    if (call.triesLeft === 0) return [this.#end(call, { type: 'failed', why: 'timeout' })];
    call.deadlineMs = nowMs + TRY_MS;
    return [{ type: 'open', target: call.target }];
  }

  #onDue(call: Call, nowMs: number): Outputs {
    const line = call.link === undefined ? undefined : this.#lines.get(call.link);
    if (line === undefined) return [this.#end(call, { type: 'failed', why: 'unreachable' })];
    if (call.triesLeft > 0) return this.#say(call, line, nowMs);
    const over = this.#end(call, { type: 'failed', why: 'timeout' });
    const isSilent = nowMs >= line.heardMs + 2 * TRY_MS;
    return isSilent ? [over, { type: 'close', link: line.link }] : [over];
  }

  #end({ number, done }: Call, outcome: Outcome): ExchangeOutput {
    this.#calls.remove(number);
    return { type: 'done', done, outcome };
  }

  #onAnswer(line: Line, fragment: Fragment, nowMs: number): Outputs {
    const call = this.#calls.find(fragment.number);
    // Only who was asked can answer; over whichever of its links.
    if (call?.peer !== line.key) return this.#drop();
    const message = this.#assembly.push(line.link, fragment, nowMs);
    if (message === undefined) return [];
    if (fragment.kind === 'answer') {
      return [this.#end(call, { type: 'answer', bytes: message, from: line.peer })];
    }
    return [this.#end(call, { type: 'failed', why: decodeRefusal(message) })];
  }

  #onRequest(line: Line, fragment: Fragment, nowMs: number): Outputs {
    const { link, key, peer: from } = line;
    const { number } = fragment;
    const repeated = this.#answers.repeat(link, number, nowMs);
    if (repeated !== undefined) return [{ type: 'send', link, cells: repeated }];
    const message = this.#assembly.push(link, fragment, nowMs);
    if (message === undefined) return [];
    const { service, bytes } = decodeRequest(message);
    const handler = this.#handlers.get(service);
    if (handler === undefined) return this.#refuse(link, number, 'no service');
    if (!this.#answers.take(key, link, number, nowMs)) return this.#refuse(link, number, 'busy');
    this.#requests++;
    line.usedMs = nowMs;
    return [
      { type: 'touch', link },
      { type: 'request', handler, from, bytes, link, number },
    ];
  }

  #refuse(link: LinkId, number: number, why: Refusal): Outputs {
    this.#refused++;
    return [{ type: 'send', link, cells: encodeCells('refusal', number, encodeRefusal(why)) }];
  }

  #drop(): Outputs {
    this.#dropped++;
    return [];
  }
}

function failed({ done }: Pick<Call, 'done'>, why: CallFailure): ExchangeOutput {
  return { type: 'done', done, outcome: { type: 'failed', why } };
}

function isSamePlace(a: Target['address'], b: Target['address']): boolean {
  if (a.port !== b.port) return false;
  return 'ip' in a ? 'ip' in b && a.ip === b.ip : 'host' in b && a.host === b.host;
}

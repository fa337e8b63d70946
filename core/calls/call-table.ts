// What a call does (protocol 10.2): one table of (state, event) to the next state, what is said to the peer, and how it
// ended for the user. Whatever is not in the table is ignored. Pure data and a function; call.ts feeds it.
//
//   offered ─ ringing ─┐                          holding ─┐
//                      ├─ active ──┬── reconnecting        ├─ both holding
//   proving ─ incoming ┘           └── held ───────────────┘
//   every state ─ ending ─ over
//
// `ending` exists so that the last word arrives and the peer's last word is acknowledged; for the user the call is over
// when it begins. `got X` is a message of the peer's, X timeout the state's own clock (STATE_TIMEOUT_MS).

import type { ControlMessage } from './control.ts';
import type { CallEnd, EndReason } from './end.ts';

export type CallState =
  /** Ours, nothing heard yet. */
  | 'offered'
  | 'ringing'
  /** Theirs, whose hostkey is not proven yet: nobody is told. */
  | 'proving'
  | 'incoming'
  | 'active'
  /** We hold. */
  | 'holding'
  /** They hold. */
  | 'held'
  | 'both holding'
  | 'reconnecting'
  | 'ending'
  | 'over';

/** Where a call comes back to after `reconnecting`. */
export type TalkState = 'active' | 'holding' | 'held' | 'both holding';

export type UserEvent = 'answer' | 'decline' | 'hang up' | 'hold' | 'resume';
export type CallEvent =
  | UserEvent
  /** Our program's own decisions: no to a caller without disturbing anybody; of two calls that crossed, the other stays. */
  | 'refuse as unavailable'
  | 'refuse as busy'
  | 'give way'
  /** The caller's hostkey is proven. */
  | 'proven'
  /** The peer proved nothing in time, or something wrong, or broke the protocol. */
  | 'fault'
  /** The last tunnel is gone; nothing was heard for 10 s; something is heard. */
  | 'lost'
  | 'silence'
  | 'heard'
  | 'timeout'
  | `got ${PeerWord}`;

type PeerWord =
  | 'ringing'
  | 'waiting'
  | 'answer'
  | 'reject'
  | 'busy'
  | 'cancel'
  | 'hold'
  | 'resume'
  | 'bye'
  | 'bye ack';

export type Say =
  | Exclude<PeerWord, 'reject' | 'cancel' | 'bye'>
  | { readonly say: 'reject' | 'cancel' | 'bye'; readonly reason: EndReason };

export interface Row {
  /** `back`: to where it was before `reconnecting`. */
  readonly next: CallState | 'back';
  readonly say?: Say;
  /** For the user; `told`: with the reason that the peer gave. */
  readonly end?: CallEnd | 'told';
}

/** Protocol 10.2. Of the states that are not in it: a guess for a proof, the time of retransmission for an end. */
export const STATE_TIMEOUT_MS: Readonly<Record<CallState, number>> = {
  offered: 15_000,
  ringing: 60_000,
  proving: 10_000,
  incoming: 60_000,
  active: Number.POSITIVE_INFINITY,
  holding: 30 * 60_000,
  held: 30 * 60_000,
  'both holding': 30 * 60_000,
  reconnecting: 30_000,
  ending: 10_000,
  over: Number.POSITIVE_INFINITY,
};
export const SILENCE_MS = 10_000;

type Rows = Readonly<Partial<Record<CallEvent, Row>>>;

const TOLD: Row = { next: 'ending', say: 'bye ack', end: 'told' };

function us(reason: EndReason): CallEnd {
  return { reason, by: 'us' };
}

function nobody(reason: EndReason): CallEnd {
  return { reason, by: 'nobody' };
}

/** Ends for both with one reason. */
function say(word: 'reject' | 'cancel' | 'bye', end: CallEnd): Row {
  return { next: 'ending', say: { say: word, reason: end.reason }, end };
}

/** With nobody to tell. */
function over(end: CallEnd): Row {
  return { next: 'over', end };
}

const LOST = over(nobody('connection lost'));

const CALLING: Rows = {
  'got answer': { next: 'active' },
  'got reject': TOLD,
  'got busy': { next: 'ending', say: 'bye ack', end: { reason: 'busy', by: 'them' } },
  'got bye': TOLD,
  'hang up': say('cancel', us('cancelled')),
  fault: say('cancel', nobody('failed')),
};

const TALKING: Rows = {
  'hang up': say('bye', us('completed')),
  'got bye': TOLD,
  /** The caller gave up while our answer was on its way. */
  'got cancel': TOLD,
  fault: say('bye', nobody('failed')),
  lost: { next: 'reconnecting' },
  silence: { next: 'reconnecting' },
  timeout: say('bye', nobody('held too long')),
};

export const CALL_TABLE: Readonly<Record<CallState, Rows>> = {
  offered: {
    ...CALLING,
    'got ringing': { next: 'ringing' },
    'got waiting': { next: 'ringing' },
    /** The peer ignores our offer by the same rule, so there is nobody to tell. */
    'give way': over(nobody('superseded')),
    timeout: say('cancel', nobody('unreachable')),
  },
  ringing: {
    ...CALLING,
    'give way': say('cancel', nobody('superseded')),
    timeout: say('cancel', nobody('unanswered')),
    lost: LOST,
    silence: LOST,
  },
  proving: {
    'give way': over(nobody('superseded')),
    proven: { next: 'incoming', say: 'ringing' },
    'refuse as unavailable': say('reject', us('unavailable')),
    'refuse as busy': { next: 'ending', say: 'busy', end: us('busy') },
    'got cancel': TOLD,
    fault: over(nobody('failed')),
    lost: LOST,
    silence: LOST,
    timeout: over(nobody('failed')),
  },
  incoming: {
    answer: { next: 'active', say: 'answer' },
    decline: say('reject', us('declined')),
    'hang up': say('reject', us('declined')),
    'refuse as unavailable': say('reject', us('unavailable')),
    'refuse as busy': { next: 'ending', say: 'busy', end: us('busy') },
    'got cancel': TOLD,
    fault: over(nobody('failed')),
    lost: LOST,
    silence: LOST,
    timeout: say('reject', nobody('unanswered')),
  },
  active: {
    ...TALKING,
    hold: { next: 'holding', say: 'hold' },
    'got hold': { next: 'held' },
  },
  holding: {
    ...TALKING,
    resume: { next: 'active', say: 'resume' },
    'got hold': { next: 'both holding' },
  },
  held: {
    ...TALKING,
    hold: { next: 'both holding', say: 'hold' },
    'got resume': { next: 'active' },
  },
  'both holding': {
    ...TALKING,
    resume: { next: 'held', say: 'resume' },
    'got resume': { next: 'holding' },
  },
  reconnecting: {
    heard: { next: 'back' },
    'hang up': say('bye', us('completed')),
    fault: say('bye', nobody('failed')),
    timeout: LOST,
  },
  ending: {
    'got bye ack': { next: 'over' },
    'got bye': { next: 'ending', say: 'bye ack' },
    'got reject': { next: 'ending', say: 'bye ack' },
    'got cancel': { next: 'ending', say: 'bye ack' },
    'got busy': { next: 'ending', say: 'bye ack' },
    fault: { next: 'over' },
    timeout: { next: 'over' },
  },
  over: {},
};

export function isTalking(state: CallState): state is TalkState {
  return ['active', 'holding', 'held', 'both holding'].includes(state);
}

/** For the user it is not over. */
export function isAlive(state: CallState): boolean {
  return state !== 'ending' && state !== 'over';
}

/** Ours, and not answered yet. */
export function isOffer(state: CallState): boolean {
  return state === 'offered' || state === 'ringing';
}

/** The user is busy with it. */
export function isBusy(state: CallState): boolean {
  return isOffer(state) || isTalking(state) || state === 'reconnecting';
}

/** Whether silence means something. */
export function listens(state: CallState): boolean {
  return CALL_TABLE[state].silence !== undefined;
}

/** The event that a message of the peer's is; undefined for those that are no matter of this table. */
export function eventOf(message: ControlMessage): CallEvent | undefined {
  switch (message.type) {
    case 'media':
    case 'next meeting point':
    case 'session resume':
    case 'confirm':
    case 'key':
    case 'part':
      return undefined;
    default:
      return `got ${message.type}`;
  }
}

export interface Step {
  readonly state: CallState;
  readonly say: Say | undefined;
  readonly end: CallEnd | undefined;
}

/** One call's place in the table. Undefined: nothing happens. */
export class CallPlace {
  #state: CallState;
  #before: TalkState = 'active';

  constructor(state: CallState) {
    this.#state = state;
  }

  get state(): CallState {
    return this.#state;
  }

  /** `told`: the reason in the peer's message, if it has one. */
  on(event: CallEvent, told: EndReason = 'failed'): Step | undefined {
    const row = CALL_TABLE[this.#state][event];
    if (row === undefined) return undefined;
    if (isTalking(this.#state)) this.#before = this.#state;
    const state = row.next === 'back' ? this.#before : row.next;
    this.#state = state;
    const end = row.end === 'told' ? { reason: told, by: 'them' as const } : row.end;
    return { state, say: row.say, end };
  }
}

export function messageOf(say: Say): ControlMessage {
  return typeof say === 'string' ? { type: say } : { type: say.say, reason: say.reason };
}

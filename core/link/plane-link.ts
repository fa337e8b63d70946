// One link in the data plane (protocol 3.1, session rules): its sessions and which of them to send in, what its
// neighbour may do before the link is open, when to send a keepalive and when its silence means that it is dead.
//
// Sessions follow each other: a new one is sent in at once, or, when the other side may not have it yet, from the first
// authentic packet of it that comes. The one before is still opened for a while, for what is under way.

import type { CryptoProvider } from '../crypto/index.ts';
import { type Address, type Rng, randomBetween } from '../runtime/index.ts';
import { COMMAND, cellCommand, cellFault } from './cells.ts';
import { SETUP_CELLS_MAX } from './handshake.ts';
import type { LinkId, NewSession, Route, StreamId } from './port.ts';
import { Session } from './session.ts';
import { SizeRule } from './size-rule.ts';
import type { DataPacket } from './wire.ts';

/** How often `sweep` is called: what is due is found out as much later at the most. */
export const SWEEP_MS = 1000;

/** KEEPALIVE_S, 10 ± 2, less the sweep that may come in between. */
const KEEPALIVE_MS = { min: 8_000, max: 12_000 - SWEEP_MS };
/** LINK_DEAD_S. Counted in sweeps, so that a time in which nothing could run is no silence. */
const DEAD_SWEEPS = { busy: 5, idle: 25 };
/** LINK_CTRL per sweep: a set-up, or a rekeying with all its repeats and some PINGs, are a few. A guess. */
const CONTROL_CELLS_MAX = 32;

export interface LinkSession {
  readonly link: PlaneLink;
  readonly session: Session;
  readonly stage: NewSession['stage'];
  /** Grows from session to session of a link. */
  readonly order: number;
  isConfirmed: boolean;
  rekeyAsked: boolean;
}

export type CellVerdict =
  | { readonly type: 'pass' }
  /** Too much of what is allowed: it may be lost, and nobody is to blame. */
  | { readonly type: 'drop' }
  | { readonly type: 'violation'; readonly why: string };

export type SweepResult = 'keepalive' | 'rekey due' | 'dead';

const PASS: CellVerdict = { type: 'pass' };
const DROP: CellVerdict = { type: 'drop' };
const EARLY: CellVerdict = { type: 'violation', why: 'a cell before the link is open' };

export class PlaneLink {
  readonly id: LinkId;
  readonly route: Route;
  /** The ones we open: at most the one sent in, those before it for 10 s, and coming ones until they are too old. */
  readonly sessions = new Set<LinkSession>();
  readonly #rng: Rng;
  readonly #sizeRule = new SizeRule();
  /** Undefined only until the first is there. */
  #sending: LinkSession | undefined;
  #busy = false;
  #setupCells = 0;
  #controlCells = 0;
  #silentSweeps = 0;
  #isDead = false;
  #sentMs: number;
  #keepaliveAfterMs: number;

  constructor(id: LinkId, route: Route, rng: Rng, nowMs: number) {
    this.id = id;
    this.route = route;
    this.#rng = rng;
    this.#sentMs = nowMs;
    this.#keepaliveAfterMs = this.#drawKeepalive();
  }

  /** Whether circuits depend on it. Its neighbour gets the time to say so, too. */
  setBusy(busy: boolean): void {
    if (busy === this.#busy) return;
    this.#busy = busy;
    this.#silentSweeps = 0;
  }

  /** Whether a packet that came this way can be the neighbour's: no roaming (3.1). */
  comesFrom(from: Address, stream: StreamId | undefined): boolean {
    const { route } = this;
    if (route.transport === 'stream') return route.stream === stream;
    return stream === undefined && route.to.port === from.port && route.to.ip === from.ip;
  }

  add({ keys, stage }: NewSession, provider: CryptoProvider, nowMs: number): LinkSession {
    const added: LinkSession = {
      link: this,
      session: new Session({ provider, keys, nowMs }),
      stage,
      order: (this.#sending?.order ?? 0) + 1,
      isConfirmed: false,
      rekeyAsked: false,
    };
    this.sessions.add(added);
    if (keys.sendsFirst || this.#sending === undefined) this.#sendIn(added, nowMs);
    return added;
  }

  /** False when there is no session any more to send it in. */
  seal(packet: DataPacket, nowMs: number): boolean {
    if (this.#sending?.session.seal(packet, nowMs) !== true) return false;
    this.#sentMs = nowMs;
    return true;
  }

  /** An authentic packet has come; true if it is the session's first. */
  hear(from: LinkSession, nowMs: number): boolean {
    this.#silentSweeps = 0;
    if (from.isConfirmed) return false;
    from.isConfirmed = true;
    if (from.order > (this.#sending?.order ?? 0)) this.#sendIn(from, nowMs);
    return true;
  }

  /** What to do with a cell that was in such a packet. */
  judge(cell: Uint8Array, { stage }: LinkSession): CellVerdict {
    const why = cellFault(cell);
    if (why !== undefined) return { type: 'violation', why };
    const command = cellCommand(cell);
    if (stage === 'setup') return this.#judgeSetup(command);
    if (command !== COMMAND.linkControl) return PASS;
    this.#controlCells++;
    return this.#controlCells > CONTROL_CELLS_MAX ? DROP : PASS;
  }

  /** Whether a packet of a wrong size is the neighbour's own act. */
  isWrongSize(bytes: Uint8Array, { session }: LinkSession, nowMs: number): boolean {
    return this.#sizeRule.isViolation(session, bytes, nowMs);
  }

  /** What is due, once a second. */
  sweep(nowMs: number): SweepResult[] {
    const due: SweepResult[] = [];
    this.#controlCells = 0;
    if (nowMs >= this.#sentMs + this.#keepaliveAfterMs) {
      this.#keepaliveAfterMs = this.#drawKeepalive();
      due.push('keepalive');
    }
    if (this.#sending?.rekeyAsked === false && this.#sending.session.isRekeyDue(nowMs)) {
      this.#sending.rekeyAsked = true;
      due.push('rekey due');
    }
    this.#silentSweeps++;
    if (!this.#isDead && this.#silentSweeps > (this.#busy ? DEAD_SWEEPS.busy : DEAD_SWEEPS.idle)) {
      this.#isDead = true;
      due.push('dead');
    }
    return due;
  }

  /** Takes out the sessions that open nothing any more. */
  takeEnded(nowMs: number): LinkSession[] {
    const ended = [...this.sessions].filter(
      (one) => one !== this.#sending && one.session.isOver(nowMs),
    );
    for (const one of ended) this.sessions.delete(one);
    return ended;
  }

  /** Before a link is open only its own set-up may come, and not much of it. */
  #judgeSetup(command: number): CellVerdict {
    if (command !== COMMAND.padding && command !== COMMAND.linkControl) return EARLY;
    this.#setupCells++;
    return this.#setupCells > SETUP_CELLS_MAX ? DROP : PASS;
  }

  #sendIn(newest: LinkSession, nowMs: number): void {
    this.#sending?.session.retire(nowMs);
    this.#sending = newest;
  }

  #drawKeepalive(): number {
    return randomBetween(this.#rng, KEEPALIVE_MS.min, KEEPALIVE_MS.max);
  }
}

// The calls to nodes that we have no link with (protocol 3.1): which addresses may be called, the ways of each call
// (dial.ts), the streams they need, and whom to leave alone after a failure. The handshakes are run by Links, which
// makes a link for each way and says what comes of it.

import { equalBytes } from '../bytes/index.ts';
import type { Identity } from '../identity/index.ts';
import { type Address, isPublic } from '../runtime/index.ts';
import { Backoff, Dial, dialKey, hostOf, type Target, type Way } from './dial.ts';
import { INIT_GAPS_MS } from './handshake.ts';
import type { LinkPlace, Now } from './link.ts';
import type { DialFailure, Listen } from './links-port.ts';
import type { LinkCommand, LinkId, Route, StreamId } from './port.ts';

/** A guess: a tunnel needs one, and a relay is asked for ten a minute by each neighbour. */
export const DIALS_MAX = 64;
/** Of them, for others: they must not keep us from calling. */
const DIALS_ON_BEHALF_MAX = 48;

/** Until just before the fourth INIT would go out. */
const THREE_INITS_MS = INIT_GAPS_MS.reduce((sum, gapMs) => sum + gapMs) - 1;

/** After these it makes no difference which way the node is called. */
const FINAL: readonly DialFailure[] = [
  'bad certificate',
  'wrong identity',
  'banned',
  'no proof of work',
  'no post-quantum',
  'closed',
  'violation',
  'too many links',
];

export interface Attempt extends Omit<LinkPlace, 'id'> {
  readonly wanted: Identity;
  /** When to give up if nobody has answered. */
  readonly giveUpMs: number;
}

export interface DiallingOptions {
  readonly allowPrivate: boolean;
  post(command: LinkCommand): void;
  /** Begins a handshake. */
  call(attempt: Attempt, now: Now): LinkId;
  /** Ends one that is not wanted any more. */
  hangUp(link: LinkId): void;
  failed(target: Target, why: DialFailure): void;
}

export class Dialling {
  readonly #options: DiallingOptions;
  /** At most DIALS_MAX. */
  readonly #dials = new Map<string, Dial>();
  /** The call that a link in the making belongs to: at most two for each. */
  readonly #byLink = new Map<LinkId, Dial>();
  readonly #byStream = new Map<StreamId, Dial>();
  readonly #backoff = new Backoff();
  #hasProxy = false;
  #ways: readonly Way[] = ['stream'];
  #nextStream = 2;

  constructor(options: DiallingOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#dials.size;
  }

  /** Which ways there are. */
  configure({ udp, proxy }: Listen): void {
    this.#hasProxy = proxy !== undefined;
    this.#ways = this.#hasProxy || udp === undefined ? ['stream'] : ['udp', 'stream'];
  }

  /** Undefined when it is on its way; otherwise why not. */
  open(target: Target, onBehalf: boolean, now: Now): DialFailure | undefined {
    const { nowMs } = now;
    const key = dialKey(target);
    if (this.#dials.has(key)) return undefined;
    if (!this.#isAllowed(target)) return 'address not allowed';
    if (this.#backoff.isWaiting(key, nowMs)) return 'backing off';
    if (this.#isFull(onBehalf)) return 'too many links';
    const dial = new Dial(target, { ways: this.#ways, onBehalf, nowMs });
    this.#dials.set(key, dial);
    this.#tryNext(dial, now);
    return undefined;
  }

  onAnswered(link: LinkId): void {
    this.#byLink.get(link)?.answered();
  }

  /** A link in the making is over. */
  onFailed(link: LinkId, why: DialFailure, now: Now): void {
    const dial = this.#byLink.get(link);
    this.#byLink.delete(link);
    dial?.links.delete(link);
    if (dial !== undefined) this.#afterFailure(dial, why, now);
  }

  /** The node is reached, by this link or, when it has called us, by another. */
  onReached(identity: Identity, link: LinkId): void {
    const reached = this.#byLink.get(link);
    if (reached !== undefined) this.#backoff.reached(reached.key);
    reached?.links.delete(link);
    this.#byLink.delete(link);
    for (const dial of [...this.#dials.values()]) {
      if (equalBytes(dial.target.identity, identity)) this.#drop(dial);
    }
  }

  onStreamOpen(stream: StreamId, remote: Address, now: Now): void {
    const dial = this.#takeStream(stream);
    if (dial === undefined) {
      this.#options.post({ type: 'close stream', stream });
      return;
    }
    const { address } = dial.target;
    const at = 'ip' in address ? address : remote;
    this.#call(dial, { transport: 'stream', stream }, at, now);
  }

  onStreamFailed(stream: StreamId, why: DialFailure, now: Now): void {
    const dial = this.#takeStream(stream);
    if (dial !== undefined) this.#afterFailure(dial, why, now);
  }

  onTimer(now: Now): void {
    for (const dial of [...this.#dials.values()]) this.#tryNext(dial, now);
  }

  nextDeadlineMs(): number {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const dial of this.#dials.values()) nextMs = Math.min(nextMs, dial.nextDeadlineMs());
    return nextMs;
  }

  #isFull(onBehalf: boolean): boolean {
    if (this.#dials.size >= DIALS_MAX) return true;
    const others = [...this.#dials.values()].filter((dial) => dial.onBehalf);
    return onBehalf && others.length >= DIALS_ON_BEHALF_MAX;
  }

  #isAllowed({ address }: Target): boolean {
    if (address.port === 0) return false;
    if (!('ip' in address)) return this.#hasProxy;
    return this.#options.allowPrivate || isPublic(address.ip);
  }

  #tryNext(dial: Dial, now: Now): void {
    const way = dial.nextWay(now.nowMs);
    const { address } = dial.target;
    if (way === 'stream') this.#dialStream(dial);
    else if (way === 'udp' && 'ip' in address) {
      this.#call(dial, { transport: 'udp', to: address }, address, now);
    }
  }

  #call(dial: Dial, route: Route, address: Address, now: Now): void {
    const giveUpMs = dial.onBehalf ? now.nowMs + THREE_INITS_MS : Number.POSITIVE_INFINITY;
    const overStream = this.#hasProxy ? 'proxy' : 'tcp';
    const transport = route.transport === 'udp' ? 'udp' : overStream;
    const attempt = { wanted: dial.target.identity, route, address, transport, giveUpMs } as const;
    const link = this.#options.call(attempt, now);
    dial.links.add(link);
    this.#byLink.set(link, dial);
  }

  #dialStream(dial: Dial): void {
    const stream = this.#nextStream;
    this.#nextStream += 2;
    dial.stream = stream;
    this.#byStream.set(stream, dial);
    const { address } = dial.target;
    const to = { host: hostOf(address), port: address.port };
    this.#options.post({ type: 'dial stream', stream, to });
  }

  #takeStream(stream: StreamId): Dial | undefined {
    const dial = this.#byStream.get(stream);
    this.#byStream.delete(stream);
    if (dial !== undefined) dial.stream = undefined;
    return dial;
  }

  #afterFailure(dial: Dial, why: DialFailure, now: Now): void {
    if (!FINAL.includes(why)) {
      dial.goOn(now.nowMs);
      this.#tryNext(dial, now);
      if (!dial.isOver) return;
    }
    this.#drop(dial);
    this.#backoff.failed(dial.key, now.nowMs);
    this.#options.failed(dial.target, why);
  }

  /** With all that is under way for it. */
  #drop(dial: Dial): void {
    this.#dials.delete(dial.key);
    for (const link of dial.links) {
      this.#byLink.delete(link);
      this.#options.hangUp(link);
    }
    if (dial.stream === undefined) return;
    this.#byStream.delete(dial.stream);
    this.#options.post({ type: 'close stream', stream: dial.stream });
  }
}

// The course of one call to a node (protocol 3.1, "Stream fallback"): UDP at once; a stream as well if nobody has
// answered 1.2 s later, or when UDP has failed; through a proxy only a stream. And how long a node that could not be
// reached is left alone. Knows neither sockets nor handshakes.

import { type Identity, identityKey } from '../identity/index.ts';
import type { Address, HostPort } from '../runtime/index.ts';
import type { LinkId, StreamId } from './port.ts';

/** Without RESP. */
export const FALLBACK_MS = 1200;
/** Protocol 3.1: 12 s, doubling to 10 min. */
export const BACKOFF_MS = { first: 12_000, max: 600_000 };
/** A guess: many more than we dial at once, so none is forgotten too early. */
const BACKOFFS_MAX = 1024;

export type Way = 'udp' | 'stream';

export interface Target {
  readonly identity: Identity;
  /** A name only the proxy can resolve. */
  readonly address: Address | HostPort;
}

export class Dial {
  readonly target: Target;
  readonly key: string;
  /** Somebody else made us call: at most three INITs go to who does not answer (3.3). */
  readonly onBehalf: boolean;
  /** The links in the making. */
  readonly links = new Set<LinkId>();
  /** The stream on its way. */
  stream: StreamId | undefined;
  readonly #untried: Way[];
  #nextWayMs: number;

  constructor(target: Target, { ways, onBehalf, nowMs }: DialOptions) {
    this.target = target;
    this.key = dialKey(target);
    this.onBehalf = onBehalf;
    this.#untried = [...ways];
    this.#nextWayMs = nowMs;
  }

  /** Nothing is under way any more, and nothing is left to try. */
  get isOver(): boolean {
    return this.links.size === 0 && this.stream === undefined && this.#untried.length === 0;
  }

  /** The way to try now, if it is time for another. */
  nextWay(nowMs: number): Way | undefined {
    if (nowMs < this.#nextWayMs) return undefined;
    this.#nextWayMs = nowMs + FALLBACK_MS;
    return this.#untried.shift();
  }

  nextDeadlineMs(): number {
    return this.#untried.length > 0 ? this.#nextWayMs : Number.POSITIVE_INFINITY;
  }

  /** Somebody is there: nothing else is tried, unless this fails. */
  answered(): void {
    this.#nextWayMs = Number.POSITIVE_INFINITY;
  }

  /** A way has failed for a reason that need not hold for another. */
  goOn(nowMs: number): void {
    this.#nextWayMs = nowMs;
  }
}

export interface DialOptions {
  /** In the order in which they are tried. */
  readonly ways: readonly Way[];
  readonly onBehalf: boolean;
  readonly nowMs: number;
}

/** Of the node and the address: an address alone anybody could block by calling somebody else there. */
export function dialKey({ identity, address }: Target): string {
  return `${identityKey(identity)}@${hostOf(address)}:${address.port}`;
}

export function hostOf(address: Address | HostPort): string {
  return 'ip' in address ? address.ip : address.host;
}

interface Wait {
  readonly gapMs: number;
  readonly untilMs: number;
}

/** After failures, twice as long each time. */
export class Backoff {
  /** At most BACKOFFS_MAX; the one that failed longest ago is forgotten first. */
  readonly #waits = new Map<string, Wait>();

  get size(): number {
    return this.#waits.size;
  }

  isWaiting(key: string, nowMs: number): boolean {
    return nowMs < (this.#waits.get(key)?.untilMs ?? Number.NEGATIVE_INFINITY);
  }

  failed(key: string, nowMs: number): void {
    const before = this.#waits.get(key);
    const isRecent = before !== undefined && nowMs < before.untilMs + BACKOFF_MS.max;
    const gapMs = isRecent ? Math.min(2 * before.gapMs, BACKOFF_MS.max) : BACKOFF_MS.first;
    this.#waits.delete(key);
    this.#waits.set(key, { gapMs, untilMs: nowMs + gapMs });
    const [oldest] = this.#waits.keys();
    if (this.#waits.size > BACKOFFS_MAX && oldest !== undefined) this.#waits.delete(oldest);
  }

  reached(key: string): void {
    this.#waits.delete(key);
  }
}

// Whether others can reach us (protocol 5, issue "Knowing the others"): we ask a node B, which asks a node C, which calls
// us over a stream at the address that B sees us at and the port that we name, and says what only we and they know. A
// node behind a translator is never called so; it takes part as a caller.
//
//   we          ASK port, nonce        B
//               <-- our ip as B sees it
//                                      B     CALL us, nonce     C
//               <---------------------- CALLED nonce            C
//
// Nobody is made to call a victim: B passes on only the ip it has a link with, C takes few of these, and calls once. A
// liar can do no more than keep us from knowing. Of the address we were set up with one such call proves that it works;
// of any other two, asked of different nodes, since B alone says which it was.

import { equalBytes } from '../bytes/index.ts';
import type { IdentityKey } from '../identity/index.ts';
import { type Address, formatAddress, type Rng, randomBytes } from '../runtime/index.ts';
import { CALL_NONCE_BYTES } from './wire.ts';

/** While it is not known; and again, as routers and their rules change. Guesses. */
const ASK_MS = { unknown: 5000, unreachable: 60_000, reachable: 600_000 };
/** Two ways, a handshake over TCP, and some. */
const WAIT_MS = 8000;
/** Asked and not called so often in a row: we cannot be reached. */
const UNHEARD_MAX = 3;
const WITNESSES_ELSEWHERE = 2;
export type Reach = 'unknown' | 'reachable' | 'unreachable';

interface Asked {
  readonly nonce: Uint8Array;
  readonly witness: IdentityKey;
  readonly untilMs: number;
  seenIp: string | undefined;
  isCalled: boolean;
}

export class Reachability {
  readonly #rng: Rng;
  /** Where we are, as far as the configuration says; the port is right in any case. */
  readonly #own: Address;
  /** By address, who was there when it worked; at most a few. */
  readonly #witnesses = new Map<string, Set<IdentityKey>>();
  #asked: Asked | undefined;
  #unheard = 0;
  #nextMs: number;
  #address: Address | undefined;
  #reach: Reach = 'unknown';

  constructor(rng: Rng, own: Address, nowMs: number) {
    this.#rng = rng;
    this.#own = own;
    this.#nextMs = nowMs;
  }

  get reach(): Reach {
    return this.#reach;
  }

  /** Proven. */
  get address(): Address | undefined {
    return this.#address;
  }

  get port(): number {
    return this.#own.port;
  }

  /** The nonce to ask this node with, if it is time. */
  ask(witness: IdentityKey, nowMs: number): Uint8Array | undefined {
    if (nowMs < this.#nextMs) return undefined;
    const nonce = randomBytes(this.#rng, CALL_NONCE_BYTES);
    this.#asked = { nonce, witness, untilMs: nowMs + WAIT_MS, seenIp: undefined, isCalled: false };
    this.#nextMs = nowMs + WAIT_MS;
    return nonce;
  }

  isDue(nowMs: number): boolean {
    return nowMs >= this.#nextMs;
  }

  /** The witness says where it sees us; undefined: it does nothing now, and another is to be asked. */
  onSeen(nonce: Uint8Array, ip: string | undefined, nowMs: number): boolean {
    const asked = this.#find(nonce, nowMs);
    if (asked === undefined) return false;
    if (ip === undefined) {
      this.#asked = undefined;
      this.#nextMs = nowMs + ASK_MS.unknown;
      return false;
    }
    asked.seenIp = ip;
    return this.#conclude(asked, nowMs);
  }

  /** Somebody calls. True when we now know an address that works, and did not before. */
  onCalled(nonce: Uint8Array, nowMs: number): boolean {
    const asked = this.#find(nonce, nowMs);
    if (asked === undefined) return false;
    asked.isCalled = true;
    return this.#conclude(asked, nowMs);
  }

  /** Nobody has called in time. True when we now know that nobody can, and did not before. */
  onTimer(nowMs: number): boolean {
    if (this.#asked === undefined || nowMs < this.#asked.untilMs) return false;
    const { seenIp } = this.#asked;
    this.#asked = undefined;
    // Whoever did not even answer says nothing about us.
    if (seenIp !== undefined) this.#unheard++;
    this.#nextMs = nowMs + (this.#reach === 'unreachable' ? ASK_MS.unreachable : ASK_MS.unknown);
    if (this.#unheard < UNHEARD_MAX || this.#reach === 'unreachable') return false;
    this.#reach = 'unreachable';
    this.#address = undefined;
    this.#witnesses.clear();
    this.#nextMs = nowMs + ASK_MS.unreachable;
    return true;
  }

  nextDeadlineMs(): number {
    return this.#asked?.untilMs ?? Number.POSITIVE_INFINITY;
  }

  #find(nonce: Uint8Array, nowMs: number): Asked | undefined {
    const asked = this.#asked;
    if (asked === undefined || nowMs >= asked.untilMs) return undefined;
    return equalBytes(asked.nonce, nonce) ? asked : undefined;
  }

  #conclude({ seenIp, isCalled, witness }: Asked, nowMs: number): boolean {
    if (seenIp === undefined || !isCalled) return false;
    const address = { ip: seenIp, port: this.#own.port };
    this.#asked = undefined;
    this.#unheard = 0;
    const witnesses = this.#witnessesOf(address).add(witness);
    const isEnough = seenIp === this.#own.ip || witnesses.size >= WITNESSES_ELSEWHERE;
    this.#nextMs = nowMs + (isEnough ? ASK_MS.reachable : ASK_MS.unknown);
    if (!isEnough) return false;
    const isNew = this.#address?.ip !== seenIp;
    this.#reach = 'reachable';
    this.#address = address;
    return isNew;
  }

  #witnessesOf(address: Address): Set<IdentityKey> {
    const key = formatAddress(address);
    const known = this.#witnesses.get(key) ?? new Set();
    // Another address begins anew: we have moved, or somebody lies.
    if (!this.#witnesses.has(key) && this.#witnesses.size >= WITNESSES_ELSEWHERE) {
      this.#witnesses.clear();
    }
    this.#witnesses.set(key, known);
    return known;
  }
}

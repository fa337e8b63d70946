// Who may start a handshake with us (protocol 3.1 and 11), decided before any Diffie-Hellman is done: an INIT that
// does not know our identity is ignored; while there are few, the others are let in; under load only those with a
// cookie, and of them so many per subnet. What is sent from here is as long as what it answers.

import type { CryptoProvider } from '../crypto/index.ts';
import { type Address, formatAddress, netgroup, type Rng, subnet } from '../runtime/index.ts';
import { CookieSecrets, cookieKey, sealCookie } from './cookies.ts';
import { hasMac1, mac1Key } from './macs.ts';
import { Quota, TokenBuckets } from './quota.ts';

/** UNDER_LOAD_INIT: more than this in one second is load. */
export const UNDER_LOAD_INITS = 20;
/** How long load lasts after the INIT that showed it: WireGuard's value. */
export const UNDER_LOAD_MS = 1000;

/** Handshakes that others began and that have not come to FIN yet (protocol 11). */
export const PENDING_MAX = 256;
export const PENDING_PER_NETGROUP_MAX = 4;

/** Of INITs with a cookie, per subnet: wireguard-go's values per address. */
const COOKIE_INITS = { perSecond: 20, burst: 5 };
/** A guess. They empty within 250 ms, so only somebody who receives in thousands of subnets can fill them. */
export const SUBNETS_MAX = 4096;

export interface GateOptions {
  readonly provider: CryptoProvider;
  readonly rng: Rng;
  readonly networkId: Uint8Array;
  /** Our own. */
  readonly identity: Uint8Array;
  /** Test networks: all come from one netgroup, so each address counts by itself. */
  readonly allowPrivate?: boolean;
  readonly nowMs: number;
}

export type GateDecision =
  /** The handshake holds one of the pending places until `leave`. */
  | { readonly type: 'admit' }
  | { readonly type: 'cookie'; readonly packet: Uint8Array }
  | { readonly type: 'drop'; readonly why: 'stranger' | 'too many' };

/** A decoded INIT and where it came from. */
export interface Arrival {
  readonly init: Uint8Array;
  readonly index: number;
  readonly from: Address;
}

export class InitGate {
  readonly #options: GateOptions;
  readonly #mac1Key: Uint8Array;
  readonly #cookieKey: Uint8Array;
  readonly #secrets: CookieSecrets;
  readonly #pending = new Quota({ max: PENDING_MAX, perGroupMax: PENDING_PER_NETGROUP_MAX });
  readonly #subnets = new TokenBuckets({ ...COOKIE_INITS, max: SUBNETS_MAX });
  #secondStartMs: number;
  #initsThisSecond = 0;
  #loadedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#mac1Key = mac1Key(options.networkId, options.identity);
    this.#cookieKey = cookieKey(options.networkId, options.identity);
    this.#secrets = new CookieSecrets(options.rng, options.nowMs);
    this.#secondStartMs = options.nowMs;
  }

  decide(arrival: Arrival, nowMs: number): GateDecision {
    const { init, from } = arrival;
    if (!hasMac1(init, this.#mac1Key)) return { type: 'drop', why: 'stranger' };
    this.#count(nowMs);
    if (this.#isLoaded(nowMs)) {
      if (!this.#secrets.admits(init, from, nowMs)) return this.#cookie(arrival, nowMs);
      if (!this.#subnets.take(this.#group(from, subnet), nowMs))
        return { type: 'drop', why: 'too many' };
    }
    if (!this.#pending.take(this.#group(from, netgroup))) return { type: 'drop', why: 'too many' };
    return { type: 'admit' };
  }

  /** The handshake came past FIN, or failed. */
  leave(from: Address): void {
    this.#pending.release(this.#group(from, netgroup));
  }

  #group(from: Address, groupOf: (ip: string) => string): string {
    return this.#options.allowPrivate ? formatAddress(from) : groupOf(from.ip);
  }

  #count(nowMs: number): void {
    if (nowMs >= this.#secondStartMs + 1000) {
      this.#secondStartMs = nowMs;
      this.#initsThisSecond = 0;
    }
    this.#initsThisSecond++;
    if (this.#initsThisSecond > UNDER_LOAD_INITS) this.#loadedUntilMs = nowMs + UNDER_LOAD_MS;
  }

  #isLoaded(nowMs: number): boolean {
    return nowMs < this.#loadedUntilMs || this.#pending.used >= PENDING_MAX / 2;
  }

  #cookie({ init, index, from }: Arrival, nowMs: number): GateDecision {
    const cookie = this.#secrets.cookieFor(from, nowMs);
    const packet = sealCookie({ cookie, init, index }, this.#cookieKey, this.#options);
    return { type: 'cookie', packet };
  }
}

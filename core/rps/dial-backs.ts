// What we do for others who want to know whether they can be reached (reachability.ts): as B we pass it on, as C we call.
// Limited, because a stranger makes us call somebody.

import { type IdentityKey, identityKey } from '../identity/index.ts';
import { TokenBuckets } from '../link/index.ts';
import type { RpcPeer } from '../rpc/index.ts';
import { netgroup, pick, type Rng } from '../runtime/index.ts';
import { type Contact, contactAt } from './contact.ts';
import { call, callBack, type RpsOutput } from './port.ts';
import { encodeSeen, NOTHING, type RpsMessage } from './wire.ts';

/** Guesses at "few per minute". */
const FOR_ONE = { perSecond: 2 / 60, burst: 2, max: 1024 };
const FOR_ALL = { perSecond: 10 / 60, burst: 10, max: 1 };

export interface DialBacksOptions {
  readonly rng: Rng;
  live(): readonly Contact[];
  /** Whether we would call there at all. */
  isPossible(contact: Contact): boolean;
}

export interface Favour {
  readonly answer: Uint8Array;
  readonly output: RpsOutput;
}

export class DialBacks {
  readonly #options: DialBacksOptions;
  readonly #forOne = new TokenBuckets(FOR_ONE);
  readonly #forAll = new TokenBuckets(FOR_ALL);

  constructor(options: DialBacksOptions) {
    this.#options = options;
  }

  /** A asks us, B, to have it called: where its link to us comes from, and nowhere else. Without a C we call ourselves. */
  onAsk(
    { identity, address: { ip } }: RpcPeer,
    { port, nonce }: RpsMessage & { readonly type: 'ask' },
    nowMs: number,
  ): Favour | undefined {
    const key = identityKey(identity);
    if (port === 0 || !this.#mayFor(key, nowMs)) return undefined;
    const contact = contactAt(identity, { ip, port });
    const { rng, live } = this.#options;
    const others = live().filter((other) => other.key !== key);
    const elsewhere = others.filter(({ address }) => netgroup(address.ip) !== netgroup(ip));
    const third = pick(rng, elsewhere) ?? pick(rng, others);
    const output =
      third === undefined
        ? callBack(contact, nonce)
        : call(third, { type: 'call', contact, nonce }, { type: 'call' });
    return { answer: encodeSeen(ip), output };
  }

  /** B asks us, C, to call A. */
  onCall(
    { identity }: RpcPeer,
    { contact, nonce }: RpsMessage & { readonly type: 'call' },
    nowMs: number,
  ): Favour | undefined {
    if (!this.#options.isPossible(contact)) return undefined;
    if (!this.#mayFor(identityKey(identity), nowMs)) return undefined;
    return { answer: NOTHING, output: callBack(contact, nonce) };
  }

  #mayFor(peer: IdentityKey, nowMs: number): boolean {
    return this.#forOne.take(peer, nowMs) && this.#forAll.take('', nowMs);
  }
}

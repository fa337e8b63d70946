// What peer sampling (rps.ts) and who drives it say to each other: what it wants said to other nodes, and what it tells.

import type { PowTask } from '../crypto/index.ts';
import type { Identity, NodeDescriptor } from '../identity/index.ts';
import type { Address, Rng } from '../runtime/index.ts';
import type { Warning } from './checks.ts';
import type { Contact } from './contact.ts';
import type { Known } from './known.ts';
import type { Ranking } from './ranking.ts';
import type { Reach } from './reachability.ts';
import type { RpsMessage } from './wire.ts';

export interface Now {
  readonly nowMs: number;
  readonly wallMs: number;
}

/** What a call was for. */
export type About =
  | { readonly type: 'push' | 'call' | 'called' }
  | { readonly type: 'pull'; readonly isFeeler: boolean; readonly to: Contact }
  | { readonly type: 'probe'; readonly to: Contact; readonly isAnew: boolean }
  | { readonly type: 'ask'; readonly nonce: Uint8Array };

export type RpsOutput =
  | {
      readonly type: 'call';
      readonly to: Contact;
      readonly message: RpsMessage;
      readonly about: About;
      /** Past any link there is. */
      readonly isAnew: boolean;
    }
  /** The answer goes to `onSolved`. */
  | { readonly type: 'solve'; readonly task: PowTask; readonly to: Contact; readonly round: number }
  /** Where we can be reached has changed. */
  | { readonly type: 'reach'; readonly address: Address | undefined };

export interface RpsOptions {
  readonly rng: Rng;
  readonly ranking: Ranking;
  readonly networkId: Uint8Array;
  readonly identity: Identity;
  /** Where we listen for Rpc. */
  readonly own: Address;
  readonly allowPrivate: boolean;
  readonly known: readonly Known[];
  /** Of NSE; undefined as long as that does not say. */
  networkSize(): number | undefined;
  verifyPow(task: PowTask, nonce: Uint8Array): boolean;
}

/** A random peer: alive a short while ago, and reachable. */
export interface Sampled {
  readonly contact: Contact;
  readonly descriptor: NodeDescriptor;
}

export interface RpsStatus {
  readonly view: number;
  /** Different nodes in the samplers, and those of them that are alive. */
  readonly sampled: number;
  readonly live: number;
  readonly reach: Reach;
  readonly address: Address | undefined;
  readonly warnings: readonly Warning[];
  /** Rounds in which the view was renewed, and in which it was not. */
  readonly renewals: number;
  readonly skips: number;
  /** Requests of others that were wrong or too many. */
  readonly dropped: number;
}

export function call(to: Contact, message: RpsMessage, about: About): RpsOutput {
  return { type: 'call', to, message, about, isAnew: false };
}

export function pull(to: Contact, isFeeler: boolean): RpsOutput {
  return call(to, { type: 'pull' }, { type: 'pull', isFeeler, to });
}

export function probe(to: Contact, isAnew: boolean): RpsOutput {
  const about = { type: 'probe', to, isAnew } as const;
  return { type: 'call', to, message: { type: 'probe' }, about, isAnew };
}

export function callBack(to: Contact, nonce: Uint8Array): RpsOutput {
  const message = { type: 'called', nonce } as const;
  return { type: 'call', to, message, about: { type: 'called' }, isAnew: true };
}

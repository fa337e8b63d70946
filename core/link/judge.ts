// Who may have a link with us, once he has proven who he is (protocol 3.1 and 11): nobody who is banned, only who has
// paid for his identity, and of those who called us so many in all and of each netgroup.

import type { NodeDescriptor } from '../identity/index.ts';
import { netgroup } from '../runtime/index.ts';
import { Bans } from './bans.ts';
import type { Link } from './link.ts';
import type { LinkId } from './port.ts';
import { PROOF_RETRY_MS, Proofs } from './proofs.ts';
import { Quota } from './quota.ts';

export interface LinkLimits {
  /** Open links, and calls of ours. */
  readonly links: number;
  /** Of those that others began; does not hold in test networks, where all are neighbours. */
  readonly perNetgroup: number;
}

/** Protocol 11. */
export const LINK_LIMITS: LinkLimits = { links: 256, perNetgroup: 8 };
/** Of the links, how many others may begin: some are left for us, whoever floods us with theirs. A guess. */
const INCOMING_SHARE = 3 / 4;

export interface JudgeOptions {
  readonly limits: LinkLimits;
  readonly allowPrivate: boolean;
  hasProof(peer: NodeDescriptor): boolean;
}

export type Judgement =
  | 'welcome'
  | 'banned'
  | 'no proof of work'
  | 'too many links'
  /** To be asked again: too many proofs at once. */
  | 'later';

export class Judge {
  readonly bans = new Bans();
  readonly #proofs: Proofs;
  /** Links that others began, by netgroup. */
  readonly #incoming: Quota;
  /** The netgroup of each: as many as the quota has places. */
  readonly #places = new Map<LinkId, string>();
  /** Links in the making that are judged when there is time: a set-up ends after 5 s. */
  readonly #waiting = new Set<LinkId>();
  #asksAgainMs = Number.POSITIVE_INFINITY;

  constructor({ limits, allowPrivate, hasProof }: JudgeOptions) {
    const max = Math.floor(limits.links * INCOMING_SHARE);
    this.#proofs = new Proofs(hasProof);
    this.#incoming = new Quota({ max, perGroupMax: allowPrivate ? max : limits.perNetgroup });
  }

  /** Who is welcome has a place, until `leave`. */
  decide(link: Link, peer: NodeDescriptor, nowMs: number): Judgement {
    this.#waiting.delete(link.id);
    if (this.bans.hasIdentity(peer.identity, nowMs)) return 'banned';
    const proof = this.#proofs.check(peer, nowMs);
    if (proof === 'unproven') return 'no proof of work';
    if (proof === 'later') {
      this.#waiting.add(link.id);
      this.#asksAgainMs = Math.min(this.#asksAgainMs, nowMs + PROOF_RETRY_MS);
      return 'later';
    }
    return link.isInitiator || this.#takePlace(link) ? 'welcome' : 'too many links';
  }

  /** Harmless for who has no place. */
  leave(link: LinkId): void {
    this.#waiting.delete(link);
    const group = this.#places.get(link);
    if (group === undefined) return;
    this.#places.delete(link);
    this.#incoming.release(group);
  }

  nextDeadlineMs(): number {
    return this.#asksAgainMs;
  }

  /** Those to judge again now. */
  takeWaiting(nowMs: number): readonly LinkId[] {
    if (nowMs < this.#asksAgainMs) return [];
    this.#asksAgainMs = Number.POSITIVE_INFINITY;
    return [...this.#waiting];
  }

  #takePlace({ id, address }: Link): boolean {
    const group = netgroup(address.ip);
    if (!this.#incoming.take(group)) return false;
    this.#places.set(id, group);
    return true;
  }
}

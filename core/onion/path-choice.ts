// Chooses the paths of our tunnels from the peers RPS gave: by the rules (path.ts), with a guard first if there are
// guards, and by how peers have served us so far (protocol 3.8).

import type { IdentityKey } from '../identity/index.ts';
import { type Rng, shuffled } from '../runtime/index.ts';
import type { Now } from './build.ts';
import type { Guards } from './guards.ts';
import { History } from './history.ts';
import { choosePath, mayJoin, type PathRules } from './path.ts';
import type { Peer } from './peer.ts';
import type { Failing } from './plane-port.ts';
import type { OnionTiming } from './timing.ts';

/** A guess: long enough that a dead peer is gone from the samplers, and a few rounds of a test network. */
const PAUSE_MAX_MS = 60_000;
const PAUSE_ROUNDS_MAX = 2;
/** Protocol 3.8. */
const GUARD_FAILURE_MAX = 0.3;

export interface PathChoiceOptions {
  readonly rng: Rng;
  readonly rules: PathRules;
  readonly guards: Guards;
  readonly timing: OnionTiming;
}

export class PathChoice {
  readonly #options: PathChoiceOptions;
  readonly #history = new History();
  readonly #pauseMs: number;
  /** As many as there are guards while the process runs. */
  readonly #guardsTold = new Set<IdentityKey>();

  constructor(options: PathChoiceOptions) {
    this.#options = options;
    this.#pauseMs = Math.min(PAUSE_MAX_MS, PAUSE_ROUNDS_MAX * options.timing.roundMs);
  }

  /**
   * First hop to endpoint, or undefined when there are not enough. Two choices from the same candidates differ. Who may
   * have failed a moment ago comes last; who surely did is left out, unless `evenPaused`: better one of them than no
   * tunnel.
   */
  choose(
    candidates: readonly Peer[],
    { destination, evenPaused }: { destination: Peer | undefined; evenPaused: boolean },
    { nowMs, wallMs }: Now,
  ): readonly Peer[] | undefined {
    const { rng, rules, guards } = this.#options;
    const history = this.#history;
    const isThere = ({ key }: Peer): boolean => evenPaused || !history.isPaused(key, nowMs);
    const isUsable = (peer: Peer): boolean => isThere(peer) && !history.isBad(peer.key, nowMs);
    const doubt = ({ key }: Peer): number =>
      Number(history.isSuspect(key, nowMs)) + 2 * Number(history.isPaused(key, nowMs));
    const peers = shuffled(rng, candidates).sort((one, other) => doubt(one) - doubt(other));
    const ends = destination === undefined ? [] : [destination];
    // A guard stays for its time, whatever dies behind it: who kills tunnels could lead us to his own.
    const mayBegin = (peer: Peer): boolean =>
      (guards.has(peer) ? isThere(peer) : isUsable(peer)) && mayJoin(peer, ends, rules);
    const first = guards.choose(peers, mayBegin, wallMs);
    if (guards.areUsed && first === undefined) return undefined;
    return choosePath(peers.filter(isUsable), { first, destination }, rules);
  }

  /** Guards that fail too often: for people to know of, and replaced no earlier than others. */
  poorGuards({ nowMs, wallMs }: Now): readonly IdentityKey[] {
    const isPoor = (key: IdentityKey): boolean =>
      (this.#history.failureShare(key, nowMs) ?? 0) > GUARD_FAILURE_MAX;
    return this.#options.guards.keysInUse(wallMs).filter(isPoor);
  }

  /** Those of them that were not so before. */
  newlyPoorGuards(now: Now): readonly IdentityKey[] {
    const news = this.poorGuards(now).filter((key) => !this.#guardsTold.has(key));
    for (const key of news) this.#guardsTold.add(key);
    return news;
  }

  /** A tunnel over this path did its work to the end. */
  served(path: readonly Peer[], { nowMs }: Now): void {
    for (const { key } of path) this.#history.record(key, 'good', nowMs);
  }

  /** This peer did not do its part. */
  failed(key: IdentityKey, { nowMs }: Now): void {
    this.#history.record(key, 'bad', nowMs);
    this.#history.pause(key, nowMs + this.#pauseMs, nowMs);
  }

  /**
   * The tunnel died, and nobody can tell which hop it was: all get the blame, which fades, but for where a client wants
   * to go. A guard is used again as long as its link lives. An endpoint that echoes nothing is left out for a while, too:
   * a relay may have kept from it what it should echo, but it is the one that can lie about it.
   */
  suspected(
    { path, destination }: { path: readonly Peer[]; destination: Peer | undefined },
    why: Failing,
    { nowMs }: Now,
  ): void {
    const untilMs = nowMs + this.#pauseMs;
    const endpoint = path.at(-1);
    for (const peer of path) {
      if (peer.key === destination?.key) continue;
      this.#history.record(peer.key, 'bad', nowMs);
      this.#history.suspect(peer.key, untilMs, nowMs);
      if (why === 'unanswered' && peer === endpoint) this.#history.pause(peer.key, untilMs, nowMs);
    }
  }
}

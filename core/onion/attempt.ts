// One attempt at a tunnel: peers from RPS, a path, the link to its first hop, then the build (build.ts). It ends built or
// failed; whether to try again is decided by whoever began it (tunnels.ts).

import type { IdentityKey } from '../identity/index.ts';
import type { LinkId } from '../link/index.ts';
import { randomBelow } from '../runtime/index.ts';
import { type BuildOutput, type Now, TunnelBuild } from './build.ts';
import { newCircId } from './circ-id.ts';
import { BUDGET_MAX, type HopParameters } from './hop.ts';
import { choosePath, type FixedEnds, type PathRules } from './path.ts';
import type { Peer } from './peer.ts';
import type { CircuitCommand, CircuitId } from './plane-port.ts';
import type { RelayLink } from './relay.ts';
import type { OnionTiming } from './timing.ts';

/** Asked of RPS at once; a few of them may break the path's rules. */
const EXTRA_PEERS = 4;
/** How soon RPS is asked again when what it gave is not enough: no relay has seen anything of the attempt yet. */
const PEERS_AGAIN_MS = 1000;
/** The link itself gives up after 5 s and its retries. */
const LINK_TIMEOUT_MS = 8000;
/** The lowest budget a first hop is told (protocol 3.3): says little about where it stands. */
const BUDGET_MIN = 4;

export interface AttemptOptions {
  readonly parameters: HopParameters;
  readonly timing: OnionTiming;
  readonly rules: PathRules;
  readonly ends: FixedEnds;
  readonly circuit: CircuitId;
  readonly round: number;
}

export type AttemptOutput =
  | { readonly type: 'plane'; readonly command: CircuitCommand }
  | { readonly type: 'want peers'; readonly count: number }
  | { readonly type: 'open link'; readonly peer: Peer }
  | { readonly type: 'solve'; readonly challenge: Uint8Array; readonly bits: number }
  | { readonly type: 'built' }
  /** `culprit`: the peer that did not do its part, when it was one. */
  | { readonly type: 'failed'; readonly culprit?: IdentityKey };

export type AttemptState = 'peers' | 'link' | 'building' | 'built' | 'failed';

export class Attempt {
  readonly #options: AttemptOptions;
  readonly #candidates: Peer[] = [];
  #state: AttemptState = 'peers';
  #path: readonly Peer[] = [];
  #build: TunnelBuild | undefined;
  #link: LinkId | undefined;
  #deadlineMs: number;

  constructor(options: AttemptOptions, now: Now) {
    this.#options = options;
    this.#deadlineMs = now.nowMs + PEERS_AGAIN_MS;
  }

  get state(): AttemptState {
    return this.#state;
  }

  get circuit(): CircuitId {
    return this.#options.circuit;
  }

  get round(): number {
    return this.#options.round;
  }

  get destination(): Peer | undefined {
    return this.#options.ends.destination;
  }

  get path(): readonly Peer[] {
    return this.#path;
  }

  get link(): LinkId | undefined {
    return this.#link;
  }

  /** What the endpoint and we share, once built. */
  get endpointSecret(): Uint8Array | undefined {
    return this.#build?.endpointSecret;
  }

  start(): AttemptOutput[] {
    return [{ type: 'want peers', count: this.#options.rules.hops + 1 + EXTRA_PEERS }];
  }

  onPeers(peers: readonly Peer[], now: Now): AttemptOutput[] {
    if (this.#state !== 'peers') return [];
    this.#candidates.push(...peers);
    const path = choosePath(this.#candidates, this.#options.ends, this.#options.rules);
    const [first] = path ?? [];
    if (path === undefined || first === undefined) return [];
    this.#path = path;
    this.#state = 'link';
    this.#deadlineMs = now.nowMs + LINK_TIMEOUT_MS;
    return [{ type: 'open link', peer: first }];
  }

  onLinkUp(key: IdentityKey, { link, isInitiator }: RelayLink, now: Now): AttemptOutput[] {
    if (this.#state !== 'link' || key !== this.#path[0]?.key) return [];
    const { parameters, timing, circuit, round } = this.#options;
    this.#state = 'building';
    this.#link = link;
    const lowest = Math.max(BUDGET_MIN, this.#path.length);
    const budget = lowest + randomBelow(parameters.rng, BUDGET_MAX - lowest + 1);
    const circId = newCircId(parameters.rng, isInitiator);
    const path = this.#path;
    this.#build = new TunnelBuild(
      { parameters, timing, circuit, link, circId, round, budget, path },
      now,
    );
    return this.#told(this.#build.onTimer(now));
  }

  onLinkFailed(key: IdentityKey): AttemptOutput[] {
    return this.#state === 'link' && key === this.#path[0]?.key ? this.#fail(key) : [];
  }

  /** The link under the circuit is gone, also after it was built. */
  onLinkDown(link: LinkId): AttemptOutput[] {
    if (link !== this.#link || this.#state === 'failed') return [];
    return this.#fail(this.#path[0]?.key);
  }

  onCreated(payload: Uint8Array, now: Now): AttemptOutput[] {
    return this.#told(this.#build?.onCreated(payload, now) ?? []);
  }

  onInner(plaintext: Uint8Array, now: Now): AttemptOutput[] {
    return this.#told(this.#build?.onInner(plaintext, now) ?? []);
  }

  onDestroy(body: Uint8Array): AttemptOutput[] {
    if (this.#state === 'built') return this.#fail(this.#path[0]?.key);
    return this.#told(this.#build?.onRefused(body) ?? []);
  }

  onProof(nonce: Uint8Array, now: Now): AttemptOutput[] {
    return this.#told(this.#build?.onProof(nonce, now) ?? []);
  }

  nextDeadlineMs(): number {
    if (this.#state === 'building') return this.#build?.nextDeadlineMs() ?? this.#deadlineMs;
    return this.#state === 'peers' || this.#state === 'link'
      ? this.#deadlineMs
      : Number.POSITIVE_INFINITY;
  }

  onTimer(now: Now): AttemptOutput[] {
    if (now.nowMs < this.nextDeadlineMs()) return [];
    if (this.#state === 'building') return this.#told(this.#build?.onTimer(now) ?? []);
    if (this.#state === 'link') return this.#fail(this.#path[0]?.key);
    this.#deadlineMs = now.nowMs + PEERS_AGAIN_MS;
    return this.start();
  }

  #told(outputs: readonly BuildOutput[]): AttemptOutput[] {
    return outputs.flatMap((output): AttemptOutput[] => {
      switch (output.type) {
        case 'plane':
          return [output];
        case 'proof wanted':
          return [{ type: 'solve', challenge: output.challenge, bits: output.bits }];
        case 'built':
          this.#state = 'built';
          return [output];
        default:
          return this.#fail(this.#path[output.hop]?.key);
      }
    });
  }

  #fail(culprit: IdentityKey | undefined): AttemptOutput[] {
    this.#state = 'failed';
    return [culprit === undefined ? { type: 'failed' } : { type: 'failed', culprit }];
  }
}

// One tunnel of ours, from the wish to have it to its end: peers from RPS, a path, the link to its first hop, then the
// build (build.ts), and what arrives once it stands. It fails once, or is ended; whether to try again is decided by
// whoever began it (own-tunnels.ts).

import type { IdentityKey } from '../identity/index.ts';
import type { LinkId, Target } from '../link/index.ts';
import { randomBelow } from '../runtime/index.ts';
import { type BuildOutput, type Now, TunnelBuild } from './build.ts';
import { newCircId } from './circ-id.ts';
import { destroyCell, REASON, refusal } from './control-cells.ts';
import { decoded } from './decoded.ts';
import { BUDGET_MAX, type HopParameters } from './hop.ts';
import { type InnerMessage, InnerReceiver } from './inner.ts';
import type { RelayLink } from './next-hop.ts';
import { isCallTo, type Peer } from './peer.ts';
import type { CircuitCommand, CircuitId } from './plane-port.ts';
import type { OnionTiming } from './timing.ts';

/** Asked of RPS at once; a few of them may break the path's rules. */
const EXTRA_PEERS = 4;
/** How soon RPS is asked again when what it gave is not enough: no relay has seen anything of the attempt yet. */
const PEERS_AGAIN_MS = 1000;
/** Asked so often in vain, peers that failed a moment ago will do. A guess. */
const CHOOSY_ASKS = 3;
/** The latest, when RPS gives ever others and never enough that fit. */
const CANDIDATES_MAX = 64;
/** The link itself gives up after 5 s and its retries. */
const LINK_TIMEOUT_MS = 8000;
/** The lowest budget a first hop is told (protocol 3.3): says little about where it stands. */
const BUDGET_MIN = 4;

export interface AttemptOptions {
  readonly parameters: HopParameters;
  readonly timing: OnionTiming;
  readonly circuit: CircuitId;
  readonly round: number;
  /** Relays before the endpoint. */
  readonly hops: number;
  /** Undefined: at a random peer. */
  readonly destination: Peer | undefined;
  choosePath(
    candidates: readonly Peer[],
    evenPaused: boolean,
    now: Now,
  ): readonly Peer[] | undefined;
}

export type AttemptOutput =
  | { readonly type: 'plane'; readonly command: CircuitCommand }
  | { readonly type: 'want peers'; readonly count: number }
  | { readonly type: 'open link'; readonly peer: Peer }
  | { readonly type: 'solve'; readonly challenge: Uint8Array; readonly bits: number }
  | { readonly type: 'built' }
  /** From the endpoint of the built tunnel. */
  | { readonly type: 'message'; readonly message: InnerMessage }
  /** `culprit`: the peer that did not do its part, when it was one. */
  | { readonly type: 'failed'; readonly culprit?: IdentityKey };

export type AttemptState = 'peers' | 'link' | 'building' | 'built' | 'over';

interface Place {
  readonly link: LinkId;
  readonly circId: number;
}

export class Attempt {
  readonly #options: AttemptOptions;
  readonly #inner = new InnerReceiver();
  /** At most CANDIDATES_MAX. */
  #candidates: readonly Peer[] = [];
  #asks = 0;
  #state: AttemptState = 'peers';
  #path: readonly Peer[] = [];
  #place: Place | undefined;
  #build: TunnelBuild | undefined;
  #resumeToken: Uint8Array | undefined;
  #deadlineMs = 0;

  constructor(options: AttemptOptions) {
    this.#options = options;
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
    return this.#options.destination;
  }

  get path(): readonly Peer[] {
    return this.#path;
  }

  /** What names the tunnel to its endpoint when its next circuit comes, once built. */
  get resumeToken(): Uint8Array | undefined {
    return this.#resumeToken;
  }

  /** Asks for peers, at the beginning and as long as there are not enough. */
  start({ nowMs }: Now): AttemptOutput[] {
    this.#asks++;
    this.#deadlineMs = nowMs + PEERS_AGAIN_MS;
    return [{ type: 'want peers', count: this.#options.hops + 1 + EXTRA_PEERS }];
  }

  onPeers(peers: readonly Peer[], now: Now): AttemptOutput[] {
    if (this.#state !== 'peers') return [];
    const known = new Map([...this.#candidates, ...peers].map((peer) => [peer.key, peer]));
    this.#candidates = [...known.values()].slice(-CANDIDATES_MAX);
    const path = this.#options.choosePath(this.#candidates, this.#asks > CHOOSY_ASKS, now);
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
    const path = this.#path;
    const lowest = Math.max(BUDGET_MIN, path.length);
    const budget = lowest + randomBelow(parameters.rng, BUDGET_MAX - lowest + 1);
    const place = { link, circId: newCircId(parameters.rng, isInitiator) };
    this.#state = 'building';
    this.#place = place;
    const options = { parameters, timing, circuit, ...place, round, budget, path };
    this.#build = new TunnelBuild(options, now);
    return this.#told(this.#build.onTimer(now));
  }

  onLinkFailed(call: Target): AttemptOutput[] {
    const [first] = this.#path;
    const isOurs = this.#state === 'link' && first !== undefined && isCallTo(first, call);
    return isOurs ? this.#fail(first.key) : [];
  }

  /** The link under the circuit is gone, also after it was built. */
  onLinkDown(link: LinkId): AttemptOutput[] {
    const isOurs = this.#state !== 'over' && link === this.#place?.link;
    return isOurs ? this.#fail(this.#path[0]?.key) : [];
  }

  onCreated(payload: Uint8Array, now: Now): AttemptOutput[] {
    return this.#told(this.#build?.onCreated(payload, now) ?? []);
  }

  onInner(plaintext: Uint8Array, now: Now): AttemptOutput[] {
    if (this.#state === 'building') return this.#told(this.#build?.onInner(plaintext, now) ?? []);
    if (this.#state !== 'built') return [];
    const message = decoded(() => this.#inner.receive(plaintext, now.nowMs));
    return message === undefined ? [] : [{ type: 'message', message }];
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
    const waits = this.#state === 'peers' || this.#state === 'link';
    return waits ? this.#deadlineMs : Number.POSITIVE_INFINITY;
  }

  onTimer(now: Now): AttemptOutput[] {
    if (now.nowMs < this.nextDeadlineMs()) return [];
    if (this.#state === 'building') return this.#told(this.#build?.onTimer(now) ?? []);
    return this.#state === 'link' ? this.#fail(this.#path[0]?.key) : this.start(now);
  }

  /** Lets go of all hops, of which the first is told and tells the others, and of what was under way. */
  end(): CircuitCommand[] {
    this.#state = 'over';
    this.#build?.onLost();
    if (this.#place === undefined) return [];
    const { circuit, parameters } = this.#options;
    const cell = destroyCell(parameters.rng, this.#place.circId, refusal(REASON.normal));
    return [
      { type: 'send cells', circuit, side: 'next', cells: [cell] },
      { type: 'remove', circuit },
    ];
  }

  #told(outputs: readonly BuildOutput[]): AttemptOutput[] {
    return outputs.flatMap((output): AttemptOutput[] => {
      switch (output.type) {
        case 'plane':
          return [output];
        case 'proof wanted':
          return [{ type: 'solve', challenge: output.challenge, bits: output.bits }];
        case 'built':
          return this.#stand(output.resumeToken);
        default:
          return this.#fail(this.#path[output.hop]?.key);
      }
    });
  }

  #stand(resumeToken: Uint8Array): AttemptOutput[] {
    this.#resumeToken = resumeToken;
    this.#build = undefined;
    this.#state = 'built';
    return [{ type: 'built' }];
  }

  /** Its end, `end`, is still to come. */
  #fail(culprit: IdentityKey | undefined): AttemptOutput[] {
    this.#state = 'over';
    return [culprit === undefined ? { type: 'failed' } : { type: 'failed', culprit }];
  }
}

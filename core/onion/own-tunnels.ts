// Our own tunnel, round after round (protocol 2.2, 3.7, 3.8): one attempt for this round and, in its last part, one for
// the next; the switch at the boundary; the old one kept while packets are under way; another attempt, twice per round at
// the most, when one fails or its tunnel dies. Where the tunnel ends, at a random peer or at one a client asked for, is
// decided by whoever asks `destination` (api-tunnels.ts).

import type { Identity, IdentityKey } from '../identity/index.ts';
import type { LinkId } from '../link/index.ts';
import { randomBetween } from '../runtime/index.ts';
import { Attempt, type AttemptOutput } from './attempt.ts';
import type { Now } from './build.ts';
import type { Guards } from './guards.ts';
import { History } from './history.ts';
import { type HopParameters, resumeToken } from './hop.ts';
import type { Peer } from './peer.ts';
import type { CircuitCommand, CircuitId } from './plane-port.ts';
import type { RelayLink } from './relay.ts';
import { type RoundSchedule, scheduleOf } from './schedule.ts';
import { type OnionTiming, roundAt, roundStartMs } from './timing.ts';

/** REBUILD_MAX_PER_ROUND: each rebuild is another sample for whoever kills tunnels he does not control. */
const REBUILDS_MAX = 2;
/** Protocol 3.8: before a rebuild, so that its cause does not show. */
const REBUILD_DELAY_MS = { min: 500, max: 3000 };

export interface OwnTunnelsOptions {
  readonly parameters: HopParameters;
  readonly timing: OnionTiming;
  readonly own: IdentityKey;
  readonly hops: number;
  readonly sameNetgroupAllowed: boolean;
  readonly guards: Guards;
  newCircuit(): CircuitId;
  /** Where the tunnel of this round is to end; undefined: at a random peer. */
  destination(round: number): Peer | undefined;
}

export type OwnTunnelsOutput =
  | { readonly type: 'plane'; readonly command: CircuitCommand }
  | { readonly type: 'want peers'; readonly count: number }
  | { readonly type: 'open link'; readonly identity: Identity; readonly address: Peer['address'] }
  | {
      readonly type: 'solve';
      readonly circuit: CircuitId;
      readonly challenge: Uint8Array;
      readonly bits: number;
    }
  /** This circuit is the one to send on from now; `resumeToken` names it to its endpoint later. */
  | { readonly type: 'current'; readonly tunnel: OwnTunnel }
  | { readonly type: 'lost'; readonly round: number }
  /** The round's last attempt has failed: there will be no tunnel in it. */
  | { readonly type: 'no tunnel'; readonly round: number };

export interface OwnTunnel {
  readonly circuit: CircuitId;
  readonly round: number;
  readonly destination: Peer | undefined;
  readonly path: readonly Peer[];
  readonly resumeToken: Uint8Array;
}

export class OwnTunnels {
  readonly #options: OwnTunnelsOptions;
  readonly #history = new History();
  #schedule: RoundSchedule;
  #current: Attempt | undefined;
  /** The one that was last told to be the current. */
  #announced: Attempt | undefined;
  #next: Attempt | undefined;
  /** Of earlier rounds, or replaced: at most a few, each until its teardown. */
  readonly #draining: { readonly attempt: Attempt; readonly untilWallMs: number }[] = [];
  #rebuilds = 0;
  #rebuildAtMs = Number.POSITIVE_INFINITY;
  #nextWasBegun = false;

  constructor(options: OwnTunnelsOptions, now: Now) {
    this.#options = options;
    const round = roundAt(options.timing, now.wallMs);
    this.#schedule = scheduleOf(options.timing, round, options.parameters.rng);
    this.#rebuildAtMs = now.nowMs;
    // What is missing of this round is as good as the round itself: the first tunnel is no rebuild.
    this.#rebuilds = -1;
  }

  get round(): number {
    return this.#schedule.round;
  }

  /** The first round whose tunnel has not been begun. */
  get nextFreeRound(): number {
    return this.#nextWasBegun ? this.round + 2 : this.round + 1;
  }

  get current(): OwnTunnel | undefined {
    return this.#current?.state === 'built' ? this.#tunnel(this.#current) : undefined;
  }

  /** The state of the two attempts, for status. */
  get states(): { readonly current: string; readonly next: string } {
    return { current: this.#current?.state ?? 'none', next: this.#next?.state ?? 'none' };
  }

  /** Of a circuit of ours, old ones included. */
  stateOf(circuit: CircuitId): Attempt['state'] | undefined {
    return this.#all().find((attempt) => attempt.circuit === circuit)?.state;
  }

  onTick(now: Now): OwnTunnelsOutput[] {
    return [
      ...this.#turnRound(now),
      ...this.#beginNext(now),
      ...this.#rebuild(now),
      ...this.#teardown(now),
      ...this.#live().flatMap((attempt) => this.#told(attempt, attempt.onTimer(now), now)),
    ];
  }

  nextDeadlineMs(now: Now): number {
    const fromWall = (wallMs: number): number => now.nowMs + (wallMs - now.wallMs);
    const { timing } = this.#options;
    const walls = [
      roundStartMs(timing, this.round + 1),
      ...(this.#nextWasBegun ? [] : [this.#schedule.buildNextMs]),
      ...(this.#next?.state === 'built' && this.#next.round === this.round
        ? [this.#schedule.switchMs]
        : []),
      ...(this.#isOutlived() ? [this.#schedule.teardownMs] : []),
      ...this.#draining.map(({ untilWallMs }) => untilWallMs),
    ];
    const own = this.#live().map((attempt) => attempt.nextDeadlineMs());
    return Math.min(...walls.map(fromWall), ...own, this.#rebuildAtMs);
  }

  onPeers(peers: readonly Peer[], now: Now): OwnTunnelsOutput[] {
    return this.#live().flatMap((attempt) => this.#told(attempt, attempt.onPeers(peers, now), now));
  }

  onLinkUp(key: IdentityKey, link: RelayLink, now: Now): OwnTunnelsOutput[] {
    return this.#live().flatMap((one) => this.#told(one, one.onLinkUp(key, link, now), now));
  }

  onLinkFailed(key: IdentityKey, now: Now): OwnTunnelsOutput[] {
    return this.#live().flatMap((one) => this.#told(one, one.onLinkFailed(key), now));
  }

  onLinkDown(link: LinkId, now: Now): OwnTunnelsOutput[] {
    return this.#live().flatMap((one) => this.#told(one, one.onLinkDown(link), now));
  }

  onCreated(circuit: CircuitId, payload: Uint8Array, now: Now): OwnTunnelsOutput[] {
    return this.#with(circuit, now, (attempt) => attempt.onCreated(payload, now));
  }

  /** While it is built: EXTENDED and the like. */
  onInner(circuit: CircuitId, plaintext: Uint8Array, now: Now): OwnTunnelsOutput[] {
    return this.#with(circuit, now, (attempt) => attempt.onInner(plaintext, now));
  }

  onDestroy(circuit: CircuitId, body: Uint8Array, now: Now): OwnTunnelsOutput[] {
    return this.#with(circuit, now, (attempt) => attempt.onDestroy(body));
  }

  onProof(circuit: CircuitId, nonce: Uint8Array, now: Now): OwnTunnelsOutput[] {
    return this.#with(circuit, now, (attempt) => attempt.onProof(nonce, now));
  }

  /** The data plane says that the circuit is silent or loses too much. */
  onFailing(circuit: CircuitId, now: Now): OwnTunnelsOutput[] {
    const attempt = this.#live().find((one) => one.circuit === circuit);
    if (attempt?.state !== 'built') return [];
    // Nobody can tell which hop it was: all but the destination get the blame, which fades.
    for (const { key } of attempt.path) {
      if (key !== attempt.destination?.key) this.#history.record(key, 'bad', now.nowMs);
    }
    return this.#failed(attempt, now);
  }

  #all(): Attempt[] {
    return [...this.#live(), ...this.#draining.map(({ attempt }) => attempt)];
  }

  #live(): Attempt[] {
    return [this.#current, this.#next].filter((one) => one !== undefined);
  }

  #with(
    circuit: CircuitId,
    now: Now,
    act: (attempt: Attempt) => AttemptOutput[],
  ): OwnTunnelsOutput[] {
    const attempt = this.#live().find((one) => one.circuit === circuit);
    return attempt === undefined ? [] : this.#told(attempt, act(attempt), now);
  }

  /** At the boundary the round counts on; the new tunnel takes over at its own moment, or as soon as it stands. */
  #turnRound(now: Now): OwnTunnelsOutput[] {
    const { timing, parameters } = this.#options;
    const round = roundAt(timing, now.wallMs);
    if (round > this.round) {
      this.#schedule = scheduleOf(timing, round, parameters.rng);
      this.#rebuilds = 0;
      this.#nextWasBegun = false;
      if (this.#next === undefined) this.#rebuildAtMs = Math.min(this.#rebuildAtMs, now.nowMs);
    }
    const isDue = this.#next?.round === this.round && now.wallMs >= this.#schedule.switchMs;
    return isDue && this.#next?.state === 'built' ? this.#switchTo(this.#next) : [];
  }

  #switchTo(attempt: Attempt): OwnTunnelsOutput[] {
    if (this.#current !== undefined && this.#current !== attempt) this.#drain(this.#current);
    if (this.#next === attempt) this.#next = undefined;
    this.#current = attempt;
    this.#announced = attempt;
    const tunnel = this.#tunnel(attempt);
    return tunnel === undefined ? [] : [{ type: 'current', tunnel }];
  }

  #drain(attempt: Attempt): void {
    this.#draining.push({ attempt, untilWallMs: this.#schedule.teardownMs });
  }

  #tunnel(attempt: Attempt): OwnTunnel | undefined {
    const { circuit, round, destination, path, endpointSecret } = attempt;
    if (endpointSecret === undefined) return undefined;
    return { circuit, round, destination, path, resumeToken: resumeToken(endpointSecret) };
  }

  #beginNext(now: Now): OwnTunnelsOutput[] {
    if (this.#nextWasBegun || now.wallMs < this.#schedule.buildNextMs) return [];
    this.#nextWasBegun = true;
    const dropped = this.#next === undefined ? [] : this.#remove(this.#next);
    return [...dropped, ...this.#begin(this.round + 1, now)];
  }

  #begin(round: number, now: Now): OwnTunnelsOutput[] {
    const { parameters, timing, own, hops, sameNetgroupAllowed, guards } = this.#options;
    const destination = this.#options.destination(round);
    const first = guards.choose((key) => this.#history.isAvoided(key, now.nowMs));
    const attempt = new Attempt(
      {
        parameters,
        timing,
        circuit: this.#options.newCircuit(),
        round,
        ends: {
          ...(first === undefined ? {} : { first }),
          ...(destination === undefined ? {} : { destination }),
        },
        rules: {
          own,
          hops,
          sameNetgroupAllowed,
          isAvoided: (key) => this.#history.isAvoided(key, now.nowMs),
        },
      },
      now,
    );
    if (round === this.round && this.#current === undefined) this.#current = attempt;
    else this.#next = attempt;
    return this.#told(attempt, attempt.start(), now);
  }

  #rebuild(now: Now): OwnTunnelsOutput[] {
    if (now.nowMs < this.#rebuildAtMs) return [];
    this.#rebuildAtMs = Number.POSITIVE_INFINITY;
    const isMissing = this.#current === undefined || this.#current.round < this.round;
    if (this.#next !== undefined) return [];
    if (!isMissing && !this.#nextWasBegun) return [];
    this.#rebuilds++;
    return this.#begin(isMissing ? this.round : this.round + 1, now);
  }

  #teardown(now: Now): OwnTunnelsOutput[] {
    const outlived = this.#isOutlived() && now.wallMs >= this.#schedule.teardownMs;
    if (outlived && this.#current !== undefined) return this.#failed(this.#current, now);
    const over = this.#draining.filter(({ untilWallMs }) => now.wallMs >= untilWallMs);
    for (const one of over) this.#draining.splice(this.#draining.indexOf(one), 1);
    return over.flatMap(({ attempt }) => this.#remove(attempt));
  }

  /** Whether the tunnel of an earlier round is still in use, for want of a new one. */
  #isOutlived(): boolean {
    return this.#current !== undefined && this.#current.round < this.round;
  }

  #told(attempt: Attempt, outputs: readonly AttemptOutput[], now: Now): OwnTunnelsOutput[] {
    return outputs.flatMap((output): OwnTunnelsOutput[] => {
      switch (output.type) {
        case 'plane':
        case 'want peers':
          return [output];
        case 'open link': {
          const { identity, address } = output.peer;
          return [{ type: 'open link', identity, address }];
        }
        case 'solve':
          return [{ ...output, circuit: attempt.circuit }];
        case 'built':
          return this.#built(attempt, now);
        default:
          if (output.culprit !== undefined) this.#history.record(output.culprit, 'bad', now.nowMs);
          return this.#failed(attempt, now);
      }
    });
  }

  #built(attempt: Attempt, now: Now): OwnTunnelsOutput[] {
    for (const { key } of attempt.path) this.#history.record(key, 'good', now.nowMs);
    if (attempt.round > this.round || now.wallMs < this.#schedule.switchMs) return [];
    return this.#switchTo(attempt);
  }

  #failed(attempt: Attempt, now: Now): OwnTunnelsOutput[] {
    const wasAnnounced = attempt === this.#announced;
    if (attempt === this.#next) this.#next = undefined;
    if (attempt === this.#current) this.#current = undefined;
    const removed = this.#remove(attempt);
    const { round } = attempt;
    const lost: OwnTunnelsOutput[] = wasAnnounced ? [{ type: 'lost', round }] : [];
    if (this.#rebuilds >= REBUILDS_MAX) return [...removed, ...lost, { type: 'no tunnel', round }];
    const { rng } = this.#options.parameters;
    const scale = Math.min(1, this.#options.timing.roundMs / 300_000);
    const delayMs = randomBetween(rng, REBUILD_DELAY_MS.min, REBUILD_DELAY_MS.max) * scale;
    this.#rebuildAtMs = Math.min(this.#rebuildAtMs, now.nowMs + delayMs);
    return [...removed, ...lost];
  }

  #remove({ circuit }: Attempt): OwnTunnelsOutput[] {
    return [{ type: 'plane', command: { type: 'remove', circuit } }];
  }
}

// Our own tunnel, round after round (protocol 2.2, 3.7, 3.8): one for this round and, in its last part, one for the next;
// the switch at the boundary; the old one kept while packets are under way; another build, twice per round at the most,
// when one fails or its tunnel does. A tunnel that fails is used until another stands, unless its link is gone. Where it
// ends, at a random peer or at one a client asked for, is decided by whoever answers `destination` (api-tunnels.ts).
//
// Rounds follow the wall clock wherever it goes; everything shorter is measured by the one that never jumps.

import type { Identity, IdentityKey } from '../identity/index.ts';
import type { LinkId, Target } from '../link/index.ts';
import { randomBetween } from '../runtime/index.ts';
import { Attempt, type AttemptOutput, type AttemptState } from './attempt.ts';
import type { Now } from './build.ts';
import type { Guards } from './guards.ts';
import type { HopParameters } from './hop.ts';
import type { RelayLink } from './next-hop.ts';
import { type OwnTunnel, ownTunnel } from './own-tunnel.ts';
import { PathChoice } from './path-choice.ts';
import type { Peer } from './peer.ts';
import type { CircuitId, Failing } from './plane-port.ts';
import { Rebuilds } from './rebuilds.ts';
import { type RoundSchedule, scheduleOf } from './schedule.ts';
import { CLOCK_SKEW_MAX_MS, type OnionTiming, roundAt, roundStartMs } from './timing.ts';

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
  | Extract<AttemptOutput, { readonly type: 'plane' | 'want peers' }>
  | (Extract<AttemptOutput, { readonly type: 'solve' | 'message' }> & {
      readonly circuit: CircuitId;
    })
  | { readonly type: 'open link'; readonly identity: Identity; readonly address: Peer['address'] }
  /** This one stands and will be `current` with its round. */
  | { readonly type: 'prepared'; readonly tunnel: OwnTunnel }
  /** This is the one to send on from now. */
  | { readonly type: 'current'; readonly tunnel: OwnTunnel }
  /** There is none to send on any more, as soon as the data plane hears of it. */
  | { readonly type: 'lost'; readonly round: number }
  /** A guard fails more often than it should; told once of each. */
  | { readonly type: 'poor guard' }
  /** The round's last attempt has failed: there will be no tunnel in it. */
  | { readonly type: 'no tunnel'; readonly round: number };

interface Draining {
  readonly attempt: Attempt;
  readonly untilMs: number;
}

export class OwnTunnels {
  readonly #options: OwnTunnelsOptions;
  readonly #paths: PathChoice;
  readonly #rebuilds: Rebuilds;
  #schedule: RoundSchedule;
  /** The one that is sent on. */
  #current: Attempt | undefined;
  #isFailing = false;
  /** Not sent on yet, by round: this one and the next. */
  readonly #coming = new Map<number, Attempt>();
  /** Replaced, each until its teardown: one per switch, and those are at most three a round. */
  #draining: readonly Draining[] = [];
  #nextWasBegun = false;

  constructor(options: OwnTunnelsOptions, now: Now) {
    const { parameters, timing, own, hops, sameNetgroupAllowed, guards } = options;
    const { rng } = parameters;
    this.#options = options;
    const rules = { own, hops, sameNetgroupAllowed };
    this.#paths = new PathChoice({ rng, rules, guards, timing });
    this.#schedule = scheduleOf(timing, roundAt(timing, now.wallMs), rng);
    this.#rebuilds = new Rebuilds(timing, rng, now.nowMs);
  }

  get round(): number {
    return this.#schedule.round;
  }

  /** The first round whose tunnel has not been begun. */
  get nextFreeRound(): number {
    return this.#nextWasBegun ? this.round + 2 : this.round + 1;
  }

  get current(): OwnTunnel | undefined {
    return this.#current === undefined ? undefined : ownTunnel(this.#current);
  }

  /** How it stands with the tunnels of this round and of the next, for status. */
  get states(): Readonly<Record<'current' | 'next', AttemptState | 'failing' | 'none'>> {
    const { round } = this;
    const inUse = this.#isFailing ? 'failing' : this.#current?.state;
    return {
      current: inUse ?? this.#coming.get(round)?.state ?? 'none',
      next: this.#coming.get(round + 1)?.state ?? 'none',
    };
  }

  /** Guards in use that fail too often, for status. */
  poorGuards(now: Now): number {
    return this.#paths.poorGuards(now).length;
  }

  onTick(now: Now): OwnTunnelsOutput[] {
    return [
      ...this.#paths.newlyPoorGuards(now).map(() => ({ type: 'poor guard' as const })),
      ...this.#turnRound(now),
      ...this.#switchOver(now),
      ...this.#beginNext(now),
      ...this.#rebuild(now),
      ...this.#tearDown(now),
      ...this.#each(now, (attempt) => attempt.onTimer(now)),
    ];
  }

  nextDeadlineMs(now: Now): number {
    const { switchMs, buildNextMs, teardownMs } = this.#schedule;
    const walls = [
      roundStartMs(this.#options.timing, this.round + 1),
      ...(this.#nextWasBegun ? [] : [buildNextMs]),
      ...(this.#coming.get(this.round)?.state === 'built' ? [switchMs] : []),
      ...(this.#isOutlived() ? [teardownMs] : []),
    ];
    return Math.min(
      this.#rebuilds.nextDeadlineMs(),
      ...walls.map((wallMs) => now.nowMs + (wallMs - now.wallMs)),
      ...this.#draining.map(({ untilMs }) => untilMs),
      ...[...this.#coming.values()].map((attempt) => attempt.nextDeadlineMs()),
    );
  }

  onPeers(peers: readonly Peer[], now: Now): OwnTunnelsOutput[] {
    return this.#each(now, (attempt) => attempt.onPeers(peers, now));
  }

  onLinkUp(key: IdentityKey, link: RelayLink, now: Now): OwnTunnelsOutput[] {
    return this.#each(now, (attempt) => attempt.onLinkUp(key, link, now));
  }

  onLinkFailed(call: Target, now: Now): OwnTunnelsOutput[] {
    return this.#each(now, (attempt) => attempt.onLinkFailed(call));
  }

  onLinkDown(link: LinkId, now: Now): OwnTunnelsOutput[] {
    return this.#each(now, (attempt) => attempt.onLinkDown(link));
  }

  onCreated(circuit: CircuitId, payload: Uint8Array, now: Now): OwnTunnelsOutput[] {
    return this.#with(circuit, now, (attempt) => attempt.onCreated(payload, now));
  }

  onInner(circuit: CircuitId, plaintext: Uint8Array, now: Now): OwnTunnelsOutput[] {
    return this.#with(circuit, now, (attempt) => attempt.onInner(plaintext, now));
  }

  onDestroy(circuit: CircuitId, body: Uint8Array, now: Now): OwnTunnelsOutput[] {
    return this.#with(circuit, now, (attempt) => attempt.onDestroy(body));
  }

  onProof(circuit: CircuitId, nonce: Uint8Array, now: Now): OwnTunnelsOutput[] {
    return this.#with(circuit, now, (attempt) => attempt.onProof(nonce, now));
  }

  /** The data plane says so, again and again. */
  onFailing(circuit: CircuitId, why: Failing, now: Now): OwnTunnelsOutput[] {
    const attempt = [this.#current, ...this.#coming.values()].find(
      (one) => one?.circuit === circuit,
    );
    const isNews = attempt !== this.#current || !this.#isFailing;
    if (attempt?.state !== 'built' || !isNews) return [];
    this.#paths.suspected(attempt, why, now);
    if (attempt !== this.#current) return this.#failed(attempt, now);
    this.#isFailing = true;
    this.#rebuilds.plan(now.nowMs);
    return [];
  }

  #all(): readonly Attempt[] {
    const current = this.#current === undefined ? [] : [this.#current];
    const draining = this.#draining.map(({ attempt }) => attempt);
    return [...current, ...this.#coming.values(), ...draining];
  }

  #each(now: Now, act: (attempt: Attempt) => AttemptOutput[]): OwnTunnelsOutput[] {
    return this.#all().flatMap((attempt) => this.#told(attempt, act(attempt), now));
  }

  #with(
    circuit: CircuitId,
    now: Now,
    act: (attempt: Attempt) => AttemptOutput[],
  ): OwnTunnelsOutput[] {
    const attempt = this.#all().find((one) => one.circuit === circuit);
    return attempt === undefined ? [] : this.#told(attempt, act(attempt), now);
  }

  #turnRound(now: Now): OwnTunnelsOutput[] {
    const { timing, parameters } = this.#options;
    const round = roundAt(timing, now.wallMs);
    if (round === this.round || this.#isSetBackALittle(now)) return [];
    this.#schedule = scheduleOf(timing, round, parameters.rng);
    this.#rebuilds.onNewRound();
    this.#nextWasBegun = false;
    if (!this.#coming.has(round)) this.#rebuilds.plan(now.nowMs);
    const stale = [...this.#coming.values()].filter((attempt) => attempt.round !== round);
    return stale.flatMap((attempt) => this.#end(attempt));
  }

  /** Clocks are set back by a second now and then: no reason to go through a boundary twice. */
  #isSetBackALittle({ wallMs }: Now): boolean {
    const startMs = roundStartMs(this.#options.timing, this.round);
    return wallMs < startMs && wallMs >= startMs - CLOCK_SKEW_MAX_MS;
  }

  /** At the round's own moment, or as soon as its tunnel stands. */
  #switchOver(now: Now): OwnTunnelsOutput[] {
    const attempt = this.#coming.get(this.round);
    const tunnel = attempt === undefined ? undefined : ownTunnel(attempt);
    if (attempt === undefined || tunnel === undefined) return [];
    if (now.wallMs < this.#schedule.switchMs) return [];
    this.#coming.delete(attempt.round);
    if (this.#current !== undefined) this.#drain(this.#current, now);
    this.#current = attempt;
    this.#isFailing = false;
    return [{ type: 'current', tunnel }];
  }

  #drain(attempt: Attempt, now: Now): void {
    const { timing, parameters } = this.#options;
    const { drainEarliestMs, drainLatestMs, switchOverlapMs } = timing;
    // At a boundary, also after the latest switch: within the drain of its round.
    const latestMs = drainLatestMs - switchOverlapMs;
    const drainMs = randomBetween(parameters.rng, drainEarliestMs, latestMs);
    if (!this.#isFailing) this.#paths.served(attempt.path, now);
    this.#draining = [...this.#draining, { attempt, untilMs: now.nowMs + drainMs }];
  }

  #beginNext(now: Now): OwnTunnelsOutput[] {
    if (this.#nextWasBegun || now.wallMs < this.#schedule.buildNextMs) return [];
    this.#nextWasBegun = true;
    return this.#begin(this.round + 1, now);
  }

  #begin(round: number, now: Now): OwnTunnelsOutput[] {
    const { parameters, timing, hops, newCircuit } = this.#options;
    const destination = this.#options.destination(round);
    const attempt = new Attempt({
      parameters,
      timing,
      circuit: newCircuit(),
      round,
      hops,
      destination,
      choosePath: (peers, evenPaused, at) =>
        this.#paths.choose(peers, { destination, evenPaused }, at),
    });
    this.#coming.set(round, attempt);
    return this.#told(attempt, attempt.start(now), now);
  }

  #rebuild(now: Now): OwnTunnelsOutput[] {
    const rounds = this.#rebuilds.take(this.#missing(), now.nowMs);
    return rounds.flatMap((round) => this.#begin(round, now));
  }

  /** Rounds that should have a good tunnel, or one in the making, and have none. */
  #missing(): readonly number[] {
    const { round } = this;
    const isServed = this.#current?.round === round && !this.#isFailing;
    const wanted = [...(isServed ? [] : [round]), ...(this.#nextWasBegun ? [round + 1] : [])];
    return wanted.filter((one) => !this.#coming.has(one));
  }

  #tearDown(now: Now): OwnTunnelsOutput[] {
    const over = this.#draining.filter(({ untilMs }) => now.nowMs >= untilMs);
    const ended = over.flatMap(({ attempt }) => this.#end(attempt));
    const current = this.#isOutlived() ? this.#current : undefined;
    if (current === undefined || now.wallMs < this.#schedule.teardownMs) return ended;
    if (!this.#isFailing) this.#paths.served(current.path, now);
    return [...ended, ...this.#lose(current)];
  }

  /** Whether the tunnel of another round is still in use, for want of a new one. */
  #isOutlived(): boolean {
    return this.#current !== undefined && this.#current.round !== this.round;
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
        case 'message':
          return [{ ...output, circuit: attempt.circuit }];
        case 'built':
          return this.#stands(attempt, now);
        default:
          if (output.culprit !== undefined) this.#paths.failed(output.culprit, now);
          return this.#failed(attempt, now);
      }
    });
  }

  #stands(attempt: Attempt, now: Now): OwnTunnelsOutput[] {
    const tunnel = ownTunnel(attempt);
    const isEarly = attempt.round !== this.round || now.wallMs < this.#schedule.switchMs;
    return isEarly && tunnel ? [{ type: 'prepared', tunnel }] : this.#switchOver(now);
  }

  #failed(attempt: Attempt, now: Now): OwnTunnelsOutput[] {
    this.#rebuilds.plan(now.nowMs);
    if (attempt === this.#current) return this.#lose(attempt);
    return [...this.#end(attempt), ...(attempt.round === this.round ? this.#noTunnel() : [])];
  }

  #lose(attempt: Attempt): OwnTunnelsOutput[] {
    this.#current = undefined;
    this.#isFailing = false;
    return [{ type: 'lost', round: attempt.round }, ...this.#end(attempt), ...this.#noTunnel()];
  }

  #noTunnel(): OwnTunnelsOutput[] {
    const { round } = this;
    const isHope = this.#current !== undefined || this.#coming.has(round);
    return isHope || !this.#rebuilds.areSpent ? [] : [{ type: 'no tunnel', round }];
  }

  #end(attempt: Attempt): OwnTunnelsOutput[] {
    if (this.#coming.get(attempt.round) === attempt) this.#coming.delete(attempt.round);
    this.#draining = this.#draining.filter((one) => one.attempt !== attempt);
    return attempt.end().map((command) => ({ type: 'plane', command }));
  }
}

// The size estimation of one node (protocol 6, after GNUnet's): in each round everybody measures how near its identity is to
// a target, and all hear who is the nearest. A machine: time, randomness and verifiers come from outside; items come and go
// through Gossip, whose part is driver.ts.
//
// A node that knows of nobody nearer is a candidate, and says so when its time has come, unless it hears of somebody nearer
// before. What it hears is judged by claims.ts, and only what is believed is passed on.

import { equalBytes } from '../bytes/index.ts';
import type { Hostkey } from '../identity/index.ts';
import type { Now } from '../link/index.ts';
import { type Rng, randomBetween } from '../runtime/index.ts';
import { Claims, type ClaimsOptions, type Verdict } from './claims.ts';
import { distanceOf, leadingZeroBits } from './distance.ts';
import { OwnProofs, type Wanted } from './own-proofs.ts';
import { Rounds } from './rounds.ts';
import { delaySpreadMs, LATE_SPREAD_MS, roundAt, roundStartMs, sendDelayMs } from './timing.ts';
import { encodeFloodMessage } from './wire.ts';

/** What the API's fields can say. */
const U32_MAX = 0xffff_ffff;

/** A hostkey, or what stands for one in a simulation. */
export type Signer = Pick<Hostkey, 'publicKey' | 'identity' | 'sign'>;

export interface NseOptions extends ClaimsOptions {
  readonly rng: Rng;
  readonly signer: Signer;
  /** From how many rounds the size is estimated. */
  readonly history: number;
}

export type NseInput =
  /** Time has passed. */
  | { readonly type: 'tick' }
  /** Gossip can be reached, or not. */
  | { readonly type: 'flood'; readonly isUp: boolean }
  /** Gossip asks what to do with an item. The answer is one `pass on`, `refuse` or `ignore`, now or later. */
  | { readonly type: 'item'; readonly item: number; readonly data: Uint8Array }
  | { readonly type: 'solved'; readonly epoch: number; readonly nonce: Uint8Array };

export type NseOutput =
  | { readonly type: 'announce'; readonly data: Uint8Array }
  | { readonly type: 'pass on'; readonly item: number }
  | Exclude<Verdict, { readonly type: 'believed' }>
  /** Our identity needs a proof of work for this month. */
  | ({ readonly type: 'solve' } & Wanted);

export interface Estimate {
  readonly peers: number;
  readonly deviation: number;
}

interface Candidacy {
  readonly round: number;
  readonly bits: number;
  readonly timeS: number;
  readonly dueWallMs: number;
  announced: Uint8Array | undefined;
}

export class Nse {
  readonly #options: NseOptions;
  readonly #rounds: Rounds;
  readonly #claims: Claims;
  readonly #ownProofs: OwnProofs;
  #round = -1;
  #isUp = false;
  /** Of this round and the one before, at most. */
  #candidacies: readonly Candidacy[] = [];
  /** Items of the round before; bounded by how many signatures are looked at in LATE_SPREAD_MS. */
  #late: readonly { readonly item: number; readonly dueMs: number }[] = [];

  constructor(options: NseOptions) {
    const { identity } = options.signer;
    this.#options = options;
    this.#rounds = new Rounds(options.history);
    this.#claims = new Claims(options, this.#rounds);
    this.#ownProofs = new OwnProofs({ ...options, identity });
  }

  /** How many rounds the estimate rests on. */
  get counted(): number {
    return this.#rounds.counted;
  }

  /** From the first moment on: at least ourselves and those we are connected to. */
  estimate(connectedPeers: number): Estimate {
    const size = Math.round(this.#rounds.size ?? 0);
    return {
      peers: Math.min(Math.max(size, connectedPeers + 1), U32_MAX),
      deviation: Math.min(Math.round(this.#rounds.deviation), U32_MAX),
    };
  }

  handle(input: NseInput, now: Now): NseOutput[] {
    const outputs = this.#turn(now);
    if (input.type === 'flood') this.#isUp = input.isUp;
    else if (input.type === 'solved') this.#ownProofs.found(input.epoch, input.nonce);
    else if (input.type === 'item') outputs.push(...this.#onItem(input.item, input.data, now));
    const settled = this.#claims.settle(now.nowMs).flatMap((verdict) => this.#act(verdict, now));
    return [...outputs, ...settled, ...this.#announceDue(now), ...this.#passOnDue(now)];
  }

  /** Rounds go by the wall clock: when that is set, the answer is another. */
  nextDeadlineMs({ nowMs, wallMs }: Now): number {
    const onWall = this.#candidacies
      .filter((candidacy) => this.#nonceOf(candidacy) !== undefined)
      .map(({ dueWallMs }) => dueWallMs);
    const nextRoundMs = roundStartMs(this.#options.periodS, this.#round + 1);
    return Math.min(
      nowMs - wallMs + Math.min(nextRoundMs, ...onWall),
      nowMs + this.#claims.waitMs,
      ...this.#late.map(({ dueMs }) => dueMs),
    );
  }

  #turn({ wallMs }: Now): NseOutput[] {
    const round = roundAt(this.#options.periodS, wallMs);
    // A clock that was set back a little gets here again by itself.
    if (round === this.#round || round === this.#round - 1) return [];
    this.#round = round;
    this.#rounds.begin(round);
    this.#candidacies = this.#candidacies.filter((candidacy) => candidacy.round === round - 1);
    this.#stand(wallMs);
    return this.#ownProofs.wanted(round).map((wanted) => ({ type: 'solve', ...wanted }));
  }

  #stand(wallMs: number): void {
    const { networkId, signer } = this.#options;
    const round = this.#round;
    const distance = distanceOf(networkId, round, signer.identity);
    if (!this.#rounds.isNews(round, distance)) return;
    this.#rounds.put(round, distance, { isOwn: true });
    const bits = leadingZeroBits(distance);
    const timeS = Math.floor(wallMs / 1000);
    const dueWallMs = this.#dueWallMs(bits);
    this.#candidacies = [
      ...this.#candidacies,
      { round, bits, timeS, dueWallMs, announced: undefined },
    ];
  }

  /** What is not said by the end of the round is said right after it. */
  #dueWallMs(bits: number): number {
    const { rng, periodS } = this.#options;
    const sizeBits = Math.log2(Math.max(1, this.#rounds.size ?? 1));
    const terms = { bits, sizeBits, periodMs: 1000 * periodS };
    const delayMs = sendDelayMs(terms) + randomBetween(rng, 0, delaySpreadMs(terms));
    const latestMs = terms.periodMs + randomBetween(rng, 0, LATE_SPREAD_MS);
    return roundStartMs(periodS, this.#round) + Math.min(delayMs, latestMs);
  }

  /** What it can be announced with, if it can be announced now. */
  #nonceOf({ round, announced }: Candidacy): Uint8Array | undefined {
    const mayBeSaid = this.#isUp && announced === undefined;
    return mayBeSaid ? this.#ownProofs.nonceFor(round) : undefined;
  }

  #announceDue({ wallMs }: Now): NseOutput[] {
    return this.#candidacies.flatMap((candidacy) => {
      const nonce = this.#nonceOf(candidacy);
      if (nonce === undefined || candidacy.dueWallMs > wallMs) return [];
      candidacy.announced = this.#message(candidacy, nonce);
      return [{ type: 'announce', data: candidacy.announced }];
    });
  }

  #message({ round, bits, timeS }: Candidacy, powNonce: Uint8Array): Uint8Array {
    const { signer, networkId } = this.#options;
    const { publicKey } = signer;
    return encodeFloodMessage({ round, bits, timeS, publicKey, powNonce }, (body) =>
      signer.sign('nse', networkId, body),
    );
  }

  #onItem(item: number, data: Uint8Array, now: Now): NseOutput[] {
    if (this.#isEcho(data)) return [{ type: 'pass on', item }];
    const verdict = this.#claims.submit(item, data, now.nowMs);
    return verdict === undefined ? [] : this.#act(verdict, now);
  }

  /** A Gossip module may ask even us about what we announced. Once: so nobody can have it repeated. */
  #isEcho(data: Uint8Array): boolean {
    const others = this.#candidacies.filter(
      ({ announced }) => announced === undefined || !equalBytes(announced, data),
    );
    const isEcho = others.length < this.#candidacies.length;
    this.#candidacies = others;
    return isEcho;
  }

  #act(verdict: Verdict, { nowMs }: Now): NseOutput[] {
    if (verdict.type !== 'believed') return [verdict];
    const { item, round } = verdict;
    this.#candidacies = this.#candidacies.filter((candidacy) => candidacy.round !== round);
    if (round >= this.#round) return [{ type: 'pass on', item }];
    const dueMs = nowMs + randomBetween(this.#options.rng, 0, LATE_SPREAD_MS);
    this.#late = [...this.#late, { item, dueMs }];
    return [];
  }

  #passOnDue({ nowMs }: Now): NseOutput[] {
    const due = this.#late.filter(({ dueMs }) => dueMs <= nowMs);
    this.#late = this.#late.filter(({ dueMs }) => dueMs > nowMs);
    return due.map(({ item }) => ({ type: 'pass on', item }));
  }
}

// Drives peer sampling: gives the machine time, requests and answers of Rpc, contacts of Gossip and proofs of work, and
// carries out what it wants. The API is api-driver.ts's.

import { DecodeError } from '../bytes/index.ts';
import type { PowTask } from '../crypto/index.ts';
import type { Identity, IdentityKey } from '../identity/index.ts';
import type { Flood, FloodItem } from '../module-api/index.ts';
import { type Outcome, type Rpc, SERVICE } from '../rpc/index.ts';
import { type Address, type Runtime, randomBetween, type Timer } from '../runtime/index.ts';
import { contactAt, decodeContact, isCallable } from './contact.ts';
import type { About, Now, RpsOutput, RpsStatus, Sampled } from './port.ts';
import { HmacRanking, type Ranking } from './ranking.ts';
import { Rps } from './rps.ts';
import type { SavedState } from './state.ts';
import { encodeMessage } from './wire.ts';

/** The data type of contacts in Gossip, and over how many hops they go: to neighbours and theirs. */
export const CONTACT_DATA_TYPE = 5400;
const CONTACT_HOPS = 2;
/** How often we say where we are. Guesses: newcomers hear of some nodes at once, from who is next to them. */
const ANNOUNCE_MS = { min: 200_000, max: 400_000 };
/** Protocol 5. */
const SAVE_MS = 60_000;

export interface RpsNodeOptions {
  readonly runtime: Pick<Runtime, 'clock' | 'timers' | 'rng'>;
  readonly rpc: Rpc;
  readonly flood: Flood;
  readonly networkId: Uint8Array;
  readonly identity: Identity;
  /** Where we listen for Rpc, as configured. */
  readonly own: Address;
  readonly allowPrivate: boolean;
  readonly saved: SavedState | undefined;
  /** Keeps what the next run begins with; every minute, and at the end. */
  save(state: SavedState): void;
  /** Of NSE; undefined as long as that does not say. */
  networkSize(): number | undefined;
  /** Others can reach us there, or, undefined, nowhere: to be said in our descriptor. */
  onReach(address: Address | undefined): void;
  /** The answer to a proof of work, found without holding up anything else. Rejects when the signal says so. */
  solve(task: PowTask, signal: AbortSignal): Promise<Uint8Array>;
  verify(task: PowTask, nonce: Uint8Array): boolean;
  /** For simulations; otherwise by secret seeds. */
  readonly ranking?: Ranking;
}

export class RpsNode {
  readonly #options: RpsNodeOptions;
  readonly #rps: Rps;
  readonly #seeds: HmacRanking;
  readonly #stopping = new AbortController();
  #timer: Timer | undefined;
  #saving: Timer | undefined;
  #announcing: Timer | undefined;

  constructor(options: RpsNodeOptions) {
    const { runtime, saved, rpc, flood } = options;
    const { rng } = runtime;
    this.#options = options;
    this.#seeds = new HmacRanking(rng, saved?.seeds);
    const ranking = options.ranking ?? this.#seeds;
    const known = saved?.known ?? [];
    const verifyPow = options.verify;
    this.#rps = new Rps({ ...options, rng, ranking, known, verifyPow }, this.#now());
    rpc.serve(SERVICE.rps, (from, bytes, answer) => {
      if (this.#isStopped) return;
      const reaction = this.#rps.onRequest(from, bytes, this.#now());
      answer(reaction.answer);
      this.#act(reaction.outputs);
    });
    flood.listen(CONTACT_DATA_TYPE, {
      onItem: (item) => this.#onHeard(item),
      onUp: () => this.#announce(),
      onDown: () => this.#announcing?.cancel(),
    });
    this.#saveLater();
    this.#schedule();
  }

  get status(): RpsStatus {
    return this.#rps.status;
  }

  /** A random peer that is alive and reachable, none of `except` as long as there are others. */
  sample(except?: ReadonlySet<IdentityKey>): Sampled | undefined {
    return this.#rps.sample(except);
  }

  stop(): void {
    this.#stopping.abort();
    for (const timer of [this.#timer, this.#saving, this.#announcing]) timer?.cancel();
    this.#save();
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  #now(): Now {
    const { clock } = this.#options.runtime;
    return { nowMs: clock.nowMs(), wallMs: clock.wallMs() };
  }

  #save(): void {
    this.#options.save({ seeds: this.#seeds.seeds, known: this.#rps.known });
  }

  #saveLater(): void {
    this.#saving = this.#options.runtime.timers.after(SAVE_MS, () => {
      this.#save();
      this.#saveLater();
    });
  }

  /** Not once we know that nobody can reach us, and not with an address that is nowhere. */
  #announce(): void {
    if (this.#isStopped) return;
    const { runtime, flood, identity, own, allowPrivate } = this.#options;
    const { reach, address = own } = this.#rps.status;
    if (reach !== 'unreachable' && isSomewhere(address) && isCallable(address, allowPrivate)) {
      flood.announce(CONTACT_DATA_TYPE, contactAt(identity, address).encoded, CONTACT_HOPS);
    }
    this.#announcing?.cancel();
    const delayMs = randomBetween(runtime.rng, ANNOUNCE_MS.min, ANNOUNCE_MS.max);
    this.#announcing = runtime.timers.after(delayMs, () => this.#announce());
  }

  #onHeard(item: FloodItem): void {
    if (this.#isStopped) return;
    try {
      const contact = decodeContact(item.data);
      item.answer('pass on');
      this.#rps.onHeard(contact, this.#now());
      this.#schedule();
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      item.answer('refuse');
    }
  }

  #act(outputs: readonly RpsOutput[]): void {
    for (const output of outputs) this.#actOn(output);
    this.#schedule();
  }

  #actOn(output: RpsOutput): void {
    switch (output.type) {
      case 'call':
        this.#call(output);
        break;
      case 'solve':
        void this.#solve(output);
        break;
      case 'reach':
        this.#options.onReach(output.address);
        this.#announce();
    }
  }

  #call({ to, message, about, isAnew }: RpsOutput & { readonly type: 'call' }): void {
    const { rpc } = this.#options;
    const question = { service: SERVICE.rps, request: encodeMessage(message) };
    const { identity, address } = to;
    const target = { identity, address };
    if (isAnew) rpc.callAnew(target, question, (outcome) => this.#onOutcome(about, outcome));
    else rpc.call(target, question, (outcome) => this.#onOutcome(about, outcome));
  }

  #onOutcome(about: About, outcome: Outcome): void {
    if (this.#isStopped) return;
    const now = this.#now();
    if (outcome.type === 'failed') this.#act(this.#rps.onFailed(about, now));
    else this.#act(this.#rps.onAnswer(about, outcome.from, outcome.bytes, now));
  }

  async #solve({ task, to, round }: RpsOutput & { readonly type: 'solve' }): Promise<void> {
    const { signal } = this.#stopping;
    try {
      const nonce = await this.#options.solve(task, signal);
      if (!signal.aborted) this.#act(this.#rps.onSolved(to, round, nonce));
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #schedule(): void {
    this.#timer?.cancel();
    if (this.#isStopped) return;
    const { clock, timers } = this.#options.runtime;
    const delayMs = Math.max(0, this.#rps.nextDeadlineMs() - clock.nowMs());
    this.#timer = timers.after(delayMs, () => this.#act(this.#rps.onTimer(this.#now())));
  }
}

/** Not the address of all interfaces, which is where a node may listen and nobody can call. */
function isSomewhere({ ip }: Address): boolean {
  return ip !== '0.0.0.0' && ip !== '::';
}

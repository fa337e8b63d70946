// Peer sampling, Brahms (protocol 5): a machine. Keeps a view by pushes and pulls (view.ts), samplers that see all that
// comes by (samplers.ts), and answers from those that the samplers hold and that are alive, uniformly.
//
// What it wants said to other nodes goes out as `call`; what came of each comes back to `onAnswer` or `onFailed` with
// what it was about. What others ask comes in through `onRequest`.

import { DecodeError } from '../bytes/index.ts';
import { type IdentityKey, identityKey } from '../identity/index.ts';
import type { RpcPeer } from '../rpc/index.ts';
import { type Address, netgroup, pick, randomUnit, shuffled } from '../runtime/index.ts';
import { Checks } from './checks.ts';
import { type Contact, contactOf, isCallable, isSameAddress } from './contact.ts';
import { DialBacks, type Favour } from './dial-backs.ts';
import { Heard } from './heard.ts';
import { type Known, KnownNodes } from './known.ts';
import { type Parameters, parametersFor, ROUND_MS } from './parameters.ts';
import { Plans } from './plans.ts';
import {
  type About,
  call,
  type Now,
  probe,
  pull,
  type RpsOptions,
  type RpsOutput,
  type RpsStatus,
  type Sampled,
} from './port.ts';
import { isTimely, roundAt, stampTask } from './push-stamp.ts';
import { Reachability } from './reachability.ts';
import { isLive, Samplers } from './samplers.ts';
import { View } from './view.ts';
import {
  decodeContacts,
  decodeMessage,
  decodeSeen,
  encodeContacts,
  NOTHING,
  type RpsMessage,
} from './wire.ts';

/**
 * How often somebody is asked whom no view may know any more: after a partition the halves find each other by it. Each
 * round as long as few are known.
 */
const FEELER_MS = 60_000;
/** A guess: one waits for each proof of work. */
const SOLVING_MAX = 64;

export class Rps {
  readonly #options: RpsOptions;
  readonly #key: IdentityKey;
  readonly #samplers: Samplers;
  readonly #view: View;
  readonly #heard: Heard;
  readonly #known: KnownNodes;
  readonly #checks: Checks;
  readonly #reachability: Reachability;
  readonly #dialBacks: DialBacks;
  readonly #plans: Plans;
  #parameters: Parameters;
  #nextRoundMs: number;
  #nextFeelerMs: number;
  #solving = 0;
  #renewals = 0;
  #skips = 0;
  #dropped = 0;

  constructor(options: RpsOptions, { nowMs }: Now) {
    const { rng, ranking, identity, own, known, allowPrivate } = options;
    this.#options = options;
    this.#key = identityKey(identity);
    this.#parameters = parametersFor(options.networkSize());
    this.#samplers = new Samplers(rng, ranking);
    this.#samplers.resize(this.#parameters.samplers);
    this.#view = new View(rng);
    this.#heard = new Heard(rng);
    this.#plans = new Plans(rng);
    this.#known = new KnownNodes(rng, known);
    this.#checks = new Checks({ countsNetgroups: !allowPrivate }, nowMs);
    this.#reachability = new Reachability(rng, own, nowMs);
    this.#dialBacks = new DialBacks({
      rng,
      live: () => this.#samplers.live().map(({ contact }) => contact),
      isPossible: (contact) => this.#isPossible(contact),
    });
    for (const { contact } of known) {
      if (this.#isPossible(contact)) this.#samplers.offer(contact, nowMs);
    }
    this.#nextRoundMs = nowMs;
    this.#nextFeelerMs = nowMs + randomUnit(rng) * ROUND_MS;
  }

  get status(): RpsStatus {
    return {
      view: this.#view.contacts.length,
      sampled: [...this.#samplers.held].length,
      live: this.#samplers.live().length,
      reach: this.#reachability.reach,
      address: this.#reachability.address,
      warnings: this.#checks.warnings,
      renewals: this.#renewals,
      skips: this.#skips,
      dropped: this.#dropped,
    };
  }

  get known(): readonly Known[] {
    return this.#known.all;
  }

  /** A random peer, none of `except` as long as there are others. */
  sample(except: ReadonlySet<IdentityKey> = new Set()): Sampled | undefined {
    const live = this.#samplers.live();
    const others = live.filter(({ contact }) => !except.has(contact.key));
    const candidates = others.length > 0 ? others : live;
    const found = pick(this.#options.rng, candidates);
    if (!isLive(found)) return undefined;
    this.#checks.onAnswer(
      found.contact.key,
      candidates.map(({ contact }) => contact.key),
    );
    return { contact: found.contact, descriptor: found.descriptor };
  }

  /** Somebody says through Gossip where it is. */
  onHeard(contact: Contact, { nowMs }: Now): void {
    if (!this.#isPossible(contact)) return;
    this.#heard.add(contact);
    if (this.#renewals > 0 && this.#view.contacts.length > 0) return;
    if (this.#view.contacts.length === 0) this.#nextRoundMs = nowMs;
    this.#view.seed(contact, this.#parameters);
    this.#samplers.offer(contact, nowMs);
  }

  onRequest(
    from: RpcPeer,
    bytes: Uint8Array,
    now: Now,
  ): { readonly answer: Uint8Array; readonly outputs: readonly RpsOutput[] } {
    try {
      return this.#onMessage(from, decodeMessage(bytes), now);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return this.#refuse();
    }
  }

  onAnswer(about: About, from: RpcPeer, bytes: Uint8Array, now: Now): readonly RpsOutput[] {
    try {
      return this.#onAnswer(about, from, bytes, now);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#dropped++;
      return this.onFailed(about, now);
    }
  }

  onFailed(about: About, { nowMs }: Now): readonly RpsOutput[] {
    if (about.type === 'probe') {
      this.#samplers.failed(about.to.key, nowMs);
      this.#known.failed(about.to.key);
    } else if (about.type === 'ask') this.#reachability.onSeen(about.nonce, undefined, nowMs);
    else if (about.type === 'pull') this.#view.remove(about.to.key);
    return [];
  }

  /** Of `solve`. */
  onSolved(to: Contact, round: number, nonce: Uint8Array): readonly RpsOutput[] {
    this.#solving--;
    return [call(to, { type: 'push', round, nonce }, { type: 'push' })];
  }

  onTimer(now: Now): readonly RpsOutput[] {
    const { nowMs } = now;
    const outputs: RpsOutput[] = [];
    if (this.#reachability.onTimer(nowMs)) outputs.push({ type: 'reach', address: undefined });
    if (nowMs >= this.#nextRoundMs) this.#beginRound(nowMs);
    outputs.push(
      ...this.#duePlans(now),
      ...this.#samplers.takeDue(nowMs).map((to) => probe(to, false)),
      ...this.#ask(nowMs),
    );
    if (nowMs >= this.#nextFeelerMs) outputs.push(...this.#feel(nowMs));
    if (nowMs >= this.#checks.nextDeadlineMs()) {
      this.#checks.onTimer(this.#samplers.draws(), this.#options.networkSize(), nowMs);
    }
    return outputs;
  }

  nextDeadlineMs(): number {
    return Math.min(
      this.#nextRoundMs,
      this.#nextFeelerMs,
      this.#plans.nextDeadlineMs(),
      this.#samplers.nextDeadlineMs(),
      this.#reachability.nextDeadlineMs(),
      this.#checks.nextDeadlineMs(),
    );
  }

  #beginRound(nowMs: number): void {
    this.#parameters = parametersFor(this.#options.networkSize());
    this.#samplers.resize(this.#parameters.samplers);
    const sampled = this.#samplers.live().map(({ contact }) => contact);
    const isPushedTo = this.#address !== undefined;
    if (this.#view.renew(sampled, this.#parameters, isPushedTo)) this.#renewals++;
    else this.#skips++;
    if (this.#view.contacts.length === 0) this.#seed(sampled);
    this.#nextRoundMs = nowMs + ROUND_MS;
    this.#plans.make('pull', this.#view.pick(this.#parameters.pulled), nowMs);
    // Who cannot be reached is of no use to others.
    if (isPushedTo) this.#plans.make('push', this.#view.pick(this.#parameters.pushed), nowMs);
  }

  /** Whom the samplers hold, or who answered in a life before, or whom Gossip told of. */
  #seed(sampled: readonly Contact[]): void {
    const before = this.#known.all.map(({ contact }) => contact);
    const { rng } = this.#options;
    for (const contact of [sampled, before, this.#heard.all].flatMap((all) => shuffled(rng, all))) {
      this.#view.seed(contact, this.#parameters);
    }
  }

  get #address(): Address | undefined {
    return this.#reachability.address;
  }

  #duePlans({ nowMs, wallMs }: Now): readonly RpsOutput[] {
    return this.#plans
      .takeDue(nowMs)
      .flatMap(({ kind, to }) =>
        kind === 'pull' ? [pull(to, false)] : this.#push(to, roundAt(wallMs)),
      );
  }

  #push(to: Contact, round: number): readonly RpsOutput[] {
    if (this.#solving >= SOLVING_MAX) return [];
    this.#solving++;
    const { networkId, identity } = this.#options;
    const task = stampTask({ networkId, to: to.identity, from: identity, round });
    return [{ type: 'solve', task, to, round }];
  }

  #feel(nowMs: number): readonly RpsOutput[] {
    const knowsFew = this.#samplers.live().length < this.#parameters.view;
    this.#nextFeelerMs = nowMs + (knowsFew ? ROUND_MS : FEELER_MS);
    const to = pick(
      this.#options.rng,
      [this.#known.pick(), this.#heard.pick()].flatMap((one) => one ?? []),
    );
    return to === undefined ? [] : [pull(to, true)];
  }

  #ask(nowMs: number): readonly RpsOutput[] {
    if (!this.#reachability.isDue(nowMs)) return [];
    const live = this.#samplers.live().map(({ contact }) => contact);
    const to = pick(this.#options.rng, live) ?? this.#view.pick(1)[0];
    const nonce = to === undefined ? undefined : this.#reachability.ask(to.key, nowMs);
    if (to === undefined || nonce === undefined) return [];
    return [
      call(to, { type: 'ask', port: this.#reachability.port, nonce }, { type: 'ask', nonce }),
    ];
  }

  #onAnswer(about: About, from: RpcPeer, bytes: Uint8Array, now: Now): readonly RpsOutput[] {
    switch (about.type) {
      case 'pull':
        this.#onPulled(about, decodeContacts(bytes), now.nowMs);
        return [];
      case 'probe':
        return this.#onProbed(about, from, now);
      case 'ask':
        return this.#reached(this.#reachability.onSeen(about.nonce, decodeSeen(bytes), now.nowMs));
      default:
        return [];
    }
  }

  #onPulled(
    { isFeeler, to }: About & { type: 'pull' },
    told: readonly Contact[],
    nowMs: number,
  ): void {
    const possible = told.filter((contact) => this.#isPossible(contact));
    for (const contact of [...possible, to]) this.#samplers.offer(contact, nowMs);
    if (!isFeeler) this.#view.onPulled(possible);
  }

  /** It must be there, and not only have a link that it began from somewhere. */
  #onProbed(about: About & { type: 'probe' }, from: RpcPeer, now: Now): readonly RpsOutput[] {
    const { to, isAnew } = about;
    if (!isAnew && !isSameAddress(from.address, to.address)) return [probe(to, true)];
    // It may not know yet that it can be reached: to be asked again soon.
    if (!from.descriptor.flags.relay) return this.onFailed(about, now);
    this.#samplers.proven(to.key, from.descriptor, now.nowMs);
    this.#known.answered(to, from.descriptor, netgroup(from.address.ip), now.wallMs);
    return [];
  }

  #onMessage(from: RpcPeer, message: RpsMessage, now: Now) {
    switch (message.type) {
      case 'push':
        return this.#onPush(from, message, now);
      case 'pull':
        return { answer: encodeContacts(this.#view.contacts), outputs: [] };
      case 'probe':
        return { answer: NOTHING, outputs: [] };
      case 'ask':
        return this.#favour(this.#dialBacks.onAsk(from, message, now.nowMs));
      case 'call':
        return this.#favour(this.#dialBacks.onCall(from, message, now.nowMs));
      case 'called': {
        const outputs = this.#reached(this.#reachability.onCalled(message.nonce, now.nowMs));
        return { answer: NOTHING, outputs };
      }
    }
  }

  #onPush(from: RpcPeer, { round, nonce }: RpsMessage & { type: 'push' }, now: Now) {
    const { networkId, identity, verifyPow } = this.#options;
    const contact = contactOf(from.descriptor, from.address.ip);
    if (contact === undefined || !this.#isPossible(contact)) return this.#refuse();
    if (!isTimely(round, now.wallMs)) return this.#refuse();
    const task = stampTask({ networkId, to: identity, from: from.identity, round });
    if (!verifyPow(task, nonce)) return this.#refuse();
    if (this.#view.onPush(contact, this.#parameters)) this.#samplers.offer(contact, now.nowMs);
    return { answer: NOTHING, outputs: [] };
  }

  #reached(isNew: boolean): readonly RpsOutput[] {
    return isNew ? [{ type: 'reach', address: this.#address }] : [];
  }

  #favour(favour: Favour | undefined) {
    if (favour === undefined) return this.#refuse();
    return { answer: favour.answer, outputs: [favour.output] };
  }

  #refuse() {
    this.#dropped++;
    return { answer: NOTHING, outputs: [] };
  }

  #isPossible({ key, address }: Contact): boolean {
    return key !== this.#key && isCallable(address, this.#options.allowPrivate);
  }
}

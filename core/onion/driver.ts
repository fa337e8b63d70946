// Drives the onion module: feeds the machines (Links, Onion) with what the data plane, the clock and RPS say, and carries
// out what they want. Sockets are the data plane's; the API is api-driver.ts's.

import { type CryptoProvider, networkId, type PowTask } from '../crypto/index.ts';
import { type Hostkey, identityPowTask, powEpochAt } from '../identity/index.ts';
import {
  DATAGRAM_BYTES,
  Links,
  type LinksEvent,
  type LinksStatus,
  type LinkUp,
  type Listen,
} from '../link/index.ts';
import type { Logger } from '../log/index.ts';
import { type Address, NetworkError, type Runtime, type Timer } from '../runtime/index.ts';
import { Admission } from './admission.ts';
import type { Now } from './build.ts';
import { type Credentials, certificateStartS, makeCredentials, RENEW_MS } from './credentials.ts';
import { Guards, type GuardsOptions } from './guards.ts';
import { Onion, type OnionEvent } from './onion.ts';
import type { Peer } from './peer.ts';
import type { RunningPlane, StartPlane } from './plane-driver.ts';
import type { PlaneCounters, PlaneEvent } from './plane-port.ts';
import { onionTiming, TICK_MS } from './timing.ts';

export interface OnionNodeOptions {
  readonly runtime: Runtime;
  readonly provider: CryptoProvider;
  readonly log: Logger;
  readonly hostkey: Hostkey;
  readonly network: string;
  readonly roundSeconds: number;
  readonly tickMs?: number;
  readonly hops: number;
  readonly maxCircuits: number;
  readonly allowPrivate: boolean;
  readonly listen: Listen;
  readonly guards: Omit<GuardsOptions, 'rng'>;
  readonly startPlane: StartPlane;
  /** Random peers, as RPS gives them; fewer when there are no more. Undefined: it is away, which has been told. */
  samplePeers(count: number): Promise<readonly Peer[] | undefined>;
  /** The answer to a proof of work, found without holding up anything else. */
  solve(task: PowTask): Promise<Uint8Array>;
  /** Whether a stranger's proof holds; 13 ms for those of identities. */
  verify(task: PowTask, nonce: Uint8Array): boolean;
}

/** What the module's clients get; `client` is a number the API driver gave. */
export type ClientEvent = Exclude<
  OnionEvent,
  { readonly type: 'want peers' | 'solve' | 'tunnel' | 'no tunnel' | 'poor guard' }
>;

export interface OnionStatus {
  readonly onion: Onion['status'];
  readonly links: LinksStatus;
  readonly counters: PlaneCounters | undefined;
  /** Messages of clients that had to go because more came than the slots carry. */
  readonly dataDropped: number;
}

export class OnionNode {
  readonly #options: OnionNodeOptions;
  readonly #plane: RunningPlane;
  readonly #links: Links;
  readonly #onion: Onion;
  readonly #networkId: Uint8Array;
  readonly #listening = Promise.withResolvers<{ readonly udp?: Address; readonly tcp?: Address }>();
  readonly #onClient: (event: ClientEvent) => void;
  #credentials: Credentials;
  #renewal: Timer;
  #counters: PlaneCounters | undefined;
  #timer: Timer | undefined;
  #dataDropped = 0;
  #isStopped = false;
  #isSampling = false;
  #isStarved = false;

  /** Finds the proof of work of its identity first: some seconds in a real network. */
  static async start(
    options: OnionNodeOptions,
    onClient: (event: ClientEvent) => void,
  ): Promise<OnionNode> {
    const { network, roundSeconds, tickMs = TICK_MS, hostkey, runtime } = options;
    const id = networkId({
      name: network,
      roundLengthS: roundSeconds,
      tickMs,
      linkDatagramBytes: DATAGRAM_BYTES,
    });
    const nonce = await options.solve(identityTask(id, hostkey, runtime.clock.wallMs()));
    const node = new OnionNode(options, id, nonce, onClient);
    try {
      await node.#listening.promise;
    } catch (error) {
      await node.stop();
      throw error;
    }
    return node;
  }

  private constructor(
    options: OnionNodeOptions,
    id: Uint8Array,
    powNonce: Uint8Array,
    onClient: (event: ClientEvent) => void,
  ) {
    const { runtime, provider, roundSeconds, tickMs = TICK_MS, allowPrivate } = options;
    const now = this.#nowOf(runtime);
    this.#options = options;
    this.#networkId = id;
    this.#onClient = onClient;
    this.#credentials = this.#makeCredentials(powNonce, now);
    this.#renewal = this.#renewLater();
    this.#plane = options.startPlane({ roundSeconds, tickMs, allowPrivate }, (event) =>
      this.#onPlane(event),
    );
    this.#links = new Links({
      provider,
      rng: runtime.rng,
      networkId: id,
      self: this.#credentials.link,
      allowPrivate,
      nowMs: now.nowMs,
      hasProof: (peer) =>
        options.verify(identityPowTask(id, peer.identity, peer.powEpoch), peer.powNonce),
      post: (command) => this.#plane.post(command),
      emit: (event) => this.#onLinks(event),
    });
    this.#onion = this.#makeOnion(now);
    this.#links.listen(options.listen);
    this.#schedule();
  }

  get status(): OnionStatus {
    return {
      onion: this.#onion.status,
      links: this.#links.status(this.#now().nowMs),
      counters: this.#counters,
      dataDropped: this.#dataDropped,
    };
  }

  /** Where it really listens. */
  get listening(): Promise<{ readonly udp?: Address; readonly tcp?: Address }> {
    return this.#listening.promise;
  }

  /** Runs one request of a client against the machine. */
  request(act: (onion: Onion, now: Now) => void): void {
    if (this.#isStopped) return;
    act(this.#onion, this.#now());
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#renewal.cancel();
    this.#links.closeAll();
    await this.#plane.stop();
  }

  #makeOnion(now: Now): Onion {
    const { runtime, provider, hostkey, hops, allowPrivate, maxCircuits } = this.#options;
    const { roundSeconds, tickMs = TICK_MS, guards, listen } = this.#options;
    const { rng } = runtime;
    const { identity } = hostkey;
    const timing = onionTiming(roundSeconds, tickMs);
    return new Onion(
      {
        parameters: { provider, rng, networkId: this.#networkId },
        timing,
        identity,
        ownIps: [listen.udp, listen.tcp].flatMap((address) => address?.ip ?? []),
        hops,
        allowPrivate,
        guards: new Guards({ ...guards, rng }),
        admission: new Admission(
          { rng, identity, timing, circuitsMax: maxCircuits, allowPrivate },
          now.nowMs,
        ),
        links: this.#links,
        credentials: () => this.#credentials.hop,
        post: (command) => this.#plane.post(command),
        emit: (event) => this.#onOnion(event),
      },
      now,
    );
  }

  #makeCredentials(powNonce: Uint8Array, { wallMs }: Now): Credentials {
    const { provider, runtime, hostkey, listen } = this.#options;
    const port = listen.udp?.port ?? listen.tcp?.port ?? 0;
    return makeCredentials(
      {
        provider,
        rng: runtime.rng,
        networkId: this.#networkId,
        hostkey,
        addresses: [],
        onionPort: port,
        powNonce,
      },
      wallMs,
    );
  }

  #renewLater(): Timer {
    return this.#options.runtime.timers.after(RENEW_MS, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const { hostkey, solve } = this.#options;
    const nonce = await solve(identityTask(this.#networkId, hostkey, this.#now().wallMs));
    if (this.#isStopped) return;
    this.#credentials = this.#makeCredentials(nonce, this.#now());
    this.#links.renew(this.#credentials.link);
    this.#renewal = this.#renewLater();
  }

  #now(): Now {
    return this.#nowOf(this.#options.runtime);
  }

  #nowOf({ clock }: Runtime): Now {
    return { nowMs: clock.nowMs(), wallMs: clock.wallMs() };
  }

  #onPlane(event: PlaneEvent): void {
    if (this.#isStopped) return;
    const now = this.#now();
    switch (event.type) {
      case 'cell':
      case 'inner':
      case 'circuit failing':
        this.#onion.onCircuitEvent(event, now);
        break;
      case 'data dropped':
        this.#dataDropped += event.messages;
        break;
      case 'counters':
        this.#counters = event.counters;
        break;
      default:
        this.#links.handle(event, now);
    }
    this.#schedule();
  }

  #onLinks(event: LinksEvent): void {
    const { log } = this.#options;
    if (event.type === 'listening') this.#listening.resolve(event);
    else if (event.type === 'listen failed') {
      this.#listening.reject(new NetworkError(event.fault));
    } else {
      if (event.type === 'up') this.#logLink(event);
      else log.debug('a link is gone or could not be had', { why: event.why });
      this.#onion.onLinksEvent(event, this.#now());
    }
  }

  /** Of links over streams everybody should know: they are slower, and say that something blocks UDP. */
  #logLink({ transport }: LinkUp): void {
    const { log } = this.#options;
    if (transport === 'udp') log.debug('a link is open');
    else log.info('a link is open over a stream', { via: transport });
  }

  #onOnion(event: OnionEvent): void {
    const { log } = this.#options;
    switch (event.type) {
      case 'want peers':
        void this.#samplePeers(event.count);
        break;
      case 'solve':
        void this.#solve(event);
        break;
      case 'tunnel':
        this.#isStarved = false;
        log.info('a tunnel stands', {
          round: event.tunnel.round,
          hops: event.tunnel.path.length - 1,
        });
        break;
      case 'no tunnel':
        log.warn('no tunnel could be built in this round', { round: event.round });
        break;
      case 'poor guard':
        log.warn('an entry guard fails more than it should; it is kept for its time');
        break;
      default:
        this.#onClient(event);
    }
  }

  /** One question at a time: whoever still wants peers after the answer says so again. */
  async #samplePeers(count: number): Promise<void> {
    if (this.#isSampling) return;
    this.#isSampling = true;
    const peers = await this.#options.samplePeers(count);
    this.#isSampling = false;
    if (this.#isStopped || peers === undefined) return;
    this.#onion.onPeers(peers, this.#now());
    this.#tellStarved();
    this.#schedule();
  }

  /** Once, until a tunnel stands. */
  #tellStarved(): void {
    const { current, next } = this.#onion.status.states;
    if (this.#isStarved || (current !== 'peers' && next !== 'peers')) return;
    this.#isStarved = true;
    this.#options.log.warn('peer sampling gives too few peers for a tunnel; trying on');
  }

  async #solve({
    circuit,
    challenge,
    bits,
  }: OnionEvent & { readonly type: 'solve' }): Promise<void> {
    const nonce = await this.#options.solve({ kind: 'fast', challenge, bits });
    if (this.#isStopped) return;
    this.#onion.onProof(circuit, nonce, this.#now());
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isStopped) return;
    this.#timer?.cancel();
    const now = this.#now();
    const deadlineMs = Math.min(this.#onion.nextDeadlineMs(now), this.#links.nextDeadlineMs());
    const delayMs = Math.max(0, deadlineMs - now.nowMs);
    this.#timer = this.#options.runtime.timers.after(delayMs, () => this.#onTimer());
  }

  #onTimer(): void {
    const now = this.#now();
    this.#links.onTimer(now);
    this.#onion.onTick(now);
    this.#schedule();
  }
}

/** The proof of work of the month in which certificates made now begin. */
function identityTask(id: Uint8Array, { identity }: Hostkey, wallMs: number): PowTask {
  return identityPowTask(id, identity, powEpochAt(certificateStartS(wallMs)));
}

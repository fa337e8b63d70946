// Rpc without links, for simulations of thousands of nodes: everybody is who it says by construction, and what travels
// is the question itself. Latency, loss, deadlines and the rate limit are those of the real one; fragments and links are
// not there, so nobody runs out of them.

import { equalBytes } from '../../bytes/index.ts';
import { type Identity, type IdentityKey, identityKey } from '../../identity/index.ts';
import { type Target, TokenBuckets } from '../../link/index.ts';
import { formatAddress, type Rng, randomBetween, type Timers } from '../../runtime/index.ts';
import { RATE } from '../answers.ts';
import { LINKING_MS, TRY_MS } from '../calls.ts';
import type { Outcome, Question, RequestHandler, Rpc, RpcPeer, RpcStatus } from '../rpc.ts';

const NOTHING = { links: [], callers: 0, dials: 0, bans: 0, dropped: 0 };

export interface MemoryNetworkOptions {
  readonly timers: Timers;
  readonly clock: { nowMs(): number };
  readonly rng: Rng;
  /** One way, uniform. */
  readonly latencyMs: { readonly min: number; readonly max: number };
  /** Of each message, 0 to 1. */
  readonly loss: number;
}

export class MemoryNetwork {
  readonly options: MemoryNetworkOptions;
  readonly #byAddress = new Map<string, MemoryRpc>();
  readonly #byPeer = new Map<IdentityKey, MemoryRpc>();

  constructor(options: MemoryNetworkOptions) {
    this.options = options;
  }

  /** `isReachable` false: as behind a translator, it calls and is never called. */
  join(peer: RpcPeer, { isReachable = true } = {}): MemoryRpc {
    const rpc = new MemoryRpc(this, peer);
    if (isReachable) this.#byAddress.set(formatAddress(peer.address), rpc);
    this.#byPeer.set(identityKey(peer.identity), rpc);
    return rpc;
  }

  leave(rpc: MemoryRpc): void {
    const address = formatAddress(rpc.peer.address);
    const key = identityKey(rpc.peer.identity);
    if (this.#byAddress.get(address) === rpc) this.#byAddress.delete(address);
    if (this.#byPeer.get(key) === rpc) this.#byPeer.delete(key);
  }

  /** Undefined when nobody with that identity is there. */
  at({ identity, address }: Target): MemoryRpc | undefined {
    if (!('ip' in address)) return undefined;
    const found = this.#byAddress.get(formatAddress(address));
    return found !== undefined && equalBytes(found.peer.identity, identity) ? found : undefined;
  }

  find(identity: Identity): MemoryRpc | undefined {
    return this.#byPeer.get(identityKey(identity));
  }

  latencyMs(): number {
    const { rng, latencyMs } = this.options;
    return randomBetween(rng, latencyMs.min, latencyMs.max);
  }

  isLost(): boolean {
    const { rng, loss } = this.options;
    return loss > 0 && randomBetween(rng, 0, 1) < loss;
  }
}

export class MemoryRpc implements Rpc {
  readonly peer: RpcPeer;
  readonly #network: MemoryNetwork;
  readonly #handlers = new Map<number, RequestHandler>();
  readonly #rate = new TokenBuckets(RATE);
  #calls = 0;
  #requests = 0;
  #refused = 0;
  #isStopped = false;

  constructor(network: MemoryNetwork, peer: RpcPeer) {
    this.#network = network;
    this.peer = peer;
  }

  get status(): RpcStatus {
    const [calls, requests, refused] = [this.#calls, this.#requests, this.#refused];
    return { links: NOTHING, calls, requests, refused, dropped: 0 };
  }

  serve(service: number, handler: RequestHandler): void {
    this.#handlers.set(service, handler);
  }

  /** As if everybody had a link with everybody. */
  peerOf(identity: Identity): RpcPeer | undefined {
    return this.#network.find(identity)?.peer;
  }

  call(to: Target, question: Question, done: (outcome: Outcome) => void): void {
    if (this.#isStopped) return;
    this.#calls++;
    const finish = this.#once(done);
    const callee = this.#network.at(to);
    if (callee === undefined) {
      this.#after(LINKING_MS, () => finish({ type: 'failed', why: 'unreachable' }));
      return;
    }
    this.#say(callee, question, finish);
    this.#after(2 * TRY_MS, () => finish({ type: 'failed', why: 'timeout' }));
  }

  callAnew(to: Target, question: Question, done: (outcome: Outcome) => void): void {
    this.call(to, question, done);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#network.leave(this);
  }

  /** The handler runs once; each of its two times the question and the answer may be lost. */
  #say(callee: MemoryRpc, question: Question, finish: (outcome: Outcome) => void): void {
    let isTaken = false;
    let answered: Outcome | undefined;
    const sendBack = (): void => {
      const outcome = answered;
      if (outcome === undefined || this.#network.isLost()) return;
      this.#after(this.#network.latencyMs(), () => finish(outcome));
    };
    const arrive = (): void => {
      if (callee.#isStopped) return;
      if (isTaken) {
        sendBack();
        return;
      }
      isTaken = true;
      callee.#take(this.peer, question, (outcome) => {
        answered = outcome;
        sendBack();
      });
    };
    for (const atMs of [0, TRY_MS]) {
      if (!this.#network.isLost()) this.#after(atMs + this.#network.latencyMs(), arrive);
    }
  }

  #take(from: RpcPeer, { service, request }: Question, give: (outcome: Outcome) => void): void {
    const handler = this.#handlers.get(service);
    if (handler === undefined) {
      give({ type: 'failed', why: 'no service' });
      return;
    }
    if (!this.#rate.take(identityKey(from.identity), this.#network.options.clock.nowMs())) {
      this.#refused++;
      give({ type: 'failed', why: 'busy' });
      return;
    }
    this.#requests++;
    const answer = (bytes: Uint8Array): void => {
      if (!this.#isStopped) give({ type: 'answer', bytes, from: this.peer });
    };
    handler(from, new Uint8Array(request), answer);
  }

  #once(done: (outcome: Outcome) => void): (outcome: Outcome) => void {
    let isDone = false;
    return (outcome) => {
      if (isDone) return;
      isDone = true;
      this.#calls--;
      if (!this.#isStopped) done(outcome);
    };
  }

  #after(delayMs: number, run: () => void): void {
    this.#network.options.timers.after(delayMs, run);
  }
}

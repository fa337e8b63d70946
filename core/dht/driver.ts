// Drives the DHT: gives the machine time, questions of other nodes and answers to ours (core/rpc), proofs of work, and what
// its shelf has kept; carries out what it wants. Clients are the API (api-driver.ts) and the modules of the same process.

import { type PowTask, type RsaPublicKey, sha256 } from '../crypto/index.ts';
import { identityOf } from '../identity/index.ts';
import { type Outcome, type Rpc, type RpcPeer, SERVICE } from '../rpc/index.ts';
import type { Runtime, Timer } from '../runtime/index.ts';
import { toContact } from './contact.ts';
import { Dht, type DhtOptions } from './dht.ts';
import type { OwnValue } from './own-values.ts';
import type { Caller, DhtInput, DhtOutput, DhtStatus, Drop, Now } from './port.ts';
import { LIFETIME_MAX_S } from './record.ts';
import type { Seeds, Shelf } from './shelf.ts';

/** The nodes we know are kept every so often, and at the end. A guess. */
const SAVE_MS = 600_000;
/** Our own hostkey lives as long as anything, and is put anew after half of that. */
const HOSTKEY_MS = (LIFETIME_MAX_S * 1000) / 2;
/** Protocol 7. */
export const COPIES_DEFAULT = 8;

export interface DhtNodeOptions extends Omit<DhtOptions, 'rng' | 'own' | 'saved'> {
  readonly runtime: Runtime;
  readonly rpc: Rpc;
  /** Of this node: under its identity others find it (protocol 7, "hostkey"). */
  readonly publicKey: RsaPublicKey;
  readonly seeds: Seeds;
  readonly shelf: Shelf;
  /** The answer to a proof of work, found without holding up anything else. Rejects when the signal says so. */
  solve(task: PowTask, signal: AbortSignal): Promise<Uint8Array>;
}

export interface DhtNodeStatus extends DhtStatus {
  /** What others asked in vain, by reason. */
  readonly dropped: ReadonlyMap<Drop, number>;
}

export class DhtNode {
  readonly #options: DhtNodeOptions;
  readonly #dht: Dht;
  /** Whom to answer: each until it is answered, at once. */
  readonly #requests = new Map<number, (bytes: Uint8Array) => void>();
  /** As many as the machine allows. */
  readonly #gets = new Map<number, (value: Uint8Array | undefined) => void>();
  readonly #dropped = new Map<Drop, number>();
  readonly #stopping = new AbortController();
  #lastId = 0;
  #timer: Timer | undefined;
  #saving: Timer;
  #hostkey: Timer | undefined;

  constructor(options: DhtNodeOptions) {
    const { runtime, rpc, publicKey, shelf } = options;
    this.#options = options;
    this.#dht = new Dht(
      { ...options, rng: runtime.rng, own: identityOf(publicKey), saved: shelf.values },
      this.#now(),
    );
    this.#saving = this.#saveLater();
    rpc.serve(SERVICE.dht, (from, bytes, answer) => this.#onRequest(from, bytes, answer));
    this.#handle({ type: 'seeds', contacts: shelf.contacts });
    this.#putHostkey();
  }

  get status(): DhtNodeStatus {
    return { ...this.#dht.status, dropped: this.#dropped };
  }

  /** Never fails: what cannot be stored anywhere is kept here until it runs out. */
  put(value: OwnValue): void {
    this.#handle({ type: 'put', ...value });
  }

  /** Within 10 s; undefined: it was not found. */
  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const { promise, resolve } = Promise.withResolvers<Uint8Array | undefined>();
    const get = ++this.#lastId;
    this.#gets.set(get, resolve);
    this.#handle({ type: 'find', get, key });
    return promise;
  }

  /** What is on its way is given up. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const timer of [this.#timer, this.#saving, this.#hostkey]) timer?.cancel();
    for (const resolve of this.#gets.values()) resolve(undefined);
    this.#options.shelf.keepContacts(this.#dht.contacts);
    await this.#options.shelf.flush();
  }

  #putHostkey(): void {
    const { publicKey, runtime } = this.#options;
    this.put({
      key: sha256(publicKey),
      value: publicKey,
      lifetimeS: LIFETIME_MAX_S,
      copies: COPIES_DEFAULT,
    });
    this.#hostkey = runtime.timers.after(HOSTKEY_MS, () => this.#putHostkey());
  }

  #onRequest(from: RpcPeer, bytes: Uint8Array, answer: (bytes: Uint8Array) => void): void {
    const request = ++this.#lastId;
    this.#requests.set(request, answer);
    this.#handle({ type: 'request', request, from: callerOf(from), bytes });
    this.#requests.delete(request);
  }

  #handle(input: DhtInput): void {
    if (this.#stopping.signal.aborted) return;
    const { clock, timers } = this.#options.runtime;
    for (const output of this.#dht.handle(input, this.#now())) this.#act(output);
    this.#timer?.cancel();
    const delayMs = this.#dht.nextDeadlineMs() - clock.nowMs();
    this.#timer = timers.after(Math.max(0, delayMs), () => this.#handle({ type: 'tick' }));
  }

  #act(output: DhtOutput): void {
    const { shelf } = this.#options;
    switch (output.type) {
      case 'call':
        this.#call(output);
        break;
      case 'answer':
        this.#requests.get(output.request)?.(output.bytes);
        break;
      case 'found':
        this.#gets.get(output.get)?.(output.value);
        this.#gets.delete(output.get);
        break;
      case 'solve':
        void this.#solve(output);
        break;
      case 'want seeds':
        void this.#findSeeds(output.count);
        break;
      case 'keep':
        shelf.keep(output.name, output.bytes);
        break;
      case 'discard':
        shelf.discard(output.name);
        break;
      case 'drop':
        this.#dropped.set(output.why, (this.#dropped.get(output.why) ?? 0) + 1);
    }
  }

  #call({ call, to, request }: DhtOutput & { readonly type: 'call' }): void {
    const { identity, address } = to;
    const question = { service: SERVICE.dht, request };
    this.#options.rpc.call({ identity, address }, question, (outcome) =>
      this.#handle(outcomeOf(call, outcome)),
    );
  }

  async #solve({ work, task }: DhtOutput & { readonly type: 'solve' }): Promise<void> {
    const { signal } = this.#stopping;
    try {
      this.#handle({ type: 'solved', work, nonce: await this.#options.solve(task, signal) });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #findSeeds(count: number): Promise<void> {
    this.#handle({ type: 'seeds', contacts: await this.#options.seeds.sample(count) });
  }

  #saveLater(): Timer {
    return this.#options.runtime.timers.after(SAVE_MS, () => {
      this.#options.shelf.keepContacts(this.#dht.contacts);
      this.#saving = this.#saveLater();
    });
  }

  #now(): Now {
    const { clock } = this.#options.runtime;
    return { nowMs: clock.nowMs(), wallMs: clock.wallMs() };
  }
}

function outcomeOf(call: number, outcome: Outcome): DhtInput {
  if (outcome.type === 'failed') return { type: 'failed', call, isAway: outcome.why !== 'busy' };
  return { type: 'answered', call, bytes: outcome.bytes, ip: outcome.from.address.ip };
}

/** It can be called only where its link comes from: otherwise it could claim any network for its own. */
function callerOf({ identity, address, descriptor }: RpcPeer): Caller {
  const { ip } = address;
  const place = descriptor.addresses.find((one) => one.ip === ip);
  const isNode = place !== undefined && descriptor.flags.dht;
  return {
    identity,
    ip,
    contact: isNode ? toContact(identity, { ip, port: place.port }) : undefined,
  };
}

// What a module that runs alone shows of its node (protocol Appendix A): an X25519 key and a descriptor for it, signed by the
// hostkey and paid for by a proof of work. Made anew every day; each is good for three, so that two renewals may fail before
// anybody refuses us.

import type { CryptoProvider, PowTask } from '../crypto/index.ts';
import {
  type Hostkey,
  identityPowTask,
  type NodeAddress,
  type NodeDescriptor,
  type NodeFlags,
  type Portmap,
  powEpochAt,
  signDescriptor,
  VALIDITY_MAX_S,
} from '../identity/index.ts';
import { type Runtime, randomBytes, type Timer } from '../runtime/index.ts';
import type { LinkSelf } from './link.ts';

/** Appendix A. */
const RENEW_MS = 24 * 3600 * 1000;
/** Ours begin a little in the past, for clocks that are behind. A guess. */
const BACKDATED_S = 600;

export interface NodeCredentialsOptions {
  readonly runtime: Pick<Runtime, 'clock' | 'timers' | 'rng'>;
  readonly provider: CryptoProvider;
  readonly networkId: Uint8Array;
  readonly hostkey: Hostkey;
  readonly flags: NodeFlags;
  readonly addresses: readonly NodeAddress[];
  readonly ports: Portmap;
  /** The answer to a proof of work, found without holding up anything else. */
  solve(task: PowTask): Promise<Uint8Array>;
}

interface Proof {
  readonly epoch: number;
  readonly nonce: Uint8Array;
}

interface Made {
  readonly self: LinkSelf;
  readonly descriptor: NodeDescriptor;
}

export class NodeCredentials {
  #options: NodeCredentialsOptions;
  #proof: Proof;
  #made: Made;
  #renewal: Timer;
  #isStopped = false;

  /** Finds the proof of work of this month first: some seconds. */
  static async start(options: NodeCredentialsOptions): Promise<NodeCredentials> {
    return new NodeCredentials(options, await solved(options));
  }

  private constructor(options: NodeCredentialsOptions, proof: Proof) {
    this.#options = options;
    this.#proof = proof;
    this.#made = make(options, proof.nonce);
    this.#renewal = this.#renewLater();
  }

  /** Of handshakes that begin now. */
  get self(): LinkSelf {
    return this.#made.self;
  }

  get descriptor(): NodeDescriptor {
    return this.#made.descriptor;
  }

  /** Shown from the next handshake on; open links keep what they began with. */
  change(shown: Partial<Pick<NodeCredentialsOptions, 'flags' | 'addresses'>>): void {
    this.#options = { ...this.#options, ...shown };
    this.#made = make(this.#options, this.#proof.nonce);
  }

  stop(): void {
    this.#isStopped = true;
    this.#renewal.cancel();
  }

  #renewLater(): Timer {
    return this.#options.runtime.timers.after(RENEW_MS, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    if (epochNow(this.#options) !== this.#proof.epoch) this.#proof = await solved(this.#options);
    if (this.#isStopped) return;
    this.#made = make(this.#options, this.#proof.nonce);
    this.#renewal = this.#renewLater();
  }
}

/** When what is made now begins to hold. */
function startS({ runtime }: NodeCredentialsOptions): number {
  return Math.floor(runtime.clock.wallMs() / 1000) - BACKDATED_S;
}

function epochNow(options: NodeCredentialsOptions): number {
  return powEpochAt(startS(options));
}

async function solved(options: NodeCredentialsOptions): Promise<Proof> {
  const epoch = epochNow(options);
  const task = identityPowTask(options.networkId, options.hostkey.identity, epoch);
  return { epoch, nonce: await options.solve(task) };
}

function make(options: NodeCredentialsOptions, powNonce: Uint8Array): Made {
  const { provider, runtime, networkId, hostkey, flags, addresses, ports } = options;
  const staticKey = provider.x25519KeyPair(runtime.rng);
  const notBeforeS = startS(options);
  const descriptor = signDescriptor(hostkey, networkId, {
    serial: Math.floor(runtime.clock.wallMs() / 1000) % 2 ** 32,
    notBeforeS,
    notAfterS: notBeforeS + VALIDITY_MAX_S,
    flags,
    linkDh: staticKey.publicKey,
    opSign: provider.ed25519Public(randomBytes(runtime.rng, 32)),
    addresses,
    ports,
    powNonce,
  });
  const { identity, encoded } = descriptor;
  return { self: { identity, staticKey, certificate: encoded }, descriptor };
}

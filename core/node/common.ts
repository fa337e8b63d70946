// What the modules of a node have in common when they are put together, and how each says how it is ended.

import type { Config } from '../config/index.ts';
import type { CryptoProvider, PowTask } from '../crypto/index.ts';
import type { Logger } from '../log/index.ts';
import type { Address, Runtime } from '../runtime/index.ts';
import type { Places } from './places.ts';
import type { Profile } from './profile.ts';
import type { Proofs } from './settings.ts';

export interface ModulesOptions {
  readonly config: Config;
  readonly profile: Profile;
  readonly runtime: Runtime;
  readonly crypto: CryptoProvider;
  readonly log: Logger;
}

export interface Common extends ModulesOptions {
  readonly networkId: Uint8Array;
  readonly places: Places;
  /** Runs in the reverse order. */
  readonly ending: AsyncDisposableStack;
  /** Finds the proof of work of our identity; rejects when the node stops. */
  proof(task: PowTask): Promise<Uint8Array>;
  readonly proofs: Proofs;
}

interface Api {
  listen(): Promise<Address>;
  stop(): Promise<void>;
}

/** Rejects with NetworkError. */
export async function serve({ ending }: Common, api: Api): Promise<void> {
  ending.defer(() => api.stop());
  await api.listen();
}

/** For rejections that the end of the node causes. */
export function ignore(): void {}

// The composition root: one node, its profile and its modules, wired together in one process (architecture in core/README.md).
// What a user interface sees of it is api.ts's.

import type { Config } from '../config/index.ts';
import type { Hostkey } from '../identity/index.ts';
import type { Logger } from '../log/index.ts';
import { type Modules, startModules } from './modules.ts';
import { openProfile, type ProfileOptions } from './profile.ts';

export interface NodeOptions extends ProfileOptions {
  readonly config: Config;
  readonly log: Logger;
}

export interface VoidNode {
  readonly hostkey: Hostkey;
  readonly modules: Omit<Modules, 'stop'>;
  /** Resolves when all is saved and nothing runs any more. */
  stop(): Promise<void>;
}

/** Opens the profile, or makes it, and takes part in the network. Rejects with StoreError, PlaceError. */
export async function startNode(options: NodeOptions): Promise<VoidNode> {
  const profile = await openProfile(options);
  const { hostkey, store } = profile;
  let modules: Modules;
  try {
    modules = await startModules({ ...options, profile });
  } catch (error) {
    store.close();
    throw error;
  }
  return {
    hostkey,
    modules,
    async stop() {
      await modules.stop();
      store.close();
    },
  };
}

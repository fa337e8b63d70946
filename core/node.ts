// The composition root: one node, its profile, and later its modules, wired together. What a user interface sees of it
// comes with api.ts.

import { DecodeError, utf8 } from './bytes/index.ts';
import type { CryptoProvider } from './crypto/index.ts';
import { createHostkey, decodeHostkey, type Hostkey } from './identity/index.ts';
import type { Runtime } from './runtime/index.ts';
import { openStore, type ProfileSecret, type Setting, type Store } from './store/index.ts';

/** The hostkey lives in the encrypted store, as PEM, so that one passphrase protects everything. */
const HOSTKEY: Setting<string> = {
  name: 'identity.hostkey',
  version: 1,
  decode(value) {
    if (typeof value !== 'string') throw new DecodeError('the stored hostkey is not text');
    return value;
  },
};

export interface NodeOptions {
  readonly folder: string;
  readonly secret: ProfileSecret;
  readonly runtime: Runtime;
  readonly crypto: CryptoProvider;
  /** Told now and then while a new profile's hostkey is made. */
  onKeyProgress(elapsedMs: number): void;
}

export interface VoidNode {
  readonly hostkey: Hostkey;
  stop(): Promise<void>;
}

/** Opens the profile, or makes it. Throws StoreError. */
export async function startNode(options: NodeOptions): Promise<VoidNode> {
  const { folder, secret, crypto, runtime } = options;
  const store = await openStore({
    folder,
    secret,
    crypto,
    rng: runtime.rng,
    schemas: [],
    missing: 'create',
  });
  try {
    const hostkey = await ownHostkey(store, options);
    return { hostkey, stop: async () => store.close() };
  } catch (error) {
    store.close();
    throw error;
  }
}

async function ownHostkey(store: Store, { runtime, onKeyProgress }: NodeOptions): Promise<Hostkey> {
  const stored = store.settings.read(HOSTKEY);
  if (stored !== undefined) return decodeHostkey(utf8(stored));
  const hostkey = await createHostkey(runtime, onKeyProgress);
  store.settings.write(HOSTKEY, hostkey.encodePem());
  return hostkey;
}

// A profile as a node uses it: the store, the hostkey in it, and the proof of work that the identity has paid for.

import { concatBytes, DecodeError, equalBytes, Reader, utf8 } from '../bytes/index.ts';
import { type CryptoProvider, HASH_BYTES, POW_NONCE_BYTES, type PowTask } from '../crypto/index.ts';
import { createHostkey, decodeHostkey, type Hostkey } from '../identity/index.ts';
import type { Runtime, Shape } from '../runtime/index.ts';
import { openStore, type ProfileSecret, type Setting, type Store } from '../store/index.ts';
import { keptIn, keptSchema } from './kept.ts';
import { shelfSchema } from './shelf.ts';

/** The hostkey lives in the encrypted store, as PEM, so that one passphrase protects everything. */
const HOSTKEY: Setting<string> = {
  name: 'identity.hostkey',
  version: 1,
  decode(value) {
    if (typeof value !== 'string') throw new DecodeError('the stored hostkey is not text');
    return value;
  },
};

interface Proof {
  readonly challenge: Uint8Array;
  readonly nonce: Uint8Array;
}

const PROOF: Shape<Proof> = {
  bytesMax: HASH_BYTES + POW_NONCE_BYTES,
  encode: ({ challenge, nonce }) => concatBytes(challenge, nonce),
  decode(bytes) {
    const reader = new Reader(bytes);
    const proof = { challenge: reader.bytes(HASH_BYTES), nonce: reader.bytes(POW_NONCE_BYTES) };
    reader.expectEnd();
    return proof;
  },
};

export interface ProfileOptions {
  readonly folder: string;
  readonly secret: ProfileSecret;
  readonly runtime: Runtime;
  readonly crypto: CryptoProvider;
  /** Told now and then while a new profile's hostkey is made. */
  onKeyProgress(elapsedMs: number): void;
}

export interface Profile {
  readonly store: Store;
  readonly hostkey: Hostkey;
}

/** Opens the profile, or makes it. Throws StoreError. */
export async function openProfile(options: ProfileOptions): Promise<Profile> {
  const { folder, secret, crypto, runtime } = options;
  const { rng } = runtime;
  const schemas = [keptSchema, shelfSchema];
  const store = await openStore({ folder, secret, crypto, rng, schemas, missing: 'create' });
  try {
    return { store, hostkey: await ownHostkey(store, options) };
  } catch (error) {
    store.close();
    throw error;
  }
}

async function ownHostkey(
  store: Store,
  { runtime, onKeyProgress }: ProfileOptions,
): Promise<Hostkey> {
  const stored = store.settings.read(HOSTKEY);
  if (stored !== undefined) return decodeHostkey(utf8(stored));
  const hostkey = await createHostkey(runtime, onKeyProgress);
  store.settings.write(HOSTKEY, hostkey.encodePem());
  return hostkey;
}

/** The proof of an identity takes seconds and holds for a month: found once, for all modules and the next start. */
export function identityProofs(
  { store }: Profile,
  solve: (task: PowTask) => Promise<Uint8Array>,
  verify: (task: PowTask, nonce: Uint8Array) => boolean,
): (task: PowTask) => Promise<Uint8Array> {
  const kept = keptIn(store, 'identity proof', PROOF, () => {});
  let { saved } = kept;
  let finding: { readonly challenge: Uint8Array; readonly nonce: Promise<Uint8Array> } | undefined;
  return async (task) => {
    const { challenge } = task;
    if (
      saved !== undefined &&
      equalBytes(saved.challenge, challenge) &&
      verify(task, saved.nonce)
    ) {
      return saved.nonce;
    }
    if (finding === undefined || !equalBytes(finding.challenge, challenge)) {
      finding = { challenge, nonce: solve(task) };
    }
    const nonce = await finding.nonce;
    saved = { challenge, nonce };
    kept.save(saved);
    return nonce;
  };
}

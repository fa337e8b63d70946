// A peer as the onion module knows it from RPS or from a BUILD: whom it must prove to be, and where it listens.

import { decodeRsaPublicKey, type RsaPublicKey } from '../crypto/index.ts';
import { type Identity, type IdentityKey, identityKey, identityOf } from '../identity/index.ts';
import type { Address } from '../runtime/index.ts';

export interface Peer {
  readonly identity: Identity;
  readonly key: IdentityKey;
  readonly publicKey: RsaPublicKey;
  readonly address: Address;
}

/** DecodeError when the hostkey is not one we accept. */
export function toPeer(hostkeyDer: Uint8Array, address: Address): Peer {
  const publicKey = decodeRsaPublicKey(hostkeyDer);
  const identity = identityOf(publicKey);
  return { identity, key: identityKey(identity), publicKey, address };
}

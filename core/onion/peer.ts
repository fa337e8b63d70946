// A peer as the onion module knows it from RPS or from a BUILD: whom it must prove to be, and where it listens.

import { equalBytes } from '../bytes/index.ts';
import { decodeRsaPublicKey, type RsaPublicKey } from '../crypto/index.ts';
import { type Identity, type IdentityKey, identityKey, identityOf } from '../identity/index.ts';
import type { Target } from '../link/index.ts';
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

/** Whether this is the node that was called, where it was called: others may call it at addresses they made up. */
export function isCallTo(
  { identity, address }: Pick<Peer, 'identity' | 'address'>,
  call: Target,
): boolean {
  const isThere =
    'ip' in call.address && call.address.ip === address.ip && call.address.port === address.port;
  return isThere && equalBytes(identity, call.identity);
}

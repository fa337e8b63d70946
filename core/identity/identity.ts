// An identity: the SHA-256 of a hostkey's canonical SPKI DER (protocol 2.1, rule 3). It names a node in the DHT, in
// links and in tunnels, and anyone who has the key can check the name.

import { DecodeError, toHex } from '../bytes/index.ts';
import { type RsaPublicKey, sha256 } from '../crypto/index.ts';

declare const identity: unique symbol;

export const IDENTITY_BYTES = 32;

export type Identity = Uint8Array & { readonly [identity]: 'Identity' };

/** An identity as the key of a Map or a member of a Set: hexadecimal, in lower case. */
export type IdentityKey = string & { readonly [identity]: 'IdentityKey' };

export function identityOf(publicKey: RsaPublicKey): Identity {
  return sha256(publicKey) as Identity;
}

/** Takes 32 bytes for an identity, without a copy. Whether anybody has its key is another question. */
export function toIdentity(bytes: Uint8Array): Identity {
  if (bytes.length !== IDENTITY_BYTES) {
    throw new DecodeError(`an identity has ${IDENTITY_BYTES} bytes, not ${bytes.length}`);
  }
  return bytes as Identity;
}

export function identityKey(identity: Identity): IdentityKey {
  return toHex(identity) as IdentityKey;
}

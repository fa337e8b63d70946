// The secrets that friendship is made of (protocol 8, and 3.6 for the cookie): what two people share, what one shares with
// all friends, and what is derived from them for each round. The document leaves two things open: the order of the two
// identities in `pairwise` is bytewise, and HKDF's salt is always empty.
//
// Somebody of whom only the hostkey is known shares nothing secret with us: what takes the place of the secrets then can
// be computed by whoever knows the same hostkeys. The screen says so.

import { compareBytes, concatBytes, DecodeError, Writer } from '../bytes/index.ts';
import {
  type CryptoProvider,
  hkdf,
  hmac,
  KEY_BYTES,
  label,
  type Purpose,
  type RsaPublicKey,
} from '../crypto/index.ts';
import { type Identity, identityOf } from '../identity/index.ts';

const NO_SALT = new Uint8Array();
/** Protocol 8 and 10.1: labels and hints are the beginning of an HMAC. */
export const PRESENCE_LABEL_BYTES = 16;
export const HINT_BYTES = 8;

/** What two friends who have each other's cards share, and nobody else. */
export function pairwiseSecret(
  provider: CryptoProvider,
  own: { readonly identity: Identity; readonly contactSecret: Uint8Array },
  friend: { readonly identity: Identity; readonly contactDh: Uint8Array },
): Uint8Array {
  const shared = provider.x25519(own.contactSecret, friend.contactDh);
  if (shared === undefined) throw new DecodeError('a card with a key of small order');
  const secret = derive(shared, 'pair', ...sorted(own.identity, friend.identity));
  shared.fill(0);
  return secret;
}

/** In its place between two who know only each other's hostkeys. No secret: it is the same for all who know both. */
export function publicPairwise(own: RsaPublicKey, friend: RsaPublicKey): Uint8Array {
  const [a, b] = sorted(own, friend);
  return derive(concatBytes(a, b), 'pair', ...sorted(identityOf(own), identityOf(friend)));
}

/** In place of the presence secret of somebody of whom only the hostkey is known. */
export function publicPresenceSecret(publicKey: RsaPublicKey): Uint8Array {
  return derive(publicKey, 'presence-public');
}

/** K_e: reads, and makes, the presence items of one round. */
export function presenceEpochKey(presenceSecret: Uint8Array, round: number): Uint8Array {
  return derive(presenceSecret, 'presence-epoch', u32(round));
}

export function presenceLabel(epochKey: Uint8Array): Uint8Array {
  return hmac(epochKey, label('presence')).slice(0, PRESENCE_LABEL_BYTES);
}

export function presenceItemKey(epochKey: Uint8Array, salt: Uint8Array): Uint8Array {
  return hkdf(epochKey, salt, label('presence'), KEY_BYTES);
}

/** With which `friend` calls at the meeting point of this round (protocol 3.6). */
export function rendezvousCookie(
  pairwise: Uint8Array,
  round: number,
  meetingPoint: Identity,
): Uint8Array {
  return derive(pairwise, 'rdv', u32(round), meetingPoint);
}

/** By which the callee knows the caller before any DH (protocol 10.1). */
export function callHint(pairwise: Uint8Array, round: number): Uint8Array {
  return hmac(pairwise, label('hint'), u32(round)).slice(0, HINT_BYTES);
}

/** The psk of the call handshake (protocol 10.1, "pairwise-derived per round"). */
export function callPsk(pairwise: Uint8Array, round: number): Uint8Array {
  return derive(pairwise, 'call', u32(round));
}

function derive(secret: Uint8Array, purpose: Purpose, ...fields: readonly Uint8Array[]) {
  return hkdf(secret, NO_SALT, concatBytes(label(purpose), ...fields), KEY_BYTES);
}

function sorted<T extends Uint8Array>(a: T, b: T): [T, T] {
  return compareBytes(a, b) < 0 ? [a, b] : [b, a];
}

function u32(value: number): Uint8Array {
  return new Writer(4).u32(value).end();
}

// Public keys as people hand them over: PEM text that was pasted, or a file with PEM or DER in it. Between peers only
// the canonical SPKI counts (core/crypto/rsa-public-key.ts). Messages of the DecodeErrors are for the person who
// pasted.

import { DecodeError } from '../bytes/index.ts';
import { decodeRsaPublicKey, type RsaPublicKey } from '../crypto/index.ts';
import { decodePem, encodePem, isDer } from './pem.ts';

/** A key is 0.8 KiB of PEM; the rest is for whatever a mail program puts around it. */
export const PUBLIC_KEY_TEXT_MAX = 16_384;

export function encodePublicKeyPem(publicKey: RsaPublicKey): string {
  return encodePem('PUBLIC KEY', publicKey);
}

/** The contents of a file: SPKI or PKCS#1, in DER or PEM. */
export function decodePublicKeyFile(bytes: Uint8Array): RsaPublicKey {
  return isDer(bytes) ? decodeRsaPublicKey(bytes) : decodePublicKeyPem(bytes);
}

/** One public key, with any text around it. A private key anywhere in the text is refused, loudly. */
export function decodePublicKeyPem(source: string | Uint8Array): RsaPublicKey {
  if (source.length > PUBLIC_KEY_TEXT_MAX) throw new DecodeError('it is too long for a public key');
  const blocks = decodePem(source);
  if (blocks.some(({ label }) => label.endsWith('PRIVATE KEY'))) throw new DecodeError(PRIVATE_KEY);
  const [block] = blocks;
  if (block === undefined) throw new DecodeError(NO_KEY);
  if (blocks.length > 1) throw new DecodeError('there is more than one key in it');
  if (!block.label.endsWith('PUBLIC KEY')) {
    throw new DecodeError(`it is a ${block.label.toLowerCase()}, not a public key`);
  }
  return decodeRsaPublicKey(block.decode());
}

const NO_KEY = 'there is no public key in it: one begins with -----BEGIN PUBLIC KEY-----';
const PRIVATE_KEY =
  'it is a PRIVATE key: never paste or send it anywhere, because whoever has it can be its owner';

// Hostkeys by the hundred, for simulations: what looks like an RSA key costs nothing, and a hash stands for the signature.
// Real keys and signatures are in machine tests, with core/identity's test hostkeys.

import { concatBytes, equalBytes, fromHex } from '../../bytes/index.ts';
import {
  decodeRsaPublicKey,
  RSA_SIGNATURE_BYTES,
  type RsaPublicKey,
  sha256,
  signedPrefix,
} from '../../crypto/index.ts';
import { identityOf, type Signed } from '../../identity/index.ts';
import { type Rng, randomBytes } from '../../runtime/index.ts';
import type { Signer } from '../nse.ts';

const PKCS1_HEAD = fromHex('3082020a0282020100');
const EXPONENT = fromHex('0203010001');

export function fakeHostkey(rng: Rng): Signer {
  const modulus = randomBytes(rng, 512);
  modulus[0] = (modulus[0] ?? 0) | 0x80;
  modulus[511] = (modulus[511] ?? 0) | 1;
  const publicKey = decodeRsaPublicKey(concatBytes(PKCS1_HEAD, modulus, EXPONENT));
  return {
    publicKey,
    identity: identityOf(publicKey),
    sign: (purpose, networkId, body) =>
      fakeSignature(publicKey, concatBytes(signedPrefix(purpose, networkId), body)),
  };
}

export function verifyFake(publicKey: RsaPublicKey, signed: Signed): boolean {
  const message = concatBytes(signedPrefix(signed.purpose, signed.networkId), signed.body);
  return equalBytes(fakeSignature(publicKey, message), signed.signature);
}

function fakeSignature(publicKey: RsaPublicKey, message: Uint8Array): Uint8Array {
  const signature = new Uint8Array(RSA_SIGNATURE_BYTES);
  signature.set(sha256(publicKey, message));
  return signature;
}

// What looks like an RSA key and costs nothing: hostkeys by the thousand, for simulations.

import { concatBytes, fromHex } from '../../bytes/index.ts';
import { decodeRsaPublicKey, type RsaPublicKey } from '../../crypto/index.ts';
import { type Rng, randomBytes } from '../../runtime/index.ts';

const PKCS1_HEAD = fromHex('3082020a0282020100');
const EXPONENT = fromHex('0203010001');

export function fakePublicKey(rng: Rng): RsaPublicKey {
  const modulus = randomBytes(rng, 512);
  modulus[0] = (modulus[0] ?? 0) | 0x80;
  modulus[511] = (modulus[511] ?? 0) | 1;
  return decodeRsaPublicKey(concatBytes(PKCS1_HEAD, modulus, EXPONENT));
}

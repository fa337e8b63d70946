// RSA-4096-PSS with SHA-256, MGF1-SHA-256 and a salt of 32 bytes (protocol 2.1, IDSIG). Keys are of node:crypto's
// ordinary `rsa` type, because Electron's BoringSSL has no other; they only ever sign, and only with PSS (rule 2).
// What is signed begins with a label (rule 1): that is the business of core/identity, the one user of `sign`.

import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { promisify } from 'node:util';
import { DecodeError } from '../bytes/index.ts';
import { decodeRsaSpki, RSA_BITS, RSA_EXPONENT, type RsaPublicKey } from './rsa-public-key.ts';

export const RSA_SIGNATURE_BYTES = 512;

const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };

/** The key stays behind `#`, so that neither a log nor JSON can show it. */
export class RsaPrivateKey {
  readonly publicKey: RsaPublicKey;
  readonly #key: KeyObject;

  private constructor(key: KeyObject) {
    this.publicKey = decodeRsaSpki(createPublicKey(key).export({ type: 'spki', format: 'der' }));
    this.#key = key;
  }

  /** Half a second to two, in node's thread pool. */
  static async generate(): Promise<RsaPrivateKey> {
    const { privateKey } = await promisify(generateKeyPair)('rsa', {
      modulusLength: RSA_BITS,
      publicExponent: RSA_EXPONENT,
    });
    return new RsaPrivateKey(privateKey);
  }

  /** Throws DecodeError for keys that are damaged, not RSA, or not acceptable by `decodeRsaSpki`. */
  static decode(der: Uint8Array, type: 'pkcs1' | 'pkcs8'): RsaPrivateKey {
    const object = parsePrivateKey(der, type);
    const key = new RsaPrivateKey(object);
    if (!isConsistent(object))
      throw new DecodeError('the numbers of the RSA key do not fit together');
    return key;
  }

  encodePkcs8(): Uint8Array {
    return new Uint8Array(this.#key.export({ type: 'pkcs8', format: 'der' }));
  }

  /** A few milliseconds. */
  sign(message: Uint8Array): Uint8Array {
    return new Uint8Array(sign('sha256', message, { key: this.#key, ...PSS }));
  }
}

function parsePrivateKey(der: Uint8Array, type: 'pkcs1' | 'pkcs8'): KeyObject {
  try {
    return createPrivateKey({ key: Buffer.from(der), format: 'der', type });
  } catch {
    throw new DecodeError('not a private key in DER encoding');
  }
}

/** Parsing does not check this, and signing works its way around one wrong number (RFC 8017, 3.2). */
function isConsistent(key: KeyObject): boolean {
  const jwk = key.export({ format: 'jwk' });
  const [n, e, d] = [bigint(jwk.n), bigint(jwk.e), bigint(jwk.d)];
  const [p, q, qInverse] = [bigint(jwk.p), bigint(jwk.q), bigint(jwk.qi)];
  const [dp, dq] = [bigint(jwk.dp), bigint(jwk.dq)];
  if (p <= 1n || q <= 1n || p * q !== n) return false;
  const exponents = (e * d) % (p - 1n) === 1n && (e * d) % (q - 1n) === 1n;
  return exponents && d % (p - 1n) === dp && d % (q - 1n) === dq && (q * qInverse) % p === 1n;
}

function bigint(base64url = ''): bigint {
  return BigInt(`0x0${Buffer.from(base64url, 'base64url').toString('hex')}`);
}

/** Never throws for what a stranger may send: a wrong length is a wrong signature. */
export function rsaVerify(
  publicKey: RsaPublicKey,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
  return verify('sha256', message, { key, ...PSS }, signature);
}

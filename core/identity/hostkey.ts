// A hostkey: the RSA-4096 key that an identity is the hash of. It signs, always behind a label (protocol 2.1, rule 1),
// and it is kept as PEM. Files are hostkey-file.ts's business.

import { concatBytes, DecodeError } from '../bytes/index.ts';
import {
  type Purpose,
  RsaPrivateKey,
  type RsaPublicKey,
  rsaVerify,
  signedPrefix,
} from '../crypto/index.ts';
import type { Runtime } from '../runtime/index.ts';
import { type Identity, identityOf } from './identity.ts';
import { decodePem, encodePem, isDer, type PemBlock } from './pem.ts';

/** How often `createHostkey` reports that it is still at it: a guess at what looks alive. */
const PROGRESS_MS = 250;

export class Hostkey {
  readonly publicKey: RsaPublicKey;
  readonly identity: Identity;
  readonly #key: RsaPrivateKey;

  constructor(key: RsaPrivateKey) {
    this.publicKey = key.publicKey;
    this.identity = identityOf(key.publicKey);
    this.#key = key;
  }

  /** A few milliseconds. */
  sign(purpose: Purpose, networkId: Uint8Array, body: Uint8Array): Uint8Array {
    return this.#key.sign(concatBytes(signedPrefix(purpose, networkId), body));
  }

  /** PKCS#8, not encrypted. */
  encodePem(): string {
    return encodePem('PRIVATE KEY', this.#key.encodePkcs8());
  }
}

export interface Signed {
  readonly purpose: Purpose;
  readonly networkId: Uint8Array;
  readonly body: Uint8Array;
  readonly signature: Uint8Array;
}

export function verifySigned(publicKey: RsaPublicKey, signed: Signed): boolean {
  const message = concatBytes(signedPrefix(signed.purpose, signed.networkId), signed.body);
  return rsaVerify(publicKey, message, signed.signature);
}

/**
 * A new key, made off the main thread. How long it takes is chance, half a second to two, so `onProgress` can only be
 * told the time that has passed.
 */
export async function createHostkey(
  { clock, timers }: Pick<Runtime, 'clock' | 'timers'>,
  onProgress: (elapsedMs: number) => void,
): Promise<Hostkey> {
  const startMs = clock.nowMs();
  let timer = timers.after(PROGRESS_MS, report);
  function report(): void {
    onProgress(clock.nowMs() - startMs);
    timer = timers.after(PROGRESS_MS, report);
  }
  try {
    return new Hostkey(await RsaPrivateKey.generate());
  } finally {
    timer.cancel();
  }
}

/**
 * The one private key of a PEM file, PKCS#8 or PKCS#1. The DecodeError's message goes behind the name of the file:
 * "hostkey.pem: it is empty".
 */
export function decodeHostkey(bytes: Uint8Array): Hostkey {
  if (bytes.length === 0) throw new DecodeError('it is empty');
  if (isDer(bytes)) throw new DecodeError(DER);
  const blocks = decodePem(bytes);
  const keys = blocks.filter(({ label }) => label.endsWith('PRIVATE KEY'));
  const [key] = keys;
  if (key === undefined) throw new DecodeError(noPrivateKey(blocks));
  if (keys.length > 1) throw new DecodeError(`it holds ${keys.length} private keys, and needs one`);
  return new Hostkey(decodePrivateKey(key));
}

function decodePrivateKey(block: PemBlock): RsaPrivateKey {
  if (block.isEncrypted) throw new DecodeError(ENCRYPTED);
  switch (block.label) {
    case 'PRIVATE KEY':
      return RsaPrivateKey.decode(block.decode(), 'pkcs8');
    case 'RSA PRIVATE KEY':
      return RsaPrivateKey.decode(block.decode(), 'pkcs1');
    case 'OPENSSH PRIVATE KEY':
      throw new DecodeError(OPENSSH);
    default:
      throw new DecodeError(`not an RSA key, but an ${block.label.toLowerCase()}`);
  }
}

function noPrivateKey([block]: readonly PemBlock[]): string {
  if (block?.label.endsWith('PUBLIC KEY')) return PUBLIC;
  return 'there is no PEM key in it; a hostkey begins with -----BEGIN PRIVATE KEY-----';
}

const DER =
  'it is in binary DER form; "openssl pkey -inform DER -in OLD -out NEW" converts it to PEM';
const PUBLIC = 'it holds a public key only; the hostkey is the private one';
const ENCRYPTED =
  'it is protected by a passphrase, which cannot be asked for here; ' +
  '"openssl pkey -in OLD -out NEW" writes it without one';
const OPENSSH =
  'it is in the format of OpenSSH; "ssh-keygen -p -m PEM -f FILE" converts it to PEM in place';

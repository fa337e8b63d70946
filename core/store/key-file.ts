// The key file: the random key that encrypts the database, sealed with a key from the passphrase or from the system's
// secret store. So a wrong passphrase is known before the database is touched, and a new passphrase rewrites these 131
// bytes instead of the database. The checksum tells a damaged file from a wrong passphrase; it keeps nobody out.
//
//   0   16   "VoidPhone store" 0x00
//  16    1   version, 1
//  17    1   1: passphrase, 2: key
//  18    1   log2 of scrypt's N; 0 for a key
//  19   32   salt, new with every sealing
//  51   48   data key and tag, ChaCha20-Poly1305 with a zero nonce; bytes 0..50 are authenticated with it
//  99   32   SHA-256 of bytes 0..98
//
// Every later version keeps the first 17 bytes and ends in such a checksum.

import { scrypt } from 'node:crypto';
import { DecodeError, equalBytes, Reader, utf8, Writer } from '../bytes/index.ts';
import {
  type CryptoProvider,
  HASH_BYTES,
  hkdf,
  KEY_BYTES,
  NONCE_BYTES,
  sha256,
  TAG_BYTES,
} from '../crypto/index.ts';
import { type Rng, randomBytes } from '../runtime/index.ts';

/** What opens a profile: a person's passphrase, or 32 bytes that the system's secret store keeps. */
export type ProfileSecret = { readonly passphrase: string } | { readonly key: Uint8Array };

/** What sealing takes. */
export interface Sealer {
  readonly crypto: CryptoProvider;
  readonly rng: Rng;
}

export interface KeyFile {
  readonly kind: 'passphrase' | 'key';
  readonly cost: number;
  readonly salt: Uint8Array;
  readonly sealedKey: Uint8Array;
}

const MAGIC = utf8('VoidPhone store\0');
const VERSION = 1;
const KINDS = ['passphrase', 'key'] as const;
const SALT_BYTES = 32;
const SEALED_BYTES = KEY_BYTES + TAG_BYTES;
const HEAD_BYTES = MAGIC.length + 3 + SALT_BYTES;

export const KEY_FILE_BYTES = HEAD_BYTES + SEALED_BYTES + HASH_BYTES;
/** What is read of a key file at most: a guess at what later versions may need. */
export const KEY_FILE_BYTES_MAX = 4096;

/** Measured: 0.43 to 0.65 s and 128 MiB on the reference machine; 18 took 1.0 to 1.3 s. */
const COST = 17;
/** The scrypt paper's least for logins (Percival 2009). */
const COST_MIN = 14;
/** 1 GiB and some seconds: the most that a forged file can cost us. */
const COST_MAX = 20;
/** RFC 7914, section 2. */
const SCRYPT_R = 8;
const SCRYPT_P = 1;

/** Every sealing has a fresh salt and so a key of its own: one nonce serves for all. */
const NONCE = new Uint8Array(NONCE_BYTES);

export function encodeKeyFile(file: KeyFile): Uint8Array {
  const body = new Writer(HEAD_BYTES + SEALED_BYTES)
    .bytes(headOf(file))
    .bytes(file.sealedKey)
    .end();
  return new Writer(KEY_FILE_BYTES).bytes(body).bytes(sha256(body)).end();
}

function headOf({ kind, cost, salt }: Omit<KeyFile, 'sealedKey'>): Uint8Array {
  return new Writer(HEAD_BYTES)
    .bytes(MAGIC)
    .u8(VERSION)
    .u8(KINDS.indexOf(kind) + 1)
    .u8(cost)
    .bytes(salt)
    .end();
}

export function decodeKeyFile(bytes: Uint8Array): KeyFile | 'too new' {
  const body = new Reader(bytes).view(Math.max(0, bytes.length - HASH_BYTES));
  const reader = new Reader(body);
  if (!equalBytes(reader.view(MAGIC.length), MAGIC)) throw new DecodeError('not a key file');
  if (!equalBytes(sha256(body), bytes.subarray(body.length))) {
    throw new DecodeError('the checksum of the key file is wrong');
  }
  if (reader.u8() !== VERSION) return 'too new';
  const kind = KINDS[reader.u8() - 1];
  if (kind === undefined) throw new DecodeError('an unknown kind of key');
  const cost = reader.u8();
  const isUsable = kind === 'key' ? cost === 0 : cost >= COST_MIN && cost <= COST_MAX;
  if (!isUsable) throw new DecodeError('the cost of the key is out of bounds');
  const file = {
    kind,
    cost,
    salt: reader.bytes(SALT_BYTES),
    sealedKey: reader.bytes(SEALED_BYTES),
  };
  reader.expectEnd();
  return file;
}

export async function sealKey(
  dataKey: Uint8Array,
  secret: ProfileSecret,
  { crypto, rng }: Sealer,
): Promise<KeyFile> {
  const salt = randomBytes(rng, SALT_BYTES);
  const kind = 'key' in secret ? 'key' : 'passphrase';
  const cost = kind === 'key' ? 0 : COST;
  const sealingKey = await sealingKeyOf(secret, salt, cost);
  const sealedKey = new Uint8Array(SEALED_BYTES);
  sealedKey.set(dataKey);
  crypto.seal(sealedKey, NONCE, headOf({ kind, cost, salt }), sealingKey);
  sealingKey.fill(0);
  return { kind, cost, salt, sealedKey };
}

/** The data key, which the caller wipes; undefined when this is not the secret it was sealed with. */
export async function openKey(
  file: KeyFile,
  secret: ProfileSecret,
  crypto: CryptoProvider,
): Promise<Uint8Array | undefined> {
  if (!(file.kind in secret)) return undefined;
  const sealingKey = await sealingKeyOf(secret, file.salt, file.cost);
  const buffer = new Uint8Array(file.sealedKey);
  const isRight = crypto.open(buffer, NONCE, headOf(file), sealingKey);
  sealingKey.fill(0);
  return isRight ? buffer.subarray(0, KEY_BYTES) : undefined;
}

async function sealingKeyOf(
  secret: ProfileSecret,
  salt: Uint8Array,
  cost: number,
): Promise<Uint8Array> {
  if ('passphrase' in secret) return await keyFromPassphrase(secret.passphrase, salt, cost);
  if (secret.key.length !== KEY_BYTES) throw new RangeError(`a key of ${secret.key.length} bytes`);
  return hkdf(secret.key, salt, MAGIC, KEY_BYTES);
}

/**
 * scrypt (RFC 7914) with N = 2^cost, in node's thread pool. Composed and decomposed letters are the same passphrase
 * (NFC, as RFC 8265, 4.2.2 has it), because keyboards differ in which they produce.
 */
export async function keyFromPassphrase(
  passphrase: string,
  salt: Uint8Array,
  cost: number,
): Promise<Uint8Array> {
  const bytes = utf8(passphrase.normalize('NFC'));
  const N = 2 ** cost;
  const options = { N, r: SCRYPT_R, p: SCRYPT_P, maxmem: 2 * 128 * N * SCRYPT_R };
  return await new Promise((resolve, reject) => {
    scrypt(bytes, salt, KEY_BYTES, options, (error, key) => {
      bytes.fill(0);
      if (error === null) resolve(new Uint8Array(key));
      else reject(error);
    });
  });
}

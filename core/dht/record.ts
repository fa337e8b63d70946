// What is stored under a key (protocol 7, "Record types"): a value, or the manifest of one that is longer (manifest.ts),
// with when it was made, for how long, and the proof of work for just that. So whoever passes it on can neither change
// it nor make it live longer.
//
//   0     1   form      1 content, 2 signed, 3 opaque
//   1     1   parted    1: the payload is a manifest
//   2     1   copies    on how many nodes its owner wants it, 1 to 20
//   3     4   created   Unix seconds
//   7     4   lifetime  seconds, at most 24 h
//  11     8   nonce     of the proof of work
//  19     2   length of the payload, not 0
//  21  1102   of a signed one: SPKI DER 550 | salt 32 | seq u64 | RSA-PSS 512
//   -     -   payload
//
// The key of content is the hash of the value, so a hostkey's is its identity; that of a signed record is the hash of
// "VPv1/dht-sig" 0x00, SPKI and salt; an opaque one has any.

import { concatBytes, DecodeError, equalBytes, Reader, toHex, Writer } from '../bytes/index.ts';
import {
  decodeRsaSpki,
  HASH_BYTES,
  label,
  POW_NONCE_BYTES,
  type PowTask,
  powZeroBits,
  RSA_SIGNATURE_BYTES,
  RSA_SPKI_BYTES,
  type RsaPublicKey,
  sha256,
  signedPrefix,
} from '../crypto/index.ts';
import type { Signed } from '../identity/index.ts';
import { K } from './contact.ts';
import { decodeManifest, MANIFEST_BYTES_MAX, type Manifest, PART_BYTES } from './manifest.ts';

/** In the order of their numbers on the wire, from 1. */
const FORMS = ['content', 'signed', 'opaque'] as const;

export type Form = (typeof FORMS)[number];

/** Protocol 7. */
export const LIFETIME_MAX_S = 24 * 3600;
const COPIES_MAX = K;
/** STORE PoW bits = 14 + ceil(log2(KiB · hours + 1)) (protocol 7). */
const WORK_BITS_MIN = 14;
/** A guess at how far a clock may be ahead of ours: it only makes a value live that much longer. */
const AHEAD_MAX_S = 60;

const FIXED_BYTES = 21;
const NONCE_AT = 11;
export const SALT_BYTES = 32;
const SIGNER_BYTES = RSA_SPKI_BYTES + SALT_BYTES + 8 + RSA_SIGNATURE_BYTES;
export const RECORD_BYTES_MAX = FIXED_BYTES + SIGNER_BYTES + MANIFEST_BYTES_MAX;

export interface Signer {
  readonly publicKey: RsaPublicKey;
  readonly salt: Uint8Array;
  readonly seq: number;
  readonly signature: Uint8Array;
}

export interface DhtRecord {
  readonly form: Form;
  readonly copies: number;
  readonly createdS: number;
  readonly lifetimeS: number;
  readonly nonce: Uint8Array;
  /** Of signed ones. */
  readonly signer: Signer | undefined;
  /** Of parted ones. */
  readonly manifest: Manifest | undefined;
  /** The value or the manifest. */
  readonly payload: Uint8Array;
  readonly encoded: Uint8Array;
  /** Equal for all records that say the same value, in hexadecimal. */
  readonly variant: string;
}

export type RecordFields = Pick<
  DhtRecord,
  'form' | 'copies' | 'createdS' | 'lifetimeS' | 'nonce' | 'signer' | 'payload'
> & { readonly isParted: boolean };

/** The result has been decoded: what we would refuse, we do not send. */
export function makeRecord(fields: RecordFields): DhtRecord {
  const { signer, payload } = fields;
  const length = FIXED_BYTES + (signer === undefined ? 0 : SIGNER_BYTES) + payload.length;
  const writer = new Writer(length);
  writer.u8(1 + FORMS.indexOf(fields.form)).u8(fields.isParted ? 1 : 0);
  writer.u8(fields.copies).u32(fields.createdS).u32(fields.lifetimeS).bytes(fields.nonce);
  writer.u16(payload.length);
  if (signer !== undefined) {
    writer.bytes(signer.publicKey).bytes(signer.salt).u64(signer.seq).bytes(signer.signature);
  }
  return decodeRecord(writer.bytes(payload).end());
}

export function withNonce({ encoded }: DhtRecord, nonce: Uint8Array): DhtRecord {
  const bytes = new Uint8Array(encoded);
  bytes.set(nonce, NONCE_AT);
  return decodeRecord(bytes);
}

/** A copy. Whether it belongs under a key is `recordFault`'s question. */
export function decodeRecord(bytes: Uint8Array): DhtRecord {
  if (bytes.length > RECORD_BYTES_MAX) throw new DecodeError('a record too long');
  const encoded = new Uint8Array(bytes);
  const reader = new Reader(encoded);
  const form = FORMS[reader.u8() - 1];
  const parted = reader.u8();
  const copies = reader.u8();
  const createdS = reader.u32();
  const lifetimeS = reader.u32();
  const nonce = reader.view(POW_NONCE_BYTES);
  const length = reader.u16();
  if (form === undefined) throw new DecodeError('a record of an unknown form');
  if (parted > 1) throw new DecodeError('a record neither whole nor parted');
  if (copies === 0 || copies > COPIES_MAX) throw new DecodeError(`${copies} copies`);
  if (lifetimeS === 0 || lifetimeS > LIFETIME_MAX_S) throw new DecodeError('a life too long');
  const signer = form === 'signed' ? readSigner(reader) : undefined;
  const payload = reader.view(length);
  reader.expectEnd();
  if (length === 0) throw new DecodeError('an empty value');
  if (parted === 0 && length > PART_BYTES) throw new DecodeError('a value that needs parts');
  const manifest = parted === 1 ? decodeManifest(payload) : undefined;
  const variant = variantOf(form, signer, payload);
  const fields = { form, copies, createdS, lifetimeS, nonce, signer, manifest, payload };
  return { ...fields, encoded, variant };
}

function readSigner(reader: Reader): Signer {
  return {
    publicKey: decodeRsaSpki(reader.view(RSA_SPKI_BYTES)),
    salt: reader.view(SALT_BYTES),
    seq: reader.u64AsNumber(),
    signature: reader.view(RSA_SIGNATURE_BYTES),
  };
}

function variantOf(form: Form, signer: Signer | undefined, payload: Uint8Array): string {
  const start = new Writer(9).u8(1 + FORMS.indexOf(form)).u64(signer?.seq ?? 0);
  return toHex(sha256(start.end(), payload));
}

/** Of the whole value. */
export function valueBytes({ manifest, payload }: DhtRecord): number {
  return manifest?.length ?? payload.length;
}

export function expiryMs({ createdS, lifetimeS }: DhtRecord): number {
  return (createdS + lifetimeS) * 1000;
}

export function signedKey(publicKey: RsaPublicKey, salt: Uint8Array): Uint8Array {
  return sha256(label('dht-sig'), publicKey, salt);
}

/** What the owner of a signed record signs. */
export function signedBody(key: Uint8Array, seq: number, payload: Uint8Array): Uint8Array {
  const writer = new Writer(key.length + 8 + HASH_BYTES);
  return writer.bytes(key).u64(seq).bytes(sha256(payload)).end();
}

/** The proof of work that keeping it costs, bound to everything that it says. */
export function recordTask(networkId: Uint8Array, key: Uint8Array, record: DhtRecord): PowTask {
  const { encoded, lifetimeS } = record;
  const challenge = sha256(
    signedPrefix('dht-record', networkId),
    key,
    encoded.subarray(0, NONCE_AT),
    encoded.subarray(NONCE_AT + POW_NONCE_BYTES),
  );
  const kibHours = (valueBytes(record) / 1024) * (lifetimeS / 3600);
  return { kind: 'fast', challenge, bits: WORK_BITS_MIN + Math.ceil(Math.log2(kibHours + 1)) };
}

export type RecordFault =
  | 'run out'
  | 'from the future'
  | 'another key'
  | 'no proof of work'
  | 'signature';

export interface RecordRules {
  readonly networkId: Uint8Array;
  verifyPow(task: PowTask, nonce: Uint8Array): boolean;
  verifySigned(publicKey: RsaPublicKey, signed: Signed): boolean;
}

/** Why it may not stand under this key now. Of parted content the key is checked once all parts are there. */
export function recordFault(
  key: Uint8Array,
  record: DhtRecord,
  wallMs: number,
  rules: RecordRules,
): RecordFault | undefined {
  if (expiryMs(record) <= wallMs) return 'run out';
  if (record.createdS * 1000 > wallMs + AHEAD_MAX_S * 1000) return 'from the future';
  if (!isKeyOf(key, record)) return 'another key';
  if (!rules.verifyPow(recordTask(rules.networkId, key, record), record.nonce)) {
    return 'no proof of work';
  }
  const { signer, payload } = record;
  if (signer === undefined) return undefined;
  const { publicKey, seq, signature } = signer;
  const body = signedBody(key, seq, payload);
  const signed = { purpose: 'dht-sig', networkId: rules.networkId, body, signature } as const;
  return rules.verifySigned(publicKey, signed) ? undefined : 'signature';
}

function isKeyOf(key: Uint8Array, { form, signer, manifest, payload }: DhtRecord): boolean {
  if (signer !== undefined) return equalBytes(key, signedKey(signer.publicKey, signer.salt));
  return form === 'opaque' || manifest !== undefined || equalBytes(key, sha256(payload));
}

/** Whether the whole value is what its key says; only content's says anything. */
export function isValueOf(key: Uint8Array, form: Form, value: Uint8Array): boolean {
  return form !== 'content' || equalBytes(key, sha256(value));
}

/** How many zero bits its proof of work really has: more than were asked for, if its owner has taken the trouble. */
export function workOf(networkId: Uint8Array, key: Uint8Array, record: DhtRecord): number {
  const { challenge } = recordTask(networkId, key, record);
  return powZeroBits('fast', concatBytes(challenge, record.nonce));
}

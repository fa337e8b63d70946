// The compact certificate (protocol Appendix A, sent in CREATED, 3.3): binds a hop's X25519 key to its identity, for
// an initiator who has the hop's hostkey already.
//
//   0   32   identity
//  32   20   serial, not_before, not_after (validity.ts)
//  52   32   link_dh, X25519
//  84  512   RSA-PSS over "VPv1/desc-compact" 0x00 network_id and bytes 0..83

import { DecodeError, equalBytes, Reader, Writer } from '../bytes/index.ts';
import { KEY_BYTES, RSA_SIGNATURE_BYTES, type RsaPublicKey } from '../crypto/index.ts';
import { type Hostkey, verifySigned } from './hostkey.ts';
import { IDENTITY_BYTES, type Identity, identityOf, toIdentity } from './identity.ts';
import {
  expectValidAt,
  readValidity,
  VALIDITY_BYTES,
  type Validity,
  writeValidity,
} from './validity.ts';

const BODY_BYTES = IDENTITY_BYTES + VALIDITY_BYTES + KEY_BYTES;

/** 596; with its tag the 612 bytes of protocol 3.3. */
export const COMPACT_CERTIFICATE_BYTES = BODY_BYTES + RSA_SIGNATURE_BYTES;

export interface CompactCertificate extends Validity {
  readonly identity: Identity;
  readonly linkDh: Uint8Array;
}

export type CompactCertificateFields = Omit<CompactCertificate, 'identity'>;

export function signCompactCertificate(
  hostkey: Hostkey,
  networkId: Uint8Array,
  fields: CompactCertificateFields,
): Uint8Array {
  const body = new Writer(BODY_BYTES).bytes(hostkey.identity);
  writeValidity(body, fields).bytes(fields.linkDh);
  const signature = hostkey.sign('desc-compact', networkId, body.end());
  return new Writer(COMPACT_CERTIFICATE_BYTES).bytes(body.end()).bytes(signature).end();
}

export interface CompactCertificateRules {
  /** The hostkey of the hop that was asked for. */
  readonly publicKey: RsaPublicKey;
  readonly networkId: Uint8Array;
  readonly wallMs: number;
}

/** Decodes and verifies: there is no use for a certificate that was only decoded. */
export function openCompactCertificate(
  bytes: Uint8Array,
  { publicKey, networkId, wallMs }: CompactCertificateRules,
): CompactCertificate {
  const reader = new Reader(bytes);
  const identity = toIdentity(reader.bytes(IDENTITY_BYTES));
  const validity = readValidity(reader);
  const linkDh = reader.bytes(KEY_BYTES);
  const signature = reader.view(RSA_SIGNATURE_BYTES);
  reader.expectEnd();
  if (!equalBytes(identity, identityOf(publicKey))) {
    throw new DecodeError('a compact certificate of another identity');
  }
  expectValidAt(validity, wallMs);
  const body = bytes.subarray(0, BODY_BYTES);
  if (!verifySigned(publicKey, { purpose: 'desc-compact', networkId, body, signature })) {
    throw new DecodeError('the signature of a compact certificate is wrong');
  }
  return { identity, ...validity, linkDh };
}

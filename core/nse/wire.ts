// The flood message (protocol 6), an item of Gossip of type NSE_DATA_TYPE: a node says how near it is to a round's target.
// 1086 bytes:
//
//   0     1   version 1
//   1     2   hop, 0: Gossip passes items on as they are, so nobody counts
//   3     4   round: floor(Unix seconds / period)
//   7     1   bits: the leading zero bits of the distance (distance.ts)
//   8     8   time, Unix seconds: when the node began to take part in the round
//  16   550   SPKI DER of the hostkey
// 566     8   nonce of the identity's proof of work, for the month in which the round begins
// 574   512   RSA-PSS over "VPv1/nse" 0x00 network_id and everything before
//
// Whether any of it is true is not looked at here, but by nse.ts.

import { DecodeError, Reader, Writer } from '../bytes/index.ts';
import {
  decodeRsaSpki,
  POW_NONCE_BYTES,
  RSA_SIGNATURE_BYTES,
  RSA_SPKI_BYTES,
  type RsaPublicKey,
} from '../crypto/index.ts';

/** Of our choosing: presence has 5100 (protocol 8), and 520 is NSE's number among the module APIs. */
export const NSE_DATA_TYPE = 5200;

export const FLOOD_MESSAGE_BYTES = 1086;

const VERSION = 1;
const HOP_BYTES = 2;
const BODY_BYTES = FLOOD_MESSAGE_BYTES - RSA_SIGNATURE_BYTES;

export interface FloodFields {
  readonly round: number;
  readonly bits: number;
  readonly timeS: number;
  readonly publicKey: RsaPublicKey;
  readonly powNonce: Uint8Array;
}

export interface FloodMessage extends FloodFields {
  /** What was signed, and the signature. */
  readonly body: Uint8Array;
  readonly signature: Uint8Array;
}

export function encodeFloodMessage(
  fields: FloodFields,
  sign: (body: Uint8Array) => Uint8Array,
): Uint8Array {
  const body = new Writer(BODY_BYTES)
    .u8(VERSION)
    .zeros(HOP_BYTES)
    .u32(fields.round)
    .u8(fields.bits)
    .u64(fields.timeS)
    .bytes(fields.publicKey)
    .bytes(fields.powNonce)
    .end();
  return new Writer(FLOOD_MESSAGE_BYTES).bytes(body).bytes(sign(body)).end();
}

/** Copies: the message may have to wait for its proof of work to be looked at. */
export function decodeFloodMessage(bytes: Uint8Array): FloodMessage {
  if (bytes.length !== FLOOD_MESSAGE_BYTES) {
    throw new DecodeError(`a flood message of ${bytes.length} bytes`);
  }
  const message = new Uint8Array(bytes);
  const reader = new Reader(message);
  const version = reader.u8();
  if (version !== VERSION) throw new DecodeError(`a flood message of version ${version}`);
  reader.zeros(HOP_BYTES);
  return {
    round: reader.u32(),
    bits: reader.u8(),
    timeS: reader.u64AsNumber(),
    publicKey: decodeRsaSpki(reader.view(RSA_SPKI_BYTES)),
    powNonce: reader.view(POW_NONCE_BYTES),
    body: message.subarray(0, BODY_BYTES),
    signature: reader.rest(),
  };
}

// A friend card (protocol 8): what one gives to friends so that they can find, call and recognise one. It is signed by the
// hostkey, so a changed card is no card; whoever gets hold of it can see the presence that friends see, until the secret
// in it is replaced.
//
//   0    1   version 1
//   1  550   SPKI DER of the hostkey
// 551   32   contact_dh, X25519
// 583    2   version of the presence secret
// 585   32   presence secret
// 617   64   name, UTF-8, filled up with zeros
// 681  512   RSA-PSS over "VPv1/card" 0x00 network_id and everything before
//
// As text it is a PEM block "VOIDPHONE CARD" or a link, voidphone:card/ and base64url.

import { DecodeError, Reader, toBase64Url, Writer } from '../bytes/index.ts';
import {
  decodeRsaSpki,
  KEY_BYTES,
  RSA_SIGNATURE_BYTES,
  RSA_SPKI_BYTES,
  type RsaPublicKey,
} from '../crypto/index.ts';
import {
  encodePem,
  type Hostkey,
  type Identity,
  identityOf,
  verifySigned,
} from '../identity/index.ts';
import { readPaddedText, writePaddedText } from './padded-text.ts';

const VERSION = 1;
export const NAME_BYTES_MAX = 64;
const BODY_BYTES = 1 + RSA_SPKI_BYTES + KEY_BYTES + 2 + KEY_BYTES + NAME_BYTES_MAX;
/** 1193. */
export const CARD_BYTES = BODY_BYTES + RSA_SIGNATURE_BYTES;

export const CARD_PEM_LABEL = 'VOIDPHONE CARD';
export const CARD_LINK = 'voidphone:card/';

export interface CardFields {
  readonly contactDh: Uint8Array;
  readonly presenceSecret: Uint8Array;
  readonly presenceVersion: number;
  /** What its owner is called; may be empty. At most NAME_BYTES_MAX of UTF-8. */
  readonly name: string;
}

export interface Card extends CardFields {
  readonly publicKey: RsaPublicKey;
  readonly identity: Identity;
}

/** RangeError for a name that is no name (padded-text.ts). */
export function signCard(hostkey: Hostkey, networkId: Uint8Array, fields: CardFields): Uint8Array {
  const writer = new Writer(BODY_BYTES)
    .u8(VERSION)
    .bytes(hostkey.publicKey)
    .bytes(fields.contactDh)
    .u16(fields.presenceVersion)
    .bytes(fields.presenceSecret);
  const body = writePaddedText(writer, fields.name, NAME_BYTES_MAX).end();
  return new Writer(CARD_BYTES)
    .bytes(body)
    .bytes(hostkey.sign('card', networkId, body))
    .end();
}

/** Decodes and verifies. The DecodeError's message is for the person who pasted it. */
export function openCard(bytes: Uint8Array, networkId: Uint8Array): Card {
  if (bytes.length !== CARD_BYTES) {
    throw new DecodeError(`the card has ${bytes.length} bytes instead of ${CARD_BYTES}`);
  }
  const reader = new Reader(bytes);
  const version = reader.u8();
  if (version !== VERSION)
    throw new DecodeError(`the card is of version ${version}, newer than this program`);
  const publicKey = decodeRsaSpki(reader.bytes(RSA_SPKI_BYTES));
  const contactDh = reader.bytes(KEY_BYTES);
  const presenceVersion = reader.u16();
  const presenceSecret = reader.bytes(KEY_BYTES);
  const name = readPaddedText(reader, NAME_BYTES_MAX);
  const body = bytes.subarray(0, BODY_BYTES);
  if (!verifySigned(publicKey, { purpose: 'card', networkId, body, signature: reader.rest() })) {
    throw new DecodeError('the card was changed, or is of another network');
  }
  const identity = identityOf(publicKey);
  return { publicKey, identity, contactDh, presenceVersion, presenceSecret, name };
}

export function encodeCardPem(card: Uint8Array): string {
  return encodePem(CARD_PEM_LABEL, card);
}

export function encodeCardLink(card: Uint8Array): string {
  return CARD_LINK + toBase64Url(card);
}

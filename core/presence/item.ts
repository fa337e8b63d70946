// A presence item (protocol 8), 1080 bytes, the data of a Gossip item of type PRESENCE_DATA_TYPE: how somebody is, and where
// he can be called in this round. Only who has his presence secret finds it, reads it, and can tell two items of his from
// two of anybody; nobody but him can have made it.
//
//    0    1   version 1
//    1    3   reserved
//    4    4   round it is valid for
//    8   16   label: of the round's key, so that a friend finds it without trying
//   24   16   salt
//   40 1040   AEAD of the plaintext below, AAD bytes 0..39
//
//   plaintext, 1024 bytes:
//    0    8   seq u32, status u8, flags u8 (0), version of the presence secret u16
//    8   32   nk_pub, X25519: for calls through a meeting point in this round
//   40  104   two meeting points of 52: of this round and of the next
//  144   18   direct address: ip 16, port 2
//  162  198   three mailboxes of 66: identity 32, ip 16, port 2, box 16
//  360   64   status text, UTF-8
//  424   88   zeros
//  512  512   RSA-PSS over "VPv1/presence" 0x00 network_id, bytes 0..39 of the item, bytes 0..511 of the plaintext
//
// What there is nothing to say about is zero. The document has a proof of work in the last 8 bytes; here it is that of the
// Gossip item around this (core/gossip/item.ts, 18 bits), which covers the same bytes. Whether an item is newer than another,
// and whose it is, is the reader's business (reading.ts).

import { concatBytes, DecodeError, Reader, Writer } from '../bytes/index.ts';
import {
  type CryptoProvider,
  KEY_BYTES,
  NONCE_BYTES,
  RSA_SIGNATURE_BYTES,
  type RsaPublicKey,
  TAG_BYTES,
} from '../crypto/index.ts';
import {
  type Hostkey,
  IDENTITY_BYTES,
  type Identity,
  toIdentity,
  verifySigned,
} from '../identity/index.ts';
import {
  type Address,
  IP_BYTES,
  ipFromBytes,
  ipToBytes,
  type Rng,
  randomBytes,
} from '../runtime/index.ts';
import {
  PRESENCE_LABEL_BYTES,
  presenceEpochKey,
  presenceItemKey,
  presenceLabel,
} from './friend-keys.ts';
import { readPaddedText, writePaddedText } from './padded-text.ts';

/** Protocol 8. */
export const PRESENCE_DATA_TYPE = 5100;

const VERSION = 1;
const SALT_BYTES = 16;
const HEAD_BYTES = 1 + 3 + 4 + PRESENCE_LABEL_BYTES + SALT_BYTES;
const SIGNED_BYTES = 512;
const PLAIN_BYTES = SIGNED_BYTES + RSA_SIGNATURE_BYTES;
export const PRESENCE_ITEM_BYTES = HEAD_BYTES + PLAIN_BYTES + TAG_BYTES;

const BOX_BYTES = 16;
export const MAILBOXES_MAX = 3;
export const STATUS_TEXT_BYTES_MAX = 64;

/** One key for each item: the salt is fresh. */
const NONCE = new Uint8Array(NONCE_BYTES);

/** In the order of their numbers on the wire. 'busy' is for people who do not want to be disturbed, not for calls. */
export const STATUSES = ['online', 'away', 'busy'] as const;
export type Status = (typeof STATUSES)[number];

/** The endpoint of somebody's tunnel: where he can be called in a round (protocol 3.6). */
export interface MeetingPoint {
  readonly identity: Identity;
  readonly address: Address;
}

export interface Mailbox extends MeetingPoint {
  readonly box: Uint8Array;
}

export interface Presence {
  readonly seq: number;
  readonly status: Status;
  /** Of the secret under which this is published. */
  readonly secretVersion: number;
  readonly callKey: Uint8Array;
  readonly meetingPoint: MeetingPoint | undefined;
  readonly nextMeetingPoint: MeetingPoint | undefined;
  readonly directAddress: Address | undefined;
  /** At most MAILBOXES_MAX. */
  readonly mailboxes: readonly Mailbox[];
  readonly text: string;
}

export interface Sealing {
  readonly provider: CryptoProvider;
  readonly rng: Rng;
  readonly networkId: Uint8Array;
}

/** A few milliseconds, for the signature. */
export function sealPresence(
  { provider, rng, networkId }: Sealing,
  hostkey: Hostkey,
  presenceSecret: Uint8Array,
  round: number,
  presence: Presence,
): Uint8Array {
  const epochKey = presenceEpochKey(presenceSecret, round);
  const salt = randomBytes(rng, SALT_BYTES);
  const head = encodeHead(round, presenceLabel(epochKey), salt);
  const signed = encodePresence(presence);
  const signature = hostkey.sign('presence', networkId, concatBytes(head, signed));
  const sealed = concatBytes(signed, signature, new Uint8Array(TAG_BYTES));
  provider.seal(sealed, NONCE, head, presenceItemKey(epochKey, salt));
  return concatBytes(head, sealed);
}

/** What somebody publishes who does not want to be seen: nobody can tell it from an item of somebody unknown. */
export function dummyPresence(rng: Rng, round: number): Uint8Array {
  const random = randomBytes(rng, PRESENCE_ITEM_BYTES - HEAD_BYTES);
  const label = randomBytes(rng, PRESENCE_LABEL_BYTES);
  return concatBytes(encodeHead(round, label, randomBytes(rng, SALT_BYTES)), random);
}

/** All that a stranger can see of an item. */
export interface SealedPresence {
  readonly round: number;
  readonly label: Uint8Array;
  readonly salt: Uint8Array;
  readonly bytes: Uint8Array;
}

/** What every node checks before it passes an item on; views of `bytes`. */
export function decodeSealedPresence(bytes: Uint8Array): SealedPresence {
  if (bytes.length !== PRESENCE_ITEM_BYTES) {
    throw new DecodeError(`a presence item of ${bytes.length} bytes`);
  }
  const reader = new Reader(bytes);
  const version = reader.u8();
  if (version !== VERSION) throw new DecodeError(`a presence item of version ${version}`);
  reader.zeros(3);
  const round = reader.u32();
  const [label, salt] = [reader.view(PRESENCE_LABEL_BYTES), reader.view(SALT_BYTES)];
  return { round, label, salt, bytes };
}

/** DecodeError for what is not by the owner of `publicKey`, also when somebody with his secret has made it. */
export function openPresence(
  { provider, networkId }: Omit<Sealing, 'rng'>,
  publicKey: RsaPublicKey,
  presenceSecret: Uint8Array,
  { round, salt, bytes }: SealedPresence,
): Presence {
  const head = bytes.subarray(0, HEAD_BYTES);
  const sealed = new Uint8Array(bytes.subarray(HEAD_BYTES));
  const key = presenceItemKey(presenceEpochKey(presenceSecret, round), salt);
  if (!provider.open(sealed, NONCE, head, key)) {
    throw new DecodeError('a presence item under another key');
  }
  const reader = new Reader(sealed.subarray(0, PLAIN_BYTES));
  const signed = reader.view(SIGNED_BYTES);
  const signature = reader.rest();
  const body = concatBytes(head, signed);
  if (!verifySigned(publicKey, { purpose: 'presence', networkId, body, signature })) {
    throw new DecodeError('the signature of a presence item is wrong');
  }
  return decodePresence(signed);
}

function encodeHead(round: number, label: Uint8Array, salt: Uint8Array): Uint8Array {
  return new Writer(HEAD_BYTES).u8(VERSION).zeros(3).u32(round).bytes(label).bytes(salt).end();
}

function encodePresence(presence: Presence): Uint8Array {
  const writer = new Writer(new Uint8Array(SIGNED_BYTES))
    .u32(presence.seq)
    .u8(STATUSES.indexOf(presence.status))
    .u8(0)
    .u16(presence.secretVersion)
    .bytes(presence.callKey);
  for (const point of [presence.meetingPoint, presence.nextMeetingPoint]) {
    writeMeetingPoint(writer, point).zeros(2);
  }
  writeAddress(writer, presence.directAddress);
  if (presence.mailboxes.length > MAILBOXES_MAX) throw new RangeError('too many mailboxes');
  for (let i = 0; i < MAILBOXES_MAX; i++) {
    const mailbox = presence.mailboxes[i];
    writeMeetingPoint(writer, mailbox).bytes(mailbox?.box ?? new Uint8Array(BOX_BYTES));
  }
  writePaddedText(writer, presence.text, STATUS_TEXT_BYTES_MAX);
  return writer.zeros(writer.remaining).end();
}

function decodePresence(bytes: Uint8Array): Presence {
  const reader = new Reader(bytes);
  const seq = reader.u32();
  const status = STATUSES[reader.u8()];
  if (status === undefined) throw new DecodeError('an unknown status');
  reader.zeros(1);
  const secretVersion = reader.u16();
  const callKey = reader.bytes(KEY_BYTES);
  const meetingPoint = readMeetingPoint(reader);
  reader.zeros(2);
  const nextMeetingPoint = readMeetingPoint(reader);
  reader.zeros(2);
  const directAddress = readAddress(reader);
  const mailboxes: Mailbox[] = [];
  for (let i = 0; i < MAILBOXES_MAX; i++) {
    const point = readMeetingPoint(reader);
    const box = reader.bytes(BOX_BYTES);
    if (point !== undefined) mailboxes.push({ ...point, box });
  }
  const text = readPaddedText(reader, STATUS_TEXT_BYTES_MAX);
  reader.zeros(reader.remaining);
  const places = { meetingPoint, nextMeetingPoint, directAddress, mailboxes };
  return { seq, status, secretVersion, callKey, ...places, text };
}

function writeMeetingPoint(writer: Writer, point: MeetingPoint | undefined): Writer {
  writer.bytes(point?.identity ?? new Uint8Array(IDENTITY_BYTES));
  return writeAddress(writer, point?.address);
}

function readMeetingPoint(reader: Reader): MeetingPoint | undefined {
  const identity = toIdentity(reader.bytes(IDENTITY_BYTES));
  const address = readAddress(reader);
  return address === undefined ? undefined : { identity, address };
}

function writeAddress(writer: Writer, address: Address | undefined): Writer {
  if (address === undefined) return writer.zeros(IP_BYTES + 2);
  return writer.bytes(ipToBytes(address.ip)).u16(address.port);
}

/** Whether it may be dialled is for whoever dials. */
function readAddress(reader: Reader): Address | undefined {
  const ip = ipFromBytes(reader.view(IP_BYTES));
  const port = reader.u16();
  return port === 0 ? undefined : { ip, port };
}

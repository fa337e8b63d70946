// The messages of signalling (protocol 10.2), and three of 10.1 that take the same reliable way: CONFIRM, KEY and PART.
//
//   msg u8, then     1 RINGING, 2 ANSWER, 4 BUSY, 5 WAITING, 7 HOLD, 8 RESUME, 10 BYE_ACK: nothing
//                    3 REJECT, 6 CANCEL, 9 BYE: reason u8 (end.ts)
//                    11 MEDIA: codec u8, bitrate u32, count u8, that many distances u8
//                    12 RDV_NEXT: round u32, identity 32, ip 16, port u16, cookie salt 16
//                    13 SESSION_RESUME: call id 16, epoch u16
//                    14 CONFIRM: r_c 16
//                    15 KEY: epoch u16, X25519 32
//                    16 PART: of u8 (1 proof, 2 card), index u8, length u16, bytes: the rest
//
// Sizes that the document leaves open are ours. How messages become reliable is signalling.ts's business.

import { DecodeError, Reader, Writer } from '../bytes/index.ts';
import { KEY_BYTES } from '../crypto/index.ts';
import { IDENTITY_BYTES, type Identity, toIdentity } from '../identity/index.ts';
import { END_REASONS, type EndReason } from './end.ts';
import { CALL_ID_BYTES } from './frame.ts';

export const RANDOM_BYTES = 16;
export const COOKIE_SALT_BYTES = 16;
const IP_BYTES = 16;
/** Leaves room for 20 ms of voice in the same frame. */
export const PART_BYTES = 256;
/** Four copies and the current frame are all that fits (media.ts). */
const DISTANCES_MAX = 4;

/** Where the next round's tunnels of both are to end. */
export interface NextMeetingPoint {
  readonly round: number;
  readonly identity: Identity;
  readonly ip: Uint8Array;
  readonly port: number;
  readonly cookieSalt: Uint8Array;
}

export interface MediaParameters {
  readonly codec: number;
  readonly bitrate: number;
  readonly distances: readonly number[];
}

const PLAIN = {
  ringing: 1,
  answer: 2,
  busy: 4,
  waiting: 5,
  hold: 7,
  resume: 8,
  'bye ack': 10,
} as const;
const ENDING = { reject: 3, cancel: 6, bye: 9 } as const;
const OTHER = { media: 11, 'next meeting point': 12, 'session resume': 13 } as const;
const HANDSHAKE = { confirm: 14, key: 15, part: 16 } as const;
const CODE = { ...PLAIN, ...ENDING, ...OTHER, ...HANDSHAKE };
const PARTS = { proof: 1, card: 2 } as const;

export type PlainType = keyof typeof PLAIN;
export type EndingType = keyof typeof ENDING;
export type LongText = keyof typeof PARTS;

export interface Part {
  readonly type: 'part';
  readonly of: LongText;
  readonly index: number;
  /** Of the whole. */
  readonly length: number;
  readonly bytes: Uint8Array;
}

export type ControlMessage =
  | { readonly type: PlainType }
  | { readonly type: EndingType; readonly reason: EndReason }
  | { readonly type: 'media'; readonly parameters: MediaParameters }
  | { readonly type: 'next meeting point'; readonly point: NextMeetingPoint }
  | { readonly type: 'session resume'; readonly callId: Uint8Array; readonly epoch: number }
  | { readonly type: 'confirm'; readonly random: Uint8Array }
  | { readonly type: 'key'; readonly epoch: number; readonly publicKey: Uint8Array }
  | Part;

export function encodeControl(message: ControlMessage): Uint8Array {
  const writer = new Writer(new Uint8Array(controlBytes(message))).u8(CODE[message.type]);
  switch (message.type) {
    case 'reject':
    case 'cancel':
    case 'bye':
      return writer.u8(END_REASONS.indexOf(message.reason)).end();
    case 'media': {
      const { codec, bitrate, distances } = message.parameters;
      return writer
        .u8(codec)
        .u32(bitrate)
        .u8(distances.length)
        .bytes(Uint8Array.from(distances))
        .end();
    }
    case 'next meeting point': {
      const { round, identity, ip, port, cookieSalt } = message.point;
      return writer.u32(round).bytes(identity).bytes(ip).u16(port).bytes(cookieSalt).end();
    }
    case 'session resume':
      return writer.bytes(message.callId).u16(message.epoch).end();
    case 'confirm':
      return writer.bytes(message.random).end();
    case 'key':
      return writer.u16(message.epoch).bytes(message.publicKey).end();
    case 'part':
      return writer
        .u8(PARTS[message.of])
        .u8(message.index)
        .u16(message.length)
        .bytes(message.bytes)
        .end();
    default:
      return writer.end();
  }
}

function controlBytes(message: ControlMessage): number {
  switch (message.type) {
    case 'reject':
    case 'cancel':
    case 'bye':
      return 2;
    case 'media':
      return 1 + 1 + 4 + 1 + message.parameters.distances.length;
    case 'next meeting point':
      return 1 + 4 + IDENTITY_BYTES + IP_BYTES + 2 + COOKIE_SALT_BYTES;
    case 'session resume':
      return 1 + CALL_ID_BYTES + 2;
    case 'confirm':
      return 1 + RANDOM_BYTES;
    case 'key':
      return 1 + 2 + KEY_BYTES;
    case 'part':
      return 1 + 1 + 1 + 2 + message.bytes.length;
    default:
      return 1;
  }
}

const TYPES: ReadonlyMap<number, keyof typeof CODE> = new Map(
  Object.entries(CODE).map(([type, code]) => [code, type as keyof typeof CODE]),
);

/** Copies. DecodeError for what is malformed, and for what this program does not know. */
export function decodeControl(bytes: Uint8Array): ControlMessage {
  const reader = new Reader(bytes);
  const type = TYPES.get(reader.u8());
  if (type === undefined) throw new DecodeError('an unknown control message');
  const message = decodeBody(type, reader);
  reader.expectEnd();
  return message;
}

function decodeBody(type: keyof typeof CODE, reader: Reader): ControlMessage {
  switch (type) {
    case 'reject':
    case 'cancel':
    case 'bye':
      return { type, reason: reasonOf(reader.u8()) };
    case 'media':
      return { type, parameters: decodeMediaParameters(reader) };
    case 'next meeting point':
      return { type, point: decodeMeetingPoint(reader) };
    case 'session resume':
      return { type, callId: reader.bytes(CALL_ID_BYTES), epoch: reader.u16() };
    case 'confirm':
      return { type, random: reader.bytes(RANDOM_BYTES) };
    case 'key':
      return { type, epoch: reader.u16(), publicKey: reader.bytes(KEY_BYTES) };
    case 'part':
      return decodePart(reader);
    default:
      return { type };
  }
}

function reasonOf(code: number): EndReason {
  const reason = END_REASONS[code];
  if (reason === undefined) throw new DecodeError('an unknown reason');
  return reason;
}

function decodeMediaParameters(reader: Reader): MediaParameters {
  const [codec, bitrate, count] = [reader.u8(), reader.u32(), reader.u8()];
  if (count > DISTANCES_MAX) throw new DecodeError('too many copies');
  return { codec, bitrate, distances: [...reader.view(count)] };
}

function decodeMeetingPoint(reader: Reader): NextMeetingPoint {
  return {
    round: reader.u32(),
    identity: toIdentity(reader.bytes(IDENTITY_BYTES)),
    ip: reader.bytes(IP_BYTES),
    port: reader.u16(),
    cookieSalt: reader.bytes(COOKIE_SALT_BYTES),
  };
}

function decodePart(reader: Reader): Part {
  const code = reader.u8();
  const of = code === PARTS.proof ? 'proof' : code === PARTS.card ? 'card' : undefined;
  if (of === undefined) throw new DecodeError('a part of something unknown');
  const [index, length] = [reader.u8(), reader.u16()];
  const expected = Math.min(PART_BYTES, length - index * PART_BYTES);
  if (expected <= 0) throw new DecodeError('a part behind the end');
  return { type: 'part', of, index, length, bytes: reader.bytes(expected) };
}

/** What is too long for one message, in parts. */
export function partsOf(of: LongText, bytes: Uint8Array): Part[] {
  const count = Math.ceil(bytes.length / PART_BYTES);
  return Array.from({ length: count }, (_, index) => ({
    type: 'part',
    of,
    index,
    length: bytes.length,
    bytes: bytes.subarray(index * PART_BYTES, (index + 1) * PART_BYTES),
  }));
}

/** Puts the parts of one text together again; signalling delivers them in order. */
export class PartsOf {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(length: number) {
    this.#bytes = new Uint8Array(length);
  }

  /** The whole when this was the last part. DecodeError for one that is not the next. */
  push(part: Part): Uint8Array | undefined {
    if (part.length !== this.#bytes.length || part.index * PART_BYTES !== this.#at) {
      throw new DecodeError('a part out of place');
    }
    this.#bytes.set(part.bytes, this.#at);
    this.#at += part.bytes.length;
    return this.#at === this.#bytes.length ? this.#bytes : undefined;
  }
}

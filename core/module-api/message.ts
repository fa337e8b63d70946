// Whole messages: the header of voidphone-api.md ("Framing") and the table of all that there are. A header alone tells
// whether a message can be right; that is checked before its body is waited for.

import { DecodeError, Reader, Writer } from '../bytes/index.ts';
import { type BodySize, type Codec, HEADER_BYTES } from './codec.ts';
import * as dht from './dht.ts';
import * as enroll from './enroll.ts';
import * as gossip from './gossip.ts';
import * as nse from './nse.ts';
import * as onion from './onion.ts';
import * as rps from './rps.ts';
import { Violation } from './violation.ts';

export type Message =
  | gossip.GossipAnnounce
  | gossip.GossipNotify
  | gossip.GossipNotification
  | gossip.GossipValidation
  | nse.NseQuery
  | nse.NseEstimate
  | rps.RpsQuery
  | rps.RpsPeer
  | onion.OnionTunnelBuild
  | onion.OnionTunnelReady
  | onion.OnionTunnelIncoming
  | onion.OnionTunnelDestroy
  | onion.OnionTunnelData
  | onion.OnionError
  | onion.OnionCover
  | dht.DhtPut
  | dht.DhtGet
  | dht.DhtSuccess
  | dht.DhtFailure
  | enroll.EnrollInit
  | enroll.EnrollRegister
  | enroll.EnrollSuccess
  | enroll.EnrollFailure;

export type MessageType = Message['type'];
export type MessageOf<T extends MessageType> = Extract<Message, { readonly type: T }>;

const CODECS: { readonly [T in MessageType]: Codec<MessageOf<T>> } = {
  'gossip announce': gossip.gossipAnnounce,
  'gossip notify': gossip.gossipNotify,
  'gossip notification': gossip.gossipNotification,
  'gossip validation': gossip.gossipValidation,
  'nse query': nse.nseQuery,
  'nse estimate': nse.nseEstimate,
  'rps query': rps.rpsQuery,
  'rps peer': rps.rpsPeer,
  'onion tunnel build': onion.onionTunnelBuild,
  'onion tunnel ready': onion.onionTunnelReady,
  'onion tunnel incoming': onion.onionTunnelIncoming,
  'onion tunnel destroy': onion.onionTunnelDestroy,
  'onion tunnel data': onion.onionTunnelData,
  'onion error': onion.onionError,
  'onion cover': onion.onionCover,
  'dht put': dht.dhtPut,
  'dht get': dht.dhtGet,
  'dht success': dht.dhtSuccess,
  'dht failure': dht.dhtFailure,
  'enroll init': enroll.enrollInit,
  'enroll register': enroll.enrollRegister,
  'enroll success': enroll.enrollSuccess,
  'enroll failure': enroll.enrollFailure,
};

const NUMBERS: ReadonlySet<number> = new Set(Object.values(CODECS).map(({ number }) => number));

/** The messages that a module takes from its clients, and those that it sends to them. */
export interface ModuleApi<In extends MessageType, Out extends MessageType> {
  readonly takes: readonly In[];
  readonly sends: readonly Out[];
}

export type TakenBy<A extends ModuleApi<MessageType, MessageType>> = A['takes'][number];
export type SentBy<A extends ModuleApi<MessageType, MessageType>> = A['sends'][number];

/** The number of a type, for ONION ERROR. */
export function typeNumber(type: MessageType): number {
  return CODECS[type].number;
}

export function encodeMessage(message: Message): Uint8Array {
  const codec: Codec<Message> = CODECS[message.type];
  const bodyBytes = codec.size.of(message);
  if (!fits(bodyBytes, codec.size)) {
    throw new RangeError(`${message.type} with a body of ${bodyBytes} bytes`);
  }
  const size = HEADER_BYTES + bodyBytes;
  const writer = new Writer(size).u16(size).u16(codec.number);
  codec.write(writer, message);
  return writer.end();
}

/** The codecs of the types that somebody takes, by number. */
export type Codecs<T extends MessageType> = ReadonlyMap<number, Codec<MessageOf<T>>>;

export function codecsOf<T extends MessageType>(types: readonly T[]): Codecs<T> {
  return new Map(types.map((type) => [CODECS[type].number, CODECS[type]]));
}

export interface Header<T extends MessageType> {
  /** Of the whole message. */
  readonly size: number;
  readonly codec: Codec<MessageOf<T>>;
}

/**
 * The header at the beginning of `bytes`, or undefined when there are too few of them to tell. Throws a Violation as soon
 * as they cannot become one of these messages.
 */
export function readHeader<T extends MessageType>(
  bytes: Uint8Array,
  codecs: Codecs<T>,
): Header<T> | undefined {
  const reader = new Reader(bytes);
  if (reader.remaining < 2) return undefined;
  const size = reader.u16();
  if (size < HEADER_BYTES) throw new Violation('a message says it is shorter than its header');
  if (reader.remaining < 2) return undefined;
  const number = reader.u16();
  const codec = codecs.get(number);
  if (codec === undefined) {
    const known = NUMBERS.has(number);
    throw new Violation(
      known ? 'a message has a type that is not taken here' : 'a message has an unknown type',
      number,
    );
  }
  if (!fits(size - HEADER_BYTES, codec.size)) {
    throw new Violation('the size of a message does not fit its type', number);
  }
  return { size, codec };
}

function fits(bodyBytes: number, { min, max }: BodySize<never>): boolean {
  return min <= bodyBytes && bodyBytes <= max;
}

/** Throws a Violation when the fields do not come out even, or are no text where they should be. */
export function decodeBody<M extends Message>(codec: Codec<M>, body: Uint8Array): M {
  const reader = new Reader(body);
  try {
    const message = codec.read(reader);
    reader.expectEnd();
    return message;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new Violation('the fields of a message cannot be read', codec.number);
  }
}

/** One message of the given types, and nothing after it. */
export function decodeMessage<T extends MessageType>(
  bytes: Uint8Array,
  codecs: Codecs<T>,
): MessageOf<T> {
  const header = readHeader(bytes, codecs);
  if (header?.size !== bytes.length) throw new DecodeError('not one whole message');
  return decodeBody(header.codec, bytes.subarray(HEADER_BYTES));
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, DecodeError, fromHex, toHex, Writer } from '../bytes/index.ts';
import { fuzz, survivesHostileBytes } from '../bytes/testing/hostile.ts';
import { DHT_VALUE_BYTES_MAX } from './dht.ts';
import { GOSSIP_DATA_BYTES_MAX } from './gossip.ts';
import {
  codecsOf,
  decodeBody,
  decodeMessage,
  encodeMessage,
  type Message,
  type MessageType,
  typeNumber,
} from './message.ts';
import { nseQuery } from './nse.ts';
import { TUNNEL_DATA_BYTES_MAX } from './onion.ts';
import { HOSTKEY_BYTES_MAX } from './peer-fields.ts';
import { MESSAGES } from './testing/messages.ts';
import { VECTORS } from './testing/vectors.ts';
import { Violation } from './violation.ts';

const TYPES = Object.keys(MESSAGES) as MessageType[];
const ALL = codecsOf(TYPES);
const EMPTY = new Uint8Array();

function decode(bytes: Uint8Array): Message {
  return decodeMessage(bytes, ALL);
}

/** A header that is right about its size, before any body. */
function withHeader(number: number, body: Uint8Array): Uint8Array {
  const size = 4 + body.length;
  return new Writer(size).u16(size).u16(number).bytes(body).end();
}

describe('a message of the module APIs', () => {
  it('has a vector for every type', () => {
    expect(new Set(VECTORS.map(({ message }) => message.type))).toEqual(new Set(TYPES));
  });

  it.each(VECTORS)('is what voidphone-api.md says: $message.type', ({ message, bytes }) => {
    expect(toHex(encodeMessage(message))).toBe(toHex(bytes));
    expect(decode(bytes)).toEqual(message);
  });

  it.each(
    VECTORS.flatMap(({ message, reservedSet }) => (reservedSet ? [{ message, reservedSet }] : [])),
  )('is the same with all reserved bits set: $message.type', ({ message, reservedSet }) => {
    expect(decode(reservedSet)).toEqual(message);
  });

  it.each(TYPES)('comes back as it was sent: %s', (type) => {
    const backAgain = fc.property(MESSAGES[type], (message) => {
      expect(decode(encodeMessage(message))).toEqual(message);
    });
    fc.assert(backAgain, fuzz({ runs: 100 }));
  });

  it('outlives the buffer it came in', () => {
    for (const { message, bytes } of VECTORS) {
      const buffer = new Uint8Array(bytes);
      const decoded = decode(buffer);
      buffer.fill(0xee);
      expect(decoded).toEqual(message);
    }
  });

  it.each(VECTORS)('is refused at every other length: $message.type', ({ bytes }) => {
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decode(bytes.subarray(0, length))).toThrow(DecodeError);
    }
    expect(() => decode(concatBytes(bytes, fromHex('00')))).toThrow('not one whole message');
  });
});

describe('hostile bytes', () => {
  it('are decoded or refused as messages', () => {
    survivesHostileBytes(
      decode,
      VECTORS.map(({ bytes }) => bytes),
      { runs: 1000 },
    );
  });

  // A header refuses most of what is damaged; this is about what gets behind it.
  it.each(TYPES)('are decoded or refused as the body of %s', (type) => {
    const samples = VECTORS.filter(({ message }) => message.type === type);
    survivesHostileBytes(
      (body) => decode(withHeader(typeNumber(type), body)),
      samples.map(({ bytes }) => bytes.subarray(4)),
    );
  });
});

describe('the header of a message', () => {
  /** Smallest and largest size, from the tables of voidphone-api.md and the bounds of hostkeys. */
  it.each<[MessageType, number, number]>([
    ['gossip announce', 8, 65_535],
    ['gossip notify', 8, 8],
    ['gossip notification', 8, 65_535],
    ['gossip validation', 8, 8],
    ['nse query', 4, 4],
    ['nse estimate', 12, 12],
    ['rps query', 4, 4],
    ['rps peer', 13, 24 + 255 * 4 + 4096],
    ['onion tunnel build', 13, 24 + 4096],
    ['onion tunnel ready', 9, 8 + 4096],
    ['onion tunnel incoming', 8, 8],
    ['onion tunnel destroy', 8, 8],
    ['onion tunnel data', 8, 65_535],
    ['onion error', 12, 12],
    ['onion cover', 8, 8],
    ['dht put', 41, 65_535],
    ['dht get', 36, 36],
    ['dht success', 37, 65_535],
    ['dht failure', 36, 36],
    ['enroll init', 12, 12],
    ['enroll register', 30, 65_535],
    ['enroll success', 8, 8],
    ['enroll failure', 8, 65_535],
  ])('bounds the size of %s', (type, min, max) => {
    const ofSize = (size: number) => () =>
      decode(withHeader(typeNumber(type), new Uint8Array(size - 4)));
    const misfit = 'the size of a message does not fit its type';
    if (min > 4) expect(ofSize(min - 1)).toThrow(misfit);
    if (max < 65_535) expect(ofSize(max + 1)).toThrow(misfit);
    for (const size of [min, max]) {
      expect(outcome(ofSize(size))).not.toBe(misfit);
    }
  });

  it.each([
    0,
    1,
    499,
    504,
    519,
    522,
    542,
    567,
    590,
    600,
    614,
    649,
    654,
    679,
    684,
    0x01f4 << 4,
    65_535,
  ])('is refused with the type %i', (number) => {
    expect(() => decode(withHeader(number, KEY))).toThrow('a message has an unknown type');
  });

  it.each(['0000', '0001 01f5', '0003 01f5', '0003 01f5 0000 0539'])(
    'is refused when it says %s',
    (hex) => {
      const shorter = 'a message says it is shorter than its header';
      expect(() => decode(fromHex(hex.replaceAll(' ', '')))).toThrow(shorter);
    },
  );

  it('is refused when it is one of another module', () => {
    const query = encodeMessage({ type: 'nse query' });
    const gossip = codecsOf(['gossip announce']);
    const elsewhere = 'a message has a type that is not taken here';
    expect(() => decodeMessage(query, gossip)).toThrow(elsewhere);
  });
});

function outcome(decoding: () => unknown): string {
  try {
    decoding();
    return 'decoded';
  } catch (error) {
    return error instanceof Error ? error.message : 'no error';
  }
}

const KEY = new Uint8Array(32);
const V4 = { ip: '192.0.2.1', port: 1 };
const HOSTKEY = fromHex('30820222');

describe('the fields of a message', () => {
  it.each([
    ['a portmap longer than the message', 541, '17d5 03 00 028a1901 c0000201 30820222'],
    [
      'no room for the hostkey behind an IPv6 address',
      541,
      '17d5 00 01 20010db8 00000000 00000000 00000001',
    ],
    ['a portmap in the place of the hostkey', 541, '17d5 02 00 028a1901 02301901 c0000201'],
    ['an IPv4 address called IPv6', 560, '0001 189d c0000201 30820222'],
    ['no hostkey behind an IPv6 address', 560, '0001 189d 20010db8 00000000 00000000 00000001'],
    ['an IPv4 hostkey too long', 560, `0000 189d c0000201 ${'30'.repeat(HOSTKEY_BYTES_MAX + 1)}`],
    ['three texts', 681, `${'00'.repeat(20)} 0d0a 0d0a 414141`],
    ['five texts', 681, `${'00'.repeat(20)} 0d0a 0d0a 0d0a 0d0a`],
    ['texts that are no UTF-8', 681, `${'00'.repeat(20)} 0d0a 0d0a 0d0a ff`],
    ['a description that is no UTF-8', 683, '0000 0001 c3'],
  ])('are refused with %s', (_, number, body) => {
    const bytes = withHeader(number, fromHex(body.replaceAll(' ', '')));
    expect(() => decode(bytes)).toThrow('the fields of a message cannot be read');
  });

  it('are refused when they end before the body does', () => {
    expect(() => decodeBody(nseQuery, fromHex('00'))).toThrow(Violation);
  });

  it.each([
    [
      'an IPv4 address in IPv6',
      '0001 189d 00000000000000000000ffff c0000201 30820222',
      '192.0.2.1',
    ],
    ['the long form of ::', '0001 189d 00000000000000000000000000000000 30820222', '::'],
  ])('have one spelling for %s', (_, body, ip) => {
    const build = decode(withHeader(560, fromHex(body.replaceAll(' ', ''))));
    expect(build).toMatchObject({ address: { ip } });
  });

  it.each<[string, Message]>([
    [
      'data that is announced',
      { type: 'gossip announce', ttl: 0, dataType: 1, data: new Uint8Array(GOSSIP_DATA_BYTES_MAX) },
    ],
    [
      'data of a tunnel',
      { type: 'onion tunnel data', tunnelId: 1, data: new Uint8Array(TUNNEL_DATA_BYTES_MAX) },
    ],
    [
      'a value',
      {
        type: 'dht put',
        ttlS: 1,
        replication: 1,
        key: KEY,
        value: new Uint8Array(DHT_VALUE_BYTES_MAX),
      },
    ],
    [
      'a hostkey and portmap',
      {
        type: 'rps peer',
        address: { ip: '::1', port: 1 },
        portmap: Array(255).fill({ app: 650, port: 1 }),
        hostkey: new Uint8Array(HOSTKEY_BYTES_MAX),
      },
    ],
  ])('may hold the longest %s', (_, message) => {
    expect(decode(encodeMessage(message))).toEqual(message);
  });

  it.each<[string, Message]>([
    [
      'data too long',
      { type: 'gossip announce', ttl: 0, dataType: 1, data: new Uint8Array(65_528) },
    ],
    [
      'a notification too long',
      { type: 'gossip notification', messageId: 0, dataType: 1, data: new Uint8Array(65_528) },
    ],
    [
      'tunnel data too long',
      { type: 'onion tunnel data', tunnelId: 0, data: new Uint8Array(65_528) },
    ],
    [
      'a value too long to put',
      { type: 'dht put', ttlS: 0, replication: 0, key: KEY, value: new Uint8Array(65_496) },
    ],
    ['a value too long to find', { type: 'dht success', key: KEY, value: new Uint8Array(65_500) }],
    ['an empty value to put', { type: 'dht put', ttlS: 0, replication: 0, key: KEY, value: EMPTY }],
    ['an empty value to find', { type: 'dht success', key: KEY, value: EMPTY }],
    ['a key too short', { type: 'dht get', key: new Uint8Array(31) }],
    [
      'a key too long',
      { type: 'dht put', ttlS: 0, replication: 0, key: new Uint8Array(33), value: KEY },
    ],
    ['an empty hostkey to build to', { type: 'onion tunnel build', address: V4, hostkey: EMPTY }],
    [
      'an empty hostkey of IPv6',
      { type: 'onion tunnel build', address: { ip: '::1', port: 1 }, hostkey: EMPTY },
    ],
    ['an empty hostkey that is ready', { type: 'onion tunnel ready', tunnelId: 0, hostkey: EMPTY }],
    [
      'an empty hostkey of a peer',
      { type: 'rps peer', address: V4, portmap: [{ app: 1, port: 1 }], hostkey: EMPTY },
    ],
    [
      'a hostkey too long',
      { type: 'onion tunnel ready', tunnelId: 0, hostkey: new Uint8Array(4097) },
    ],
    [
      '256 ports',
      {
        type: 'rps peer',
        address: V4,
        portmap: Array(256).fill({ app: 1, port: 1 }),
        hostkey: HOSTKEY,
      },
    ],
    [
      'a port too high',
      { type: 'onion tunnel build', address: { ip: '::1', port: 65_536 }, hostkey: HOSTKEY },
    ],
    ['a tunnel ID too high', { type: 'onion tunnel destroy', tunnelId: 2 ** 32 }],
    ['a negative estimate', { type: 'nse estimate', peers: -1, deviation: 0 }],
    ['half a peer', { type: 'nse estimate', peers: 1.5, deviation: 0 }],
    ['a challenge too high', { type: 'enroll init', challenge: 2n ** 64n }],
    [
      'a description too long',
      { type: 'enroll failure', error: 0, description: 'ü'.repeat(32_764) },
    ],
    [
      'a CRLF within a text',
      {
        type: 'enroll register',
        challenge: 0n,
        team: 0,
        project: 0,
        nonce: 0n,
        email: '',
        firstName: 'a\r\nb',
        lastName: '',
        userName: '',
      },
    ],
  ])('are not sent with %s', (_, message) => {
    expect(() => encodeMessage(message)).toThrow(RangeError);
  });
});

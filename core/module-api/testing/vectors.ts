// One message of each type as bytes, written down by hand from the tables of voidphone-api.md. The last field of each is
// the bytes once more with every reserved bit set, where there are any: to be read as the same message.

import { fromHex } from '../../bytes/index.ts';
import type { Message } from '../message.ts';

export interface Vector {
  readonly message: Message;
  readonly bytes: Uint8Array;
  readonly reservedSet: Uint8Array | undefined;
}

const KEY = '404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f';
const key = fromHex(KEY);
/** The beginning of a DER sequence; nothing here looks into it. */
const HOSTKEY = '30820222';
const hostkey = fromHex(HOSTKEY);

export const VECTORS: readonly Vector[] = [
  vector(
    { type: 'gossip announce', ttl: 5, dataType: 1337, data: fromHex('c0ffee') },
    '000b 01f4 05 00 0539 c0ffee',
    '000b 01f4 05 ff 0539 c0ffee',
  ),
  vector({ type: 'gossip notify', dataType: 1337 }, '0008 01f5 0000 0539', '0008 01f5 ffff 0539'),
  vector(
    { type: 'gossip notification', messageId: 0xbeef, dataType: 1337, data: fromHex('c0ffee') },
    '000b 01f6 beef 0539 c0ffee',
  ),
  vector(
    { type: 'gossip validation', messageId: 0xbeef, wellFormed: true },
    '0008 01f7 beef 0001',
    '0008 01f7 beef ffff',
  ),
  vector(
    { type: 'gossip validation', messageId: 0xbeef, wellFormed: false },
    '0008 01f7 beef 0000',
    '0008 01f7 beef fffe',
  ),
  vector({ type: 'nse query' }, '0004 0208'),
  vector({ type: 'nse estimate', peers: 1000, deviation: 37 }, '000c 0209 000003e8 00000025'),
  vector({ type: 'rps query' }, '0004 021c'),
  vector(
    {
      type: 'rps peer',
      address: { ip: '192.0.2.1', port: 6101 },
      portmap: [
        { app: 650, port: 6401 },
        { app: 560, port: 6301 },
      ],
      hostkey,
    },
    `0018 021d 17d5 02 00 028a 1901 0230 189d c0000201 ${HOSTKEY}`,
    `0018 021d 17d5 02 fe 028a 1901 0230 189d c0000201 ${HOSTKEY}`,
  ),
  vector(
    {
      type: 'rps peer',
      address: { ip: '2001:db8::1', port: 6101 },
      portmap: [],
      hostkey,
    },
    `001c 021d 17d5 00 01 20010db8000000000000000000000001 ${HOSTKEY}`,
    `001c 021d 17d5 00 ff 20010db8000000000000000000000001 ${HOSTKEY}`,
  ),
  vector(
    { type: 'onion tunnel build', address: { ip: '192.0.2.1', port: 6301 }, hostkey },
    `0010 0230 0000 189d c0000201 ${HOSTKEY}`,
    `0010 0230 fffe 189d c0000201 ${HOSTKEY}`,
  ),
  vector(
    { type: 'onion tunnel build', address: { ip: '2001:db8::1', port: 6301 }, hostkey },
    `001c 0230 0001 189d 20010db8000000000000000000000001 ${HOSTKEY}`,
    `001c 0230 ffff 189d 20010db8000000000000000000000001 ${HOSTKEY}`,
  ),
  vector(
    { type: 'onion tunnel ready', tunnelId: 0xdeadbeef, hostkey },
    `000c 0231 deadbeef ${HOSTKEY}`,
  ),
  vector({ type: 'onion tunnel incoming', tunnelId: 0xdeadbeef }, '0008 0232 deadbeef'),
  vector({ type: 'onion tunnel destroy', tunnelId: 0xdeadbeef }, '0008 0233 deadbeef'),
  vector(
    { type: 'onion tunnel data', tunnelId: 0xdeadbeef, data: fromHex('c0ffee') },
    '000b 0234 deadbeef c0ffee',
  ),
  vector(
    { type: 'onion error', requestType: 560, tunnelId: 0 },
    '000c 0235 0230 0000 00000000',
    '000c 0235 0230 ffff 00000000',
  ),
  vector({ type: 'onion cover', coverBytes: 484 }, '0008 0236 01e4 0000', '0008 0236 01e4 ffff'),
  vector(
    { type: 'dht put', ttlS: 3600, replication: 3, key, value: fromHex('c0ffee') },
    `002b 028a 0e10 03 00 ${KEY} c0ffee`,
    `002b 028a 0e10 03 ff ${KEY} c0ffee`,
  ),
  vector({ type: 'dht get', key }, `0024 028b ${KEY}`),
  vector({ type: 'dht success', key, value: fromHex('c0ffee') }, `0027 028c ${KEY} c0ffee`),
  vector({ type: 'dht failure', key }, `0024 028d ${KEY}`),
  vector({ type: 'enroll init', challenge: 0x0123456789abcdefn }, '000c 02a8 0123456789abcdef'),
  vector(
    {
      type: 'enroll register',
      challenge: 0x0123456789abcdefn,
      team: 7,
      project: 39_943,
      nonce: 0x0212b1f8n,
      email: 'ada@example.org',
      firstName: 'Ada',
      lastName: 'Lovelace',
      userName: 'ga42hax',
    },
    `003f 02a9 0123456789abcdef 0007 9c07 000000000212b1f8
     616461406578616d706c652e6f7267 0d0a 416461 0d0a 4c6f76656c616365 0d0a 67613432686178`,
  ),
  vector({ type: 'enroll success', team: 7 }, '0008 02aa 0000 0007', '0008 02aa ffff 0007'),
  vector(
    { type: 'enroll failure', error: 2, description: 'Zu früh' },
    '0010 02ab 0000 0002 5a75206672c3bc68',
    '0010 02ab ffff 0002 5a75206672c3bc68',
  ),
];

function vector(message: Message, bytes: string, reservedSet?: string): Vector {
  return {
    message,
    bytes: parse(bytes),
    reservedSet: reservedSet === undefined ? undefined : parse(reservedSet),
  };
}

function parse(hex: string): Uint8Array {
  return fromHex(hex.replaceAll(/\s/g, ''));
}

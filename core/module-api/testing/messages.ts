// Random messages of every type, for property tests here and in the modules that speak them. Mostly short; hostkeys and
// data of full length are for tests that ask for them.

import fc from 'fast-check';
import { canonicalIp } from '../../runtime/index.ts';
import type { Message, MessageOf, MessageType } from '../message.ts';

const DATA_BYTES_MAX = 100;

const u8 = fc.nat(0xff);
const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffff_ffff);
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const data = fc.uint8Array({ maxLength: DATA_BYTES_MAX });
const notEmpty = fc.uint8Array({ minLength: 1, maxLength: DATA_BYTES_MAX });
const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
const ip = fc.oneof(fc.ipV4(), fc.ipV6()).map(canonicalIp);
const address = fc.record({ ip, port: u16 });
const portmap = fc.array(fc.record({ app: u16, port: u16 }), { maxLength: 6 });
const text = fc.string({ unit: 'binary', maxLength: 20 });
const field = text.filter((chars) => !chars.includes('\r\n'));

export const MESSAGES: { readonly [T in MessageType]: fc.Arbitrary<MessageOf<T>> } = {
  'gossip announce': fc.record({
    type: fc.constant('gossip announce'),
    ttl: u8,
    dataType: u16,
    data,
  }),
  'gossip notify': fc.record({ type: fc.constant('gossip notify'), dataType: u16 }),
  'gossip notification': fc.record({
    type: fc.constant('gossip notification'),
    messageId: u16,
    dataType: u16,
    data,
  }),
  'gossip validation': fc.record({
    type: fc.constant('gossip validation'),
    messageId: u16,
    wellFormed: fc.boolean(),
  }),
  'nse query': fc.record({ type: fc.constant('nse query') }),
  'nse estimate': fc.record({ type: fc.constant('nse estimate'), peers: u32, deviation: u32 }),
  'rps query': fc.record({ type: fc.constant('rps query') }),
  'rps peer': fc.record({ type: fc.constant('rps peer'), address, portmap, hostkey: notEmpty }),
  'onion tunnel build': fc.record({
    type: fc.constant('onion tunnel build'),
    address,
    hostkey: notEmpty,
  }),
  'onion tunnel ready': fc.record({
    type: fc.constant('onion tunnel ready'),
    tunnelId: u32,
    hostkey: notEmpty,
  }),
  'onion tunnel incoming': fc.record({ type: fc.constant('onion tunnel incoming'), tunnelId: u32 }),
  'onion tunnel destroy': fc.record({ type: fc.constant('onion tunnel destroy'), tunnelId: u32 }),
  'onion tunnel data': fc.record({ type: fc.constant('onion tunnel data'), tunnelId: u32, data }),
  'onion error': fc.record({ type: fc.constant('onion error'), requestType: u16, tunnelId: u32 }),
  'onion cover': fc.record({ type: fc.constant('onion cover'), coverBytes: u16 }),
  'dht put': fc.record({
    type: fc.constant('dht put'),
    ttlS: u16,
    replication: u8,
    key,
    value: notEmpty,
  }),
  'dht get': fc.record({ type: fc.constant('dht get'), key }),
  'dht success': fc.record({ type: fc.constant('dht success'), key, value: notEmpty }),
  'dht failure': fc.record({ type: fc.constant('dht failure'), key }),
  'enroll init': fc.record({ type: fc.constant('enroll init'), challenge: u64 }),
  'enroll register': fc.record({
    type: fc.constant('enroll register'),
    challenge: u64,
    team: u16,
    project: u16,
    nonce: u64,
    email: field,
    firstName: field,
    lastName: field,
    userName: field,
  }),
  'enroll success': fc.record({ type: fc.constant('enroll success'), team: u16 }),
  'enroll failure': fc.record({
    type: fc.constant('enroll failure'),
    error: u16,
    description: text,
  }),
};

export const anyMessage: fc.Arbitrary<Message> = fc.oneof(...Object.values(MESSAGES));

// Nodes and items for the tests of gossip. The nodes have descriptors that nobody signed: at the machine, whether one may be
// used is said by a function of the driver's, here by `openTestDescriptor`.

import { DecodeError, equalBytes, Reader, Writer } from '../../bytes/index.ts';
import { type PowTask, sha256, verifyPow } from '../../crypto/index.ts';
import { type NodeDescriptor, toIdentity } from '../../identity/index.ts';
import { type Address, ipFromBytes, ipToBytes } from '../../runtime/index.ts';
import type { Held } from '../cache.ts';
import { decodeItem, draftItem, encodeItem, type Item, itemPowTask } from '../item.ts';
import type { Now } from '../port.ts';
import { TTL_UNLIMITED } from '../ttl.ts';

export const NETWORK_ID = new Uint8Array(16).fill(0x4e);
/** Unix time of every test's beginning. */
export const WALL_MS = Date.UTC(2026, 10, 21, 12);
/** A data type that costs no proof of work, and one that does. */
export const FREE_TYPE = 5200;
export const DEAR_TYPE = 1337;

export function at(nowMs: number): Now {
  return { nowMs, wallMs: WALL_MS + nowMs };
}

export interface TestPeerOptions {
  readonly address?: Address;
  readonly serial?: number;
}

/** One of its own netgroup for each number. */
export function addressOf(number: number): Address {
  return { ip: `${20 + (number >> 8)}.${number & 0xff}.0.1`, port: 6001 };
}

export function testPeer(number: number, options?: TestPeerOptions): NodeDescriptor {
  if (options !== undefined) return makePeer(number, options);
  const known = PEERS.get(number) ?? makePeer(number, {});
  PEERS.set(number, known);
  return known;
}

/** A thousand nodes know hundreds of others each: better the same ones. */
const PEERS = new Map<number, NodeDescriptor>();

function makePeer(number: number, options: TestPeerOptions): NodeDescriptor {
  const { address = addressOf(number), serial = 1 } = options;
  const encoded = new Writer(26).u32(number).bytes(ipToBytes(address.ip)).u16(address.port);
  return toDescriptor(encoded.u32(serial).end());
}

/** What `openDescriptor` is to the machine. */
export function openTestDescriptor(bytes: Uint8Array): NodeDescriptor | undefined {
  try {
    return toDescriptor(bytes);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

function toDescriptor(encoded: Uint8Array): NodeDescriptor {
  const reader = new Reader(encoded);
  const number = reader.u32();
  const known = PEERS.get(number);
  if (known !== undefined && equalBytes(known.encoded, encoded)) return known;
  const address = { ip: ipFromBytes(reader.view(16)), port: reader.u16() };
  const serial = reader.u32();
  reader.expectEnd();
  const notBeforeS = WALL_MS / 1000 - 3600;
  return {
    serial,
    notBeforeS,
    notAfterS: notBeforeS + 72 * 3600,
    flags: { relay: true, dht: false, mailbox: false, streamOnly: false },
    linkDh: new Uint8Array(32),
    opSign: new Uint8Array(32),
    addresses: [{ transport: 'tcp', ...address }],
    ports: { dht: 0, gossip: address.port, nse: 0, onion: 0 },
    powEpoch: 0,
    powNonce: new Uint8Array(8),
    publicKey: new Uint8Array(550) as NodeDescriptor['publicKey'],
    identity: toIdentity(sha256(new Writer(4).u32(number).end())),
    encoded,
  };
}

export function solveNow({ challenge, bits, kind }: PowTask): Uint8Array {
  for (let tried = 0; ; tried++) {
    const nonce = new Writer(8).u64(tried).end();
    if (verifyPow({ kind, challenge, bits }, nonce)) return nonce;
  }
}

export interface TestItemOptions {
  readonly dataType?: number;
  readonly ttl?: number;
  readonly wallMs?: number;
  readonly lifetimeMin?: number;
}

/** An encoded item with its proof; another one for each `data`. */
export function encodedItem(data: Uint8Array, options: TestItemOptions = {}): Uint8Array {
  const { dataType = FREE_TYPE, ttl = TTL_UNLIMITED, wallMs = WALL_MS, ...changes } = options;
  const draft = { ...draftItem(dataType, data, wallMs), ...changes };
  return encodeItem(draft, ttl, solveNow(itemPowTask(draft, NETWORK_ID)));
}

export function testItem(data: number, options: TestItemOptions = {}): Item {
  return decodeItem(encodedItem(new Writer(4).u32(data).end(), options), NETWORK_ID);
}

export function testHeld(item: Item, source: Held['source'] = 'own'): Held {
  return { item, source, holders: new Set(), answers: new Map() };
}

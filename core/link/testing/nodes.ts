// Nodes for the tests of links: hostkeys that are not secret, static keys from a seed, and their certificates.

import { chooseProvider, type KeyPair } from '../../crypto/index.ts';
import {
  type DescriptorFields,
  type NodeDescriptor,
  signDescriptor,
} from '../../identity/index.ts';
import { type TestHostkeyName, testHostkey } from '../../identity/testing/keys.ts';
import { SeededRng } from '../../runtime/index.ts';
import type { HandshakeOptions } from '../handshake.ts';

export const NETWORK_ID = new Uint8Array(16).fill(0x4e);

/** Unix time of every test's beginning. */
export const WALL_MS = Date.UTC(2026, 10, 21, 12);

export interface TestNode {
  readonly name: TestHostkeyName;
  readonly staticKey: KeyPair;
  readonly descriptor: NodeDescriptor;
}

const provider = chooseProvider();

/** `changes` makes certificates that are wrong in one thing. */
export function testNode(
  name: TestHostkeyName,
  seed: number,
  {
    networkId = NETWORK_ID,
    ...changes
  }: Partial<DescriptorFields> & { networkId?: Uint8Array } = {},
): TestNode {
  const staticKey = provider.x25519KeyPair(new SeededRng(seed));
  const notBeforeS = WALL_MS / 1000 - 3600;
  const descriptor = signDescriptor(testHostkey(name), networkId, {
    serial: 1,
    notBeforeS,
    notAfterS: notBeforeS + 72 * 3600,
    flags: { relay: true, dht: false, mailbox: false, streamOnly: false },
    linkDh: staticKey.publicKey,
    opSign: new Uint8Array(32),
    addresses: [{ transport: 'udp', ip: '192.0.2.7', port: 4000 }],
    ports: { dht: 0, gossip: 0, nse: 0, onion: 4000 },
    powNonce: new Uint8Array(8),
    ...changes,
  });
  return { name, staticKey, descriptor };
}

export const ALICE = testNode('alice', 1);
export const BOB = testNode('bob', 2);

/** What `node` brings into a handshake at time 0. */
export function optionsOf(node: TestNode, seed: number): HandshakeOptions {
  return {
    provider,
    rng: new SeededRng(seed),
    networkId: NETWORK_ID,
    purpose: 'link',
    self: {
      identity: node.descriptor.identity,
      staticKey: node.staticKey,
      certificate: node.descriptor.encoded,
    },
    indices: { setup: 1000 * seed, final: 1000 * seed + 1 },
    pqRequired: true,
    allowPrivate: true,
    nowMs: 0,
    wallMs: WALL_MS,
  };
}

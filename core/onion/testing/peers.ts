// Peers that nobody ever talks to, for the tests of choices among them.

import { identityKey, toIdentity } from '../../identity/index.ts';
import { testHostkey } from '../../identity/testing/keys.ts';
import type { Peer } from '../peer.ts';

const { publicKey } = testHostkey('alice');

/** Of its own netgroup, unless another ip is given. */
export function somePeer(number: number, ip: string = `20.${number}.0.1`): Peer {
  const identity = toIdentity(new Uint8Array(32).fill(number));
  return { identity, key: identityKey(identity), publicKey, address: { ip, port: 4000 } };
}

/** The first `count`, from 1 on. */
export function somePeers(count: number): Peer[] {
  return Array.from({ length: count }, (_, i) => somePeer(i + 1));
}

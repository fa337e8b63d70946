// What attackers make: packets under a neighbour's own keys, and INITs of nobody.

import { chooseProvider, NONCE_BYTES, TAG_BYTES, writeNonce } from '../../crypto/index.ts';
import { type Rng, randomBytes, randomU32 } from '../../runtime/index.ts';
import { mac1Key, writeMac1 } from '../macs.ts';
import type { NewSession } from '../port.ts';
import { encodeHandshakePacket, HEADER_BYTES, writeDataHeader } from '../wire.ts';
import type { LinkNode } from './link-node.ts';
import { NETWORK_ID } from './nodes.ts';

const provider = chooseProvider();

/** What `node` sends in. */
export function newestSession(node: LinkNode): NewSession {
  const added = node.commands.findLast((command) => command.type === 'add session');
  if (added === undefined) throw new Error('there is no session');
  return added.session;
}

/** What `node` could send if it were a villain: an authentic packet of any content and size. */
export function authentic(node: LinkNode, content: Uint8Array, counter: number): Uint8Array {
  const { sendKey, sendIndex } = newestSession(node).keys;
  const packet = new Uint8Array(HEADER_BYTES + content.length + TAG_BYTES);
  writeDataHeader(packet, sendIndex, counter);
  packet.set(content, HEADER_BYTES);
  const nonce = new Uint8Array(NONCE_BYTES);
  writeNonce(nonce, counter);
  provider.seal(packet.subarray(HEADER_BYTES), nonce, packet.subarray(0, HEADER_BYTES), sendKey);
  return packet;
}

/** A fresh INIT of somebody who knows whom he calls. */
export function initTo(identity: Uint8Array, rng: Rng): Uint8Array {
  const noise = randomBytes(rng, 32);
  const packet = encodeHandshakePacket({ type: 'init', index: randomU32(rng), noise });
  writeMac1(packet, mac1Key(NETWORK_ID, identity));
  return packet;
}

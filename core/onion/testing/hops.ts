// Hops for tests: hostkeys that are no secret, static keys from a seed, and certificates that may be wrong in one thing.

import { chooseProvider, type KeyPair } from '../../crypto/index.ts';
import {
  type CompactCertificateFields,
  type Hostkey,
  signCompactCertificate,
} from '../../identity/index.ts';
import { type TestHostkeyName, testHostkey } from '../../identity/testing/keys.ts';
import { manyHostkeys } from '../../identity/testing/many-keys.ts';
import { SeededRng } from '../../runtime/index.ts';
import { answerCreate, decodeCreate, type HopCredentials, type HopParameters } from '../hop.ts';
import { type Peer, toPeer } from '../peer.ts';

export const provider = chooseProvider();
export const NETWORK_ID = new Uint8Array(16).fill(0x4e);
/** Unix time of every test's beginning, and the round it is in. */
export const WALL_MS = Date.UTC(2026, 10, 21, 12);
export const ROUND = WALL_MS / 300_000;

export interface TestHop {
  readonly hostkey: Hostkey;
  readonly staticKey: KeyPair;
  readonly credentials: HopCredentials;
  readonly peer: Peer;
}

type Changes = Partial<CompactCertificateFields> & { readonly networkId?: Uint8Array };

export function testHop(name: TestHostkeyName, changes: Changes = {}): TestHop {
  return hopOf(testHostkey(name), name.charCodeAt(0), changes);
}

/** Each in a netgroup of its own. */
export function manyHops(count: number): TestHop[] {
  return manyHostkeys(count).map((hostkey, i) => hopOf(hostkey, i + 1));
}

function hopOf(
  hostkey: Hostkey,
  seed: number,
  { networkId = NETWORK_ID, ...changes }: Changes = {},
): TestHop {
  const staticKey = provider.x25519KeyPair(new SeededRng(seed));
  const notBeforeS = WALL_MS / 1000 - 3600;
  const certificate = signCompactCertificate(hostkey, networkId, {
    serial: 1,
    notBeforeS,
    notAfterS: notBeforeS + 24 * 3600,
    linkDh: staticKey.publicKey,
    ...changes,
  });
  const peer = toPeer(hostkey.publicKey, { ip: `20.${seed}.0.1`, port: 4000 });
  return { hostkey, staticKey, credentials: { staticKey, certificate }, peer };
}

export function parametersOf(seed: number, networkId: Uint8Array = NETWORK_ID): HopParameters {
  return { provider, rng: new SeededRng(seed), networkId };
}

/** What `hop` says to this CREATE. */
export function answered({ credentials }: TestHop, create: Uint8Array, seed: number = 77) {
  return answerCreate(parametersOf(seed), credentials, decodeCreate(create));
}

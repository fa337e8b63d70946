// A whole node of the onion module in a small network on loopback: like each of the others it has a tunnel of its own over
// them, and carries theirs.

import { chooseProvider } from '../core/crypto/index.ts';
import { type TestHostkeyName, testHostkey } from '../core/identity/testing/keys.ts';
import { createLogger } from '../core/log/index.ts';
import { MAX_RELAY_CIRCUITS, OnionNode, startPlaneThread, toPeer } from '../core/onion/index.ts';
import { realRng, realRuntime, shuffled } from '../core/runtime/index.ts';
import { LOOPBACK } from './bed.ts';

export interface Member {
  readonly name: TestHostkeyName;
  readonly port: number;
}

export interface WholeNodeOptions {
  readonly me: Member;
  readonly others: readonly Member[];
  readonly roundSeconds: number;
}

export function startWholeNode({ me, others, roundSeconds }: WholeNodeOptions): Promise<OnionNode> {
  const { address } = peerOf(me);
  const peers = others.map(peerOf);
  return OnionNode.start(
    {
      runtime: realRuntime,
      provider: chooseProvider(),
      log: createLogger({ sink: { write: () => {} }, clock: realRuntime.clock, level: 'error' }),
      hostkey: testHostkey(me.name),
      network: 'bench',
      roundSeconds,
      hops: 2,
      maxCircuits: MAX_RELAY_CIRCUITS,
      allowPrivate: true,
      listen: { udp: address, tcp: address },
      guards: { count: 0, saved: [], save: () => {} },
      startPlane: startPlaneThread,
      samplePeers: async (count) => shuffled(realRng, peers).slice(0, count),
      // Proofs of work are no part of what is measured.
      solve: async () => new Uint8Array(8),
      verify: () => true,
    },
    () => {},
  );
}

function peerOf({ name, port }: Member) {
  return toPeer(testHostkey(name).publicKey, { ip: LOOPBACK, port });
}

/** Round numbers follow from the time alone: a length near the usual one whose round ends in about `inS` seconds. */
export function roundSecondsEndingIn(inS: number): number {
  const nowS = Date.now() / 1000;
  for (let seconds = 240; seconds < 3600; seconds++) {
    const leftS = seconds - (nowS % seconds);
    if (Math.abs(leftS - inS) < 2) return seconds;
  }
  throw new Error('no such round');
}

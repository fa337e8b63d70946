// The proof of work of a push (protocol 5): made for this receiver, this round and this sender, so that pushing to many,
// or often, costs as many proofs.

import { concatBytes, Writer } from '../bytes/index.ts';
import { type PowTask, sha256, signedPrefix } from '../crypto/index.ts';
import type { Identity } from '../identity/index.ts';
import { ROUND_MS } from './parameters.ts';

/** Protocol 5. */
const STAMP_BITS = 14;
/** Clocks that are 15 s off (protocol 12, attack 24), and the way. */
const ROUNDS_OFF_MAX = 2;

export interface Push {
  readonly networkId: Uint8Array;
  readonly to: Identity;
  readonly from: Identity;
  readonly round: number;
}

export function stampTask({ networkId, to, from, round }: Push): PowTask {
  const bound = concatBytes(
    signedPrefix('rps-push', networkId),
    to,
    new Writer(4).u32(round).end(),
    from,
  );
  return { kind: 'fast', challenge: sha256(bound), bits: STAMP_BITS };
}

export function roundAt(wallMs: number): number {
  return Math.floor(wallMs / ROUND_MS);
}

export function isTimely(round: number, wallMs: number): boolean {
  return Math.abs(round - roundAt(wallMs)) <= ROUNDS_OFF_MAX;
}

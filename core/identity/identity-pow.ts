// The proof of work that an identity costs (protocol 4 and 2.1, POW_ID): scrypt over a hash of network, identity and
// month. A speed bump: it makes a thousand identities dear for a laptop, not for a graphics card. Checking one takes
// 13 ms, so it is done last, at a limited rate, and remembered per identity and month; all that is the caller's.

import { concatBytes, Writer } from '../bytes/index.ts';
import { type PowTask, sha256, signedPrefix } from '../crypto/index.ts';
import type { Identity } from './identity.ts';

/** Protocol 4: 256 attempts of 13.5 ms, 3.5 s on average. */
export const POW_ID_BITS = 8;

/** Protocol 4: "epoch30d", counted from 1970; fits 16 bits until the year 7350. */
export const POW_EPOCH_S = 30 * 24 * 3600;

export function powEpochAt(unixS: number): number {
  return Math.floor(unixS / POW_EPOCH_S);
}

export function identityPowTask(networkId: Uint8Array, identity: Identity, epoch: number): PowTask {
  const bound = concatBytes(
    signedPrefix('pow-id', networkId),
    identity,
    new Writer(2).u16(epoch).end(),
  );
  return { kind: 'id', challenge: sha256(bound), bits: POW_ID_BITS };
}

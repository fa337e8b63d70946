// Flood messages for tests, right or wrong in one place.

import { distanceOf, leadingZeroBits } from '../distance.ts';
import type { Signer } from '../nse.ts';
import { encodeFloodMessage, type FloodFields } from '../wire.ts';

export const networkId = new Uint8Array(16).fill(7);
export const periodS = 300;

/** What `signer` says in a round, but for the fields that are given. */
export function floodMessage(
  signer: Signer,
  round: number,
  { network = networkId, ...given }: Partial<FloodFields> & { readonly network?: Uint8Array } = {},
): Uint8Array {
  const fields: FloodFields = {
    round,
    bits: leadingZeroBits(distanceOf(networkId, round, signer.identity)),
    timeS: round * periodS,
    publicKey: signer.publicKey,
    powNonce: new Uint8Array(8),
    ...given,
  };
  return encodeFloodMessage(fields, (body) => signer.sign('nse', network, body));
}

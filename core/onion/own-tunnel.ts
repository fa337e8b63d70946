// One tunnel of ours that stands, as the rest of the module sees it: which circuit it is, where it leads, and what names
// it to its endpoint when the next circuit takes its place (protocol 3.7).

import type { Attempt } from './attempt.ts';
import type { Peer } from './peer.ts';
import type { CircuitId } from './plane-port.ts';

export interface OwnTunnel {
  readonly circuit: CircuitId;
  readonly round: number;
  /** Undefined: a random peer. */
  readonly destination: Peer | undefined;
  readonly path: readonly Peer[];
  readonly resumeToken: Uint8Array;
}

/** Undefined until it stands. */
export function ownTunnel(attempt: Attempt): OwnTunnel | undefined {
  const { circuit, round, destination, path, resumeToken } = attempt;
  return resumeToken === undefined ? undefined : { circuit, round, destination, path, resumeToken };
}

// ApiTunnels for tests, with what they put out in a form that can be read.

import { SeededRng } from '../../runtime/index.ts';
import type { ApiOutput } from '../api-port.ts';
import { ApiTunnels } from '../api-tunnels.ts';
import { encodeInner } from '../inner.ts';
import type { OwnTunnel } from '../own-tunnels.ts';
import type { Peer } from '../peer.ts';
import type { CircuitId } from '../plane-port.ts';
import { onionTiming } from '../timing.ts';
import { WALL_MS } from './hops.ts';
import { somePeer } from './peers.ts';
import { readInner } from './read.ts';

export const US = somePeer(100);
export const THERE = somePeer(1);
export const ELSEWHERE = somePeer(2);
/** Rounds of 300 s, and two rebuilds. */
export const RESUME_WAIT_MS = 320_000;

export function at(nowMs: number) {
  return { nowMs, wallMs: WALL_MS + nowMs };
}

/** With clients 1 and 2. */
export function apiOf({ clients = [1, 2], seed = 1 } = {}): ApiTunnels {
  const api = new ApiTunnels({
    rng: new SeededRng(seed),
    timing: onionTiming(300),
    own: US.key,
    // Circuits from 100 on do not end here.
    resumeTokenOf: (circuit) => (circuit < 100 ? tokenOf(circuit) : undefined),
  });
  for (const client of clients) api.addClient(client);
  return api;
}

/** What both ends make of a circuit's secret. */
export function tokenOf(circuit: CircuitId): Uint8Array {
  return new Uint8Array(32).fill(circuit);
}

export function ownTunnel(circuit: CircuitId, destination: Peer | undefined): OwnTunnel {
  return { circuit, round: 7, destination, path: [], resumeToken: tokenOf(circuit) };
}

/** With `token`, or none. */
export function openOf(token: Uint8Array = new Uint8Array(32)): Uint8Array {
  return Uint8Array.of(1, ...token);
}

/** The messages of one type, whole, in what is sent on a circuit. */
export function sent(outputs: readonly ApiOutput[], circuit: CircuitId, type: number) {
  return outputs.flatMap((output) => {
    const command = output.type === 'plane' ? output.command : undefined;
    if (command?.type !== 'send inner' || command.circuit !== circuit) return [];
    return readInner(command.messages)
      .filter((message) => message.type === type)
      .map(({ data }) => data);
  });
}

/** Short enough for one plaintext. */
export function sends(
  circuit: CircuitId,
  queue: 'control' | 'data',
  messages: readonly (readonly [type: number, data: Uint8Array])[],
): ApiOutput {
  const encoded = messages.flatMap(([type, data]) => encodeInner(type, data, 0));
  return { type: 'plane', command: { type: 'send inner', circuit, queue, messages: encoded } };
}

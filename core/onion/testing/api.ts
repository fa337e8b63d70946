// ApiTunnels for tests, with what they put out in a form that can be read.

import { SeededRng } from '../../runtime/index.ts';
import type { ApiOutput } from '../api-port.ts';
import { ApiTunnels } from '../api-tunnels.ts';
import { encodeInner, INNER } from '../inner.ts';
import type { OwnTunnel } from '../own-tunnel.ts';
import type { Peer } from '../peer.ts';
import type { CircuitId, SendQueue } from '../plane-port.ts';
import { onionTiming, roundAt } from '../timing.ts';
import { WALL_MS } from './hops.ts';
import { somePeer } from './peers.ts';
import { readInner } from './read.ts';

export const US = somePeer(100);
export const THERE = somePeer(1);
export const ELSEWHERE = somePeer(2);
export const ROUND = 7;
export const NOTHING = new Uint8Array();
const TIMING = onionTiming(300);
const NOW_ROUND = roundAt(TIMING, WALL_MS);
/** Rounds of 300 s, and two rebuilds. */
export const RESUME_WAIT_MS = 320_000;

export function at(nowMs: number) {
  return { nowMs, wallMs: WALL_MS + nowMs };
}

/** With clients 1 and 2. */
export function apiOf({ clients = [1, 2], seed = 1 } = {}): ApiTunnels {
  const api = new ApiTunnels({
    rng: new SeededRng(seed),
    timing: TIMING,
    own: US.key,
    // Circuits from 100 to 199 do not end here, and those from 200 on are the next round's.
    originOf: (circuit) => {
      if (circuit >= 100 && circuit < 200) return undefined;
      const round = circuit < 100 ? NOW_ROUND : NOW_ROUND + 1;
      return { round, resumeToken: tokenOf(circuit) };
    },
  });
  for (const client of clients) api.addClient(client);
  return api;
}

/** What both ends make of a circuit's secret. */
export function tokenOf(circuit: CircuitId): Uint8Array {
  return new Uint8Array(32).fill(circuit);
}

export function ownTunnel(circuit: CircuitId, destination?: Peer, round = ROUND): OwnTunnel {
  return { circuit, round, destination, path: [], resumeToken: tokenOf(circuit) };
}

/** What becomes of the data that waits on a circuit. */
export function waiting(type: 'keep data' | 'forget data', circuit: CircuitId): ApiOutput {
  return { type: 'plane', command: { type, circuit } };
}

export function moved(circuit: CircuitId, to: CircuitId): ApiOutput {
  return { type: 'plane', command: { type: 'move data', circuit, to } };
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
  queue: SendQueue,
  messages: readonly (readonly [type: number, data: Uint8Array])[],
): ApiOutput {
  const encoded = messages.flatMap(([type, data]) => encodeInner(type, data, 0));
  return { type: 'plane', command: { type: 'send inner', circuit, queue, messages: encoded } };
}

/** The first time that it is said, and each later time. */
export function opened(circuit: number, token?: Uint8Array): ApiOutput {
  const open = [INNER.open, openOf(token)] as const;
  return sends(circuit, 'control', [open, open, open, [INNER.probe, NOTHING]]);
}

export function openedAgain(
  circuit: number,
  token?: Uint8Array,
  queue: 'control' | 'idle' = 'control',
): ApiOutput {
  return sends(circuit, queue, [
    [INNER.open, openOf(token)],
    [INNER.probe, NOTHING],
  ]);
}

export function closed(circuit: number): ApiOutput {
  const close = [INNER.closeLogical, NOTHING] as const;
  return sends(circuit, 'control', [close, close, close, [INNER.probe, NOTHING]]);
}

/** With a tunnel that client 1 has asked for, and its number. */
export function ready(): { api: ApiTunnels; tunnel: number } {
  const api = apiOf();
  api.build(1, THERE, ROUND);
  const outputs = api.onCurrent(ownTunnel(101, THERE), at(0));
  const [last] = outputs.slice(-1);
  return { api, tunnel: last?.type === 'ready' ? last.tunnel : 0 };
}

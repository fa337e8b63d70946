// What the tunnels that API clients see have to say (voidphone-api.md, Onion). Clients are numbers here; connections are
// the API driver's.

import type { Peer } from './peer.ts';
import type { CircuitCommand, CircuitId, SendQueue } from './plane-port.ts';

export type ClientId = number;
export type TunnelId = number;

/** ONION ERROR names the request it answers. */
export type FailedRequest = 'build' | 'destroy' | 'data' | 'cover';

export type ApiOutput =
  | { readonly type: 'plane'; readonly command: CircuitCommand }
  | {
      readonly type: 'ready';
      readonly client: ClientId;
      readonly tunnel: TunnelId;
      readonly destination: Peer;
    }
  | { readonly type: 'incoming'; readonly client: ClientId; readonly tunnel: TunnelId }
  | {
      readonly type: 'data';
      readonly client: ClientId;
      readonly tunnel: TunnelId;
      readonly data: Uint8Array;
    }
  | {
      readonly type: 'error';
      readonly client: ClientId;
      readonly request: FailedRequest;
      readonly tunnel: TunnelId;
    };

/** Of tunnels no client has: ERROR for a BUILD, and the echo of COVER. */
export const NO_TUNNEL: TunnelId = 0;

export function sendInner(
  circuit: CircuitId,
  queue: SendQueue,
  messages: readonly Uint8Array[],
): ApiOutput {
  return { type: 'plane', command: { type: 'send inner', circuit, queue, messages } };
}

/** What waits on a circuit that comes to its end is kept for the next. */
export function keepData(circuit: CircuitId): ApiOutput {
  return { type: 'plane', command: { type: 'keep data', circuit } };
}

export function forgetData(circuit: CircuitId): ApiOutput {
  return { type: 'plane', command: { type: 'forget data', circuit } };
}

export function moveData(circuit: CircuitId, to: CircuitId): ApiOutput {
  return { type: 'plane', command: { type: 'move data', circuit, to } };
}

export function delivered(
  { tunnel, clients }: { readonly tunnel: TunnelId; readonly clients: Iterable<ClientId> },
  data: Uint8Array,
): ApiOutput[] {
  return [...clients].map((client) => ({ type: 'data', client, tunnel, data }));
}

/** An established tunnel has failed, for all its clients. */
export function failed({
  tunnel,
  clients,
}: {
  readonly tunnel: TunnelId;
  readonly clients: Iterable<ClientId>;
}): ApiOutput[] {
  return [...clients].map((client) => ({ type: 'error', client, request: 'data', tunnel }));
}

// What the gossip machine is told and what it wants done: all there is between gossip.ts and driver.ts.

import type { PowTask } from '../crypto/index.ts';
import type { Identity, NodeDescriptor } from '../identity/index.ts';
import type { Opinion } from '../module-api/index.ts';
import type { Address, HostPort } from '../runtime/index.ts';
import type { ClientId } from './clients.ts';
import type { Neighbour, NeighbourId } from './neighbours.ts';
import type { ByeReason, GossipMessage } from './wire.ts';

export type { Now } from '../link/index.ts';

/** The machine's number of a call. */
export type DialId = number;

/** Who is to be called; of a bootstrapper we know the place only. */
export type DialTarget =
  | { readonly type: 'node'; readonly identity: Identity; readonly address: Address }
  | { readonly type: 'bootstrapper'; readonly host: HostPort };

export type GossipInput =
  | { readonly type: 'tick' }
  /** A channel is open; `dial` says which call of ours it is, if it is one. */
  | {
      readonly type: 'connected';
      readonly neighbour: NeighbourId;
      readonly peer: NodeDescriptor;
      readonly address: Address;
      readonly dial: DialId | undefined;
    }
  | { readonly type: 'dial failed'; readonly dial: DialId }
  | { readonly type: 'message'; readonly from: NeighbourId; readonly message: GossipMessage }
  /** What came over its channel cannot be right. */
  | { readonly type: 'violation'; readonly from: NeighbourId }
  | { readonly type: 'disconnected'; readonly neighbour: NeighbourId }
  | {
      readonly type: 'announce';
      readonly client: ClientId;
      /** 0: without limit. */
      readonly hops: number;
      readonly dataType: number;
      readonly data: Uint8Array;
    }
  /** The answer to 'solve'. */
  | { readonly type: 'solved'; readonly proof: number; readonly nonce: Uint8Array }
  /** An encoded item that came through a tunnel which ends here. */
  | { readonly type: 'inject'; readonly item: Uint8Array }
  | { readonly type: 'notify'; readonly client: ClientId; readonly dataType: number }
  | {
      readonly type: 'validation';
      readonly client: ClientId;
      readonly messageId: number;
      readonly opinion: Opinion;
    }
  | { readonly type: 'client gone'; readonly client: ClientId };

export type GossipOutput =
  | { readonly type: 'send'; readonly to: NeighbourId; readonly message: GossipMessage }
  | { readonly type: 'dial'; readonly dial: DialId; readonly target: DialTarget }
  /** After a BYE with that reason. Nothing more is taken from it, and no 'disconnected' is needed. */
  | { readonly type: 'disconnect'; readonly neighbour: NeighbourId; readonly reason: ByeReason }
  | {
      readonly type: 'notification';
      readonly client: ClientId;
      readonly messageId: number;
      readonly dataType: number;
      readonly data: Uint8Array;
    }
  | { readonly type: 'solve'; readonly proof: number; readonly task: PowTask }
  /** Something was ignored, and is to be counted. */
  | { readonly type: 'drop'; readonly why: Drop };

export type Drop =
  | 'over quota'
  | 'low score'
  | 'known'
  | 'unwanted'
  | 'not its time'
  | 'no proof of work'
  | 'too many waiting'
  | 'invalid'
  | 'not validated'
  | 'too many announcements'
  | 'no such notification'
  | 'not a peer'
  | 'malformed';

export type SendMessage = (to: Neighbour, message: GossipMessage) => void;

export type DialOutput = (dial: DialId, target: DialTarget) => void;

/** Of what is shown to people. */
export interface GossipStatus {
  readonly neighbours: readonly {
    readonly peer: NodeDescriptor;
    readonly address: Address;
    readonly isOutbound: boolean;
    readonly isInMesh: boolean;
    readonly score: number;
    readonly pingMs: number | undefined;
    readonly ageMs: number;
  }[];
  readonly knownNodes: number;
  readonly reachedNodes: number;
  readonly items: number;
  readonly itemBytes: number;
  readonly waiting: number;
}

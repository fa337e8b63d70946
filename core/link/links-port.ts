// What Links and who uses it (the onion's control plane) say to each other.

import type { Identity, NodeDescriptor } from '../identity/index.ts';
import type { Address, HostPort, NetworkFault } from '../runtime/index.ts';
import type { Target } from './dial.ts';
import type { HandshakeFailure } from './handshake.ts';
import type { LinkId } from './port.ts';

/** An open link. */
export interface LinkUp {
  readonly link: LinkId;
  readonly identity: Identity;
  /** Where the node is; of one called by name through a proxy, the proxy. */
  readonly address: Address;
  readonly transport: LinkStatus['transport'];
  /** Whether we began it: the top bit of circuit numbers we choose. */
  readonly initiator: boolean;
  readonly descriptor: NodeDescriptor;
  /** By how much the neighbour's clock is ahead of ours (protocol 2.2). */
  readonly clockAheadS: number;
}

export type DialFailure =
  | HandshakeFailure
  | NetworkFault
  | 'stream closed'
  | 'own identity'
  | 'address not allowed'
  /** It failed a short while ago. */
  | 'backing off'
  | 'too many links';

export type LinkEnd =
  /** By the neighbour. */
  | 'closed'
  /** By `close`. */
  | 'ended'
  | 'idle'
  | 'dead'
  /** Another link to the same node took its place. */
  | 'replaced'
  | 'stream closed'
  | HandshakeFailure;

export type LinksEvent =
  | { readonly type: 'listening'; readonly udp?: Address; readonly tcp?: Address }
  | { readonly type: 'listen failed'; readonly what: 'udp' | 'tcp'; readonly fault: NetworkFault }
  | ({ readonly type: 'up' } & LinkUp)
  | {
      readonly type: 'down';
      readonly link: LinkId;
      readonly identity: Identity;
      readonly why: LinkEnd;
    }
  /** Of `open`. */
  | ({ readonly type: 'failed'; readonly why: DialFailure } & Target);

/** What `open` answers. After 'dialling' an 'up' with this identity follows, or a 'failed' with this target. */
export type Opening =
  | ({ readonly type: 'up' } & LinkUp)
  | { readonly type: 'dialling' }
  | { readonly type: 'failed'; readonly why: DialFailure };

export interface Listen {
  readonly udp?: Address;
  readonly tcp?: Address;
  /** Every link we begin goes through it, as a stream. */
  readonly proxy?: HostPort;
}

export interface LinkStatus {
  readonly link: LinkId;
  readonly identity: Identity;
  readonly address: Address;
  readonly transport: 'udp' | 'tcp' | 'proxy';
  readonly initiator: boolean;
  readonly ageMs: number;
  readonly rttMs: number | undefined;
  readonly inUse: boolean;
  readonly kept: boolean;
  /** The proof of work the neighbour asks of new circuits. */
  readonly powBits: number;
}

export interface LinksStatus {
  readonly links: readonly LinkStatus[];
  /** Handshakes others began, and nodes we are calling. */
  readonly callers: number;
  readonly dials: number;
  readonly bans: number;
  /** Handshake packets and messages that led to nothing. */
  readonly dropped: number;
}

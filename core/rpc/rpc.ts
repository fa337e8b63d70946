// Questions to other nodes and their answers, as peer sampling and lookups see them. Who asks and who answers are proven
// by the channel (core/link), so neither says who it is. RpcNode (driver.ts) has them over the network; for very large
// simulations testing/memory.ts has them without one.
//
// A question is said twice before it has failed; the other side answers the second time what it answered the first, but
// if its memory is full it may be asked twice in earnest.

import type { Identity, NodeDescriptor } from '../identity/index.ts';
import type { LinksStatus, Target } from '../link/index.ts';
import type { Address } from '../runtime/index.ts';

/** What is offered over one port: each request begins with the number of its service. */
export const SERVICE = { rps: 1, dht: 2 } as const;

/** 1 to 255; others than these are free. */
export type ServiceNumber = number;

/** Of a request, with its service number, and of an answer. */
export const MESSAGE_BYTES_MAX = 16_384;
export const REQUEST_BYTES_MAX = MESSAGE_BYTES_MAX - 1;

/** The node at the other end, proven. */
export interface RpcPeer {
  readonly identity: Identity;
  /** Where it is: the other end of the link. Its port need not be one that it listens on. */
  readonly address: Address;
  /** What it said about itself when the link was made. */
  readonly descriptor: NodeDescriptor;
}

export type CallFailure =
  /** No link could be had: it is away, is somebody else, or is not wanted. */
  | 'unreachable'
  /** There is a link, and no answer. */
  | 'timeout'
  /** It, or we, have too much to do. */
  | 'busy'
  | 'no service';

export type Outcome =
  | { readonly type: 'answer'; readonly bytes: Uint8Array; readonly from: RpcPeer }
  | { readonly type: 'failed'; readonly why: CallFailure };

export interface Question {
  readonly service: ServiceNumber;
  /** At most REQUEST_BYTES_MAX. */
  readonly request: Uint8Array;
}

/** `bytes` are the handler's own. `answer` is for once, now or within 3 s; without it the caller hears nothing. */
export type RequestHandler = (
  from: RpcPeer,
  bytes: Uint8Array,
  answer: (bytes: Uint8Array) => void,
) => void;

export interface RpcStatus {
  readonly links: LinksStatus;
  /** Of ours, without an outcome yet. */
  readonly calls: number;
  /** Of others, since the start. */
  readonly requests: number;
  /** Refused because one node asked too much. */
  readonly refused: number;
  /** Cells and messages that led to nothing. */
  readonly dropped: number;
}

export interface Rpc {
  /** `done` is called once, within 8 s, and never before `call` has returned; not at all once it is stopped. */
  call(to: Target, question: Question, done: (outcome: Outcome) => void): void;
  /**
   * The same over a stream that is opened for this one question, whatever links there are: who gets it can be reached
   * by strangers at that address.
   */
  callAnew(to: Target, question: Question, done: (outcome: Outcome) => void): void;
  /** Once for each service. */
  serve(service: ServiceNumber, handler: RequestHandler): void;
  /** A node that we have a link with now. */
  peerOf(identity: Identity): RpcPeer | undefined;
  readonly status: RpcStatus;
  stop(): Promise<void>;
}

// What the two halves of the link layer say to each other: Links (control plane, handshakes) and LinkPlane (data
// plane, sockets). Plain data, so that it can cross a thread boundary; packets are copied, never shared.

import type { Address, HostPort, NetworkFault } from '../runtime/index.ts';
import type { TrafficKeys } from './keys.ts';

/** Names a link for as long as the program runs; chosen by Links, never reused. */
export type LinkId = number;
/** Names a stream (TCP or through a proxy); even numbers are dialled by us, odd ones came in. */
export type StreamId = number;

export type Route =
  | { readonly transport: 'udp'; readonly to: Address }
  | { readonly transport: 'stream'; readonly stream: StreamId };

export function isSameRoute(a: Route, b: Route): boolean {
  if (a.transport === 'stream') return b.transport === 'stream' && a.stream === b.stream;
  return b.transport === 'udp' && a.to.port === b.to.port && a.to.ip === b.to.ip;
}

export interface NewSession {
  readonly link: LinkId;
  /** `receiveIndex` is unique among all our sessions. */
  readonly keys: TrafficKeys;
  readonly route: Route;
  /** In `setup` only LINK_CTRL and PADDING may come, and few of them. */
  readonly stage: 'setup' | 'open';
}

export type LinkCommand =
  | {
      readonly type: 'listen';
      readonly udp?: Address;
      readonly tcp?: Address;
      /** SOCKS5: every outgoing link goes through it; names are resolved there. */
      readonly proxy?: HostPort;
    }
  | { readonly type: 'dial stream'; readonly stream: StreamId; readonly to: HostPort }
  /** Once what was written to it has gone. */
  | { readonly type: 'close stream'; readonly stream: StreamId }
  | { readonly type: 'send packet'; readonly route: Route; readonly packet: Uint8Array }
  /** So many of the plane's `packet` events have been dealt with: it holds back more than a few hundred. */
  | { readonly type: 'handshakes handled'; readonly count: number }
  /** Replaces the link's session before, which is still opened for what is under way. */
  | { readonly type: 'add session'; readonly session: NewSession }
  | { readonly type: 'remove link'; readonly link: LinkId }
  | { readonly type: 'send control cell'; readonly link: LinkId; readonly cell: Uint8Array };

export type LinkEvent =
  | { readonly type: 'listening'; readonly udp?: Address; readonly tcp?: Address }
  | { readonly type: 'listen failed'; readonly what: 'udp' | 'tcp'; readonly fault: NetworkFault }
  | { readonly type: 'stream open'; readonly stream: StreamId; readonly remote: Address }
  | { readonly type: 'stream failed'; readonly stream: StreamId; readonly fault: NetworkFault }
  /** Of streams we dialled or that carry a link; closed by whomever. */
  | { readonly type: 'stream closed'; readonly stream: StreamId }
  /** INIT, RESP, FIN or COOKIE of the right size. */
  | {
      readonly type: 'packet';
      readonly route: Route;
      readonly from: Address;
      readonly packet: Uint8Array;
    }
  /** The first authentic packet of a session has come; before anything that was in it. */
  | { readonly type: 'confirmed'; readonly link: LinkId }
  | { readonly type: 'control cell'; readonly link: LinkId; readonly cell: Uint8Array }
  /** Something only the peer itself can have sent, and may not: the link must go, the peer is banned. */
  | { readonly type: 'violation'; readonly link: LinkId; readonly why: string }
  | { readonly type: 'link dead'; readonly link: LinkId }
  /** A session is old enough (time or packets) to be renewed. */
  | { readonly type: 'rekey due'; readonly link: LinkId };

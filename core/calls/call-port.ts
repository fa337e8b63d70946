// What goes into a call and what comes out (call.ts), besides the frames.

import type { PowTask } from '../crypto/index.ts';
import type { CallEvent, CallState } from './call-table.ts';
import type { NextMeetingPoint } from './control.ts';
import type { CallEnd } from './end.ts';
import type { HandshakeOptions, Peer } from './handshake.ts';
import type { AudioFrame, Report } from './media-wire.ts';
import type { Sas } from './sas.ts';

export interface CallOptions extends HandshakeOptions {
  readonly peer: Peer;
  /** The round it is now. */
  readonly round: number;
  /** Given to a peer who knows only our hostkey, once the call is answered. */
  readonly card: Uint8Array;
  readonly nowMs: number;
}

export type CallInput =
  | { readonly type: 'tick' }
  | { readonly type: 'frame'; readonly frame: Uint8Array }
  /** What the user or our own program decides: see call-table.ts. */
  | { readonly type: 'event'; readonly event: CallCommand }
  /** There is a tunnel to the peer; there is none any more. */
  | { readonly type: 'linked' }
  | { readonly type: 'unlinked' }
  | { readonly type: 'round'; readonly round: number }
  /** The answer to `work`. */
  | { readonly type: 'work done'; readonly nonce: Uint8Array }
  /** 20 ms of voice, encoded, for the next slot; at most AUDIO_BYTES_MAX. */
  | { readonly type: 'audio'; readonly bytes: Uint8Array }
  /** How long frames wait to be played just now: for the peer's reports. */
  | { readonly type: 'buffer'; readonly bufferMs: number }
  /** The callee is in another call, or not any more: for the caller to know. */
  | { readonly type: 'waiting'; readonly isWaiting: boolean }
  /** To be said to the peer. */
  | { readonly type: 'next meeting point'; readonly point: NextMeetingPoint };

export type CallCommand = Extract<
  CallEvent,
  | ('answer' | 'decline' | 'hang up' | 'hold' | 'resume')
  | ('proven' | 'refuse as unavailable' | 'refuse as busy' | 'give way')
>;

export type CallOutput =
  | { readonly type: 'state'; readonly state: CallState; readonly isWaiting: boolean }
  /** The caller proved its hostkey; `proven` or a refusal is to be the answer. */
  | { readonly type: 'proven' }
  /** The peer is who it should be. */
  | { readonly type: 'confirmed'; readonly sas: Sas; readonly capabilities: number }
  /** For the user it is over; frames may still be pulled until the state is `over`. Once. */
  | { readonly type: 'ended'; readonly end: CallEnd }
  | { readonly type: 'work'; readonly task: PowTask }
  | { readonly type: 'audio'; readonly frames: readonly AudioFrame[] }
  | { readonly type: 'report'; readonly report: Report; readonly rttMs: number }
  /** What the peer calls its card; to be checked, and learned for this peer alone. */
  | { readonly type: 'card'; readonly card: Uint8Array }
  | { readonly type: 'next meeting point'; readonly point: NextMeetingPoint }
  /** A new tunnel is wanted; only the caller asks for one. */
  | { readonly type: 'reconnect' }
  | { readonly type: 'drop'; readonly why: string };

// What goes into the calls of one identity and what comes out (calls.ts), besides the frames that are pulled.

import type { CallCommand, CallInput, CallOutput } from './call-port.ts';
import type { HandshakeOptions, Peer } from './handshake.ts';

declare const call: unique symbol;
declare const leg: unique symbol;

export type CallNumber = number & { readonly [call]: 'CallNumber' };
/** A tunnel, or one of several who come through the same tunnel (protocol 3.6). */
export type LegNumber = number & { readonly [leg]: 'LegNumber' };

export interface CallsOptions extends HandshakeOptions {
  /**
   * Whose hint this is in the rounds r - 1 to r + 1; undefined for strangers, blocked people and those whose calls are never
   * to ring: they all get the same silence. Of somebody whose card is known only hints of the card.
   */
  peerByHint(hint: Uint8Array): Peer | undefined;
  /** Our card as it is now, for people who know only our hostkey. */
  card(): Uint8Array;
  /** Privacy: `unavailable` does not tell a caller that we are in a call. */
  readonly whenBusy: 'waiting' | 'unavailable';
  /** It is now. */
  readonly round: number;
}

export type CallsInput =
  | { readonly type: 'tick' }
  | { readonly type: 'round'; readonly round: number }
  | { readonly type: 'dial'; readonly peer: Peer }
  | { readonly type: 'command'; readonly call: CallNumber; readonly event: UserCommand }
  /** Voice, the proof of work, the next meeting point: straight to the call. */
  | { readonly type: 'call'; readonly call: CallNumber; readonly input: CallInput }
  /** A tunnel is there: ours for a call we make, or one that came in. */
  | { readonly type: 'leg up'; readonly leg: LegNumber; readonly call: CallNumber | undefined }
  | { readonly type: 'leg down'; readonly leg: LegNumber }
  | { readonly type: 'frame'; readonly leg: LegNumber; readonly frame: Uint8Array };

export type UserCommand = Extract<
  CallCommand,
  'answer' | 'decline' | 'hang up' | 'hold' | 'resume'
>;

export type CallsOutput =
  | { readonly type: 'dialled'; readonly call: CallNumber; readonly peer: Peer }
  /** We are in a call, or there is one with the same person. */
  | { readonly type: 'not dialled'; readonly peer: Peer }
  | { readonly type: 'incoming'; readonly call: CallNumber; readonly peer: Peer }
  /** Both called each other: for the user the second call takes the first one's place. */
  | { readonly type: 'replaced'; readonly call: CallNumber; readonly by: CallNumber }
  /** A tunnel to this peer is wanted; `leg up` is the answer, and nothing is if there is none. */
  | { readonly type: 'connect'; readonly call: CallNumber; readonly peer: Peer }
  | { readonly type: 'call'; readonly call: CallNumber; readonly output: CallOutput }
  | { readonly type: 'drop'; readonly why: string };

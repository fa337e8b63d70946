// How a call ends: one closed union, on the wire and on both screens. Where one side tells the other, both have the same
// word; `by` says whose act it was.

/** Their places in this list are their numbers on the wire. */
export const END_REASONS = [
  /** Somebody hung up a call that had been answered. */
  'completed',
  /** The callee did not want it. */
  'declined',
  /** The caller gave up before it was answered; or, if it was declined at the same moment, see the README. */
  'cancelled',
  /** It rang for a minute. */
  'unanswered',
  /** The callee's program refused without saying why. */
  'unavailable',
  /** The callee has too many calls waiting. */
  'busy',
  /** Nobody answered the offer: not there, or not willing to know us. */
  'unreachable',
  /** Nothing was heard any more, and no new tunnel helped. */
  'connection lost',
  /** On hold for half an hour. */
  'held too long',
  /** The peer did not prove to be who it should be, or broke the protocol. */
  'failed',
  /** Both called each other; the other call goes on. Never in a history. */
  'superseded',
] as const;

export type EndReason = (typeof END_REASONS)[number];

export interface CallEnd {
  readonly reason: EndReason;
  readonly by: 'us' | 'them' | 'nobody';
}

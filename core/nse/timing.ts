// Rounds by the wall clock, and when in a round a node says how near it is (protocol 6; the delay is GNUnet's formula): the
// nearer, the earlier, so that the winner is usually heard before anybody else had to speak.

import { powEpochAt } from '../identity/index.ts';

/** Protocol 6: what concerns the round before is said, or passed on, after a random time up to this. */
export const LATE_SPREAD_MS = 50;

/**
 * GNUnet divides by the longest way it has seen, plus one. Gossip passes items on unchanged, so nobody counts hops: a guess,
 * with which the random part is about as long as the step from one bit to the next.
 */
const HOPS_MAX = 4;

export function roundAt(periodS: number, unixMs: number): number {
  return Math.floor(unixMs / (1000 * periodS));
}

export function roundStartMs(periodS: number, round: number): number {
  return 1000 * periodS * round;
}

/** The month whose proof of work a message of the round needs. */
export function powEpochOf(periodS: number, round: number): number {
  return powEpochAt(periodS * round);
}

export interface DelayTerms {
  /** Matching bits of the node. */
  readonly bits: number;
  /** The current estimate, as a power of two. */
  readonly sizeBits: number;
  readonly periodMs: number;
}

/** From the beginning of the round: half of it for who is as near as expected, next to nothing for who is much nearer. */
export function sendDelayMs({ bits, sizeBits, periodMs }: DelayTerms): number {
  return periodMs / 2 - (periodMs / Math.PI) * Math.atan(bits - sizeBits);
}

/** The random part is uniform from 0 to this, so that nodes equally near do not speak at once. */
export function delaySpreadMs(terms: DelayTerms): number {
  return sendDelayMs({ ...terms, bits: terms.bits - 1 }) / (HOPS_MAX + 1);
}

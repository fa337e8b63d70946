// How late packets leave their slots, and when these are, seen from outside: all that is known there is that a circuit's
// slots come at a whole millisecond of the plane's clock and then every tick.

import { mean, quantile } from './stats.ts';

/** Packets more than half a tick late look early: fewer than this share is taken for such. */
const LATEST_SHARE = 0.02;

/**
 * When a circuit's slots begin, in [0, tickMs), by the times at which its packets left (the plane's clock). Right as long
 * as nearly all are late by much less than a tick and some by less than a millisecond.
 */
export function slotPhase(timesMs: readonly number[], tickMs: number): number {
  const angles = timesMs.map((ms) => ((ms % tickMs) / tickMs) * 2 * Math.PI);
  const center = Math.atan2(mean(angles.map(Math.sin)), mean(angles.map(Math.cos)));
  const centerMs = (center / (2 * Math.PI)) * tickMs;
  // Relative to the center phases do not wrap around.
  const phases = timesMs.map((ms) => modulo(ms - centerMs + tickMs / 2, tickMs) - tickMs / 2);
  return modulo(Math.floor(centerMs + quantile(phases, LATEST_SHARE)), tickMs);
}

/** By how much each was late. Of two in one slot the first makes up for the slot before: the pacer sends no more. */
export function lateness(timesMs: readonly number[], phaseMs: number, tickMs: number): number[] {
  const slots = timesMs.map((ms) => Math.floor((ms - phaseMs) / tickMs));
  return timesMs.map((ms, i) => {
    const isMadeUp = slots[i] === slots[i + 1];
    return modulo(ms - phaseMs, tickMs) + (isMadeUp ? tickMs : 0);
  });
}

function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}

// Every duration of the onion module, derived from the tick and the round's length (protocol 2.2, 3.1, 3.8, Appendix B).
// With the standard 20 ms and 300 s these are the figures of the protocol; short rounds (test networks, down to 5 s)
// shrink them in proportion, and the simulator may use a slower tick. Both are part of the network's identity.

export interface OnionTiming {
  readonly tickMs: number;
  readonly roundMs: number;
  /** The next round's tunnel is begun at a random moment, this long before the boundary at the earliest … */
  readonly buildEarliestMs: number;
  /** … and this long before it at the latest. */
  readonly buildLatestMs: number;
  /** Uniform pause before each further hop, against correlating starts. */
  readonly extendGapMaxMs: number;
  /** Old and new tunnel carry the same data for this long after the boundary. */
  readonly switchOverlapMs: number;
  /** Tunnels of the last round are torn down at a random moment between these, after the boundary. */
  readonly drainEarliestMs: number;
  readonly drainLatestMs: number;
  /** Before a rebuild, so that its cause does not show (protocol 3.8). */
  readonly rebuildEarliestMs: number;
  readonly rebuildLatestMs: number;
  /** No authentic cell for this long: the tunnel is dead. */
  readonly tunnelTimeoutMs: number;
  /** Bounds of a relay's waiting margin: what its arrival jitter says, within these. */
  readonly marginMinMs: number;
  readonly marginMaxMs: number;
  /** How long a hop may take to answer before its handshake is repeated, and after the last, given up (HS_RETRY). */
  readonly handshakeWaitsMs: readonly number[];
  /** How long a relay remembers its answer, and waits for that of the next hop: longer than all repetitions take. */
  readonly handshakeLifeMs: number;
  /** How many cells a circuit carries in one direction from its building to its teardown. */
  readonly cellsPerLife: number;
}

export const TICK_MS = 20;
export const ROUND_SECONDS = 300;
export const ROUND_SECONDS_MIN = 5;
/** Clocks may differ by this much wherever a round is checked (protocol 2.2). */
export const CLOCK_SKEW_MAX_MS = 10_000;

export function onionTiming(roundSeconds: number, tickMs: number = TICK_MS): OnionTiming {
  const roundMs = roundSeconds * 1000;
  const atMost = (seconds: number, share: number): number =>
    Math.min(seconds * 1000, share * roundMs);
  const buildEarliestMs = atMost(60, 0.5);
  const drainLatestMs = atMost(15, 0.2);
  const slowness = Math.max(1, tickMs / TICK_MS);
  return {
    tickMs,
    roundMs,
    buildEarliestMs,
    buildLatestMs: atMost(10, 0.25),
    extendGapMaxMs: atMost(4, 0.02),
    switchOverlapMs: atMost(1, 0.1),
    drainEarliestMs: atMost(3, 0.05),
    drainLatestMs,
    rebuildEarliestMs: atMost(0.5, 0.01),
    rebuildLatestMs: atMost(3, 0.05),
    tunnelTimeoutMs: Math.max(3000, 50 * tickMs),
    marginMinMs: tickMs / 10,
    marginMaxMs: tickMs / 2,
    handshakeWaitsMs: [800, 1600, 3200].map((ms) => ms * slowness),
    handshakeLifeMs: 10_000 * slowness,
    cellsPerLife: Math.ceil((buildEarliestMs + roundMs + drainLatestMs) / tickMs),
  };
}

export function roundAt(timing: OnionTiming, wallMs: number): number {
  return Math.floor(wallMs / timing.roundMs);
}

export function roundStartMs(timing: OnionTiming, round: number): number {
  return round * timing.roundMs;
}

/** Whether a circuit may be built for `round` now: the current or the next one, give or take the clocks' skew. */
export function roundIsAcceptable(timing: OnionTiming, round: number, wallMs: number): boolean {
  const earliest = roundAt(timing, wallMs - CLOCK_SKEW_MAX_MS);
  const latest = roundAt(timing, wallMs + CLOCK_SKEW_MAX_MS) + 1;
  return round >= earliest && round <= latest;
}

// What an attacker makes of a trace, all that was seen of one node's line in half a minute: numbers that would differ if
// the node did anything else in a call than out of it. Sizes are all the same, so there are only times, counts and who
// the neighbour is.

import { TICK_MS } from '../core/onion/index.ts';
import type { Seen } from './unobservable-capture.ts';

export interface Trace {
  /** Whose line; the same number is the same node with the same circuits. */
  readonly node: number;
  /** When; the same number is the same half minute. */
  readonly window: number;
  /** Two pairs that talk in turn: never split between what is learnt from and what is judged. */
  readonly group: number;
  readonly isBusy: boolean;
  readonly sent: readonly Seen[];
  readonly received: readonly Seen[];
}

export type View = 'summary' | 'gaps' | 'autocorrelation' | 'lateness';

export const VIEWS: Readonly<Record<View, (trace: Trace) => number[]>> = {
  summary: (trace) => [...ways(trace).flatMap(summaryOf), ...turnarounds(trace)],
  gaps: (trace) => ways(trace).flatMap((times) => gapHistogram(gapsOf(times))),
  autocorrelation: (trace) => ways(trace).flatMap(autocorrelations),
  lateness: ({ sent, received }) => [
    ...latenessOf(sent, ({ to }) => to),
    ...latenessOf(received, ({ from }) => from),
  ],
};

const QUANTILES = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999] as const;
/** Half octaves from 2 µs to 64 ms. */
const GAP_BINS = 30;
const GAP_MIN_MS = 0.002;
const GAP_LAGS = 20;
const COUNT_LAGS = 16;
const COUNT_MS = 5;
/** Slots of different circuits are a millisecond apart or more, or cannot be told apart anyway. */
const STREAM_GAP_MS = 0.7;
const EARLIEST_SHARE = 0.02;

/** Times of what was sent, and of what came. */
function ways({ sent, received }: Trace): number[][] {
  return [sent, received].map((seen) => seen.map(({ atMs }) => atMs));
}

function summaryOf(times: readonly number[]): number[] {
  const gaps = gapsOf(times).sort((a, b) => a - b);
  return [
    times.length,
    deviation(gaps),
    gaps.at(-1) ?? 0,
    ...QUANTILES.map((share) => Math.log(1e-4 + at(gaps, share))),
    deviation(counts(times, 1000)),
    deviation(counts(times, 100)),
    deviation(counts(times, COUNT_MS)),
  ];
}

/** From each packet that came to the next that was sent: whether what comes makes work. */
function turnarounds({ sent, received }: Trace): number[] {
  const waits: number[] = [];
  let next = 0;
  for (const { atMs } of received) {
    while (next < sent.length && (sent[next]?.atMs ?? 0) < atMs) next++;
    const following = sent[next];
    if (following !== undefined) waits.push(following.atMs - atMs);
  }
  waits.sort((a, b) => a - b);
  return QUANTILES.map((share) => Math.log(1e-4 + at(waits, share)));
}

/** Square roots of shares, whose Euclidean distance is that of distributions (Hellinger). */
function gapHistogram(gaps: readonly number[]): number[] {
  const bins = Array.from({ length: GAP_BINS }, () => 0);
  for (const gap of gaps) {
    const bin = Math.floor(2 * Math.log2(Math.max(gap, GAP_MIN_MS) / GAP_MIN_MS));
    const index = Math.min(bin, GAP_BINS - 1);
    bins[index] = (bins[index] ?? 0) + 1;
  }
  return bins.map((count) => Math.sqrt(count / Math.max(1, gaps.length)));
}

function autocorrelations(times: readonly number[]): number[] {
  return [
    ...autocorrelation(gapsOf(times), GAP_LAGS),
    ...autocorrelation(counts(times, COUNT_MS), COUNT_LAGS),
  ];
}

/** How late packets left their slots, over all circuits of the line. */
function latenessOf(packets: readonly Seen[], neighbour: (seen: Seen) => number): number[] {
  const times = new Map<number, number[]>();
  for (const seen of packets) {
    const known = times.get(neighbour(seen));
    if (known === undefined) times.set(neighbour(seen), [seen.atMs]);
    else known.push(seen.atMs);
  }
  const late = [...times.values()].flatMap(streamsOf).flatMap(latenessInStream);
  const sorted = late.toSorted((a, b) => a - b);
  return [
    mean(late),
    deviation(late),
    ...QUANTILES.map((share) => Math.log(1e-4 + Math.max(0, at(sorted, share)))),
    ...[0.1, 0.3, 1, 3].map((ms) => late.filter((value) => value > ms).length / late.length),
  ];
}

/** Phases of packets to one neighbour, circuit by circuit: they differ by where in the tick they are. */
function streamsOf(times: readonly number[]): number[][] {
  const phases = times.map((ms) => ms % TICK_MS).sort((a, b) => a - b);
  const starts = phases.flatMap((phase, i) => {
    const before = i === 0 ? (phases.at(-1) ?? 0) - TICK_MS : (phases[i - 1] ?? 0);
    return phase - before > STREAM_GAP_MS ? [i] : [];
  });
  const [first = 0] = starts;
  const turned = [...phases.slice(first), ...phases.slice(0, first).map((ms) => ms + TICK_MS)];
  const ends = [...starts.slice(1).map((start) => start - first), turned.length];
  return ends.map((end, i) => turned.slice(ends[i - 1] ?? 0, end)).filter(isStream);
}

/** A few stray packets are none. */
function isStream({ length }: readonly number[]): boolean {
  return length > 100;
}

function latenessInStream(phases: readonly number[]): number[] {
  const earliest = at(phases, EARLIEST_SHARE);
  return phases.map((phase) => phase - earliest);
}

function gapsOf(times: readonly number[]): number[] {
  return times.slice(1).map((ms, i) => ms - (times[i] ?? 0));
}

function counts(times: readonly number[], binMs: number): number[] {
  const [startMs = 0] = times;
  const bins = Array.from({ length: Math.floor(((times.at(-1) ?? 0) - startMs) / binMs) }, () => 0);
  for (const ms of times) {
    const bin = Math.floor((ms - startMs) / binMs);
    if (bin < bins.length) bins[bin] = (bins[bin] ?? 0) + 1;
  }
  return bins;
}

function autocorrelation(values: readonly number[], lags: number): number[] {
  const center = mean(values);
  const around = values.map((value) => value - center);
  const power = around.reduce((sum, value) => sum + value * value, 1e-9);
  return Array.from({ length: lags }, (_, i) => {
    let sum = 0;
    for (let k = i + 1; k < around.length; k++) sum += (around[k] ?? 0) * (around[k - i - 1] ?? 0);
    return sum / power;
  });
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

function deviation(values: readonly number[]): number {
  const center = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - center) ** 2)));
}

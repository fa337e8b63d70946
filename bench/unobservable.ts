// Whether somebody on the wire can tell a node in whose tunnel somebody talks from one in whose nobody does (attacks 7 and
// 33 of protocol 12): real sockets, packets as the kernel sees them. Pairs of nodes talk or not, as a coin decides, for
// half a minute each time; every half minute of every node is a trace, and attackers learn from some to judge others.
//
// What attackers are worth shows on senders that do it wrong, on traces into which a delay was put, and on idle traces
// that are called busy at random.

import { TICK_MS } from '../core/onion/index.ts';
import { randomBelow, realRng, shuffled } from '../core/runtime/index.ts';
import type { Recorder } from './harness.ts';
import type { Seen } from './unobservable-capture.ts';
import type { Trace } from './unobservable-features.ts';
import { type Score, trial } from './unobservable-trial.ts';
import { PAIRS, TRACE_MS, watch } from './unobservable-watch.ts';

/** Each session has a network of its own. */
const WINDOWS_MAX = 16;
const DEFAULT_WINDOWS = 4;
const SLOTS_PER_SECOND = 1000 / TICK_MS;
const AUC_GOAL = '≤ 0.55';
/** Put into a tenth of what is sent. */
const DISTURBANCES_MS = [0.05, 0.2, 1] as const;

/** `wanted` traces at least; about 100 take four minutes. */
export async function benchUnobservable(recorder: Recorder, wanted: number): Promise<void> {
  const windows = Math.max(DEFAULT_WINDOWS, 2 * Math.ceil(wanted / (2 * PAIRS) / 2));
  const sessions = Math.ceil(windows / WINDOWS_MAX);
  const perSession = 2 * Math.ceil(windows / sessions / 2);
  const [traces, naive]: [Trace[], Trace[]] = [[], []];
  for (let session = 0; session < sessions; session++) {
    const watched = await watch(session, perSession);
    traces.push(...watched.traces);
    naive.push(...watched.naive);
  }
  addFigures(recorder, traces, naive);
}

export function addFigures(
  recorder: Recorder,
  traces: readonly Trace[],
  naive: readonly Trace[],
): void {
  addRates(recorder, traces);
  addTrials(recorder, traces, naive);
}

function addRates(recorder: Recorder, traces: readonly Trace[]): void {
  const all = traces.flatMap(({ sent, received }) => [...sent, ...received]);
  const sizes = [...new Set(all.map(({ bytes }) => bytes))];
  recorder.add('sizes of packets on the wire', 'sizes', [sizes.length], '1');
  for (const isBusy of [false, true]) {
    const some = traces.filter((trace) => trace.isBusy === isBusy);
    const what = isBusy ? 'with DATA' : 'idle';
    const rates = some.flatMap(ratesPerCircuit);
    recorder.add(`${what}: per second, circuit and direction`, 'packets', rates, '50');
  }
}

/** Of each neighbour and direction: its circuits are as many as packets come in a slot. */
function ratesPerCircuit({ sent, received }: Trace): number[] {
  const counts = new Map<string, number>();
  for (const { to } of sent) counts.set(`to ${to}`, (counts.get(`to ${to}`) ?? 0) + 1);
  for (const { from } of received) {
    counts.set(`from ${from}`, (counts.get(`from ${from}`) ?? 0) + 1);
  }
  return [...counts.values()].flatMap((count) => {
    const perSecond = (1000 * count) / TRACE_MS;
    const circuits = Math.round(perSecond / SLOTS_PER_SECOND);
    return circuits === 0 ? [] : [perSecond / circuits];
  });
}

function addTrials(recorder: Recorder, traces: readonly Trace[], naive: readonly Trace[]): void {
  const add = (name: string, { auc, lower, upper }: Score): void =>
    recorder.add(name, 'AUC', [lower, auc, upper]);
  recorder.add('held-out traces', 'traces', [traces.length], '≥ 500');
  const { byAttacker, chosen } = trial(traces, realRng);
  for (const [name, score] of byAttacker) add(`DATA or idle: ${name}`, score);
  add('DATA or idle: the best by what it learnt', chosen);
  recorder.add('DATA or idle: 95 % upper bound', 'AUC', [chosen.upper], AUC_GOAL);
  const cover = traces.filter(({ isBusy }) => !isBusy);
  add('idle or idle', trial(disturbed(cover, 0), realRng).chosen);
  for (const ms of DISTURBANCES_MS) {
    add(`idle or a tenth later by ${ms} ms`, trial(disturbed(cover, ms), realRng).chosen);
  }
  if (naive.length > 0) add('naive sender, busy or not', trial(naive, realRng).chosen);
}

/** Of the two nodes of a silent pair one, at random, is called busy, and a tenth of its packets leave later. */
function disturbed(traces: readonly Trace[], byMs: number): Trace[] {
  const pairs = Map.groupBy(traces, ({ group, window }) => `${group} ${window}`);
  return [...pairs.values()].flatMap((pair) =>
    shuffled(realRng, pair).map((trace, i) =>
      i === 0 ? { ...trace, isBusy: true, sent: delayed(trace.sent, byMs) } : trace,
    ),
  );
}

function delayed(sent: readonly Seen[], byMs: number): Seen[] {
  return sent
    .map((seen) => (randomBelow(realRng, 10) === 0 ? { ...seen, atMs: seen.atMs + byMs } : seen))
    .sort((a, b) => a.atMs - b.atMs);
}

// Networks of whole production nodes in the simulator, with 2 % loss and one hostile node in five: do honest tunnels come
// up, does anything an attacker does to bodies show behind an honest hop, does anything grow beyond its limit, and how
// many tunnels does he hold at both ends? One world of 200 nodes, 30 rounds; with more seeds more worlds, a thread each.
//
// Of a share, the spread is its 95 % interval.

import { correlation, type MarkedWindow, sum } from '../core/onion/testing/evidence.ts';
import { compromisedShare } from '../core/onion/testing/verdict.ts';
import { startWorker } from '../core/runtime/index.ts';
import type { Recorder } from './harness.ts';
import type { HostileWorld, Outcome } from './hostile-worker.ts';

const NODES = 200;
const HOSTILE = 40;
const ROUNDS = 30;
const SEEDS = [1];
const HOPS = 3;
/** Of the normal distribution, for 95 %. */
const DEVIATIONS = 1.96;

export async function benchHostile(recorder: Recorder): Promise<void> {
  const outcomes = await Promise.all(SEEDS.map(outcomeOf));
  recordTunnels(recorder, outcomes);
  recordTraces(recorder, outcomes);
  recordTables(recorder, outcomes);
}

function outcomeOf(seed: number): Promise<Outcome> {
  const world: HostileWorld = { seed, nodes: NODES, hostile: HOSTILE, rounds: ROUNDS };
  const worker = startWorker(import.meta.url, './hostile-worker', world);
  return new Promise((resolve, reject) => {
    worker.on('error', reject);
    worker.on('message', (message: number | Outcome) => {
      if (typeof message !== 'number') resolve(message);
      else console.error(`Seed ${seed}: ${message} of ${ROUNDS} rounds.`);
    });
  });
}

function recordTunnels(recorder: Recorder, outcomes: readonly Outcome[]): void {
  const record = (name: string, hits: Count, trials: Count, goal?: string): void =>
    recorder.add(name, '%', interval(total(outcomes, hits), total(outcomes, trials)), goal);
  record(
    'rounds with a tunnel, of those with honest paths only',
    ({ liveness }) => liveness.honestServed,
    ({ liveness }) => liveness.honestRounds,
    '≥ 99',
  );
  record(
    'rounds with a tunnel, of all',
    ({ liveness }) => liveness.served,
    ({ liveness }) => liveness.rounds,
  );
  record(
    'builds that succeed, over honest paths',
    ({ liveness }) => liveness.honestBuilt,
    ({ liveness }) => liveness.honestAttempts,
  );
  record(
    'tunnels over honest paths that are thought to fail',
    ({ liveness }) => liveness.honestFailing,
    ({ liveness }) => liveness.honestBuilt,
  );
  const first = percent(HOSTILE / (NODES - 1));
  record(
    'first hops that are hostile',
    (one) => one.hostileFirst,
    (one) => one.begun,
    `${first}`,
  );
  const theory = percent(compromisedShare(NODES, HOSTILE, HOPS));
  record(
    'tunnels that are compromised',
    ({ compromised }) => compromised,
    ({ standing }) => standing,
    `≤ ${theory}`,
  );
}

function recordTraces(recorder: Recorder, outcomes: readonly Outcome[]): void {
  const one = (name: string, unit: string, value: number, goal?: string): void =>
    recorder.add(name, unit, [value], goal);
  one(
    'bodies seen behind an honest hop',
    '',
    total(outcomes, ({ bodies }) => bodies),
  );
  one(
    'of them seen before',
    '',
    total(outcomes, ({ repeated }) => repeated),
    '0',
  );
  const nearest = Math.min(...outcomes.map(({ nearestBits }) => nearestBits));
  one('least distance of two', 'bits', nearest, '> 1760 of 4096');
  for (const vice of ['dropping', 'bursting'] as const) {
    const windows = outcomes.flatMap((outcome) => outcome.windows[vice]);
    const noise = 4 / Math.sqrt(windows.length);
    const found = correlations(windows);
    recorder.add(`correlation with a pattern of ${vice}`, '', found, `± ${noise.toFixed(2)}`);
  }
  const { positions } = outcomes[0] ?? { positions: undefined };
  recorder.add(
    'positions guessed from a log',
    '%',
    outcomes.map((outcome) => 100 * outcome.positions.right),
    `about ${percent(positions?.expected ?? 0)}, the budget's fault`,
  );
}

function recordTables(recorder: Recorder, outcomes: readonly Outcome[]): void {
  const most = (name: string, of: keyof Outcome['tables'], goal: string): void =>
    recorder.add(
      name,
      '',
      outcomes.map(({ tables }) => tables[of]),
      goal,
    );
  most('most circuits relayed by a node', 'relayed', '≤ 32');
  most('most of them for one neighbour', 'relayedPerLink', '≤ 8');
  most('most circuits of its own', 'own', '≤ 5');
  most('most links', 'links', '≤ 256');
  const memory = outcomes.map(({ memoryMb }) => memoryMb);
  recorder.add('memory of all worlds together', 'MiB', [Math.max(...memory)]);
}

type Count = (outcome: Outcome) => number;

function total(outcomes: readonly Outcome[], count: Count): number {
  return sum(outcomes.map(count));
}

/** Of the mark with what is counted in its window and the two after. */
function correlations(windows: readonly MarkedWindow[]): number[] {
  return [0, 1, 2].flatMap((lag) => {
    const marks = windows.map(({ marksBefore }) => marksBefore[lag] ?? 0);
    return (['cells', 'longestGapMs'] as const).map((seen) =>
      correlation(
        marks,
        windows.map((window) => window[seen]),
      ),
    );
  });
}

/** Wilson's, with the share itself in the middle. In per cent. */
function interval(hits: number, trials: number): number[] {
  const share = hits / trials;
  const z2 = DEVIATIONS ** 2 / trials;
  const middle = share + z2 / 2;
  const half = Math.sqrt(z2 * (share * (1 - share) + z2 / 4));
  return [middle - half, share * (1 + z2), middle + half].map((one) => (100 * one) / (1 + z2));
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

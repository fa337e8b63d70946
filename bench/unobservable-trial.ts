// How well attackers tell calls from idleness on traces they have not learnt from: AUC, the chance that of a call and an
// idle trace the call looks more like one (0.5: cannot tell, 1: always). A trace is one unit, however many packets are
// in it: packets of one trace depend on each other, and counting them would find "differences" between any two traces.

import { pick, type Rng } from '../core/runtime/index.ts';
import { ATTACKERS, type Attacker, type Example, examples } from './unobservable-attackers.ts';
import type { Trace } from './unobservable-features.ts';

const FOLDS = 6;
const RESAMPLES = 2000;

interface Verdict {
  /** Traces that depend on each other: of one group at one time. */
  readonly unit: string;
  readonly isBusy: boolean;
  /** Its rank among the traces that were judged by the same learning, 0 … 1. */
  readonly score: number;
}

export interface Score {
  readonly auc: number;
  /** 95 %, one-sided each, by resampling units of traces. */
  readonly lower: number;
  readonly upper: number;
}

export interface Trial {
  readonly byAttacker: ReadonlyMap<string, Score>;
  /** The attacker that did best on what it had learnt from, chosen anew in each fold: no luck of the best of many. */
  readonly chosen: Score;
}

/** Every trace is judged once, by attackers that have learnt from other groups only. */
export function trial(traces: readonly Trace[], rng: Rng): Trial {
  const seen = new Map(
    ATTACKERS.map((attacker) => [attacker, unitsOf(traces, examples(traces, attacker.views))]),
  );
  const folds = foldsOf(traces);
  const verdicts = new Map<Attacker, Verdict[]>(ATTACKERS.map((attacker) => [attacker, []]));
  const chosen: Verdict[] = [];
  for (const fold of new Set(folds)) {
    const others = folds.map((one) => (one === fold ? undefined : one));
    let best = { auc: -1, verdicts: [] as readonly Verdict[] };
    for (const attacker of ATTACKERS) {
      const own = seen.get(attacker) ?? [];
      const held = judge(
        attacker,
        own,
        { isTest: (i) => folds[i] === fold, isLearnt: (i) => folds[i] !== fold },
        rng,
      );
      verdicts.get(attacker)?.push(...held);
      const inner = innerAuc(attacker, own, others, rng);
      if (inner > best.auc) best = { auc: inner, verdicts: held };
    }
    chosen.push(...best.verdicts);
  }
  const byAttacker = new Map(
    [...verdicts].map(([{ name }, judged]) => [name, scoreOf(judged, rng)]),
  );
  return { byAttacker, chosen: scoreOf(chosen, rng) };
}

/** What an attacker can know of itself before it is tried: its AUC over folds of what it learns from. */
function innerAuc(
  attacker: Attacker,
  own: readonly Judged[],
  folds: readonly (number | undefined)[],
  rng: Rng,
): number {
  const judged = [...new Set(folds)].flatMap((fold) =>
    fold === undefined
      ? []
      : judge(
          attacker,
          own,
          {
            isTest: (i) => folds[i] === fold,
            isLearnt: (i) => folds[i] !== undefined && folds[i] !== fold,
          },
          rng,
        ),
  );
  return aucOf(judged);
}

interface Judged extends Example {
  readonly unit: string;
}

function unitsOf(traces: readonly Trace[], own: readonly Example[]): Judged[] {
  return own.map((example, i) => ({
    ...example,
    unit: `${traces[i]?.group} ${traces[i]?.window}`,
  }));
}

interface Parts {
  isTest(index: number): boolean;
  isLearnt(index: number): boolean;
}

function judge(
  attacker: Attacker,
  own: readonly Judged[],
  { isTest, isLearnt }: Parts,
  rng: Rng,
): Verdict[] {
  const say = attacker.learn(
    own.filter((_, i) => isLearnt(i)),
    rng,
  );
  const said = own
    .filter((_, i) => isTest(i))
    .map(({ values, isBusy, unit }) => ({ unit, isBusy, score: say(values) }));
  const sorted = said.map(({ score }) => score).sort((a, b) => a - b);
  return said.map((one) => ({ ...one, score: rankIn(sorted, one.score) }));
}

/** Equal ones share a rank. */
function rankIn(sorted: readonly number[], score: number): number {
  const below = sorted.filter((one) => one < score).length;
  const equal = sorted.filter((one) => one === score).length;
  return (below + equal / 2) / sorted.length;
}

/** Groups stay together. */
function foldsOf(traces: readonly Trace[]): number[] {
  const groups = [...new Set(traces.map(({ group }) => group))];
  return traces.map(({ group }) => groups.indexOf(group) % FOLDS);
}

function aucOf(verdicts: readonly Verdict[]): number {
  const scoresOf = (busy: boolean): number[] =>
    verdicts.filter(({ isBusy }) => isBusy === busy).map(({ score }) => score);
  const [busy, idle] = [scoresOf(true), scoresOf(false)];
  let wins = 0;
  for (const call of busy) {
    for (const other of idle) wins += call > other ? 1 : call === other ? 0.5 : 0;
  }
  return wins / (busy.length * idle.length);
}

function scoreOf(verdicts: readonly Verdict[], rng: Rng): Score {
  const units = [...Map.groupBy(verdicts, ({ unit }) => unit).values()];
  const drawn = Array.from({ length: RESAMPLES }, () =>
    aucOf(units.flatMap(() => pick(rng, units) ?? [])),
  ).sort((a, b) => a - b);
  const at = (share: number): number => drawn[Math.floor(share * RESAMPLES)] ?? Number.NaN;
  return { auc: aucOf(verdicts), lower: at(0.05), upper: at(0.95) };
}

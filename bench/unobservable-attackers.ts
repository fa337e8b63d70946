// Attackers: each learns from traces it has the truth about, and then says of others how likely they are of a call. All
// know each node's line and the hour: from what they measure of a trace they subtract what is usual for the node, and what
// all lines show at that time, which here is the one machine they share. That is stronger than to look at strangers.

import { type Rng, randomBelow, randomUnit } from '../core/runtime/index.ts';
import { type Trace, VIEWS, type View } from './unobservable-features.ts';

/** A trace as one attacker sees it. */
export interface Example {
  readonly values: readonly number[];
  readonly isBusy: boolean;
}

export interface Attacker {
  readonly name: string;
  readonly views: readonly View[];
  /** The greater the answer, the more like a call. */
  learn(examples: readonly Example[], rng: Rng): (values: readonly number[]) => number;
}

const EVERYTHING: readonly View[] = ['summary', 'gaps', 'autocorrelation', 'lateness'];

export const ATTACKERS: readonly Attacker[] = [
  { name: 'regression on summaries', views: ['summary'], learn: regression },
  { name: 'neighbours by gaps', views: ['gaps'], learn: neighbours },
  { name: 'regression on autocorrelation', views: ['autocorrelation'], learn: regression },
  { name: 'regression on lateness', views: ['lateness'], learn: regression },
  { name: 'forest on everything', views: EVERYTHING, learn: forest },
];

/** What an attacker sees of each trace, in their order. */
export function examples(traces: readonly Trace[], views: readonly View[]): Example[] {
  const seen = traces.map((trace) => views.flatMap((view) => viewed(trace, view)));
  const ofNode = withoutUsual(
    seen,
    traces.map(({ node }) => node),
  );
  const values = withoutUsual(
    ofNode,
    traces.map(({ window }) => window),
  );
  return traces.map(({ isBusy }, i) => ({ values: values[i] ?? [], isBusy }));
}

/** Of rows with the same key the mean is subtracted. */
function withoutUsual(rows: readonly (readonly number[])[], keys: readonly number[]): number[][] {
  const usual = new Map<number, readonly number[]>();
  for (const key of new Set(keys))
    usual.set(key, columnMeans(rows.filter((_, i) => keys[i] === key)));
  return rows.map((row, i) => {
    const means = usual.get(keys[i] ?? 0);
    return row.map((value, k) => value - (means?.[k] ?? 0));
  });
}

const views = new WeakMap<Trace, Map<View, readonly number[]>>();

/** Computed once. */
function viewed(trace: Trace, view: View): readonly number[] {
  const known = views.get(trace) ?? new Map<View, readonly number[]>();
  views.set(trace, known);
  const values = known.get(view) ?? VIEWS[view](trace);
  known.set(view, values);
  return values;
}

type Scale = (values: readonly number[]) => number[];

/** To deviation 1 in what is learnt from; what never changes there stays out. */
function scaleOf(learnt: readonly Example[]): Scale {
  const all = learnt.map(({ values }) => values);
  const means = columnMeans(all);
  const squares = columnMeans(
    all.map((row) => row.map((value, k) => (value - (means[k] ?? 0)) ** 2)),
  );
  const factors = squares.map((square) => (square > 1e-18 ? 1 / Math.sqrt(square) : 0));
  return (values) => values.map((value, k) => (value - (means[k] ?? 0)) * (factors[k] ?? 0));
}

const STEPS = 300;
const RATE = 0.3;
/** Penalty on large weights, per example. */
const RIDGE = 0.05;

/** Logistic, by gradient descent. */
function regression(learnt: readonly Example[]): (values: readonly number[]) => number {
  const scale = scaleOf(learnt);
  const rows = learnt.map(({ values, isBusy }) => ({
    values: scale(values),
    truth: isBusy ? 1 : 0,
  }));
  const weights = Array.from({ length: rows[0]?.values.length ?? 0 }, () => 0);
  const rate = RATE / Math.max(1, Math.sqrt(weights.length / 10));
  for (let step = 0; step < STEPS; step++) {
    const slope = weights.map((weight) => RIDGE * weight);
    for (const { values, truth } of rows) {
      const error = (1 / (1 + Math.exp(-dot(weights, values))) - truth) / rows.length;
      for (let k = 0; k < slope.length; k++) slope[k] = (slope[k] ?? 0) + error * (values[k] ?? 0);
    }
    for (let k = 0; k < weights.length; k++)
      weights[k] = (weights[k] ?? 0) - rate * (slope[k] ?? 0);
  }
  return (values) => dot(weights, scale(values));
}

const NEIGHBOURS = 15;

function neighbours(learnt: readonly Example[]): (values: readonly number[]) => number {
  return (values) => {
    const near = learnt
      .map((example) => ({ distance: distance(example.values, values), isBusy: example.isBusy }))
      .sort((a, b) => a.distance - b.distance)
      .slice(0, NEIGHBOURS);
    // The nearer the weightier, which also breaks ties.
    return near.reduce((sum, one) => sum + (one.isBusy ? 1 : -1) / (1e-9 + one.distance), 0);
  };
}

const TREES = 200;
const TREE_DEPTH = 5;
const LEAF_MIN = 4;

interface Split {
  readonly column: number;
  readonly threshold: number;
  readonly below: Tree;
  readonly above: Tree;
}

type Tree = number | Split;

/** Extremely randomised trees: of some random cuts of some random columns the best. */
function forest(learnt: readonly Example[], rng: Rng): (values: readonly number[]) => number {
  const trees = Array.from({ length: TREES }, () => {
    const drawn = learnt.map(() => learnt[randomBelow(rng, learnt.length)] ?? learnt[0]);
    return grow(
      drawn.filter((one) => one !== undefined),
      TREE_DEPTH,
      rng,
    );
  });
  return (values) => trees.reduce((sum: number, tree) => sum + vote(tree, values), 0) / TREES;
}

function grow(here: readonly Example[], depth: number, rng: Rng): Tree {
  const share = here.filter(({ isBusy }) => isBusy).length / here.length;
  if (depth === 0 || here.length < 2 * LEAF_MIN || share === 0 || share === 1) return share;
  const cut = bestCut(here, rng);
  if (cut === undefined) return share;
  const isBelow = ({ values }: Example): boolean => (values[cut.column] ?? 0) < cut.threshold;
  return {
    ...cut,
    below: grow(here.filter(isBelow), depth - 1, rng),
    above: grow(
      here.filter((example) => !isBelow(example)),
      depth - 1,
      rng,
    ),
  };
}

function bestCut(
  here: readonly Example[],
  rng: Rng,
): { readonly column: number; readonly threshold: number } | undefined {
  const columns = here[0]?.values.length ?? 0;
  let best: { column: number; threshold: number; gain: number } | undefined;
  for (let tried = 0; tried < Math.ceil(Math.sqrt(columns)); tried++) {
    const column = randomBelow(rng, columns);
    const values = here.map((example) => example.values[column] ?? 0);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const threshold = low + (high - low) * randomUnit(rng);
    const gain = gainOf(here, column, threshold);
    if (gain > (best?.gain ?? 0)) best = { column, threshold, gain };
  }
  return best;
}

/** By how much the two sides differ in their share of calls; 0 if one is too small. */
function gainOf(here: readonly Example[], column: number, threshold: number): number {
  let [below, belowBusy, busy] = [0, 0, 0];
  for (const { values, isBusy } of here) {
    if (isBusy) busy++;
    if ((values[column] ?? 0) >= threshold) continue;
    below++;
    if (isBusy) belowBusy++;
  }
  const above = here.length - below;
  if (below < LEAF_MIN || above < LEAF_MIN) return 0;
  const difference = belowBusy / below - (busy - belowBusy) / above;
  return (difference * difference * below * above) / here.length;
}

function vote(tree: Tree, values: readonly number[]): number {
  let at = tree;
  while (typeof at !== 'number') at = (values[at.column] ?? 0) < at.threshold ? at.below : at.above;
  return at;
}

function columnMeans(rows: readonly (readonly number[])[]): number[] {
  const sums = Array.from({ length: rows[0]?.length ?? 0 }, () => 0);
  for (const row of rows)
    row.forEach((value, k) => {
      sums[k] = (sums[k] ?? 0) + value;
    });
  return sums.map((sum) => sum / rows.length);
}

function dot(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += (a[k] ?? 0) * (b[k] ?? 0);
  return sum;
}

function distance(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += ((a[k] ?? 0) - (b[k] ?? 0)) ** 2;
  return Math.sqrt(sum);
}

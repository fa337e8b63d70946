// Measures: warm-up, several runs in turn, median and spread. Things that are compared run interleaved (A B A B …) in
// one process, so that a machine that slows down slows both. Machines are shared and noisy: quote medians and ratios.

import { cpus } from 'node:os';
import { performance } from 'node:perf_hooks';

const RUNS = 9;
const WARM_UP_RUNS = 2;
/** Long enough that the clock's resolution and a single garbage collection do not count. */
const RUN_MS = 60;

export interface Figure {
  readonly bench: string;
  readonly name: string;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
  /** What we want, from the performance goals; absent when the figure is for information. */
  readonly goal?: string;
}

export class Recorder {
  readonly figures: Figure[] = [];
  readonly #bench: string;

  constructor(bench: string) {
    this.#bench = bench;
  }

  /** Records samples that were measured in whatever way suits. */
  add(name: string, unit: string, samples: readonly number[], goal?: string): void {
    const sorted = samples.toSorted((a, b) => a - b);
    const figure = {
      bench: this.#bench,
      name,
      unit,
      median: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN,
      min: sorted[0] ?? Number.NaN,
      max: sorted.at(-1) ?? Number.NaN,
      runs: sorted.length,
    };
    this.figures.push(goal === undefined ? figure : { ...figure, goal });
  }

  /** Microseconds per call of each case, all cases in turn. */
  timeEach(cases: Readonly<Record<string, () => unknown>>): void {
    const timed = Object.entries(cases).map(([name, call]) => ({
      name,
      call,
      times: timesFor(call),
      samples: [] as number[],
    }));
    for (let i = 0; i < WARM_UP_RUNS; i++)
      for (const { call, times } of timed) perCallUs(call, times);
    for (let i = 0; i < RUNS; i++) {
      for (const one of timed) one.samples.push(perCallUs(one.call, one.times));
    }
    for (const { name, samples } of timed) this.add(name, 'µs', samples);
  }
}

/** How many calls fill one run. */
function timesFor(call: () => unknown): number {
  for (let times = 1; ; times *= 2) {
    const tookMs = (perCallUs(call, times) * times) / 1000;
    if (tookMs > RUN_MS / 4) return Math.ceil((times * RUN_MS) / tookMs);
  }
}

function perCallUs(call: () => unknown, times: number): number {
  const start = performance.now();
  for (let i = 0; i < times; i++) call();
  return ((performance.now() - start) * 1000) / times;
}

export function machineLine(): string {
  const [first] = cpus();
  const model = first?.model.trim() ?? 'unknown processor';
  return `${cpus().length} × ${model}, ${process.platform} ${process.arch}, Node ${process.versions.node}`;
}

export function table(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    `${figure.bench}: ${figure.name}`,
    `${short(figure.median)} ${figure.unit}`,
    `${short(figure.min)} – ${short(figure.max)}`,
    figure.goal ?? '',
  ]);
  const all = [['figure', 'median', 'spread', 'goal'], ...rows];
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(...all.map((row) => (row[column] ?? '').length)),
  );
  return all
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function short(value: number): string {
  if (value === 0) return '0';
  return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}

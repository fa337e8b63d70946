// Gossip among many nodes: production machines in virtual time, without handshakes and sockets (core/gossip/testing/net.ts).
// A round is a heartbeat of 1 s, in which an item travels over several hops; where every message takes a whole round, the
// line says so. Lost are messages about items, one in ten; silent nodes take everything and pass on nothing.

import { churnFigure } from '../core/gossip/testing/churn.ts';
import { eclipseFigure } from '../core/gossip/testing/eclipse.ts';
import { type SpreadFigureOptions, spreadFigure } from '../core/gossip/testing/figure.ts';
import type { Recorder } from './harness.ts';

const SEEDS = [1, 2, 3];
const GOAL = { loss: 0.1, silent: 0.2, nodes: 1000, items: 3 };

export function benchGossip(recorder: Recorder): void {
  spread(recorder, '1,000 nodes, 10 % loss, 20 % silent', SEEDS, GOAL, '≤ 10');
  spread(recorder, 'the same, clocks ± 15 s', SEEDS, { ...GOAL, skewMs: 15_000 }, '≤ 10');
  const latencyMs = { min: 1000, max: 1000 };
  spread(recorder, 'the same, each message takes a round', SEEDS, { ...GOAL, latencyMs });
  spread(recorder, '10,000 nodes', [1], { ...GOAL, nodes: 10_000, items: 1 }, '≤ 10');
  churn(recorder);
  soak(recorder);
  eclipse(recorder);
}

function spread(
  recorder: Recorder,
  name: string,
  seeds: readonly number[],
  options: Omit<SpreadFigureOptions, 'seed'>,
  goal?: string,
): void {
  const figures = seeds.map((seed) => spreadFigure({ seed, ...options }));
  const rounds = figures.map((figure) => figure.rounds ?? Number.POSITIVE_INFINITY);
  recorder.add(`${name}: 99.9 % have it after`, 'rounds', rounds, goal);
  const copies = figures.map(({ pushesPerItem }) => pushesPerItem);
  recorder.add(`${name}: copies that a node gets`, 'copies', copies);
}

function churn(recorder: Recorder): void {
  const figures = SEEDS.map((seed) =>
    churnFigure({ seed, nodes: 300, perMinute: 0.1, minutes: 5, itemsMs: 15_000 }),
  );
  const shares = figures.map(({ reached }) => 100 * reached);
  recorder.add('10 % of 300 nodes come and go each minute: reached in 10 s', '%', shares, '≥ 99.9');
}

/** A day. Heaps are compared between the third hour and the last. */
function soak(recorder: Recorder): void {
  const heaps: number[] = [];
  const { peaks, reached } = churnFigure(
    { seed: 1, nodes: 12, perMinute: 0.1, minutes: 24 * 60, itemsMs: 30_000 },
    () => heaps.push(process.memoryUsage().heapUsed),
  );
  const least = (from: number, to: number): number => Math.min(...heaps.slice(from * 60, to * 60));
  recorder.add('24 h with churn: reached in 10 s', '%', [100 * reached], '≥ 99.9');
  recorder.add(
    '24 h: heap of the last hour to the third',
    '×',
    [least(23, 24) / least(2, 3)],
    '≤ 1.1',
  );
  recorder.add('24 h: most items of a node', 'items', [peaks.items], '≤ 1,000');
  recorder.add('24 h: most nodes that a node knew', 'nodes', [peaks.knownNodes], '≤ 10,240');
}

function eclipse(recorder: Recorder): void {
  const figures = SEEDS.map((seed) =>
    eclipseFigure({ seed, nodes: 200, hostile: 0.2, livingMs: 900_000 }),
  );
  const after = figures.map((figure) => 100 * figure.after);
  recorder.add('20 % of 200 poison PEERS: of the called, after a restart', '%', after);
  const eclipsed = figures.map((figure) => figure.eclipsed);
  recorder.add('the same: nodes that called attackers only', 'nodes', eclipsed, '0');
}

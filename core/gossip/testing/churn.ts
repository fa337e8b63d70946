// A network whose nodes come and go: what still reaches those who are there, and what a node keeps over a long time. For the
// benchmark and, smaller, for the tests.

import { Writer } from '../../bytes/index.ts';
import { pick, randomBetween, randomUnit } from '../../runtime/index.ts';
import { informed } from './figure.ts';
import { FREE_TYPE } from './fixtures.ts';
import { Net, type NetNode } from './net.ts';

export interface ChurnOptions {
  readonly seed: number;
  readonly nodes: number;
  /** Of the nodes, share that goes in a minute; half of them come back with what they knew, the others as new ones. */
  readonly perMinute: number;
  readonly minutes: number;
  /** Between items. */
  readonly itemsMs: number;
}

export interface ChurnFigure {
  /** Share of the nodes that were there from an item's announcement until 10 s later and got it. */
  readonly reached: number;
  /** Of the worst item. */
  readonly worst: number;
  /** Nodes that had been there for a minute and had no neighbour, at the worst moment. */
  readonly lonely: number;
  /** Most of each that any node had. */
  readonly peaks: Peaks;
}

export interface Peaks {
  readonly items: number;
  readonly itemBytes: number;
  readonly knownNodes: number;
  readonly neighbours: number;
  readonly waiting: number;
}

const WAIT_MS = 10_000;
const SETTLING_MS = 30_000;
const AWAY_MS = { min: 10_000, max: 60_000 };
const OLD_MS = 60_000;

export function churnFigure(
  options: ChurnOptions,
  onMinute: (minute: number) => void = () => {},
): ChurnFigure {
  const world = new Churn(options);
  const shares: number[] = [];
  let [peaks, lonely] = [peaksOf(world.net), 0];
  for (let minute = 0; minute < options.minutes; minute++) {
    for (let ms = 0; ms < 60_000; ms += options.itemsMs) {
      shares.push(world.spread());
      world.net.time.advance(Math.max(0, options.itemsMs - WAIT_MS));
    }
    peaks = merged(peaks, peaksOf(world.net));
    lonely = Math.max(lonely, world.lonely());
    onMinute(minute);
  }
  const reached = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  return { reached, worst: Math.min(...shares), lonely, peaks };
}

class Churn {
  readonly net: Net;
  readonly #options: ChurnOptions;
  readonly #sinceMs = new Map<NetNode, number>();
  #items = 0;

  constructor(options: ChurnOptions) {
    const { seed, nodes } = options;
    this.#options = options;
    this.net = new Net({ seed, latencyMs: { min: 20, max: 120 } });
    for (let number = 0; number < nodes; number++) {
      const node = this.net.add(number, { options: informed(this.net, nodes) });
      node.notify(FREE_TYPE);
      this.#sinceMs.set(node, 0);
      this.#goLater(node);
    }
    this.net.time.advance(SETTLING_MS);
  }

  /** Share of those that could have it and have it. */
  spread(): number {
    const { net } = this;
    const fromMs = net.time.nowMs();
    const before = new Map(this.#up().map((node) => [node, node.received.length]));
    const origin = pick(net.rng, this.#up());
    origin?.announce(FREE_TYPE, new Writer(4).u32(this.#items++).end());
    net.time.advance(WAIT_MS);
    const stayed = this.#up().filter(
      (node) => node !== origin && (this.#sinceMs.get(node) ?? fromMs) < fromMs,
    );
    const have = stayed.filter(({ received }) =>
      received.some(
        ({ data }) => new DataView(data.buffer, data.byteOffset).getUint32(0) === this.#items - 1,
      ),
    );
    for (const node of before.keys()) node.received.splice(0);
    return stayed.length === 0 ? 1 : have.length / stayed.length;
  }

  lonely(): number {
    const oldMs = this.net.time.nowMs() - OLD_MS;
    return this.#up().filter(
      (node) => (this.#sinceMs.get(node) ?? oldMs) < oldMs && node.neighbours().length === 0,
    ).length;
  }

  #up(): readonly NetNode[] {
    return this.net.nodes.filter(({ isUp }) => isUp);
  }

  /** Times between departures of one node are exponential. */
  #goLater(node: NetNode): void {
    const { net } = this;
    const meanMs = 60_000 / this.#options.perMinute;
    net.time.after(-Math.log(1 - randomUnit(net.rng)) * meanMs, () => {
      node.stop();
      net.time.after(randomBetween(net.rng, AWAY_MS.min, AWAY_MS.max), () => this.#comeBack(node));
    });
  }

  #comeBack(node: NetNode): void {
    const isNew = randomUnit(this.net.rng) < 0.5;
    node.restart(isNew ? informed(this.net, this.#options.nodes) : {});
    node.notify(FREE_TYPE);
    this.#sinceMs.set(node, this.net.time.nowMs());
    this.#goLater(node);
  }
}

function peaksOf({ nodes, time }: Net): Peaks {
  const all = nodes.map(({ gossip }) => gossip.status(time.nowMs()));
  const most = (of: (status: (typeof all)[number]) => number): number =>
    all.reduce((max, status) => Math.max(max, of(status)), 0);
  return {
    items: most(({ items }) => items),
    itemBytes: most(({ itemBytes }) => itemBytes),
    knownNodes: most(({ knownNodes }) => knownNodes),
    neighbours: most(({ neighbours }) => neighbours.length),
    waiting: most(({ waiting }) => waiting),
  };
}

function merged(a: Peaks, b: Peaks): Peaks {
  return {
    items: Math.max(a.items, b.items),
    itemBytes: Math.max(a.itemBytes, b.itemBytes),
    knownNodes: Math.max(a.knownNodes, b.knownNodes),
    neighbours: Math.max(a.neighbours, b.neighbours),
    waiting: Math.max(a.waiting, b.waiting),
  };
}

// How far and how fast items spread among many nodes of which some only listen and the network loses messages: the figure
// of performance goals ("1,000 nodes, 10 % loss, 20 % silent"), for the benchmark and, smaller, for the tests.

import { Writer } from '../../bytes/index.ts';
import { pick, randomBelow, randomBetween, randomBytes } from '../../runtime/index.ts';
import type { GossipOptions } from '../gossip.ts';
import type { GossipMessage } from '../wire.ts';
import { FREE_TYPE, testPeer } from './fixtures.ts';
import { type Behaviour, Net, type NetNode, type NetOptions } from './net.ts';

export interface SpreadFigureOptions {
  readonly seed: number;
  readonly nodes: number;
  /** Share of messages about items that are lost. */
  readonly loss: number;
  /** Share of nodes that take everything and pass on nothing. */
  readonly silent: number;
  readonly items: number;
  /** Of each message; 20 to 120 ms if left out. */
  readonly latencyMs?: NetOptions['latencyMs'];
  /** Clocks are off by up to this. */
  readonly skewMs?: number;
}

export interface SpreadFigure {
  /** Share of honest nodes that have an item after so many rounds of 1 s, over all items; from round 0. */
  readonly reached: readonly number[];
  /** Rounds until 99.9 % of the honest nodes had it, for the slowest item; undefined if never. */
  readonly rounds: number | undefined;
  /** How often a node was sent each item. */
  readonly pushesPerItem: number;
}

const USUAL_LATENCY_MS = { min: 20, max: 120 };
const ROUNDS = 20;
const ROUND_MS = 1000;
const SETTLING_MS = 20_000;
const GOAL = 0.999;
/** Nodes each knows at the beginning. */
const KNOWN = 40;
const SAID_BY_SILENT: readonly GossipMessage['type'][] = ['hello', 'ping', 'pong', 'peers', 'bye'];

const SILENT: Behaviour = {
  says: (message) => (SAID_BY_SILENT.includes(message.type) ? [message] : []),
};

export function spreadFigure(options: SpreadFigureOptions): SpreadFigure {
  const { seed, nodes, loss, silent, items, latencyMs = USUAL_LATENCY_MS, skewMs = 0 } = options;
  const net = new Net({ seed, loss, latencyMs });
  const isSilent = (number: number): boolean => number < nodes * silent;
  for (let number = 0; number < nodes; number++) {
    const aheadMs = randomBetween(net.rng, -skewMs, skewMs);
    const behaviour = isSilent(number) ? SILENT : {};
    net.add(number, { ...behaviour, aheadMs, options: informed(net, nodes) });
  }
  for (const node of net.nodes) node.notify(FREE_TYPE);
  net.time.advance(SETTLING_MS);
  const honest = net.nodes.filter(({ number }) => !isSilent(number));
  const before = pushes(honest);
  const reached = Array.from({ length: items }, (_, item) => spreadOne(net, honest, item));
  return {
    reached: Array.from({ length: ROUNDS + 1 }, (_, round) =>
      mean(reached.map((of) => of[round] ?? 0)),
    ),
    rounds: slowest(reached),
    pushesPerItem: (pushes(honest) - before) / honest.length / items,
  };
}

/** The share of nodes that have it after each round. */
function spreadOne(net: Net, honest: readonly NetNode[], item: number): readonly number[] {
  const counts = honest.map(({ received }) => received.length);
  const origin = pick(net.rng, honest);
  origin?.announce(FREE_TYPE, new Writer(4).u32(item).end());
  return Array.from({ length: ROUNDS + 1 }, (_, round) => {
    if (round > 0) net.time.advance(ROUND_MS);
    const have = honest.filter(
      (node, i) => node === origin || node.received.length > (counts[i] ?? 0),
    );
    return have.length / honest.length;
  });
}

function slowest(reached: readonly (readonly number[])[]): number | undefined {
  const rounds = reached.map((of) => of.findIndex((share) => share >= GOAL));
  return rounds.includes(-1) ? undefined : Math.max(...rounds);
}

/** The address book of a node that knows some of the others, picked at random. */
export function informed(net: Net, nodes: number, count = KNOWN): Partial<GossipOptions> {
  const known = Array.from({ length: count }, () => testPeer(randomBelow(net.rng, nodes)));
  const saved = {
    secret: randomBytes(net.rng, 32),
    anchors: [],
    bans: [],
    nodes: known.map((descriptor) => ({ descriptor, source: '', isTried: true })),
  };
  return { saved };
}

function pushes(nodes: readonly NetNode[]): number {
  return nodes.reduce((sum, { heard }) => sum + (heard.get('push') ?? 0), 0);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

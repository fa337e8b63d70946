// Attackers that want to be all neighbours of others (protocol 12, attack 19): they tell of nobody but each other and of
// nodes that do not exist, and wait for everybody to restart.

import { randomBelow } from '../../runtime/index.ts';
import { informed } from './figure.ts';
import { testPeer } from './fixtures.ts';
import { Net, type NetNode } from './net.ts';

export interface EclipseOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly hostile: number;
  /** Before everybody restarts: PEERS and feelers have their time. */
  readonly livingMs: number;
}

export interface EclipseFigure {
  /** Share of attackers among the neighbours that honest nodes have called, before and after they all restarted. */
  readonly before: number;
  readonly after: number;
  /** Honest nodes that have called attackers only, at any of the two moments. */
  readonly eclipsed: number;
}

const KNOWN_AT_FIRST = 20;
const PEERS = 32;
/** Numbers of nodes that nobody runs. */
const GHOSTS = { from: 20_000, count: 4000 };
const SETTLING_MS = 120_000;

export function eclipseFigure({ seed, nodes, hostile, livingMs }: EclipseOptions): EclipseFigure {
  const net = new Net({ seed, latencyMs: { min: 20, max: 120 } });
  const isHostile = (number: number): boolean => number < nodes * hostile;
  const accomplice = (): Uint8Array => {
    const isGhost = randomBelow(net.rng, 2) === 0;
    const number = isGhost
      ? GHOSTS.from + randomBelow(net.rng, GHOSTS.count)
      : randomBelow(net.rng, Math.ceil(nodes * hostile));
    return testPeer(number).encoded;
  };
  for (let number = 0; number < nodes; number++) {
    net.add(number, {
      options: informed(net, nodes, KNOWN_AT_FIRST),
      ...(isHostile(number) && {
        says: (message) =>
          message.type === 'peers'
            ? [{ type: 'peers', descriptors: Array.from({ length: PEERS }, accomplice) }]
            : [message],
      }),
    });
  }
  const honest = net.nodes.filter(({ number }) => !isHostile(number));
  net.time.advance(livingMs);
  const before = honest.map((node) => shareOf(node, isHostile));
  for (const node of honest) {
    node.stop();
    node.restart({ bootstrappers: [] });
    net.time.advance(1000);
  }
  net.time.advance(SETTLING_MS);
  const after = honest.map((node) => shareOf(node, isHostile));
  const eclipsed = honest.filter((_, i) => before[i] === 1 || after[i] === 1).length;
  return { before: mean(before), after: mean(after), eclipsed };
}

/** Of attackers among those it has called; a node without any counts as eclipsed. */
function shareOf(node: NetNode, isHostile: (number: number) => boolean): number {
  const called = node.neighbours().filter(({ isOutbound }) => isOutbound);
  if (called.length === 0) return 1;
  return called.filter(({ number }) => isHostile(number)).length / called.length;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

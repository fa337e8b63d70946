// The worker thread of hostile.ts: one simulated network with hostile nodes. It tells after each round how many are
// over, and then what came of them.

import { parentPort, workerData } from 'node:worker_threads';
import { toHex } from '../core/bytes/index.ts';
import { burstingInPattern, droppingInPattern } from '../core/onion/testing/accomplices.ts';
import { VICES } from '../core/onion/testing/behaviours.ts';
import { Evidence, type MarkedWindow, nearest, windowsOf } from '../core/onion/testing/evidence.ts';
import { SimNetwork } from '../core/onion/testing/sim-network.ts';
import {
  fullestTables,
  honestRounds,
  isBuilt,
  isCompromised,
  type Liveness,
  livenessOf,
  positionsGuessed,
  type Tables,
} from '../core/onion/testing/verdict.ts';
import { type PathProfile, World } from '../core/sim/index.ts';

export interface HostileWorld {
  readonly seed: number;
  readonly nodes: number;
  readonly hostile: number;
  readonly rounds: number;
}

export interface Outcome {
  readonly liveness: Liveness;
  readonly tables: Tables;
  /** Tunnels first begun for a round, and those of them whose first hop is hostile. */
  readonly begun: number;
  readonly hostileFirst: number;
  /** Tunnels that came to stand, and those of them that are compromised. */
  readonly standing: number;
  readonly compromised: number;
  /** Bodies behind an honest hop, with an attacker on its other side. */
  readonly bodies: number;
  readonly repeated: number;
  readonly nearestBits: number;
  readonly windows: Readonly<Record<'dropping' | 'bursting', readonly MarkedWindow[]>>;
  readonly positions: ReturnType<typeof positionsGuessed>;
  readonly memoryMb: number;
}

/** The production tick; and rounds that leave time for three tries of a handshake and another build. */
const SLOTS = { tickMs: 20, roundSeconds: 6 };
const PROFILE: PathProfile = { latency: { type: 'uniform', minMs: 12, maxMs: 18 }, loss: 0.02 };
/** Bodies this far apart in a sequence are compared: longer than an attacker holds one back. */
const REACH = 30;
const MAKES = [...Object.values(VICES), droppingInPattern, burstingInPattern];

const { seed, nodes, hostile, rounds }: HostileWorld = workerData;
const evidence = new Evidence();
const network = await SimNetwork.start(new World({ seed, profile: PROFILE }), {
  ...SLOTS,
  nodes,
  behaviourOf: (node) => {
    const make = node < hostile ? makeOf(node) : undefined;
    return make === undefined ? undefined : evidence.kept(make);
  },
});
for (let round = 1; round <= rounds; round++) {
  await network.runRounds(1);
  parentPort?.postMessage(round);
}
parentPort?.postMessage(outcome());

function makeOf(node: number) {
  return MAKES[node % MAKES.length];
}

function outcome(): Outcome {
  const tunnels = honestRounds(network).flatMap((one) => one.tunnels.slice(0, 1));
  const standing = honestRounds(network).flatMap((one) => one.tunnels.filter(isBuilt));
  const { arrivals } = evidence;
  const different = arrivals.map(({ bodies }) => new Set(bodies.map(({ body }) => toHex(body))));
  const bodies = arrivals.reduce((sum, one) => sum + one.bodies.length, 0);
  return {
    liveness: livenessOf(network),
    tables: fullestTables(network),
    begun: tunnels.length,
    hostileFirst: tunnels.filter(({ asked: [first] }) => network.isHostile(first)).length,
    standing: standing.length,
    compromised: standing.filter((tunnel) => isCompromised(network, tunnel)).length,
    bodies,
    repeated: bodies - different.reduce((sum, { size }) => sum + size, 0),
    nearestBits: Math.min(...arrivals.map((one) => nearest(one.bodies, REACH))),
    windows: {
      dropping: windowsMarkedBy(droppingInPattern),
      bursting: windowsMarkedBy(burstingInPattern),
    },
    positions: positionsGuessed(network),
    memoryMb: process.memoryUsage().rss / 2 ** 20,
  };
}

function windowsMarkedBy(make: typeof droppingInPattern): readonly MarkedWindow[] {
  const marked = evidence.arrivals.filter(({ marker }) => makeOf(marker) === make);
  return marked.flatMap((one) => windowsOf(one, SLOTS.tickMs));
}

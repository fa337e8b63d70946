// Whole networks of production nodes with hostile ones among them (protocol 12; testing/hostile-plane.ts). Small ones, for
// every day; `npm run bench -- hostile` runs 200 nodes for 30 rounds.

import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import { LINK_LIMITS } from '../link/index.ts';
import { SeededRng, shuffled } from '../runtime/index.ts';
import { type PathProfile, type SimulateOptions, simulate, type World } from '../sim/index.ts';
import { MAX_RELAY_CIRCUITS, PER_GROUP_MAX } from './admission.ts';
import { Guards } from './guards.ts';
import { BUDGET_MAX } from './hop.ts';
import { PathChoice } from './path-choice.ts';
import { burstingInPattern, droppingInPattern, killing, lying } from './testing/accomplices.ts';
import { mixed, replaying, tagging, VICES } from './testing/behaviours.ts';
import {
  type Arrivals,
  correlation,
  Evidence,
  nearest,
  sum,
  windowsOf,
} from './testing/evidence.ts';
import type { MakeBehaviour } from './testing/hostile-plane.ts';
import { type Loop, looping } from './testing/looping.ts';
import { somePeer, somePeers } from './testing/peers.ts';
import { SimNetwork, type SimNetworkOptions } from './testing/sim-network.ts';
import {
  compromisedShare,
  fullestTables,
  honestRounds,
  isCompromised,
  livenessOf,
  positionsGuessed,
  shareDeviation,
} from './testing/verdict.ts';
import type { NodeNumber } from './testing/witness.ts';
import { onionTiming } from './timing.ts';

const LOSSY: PathProfile = { latency: { type: 'uniform', minMs: 12, maxMs: 18 }, loss: 0.02 };
const EVEN: PathProfile = { latency: { type: 'constant', ms: 15 } };
const SLOTS = { tickMs: 20, roundSeconds: 8 };
const CLIENT = 1;
/** For a machine that does much else. */
const PATIENCE = { timeout: 300_000 };

function inNetwork(
  options: SimulateOptions,
  networkOptions: SimNetworkOptions,
  test: (network: SimNetwork, world: World) => Promise<void>,
): Promise<void> {
  return simulate({ profile: LOSSY, ...options }, async (world) => {
    await test(await SimNetwork.start(world, networkOptions), world);
  });
}

/** As a tunnel of a whole round has, each way. */
const WHOLE_BODIES = 300;
const INITIATORS = [0, 1];
const GOOD = [2, 3];
const ENTRANCE = 4;
const END = 5;

/** Tunnels that enter and end at accomplices, with an honest hop between them; for three rounds. */
async function surrounded(
  make: MakeBehaviour,
  test: (evidence: readonly Arrivals[], network: SimNetwork) => void,
): Promise<void> {
  const isBad = (node: NodeNumber | undefined): boolean => node === ENTRANCE || node === END;
  const evidence = new Evidence();
  const options: SimNetworkOptions = {
    ...SLOTS,
    nodes: 6,
    behaviourOf: (node) => (isBad(node) ? evidence.kept(make) : undefined),
    guardOf: (node) => (INITIATORS.includes(node) ? ENTRANCE : undefined),
    peersOf: (node) => (INITIATORS.includes(node) ? GOOD : []),
  };
  await inNetwork({ seed: 1 }, options, async (network) => {
    for (const initiator of INITIATORS) {
      network.running(initiator).request((onion, now) => {
        onion.addClient(CLIENT);
        onion.build(CLIENT, network.node(END).peer, now);
      });
    }
    await network.runRounds(4);
    const whole = evidence.arrivals.filter(({ bodies }) => bodies.length > WHOLE_BODIES);
    // Of the two initiators, in two directions; not every build withstands them.
    expect(whole.length).toBeGreaterThanOrEqual(4);
    test(whole, network);
  });
}

/** By the honest hops. */
function counted(network: SimNetwork, what: 'cellsReplayed' | 'cellsSubstituted'): number {
  return sum(GOOD.map((node) => network.statusOf(node).counters?.[what] ?? 0));
}

describe('behind an honest hop', () => {
  it('no body comes twice, whatever is replayed before it (attack 3)', PATIENCE, () =>
    surrounded(replaying, (evidence, network) => {
      expect(counted(network, 'cellsReplayed')).toBeGreaterThan(100);
      for (const { bodies } of evidence) {
        expect(new Set(bodies.map(({ body }) => toHex(body))).size).toBe(bodies.length);
      }
    }),
  );

  it('no body is like another, however they are tagged before it (attack 4)', PATIENCE, () =>
    surrounded(tagging, (evidence) => {
      // 2048 ± 32 bits apart: nine standard deviations.
      for (const { bodies } of evidence) expect(nearest(bodies, 30)).toBeGreaterThan(1760);
    }),
  );

  it.each([
    ['drops', droppingInPattern],
    ['bursts', burstingInPattern],
  ])('nothing follows a pattern of %s before it (attack 5)', PATIENCE, (_, make) =>
    surrounded(make, (evidence, network) => {
      expect(counted(network, 'cellsSubstituted')).toBeGreaterThan(100);
      expect(network.witness.tunnels.filter(({ failing }) => failing !== undefined)).toEqual([]);
      const windows = evidence.flatMap((arrivals) => windowsOf(arrivals, SLOTS.tickMs));
      expect(windows.length).toBeGreaterThan(100);
      for (const lag of [0, 1, 2]) {
        const marks = windows.map(({ marksBefore }) => marksBefore[lag] ?? 0);
        for (const seen of ['cells', 'longestGapMs'] as const) {
          const found = correlation(
            marks,
            windows.map((one) => one[seen]),
          );
          expect(Math.abs(found)).toBeLessThan(4 / Math.sqrt(windows.length));
        }
      }
    }),
  );
});

describe('a network with one hostile node in five', () => {
  const NODES = 20;
  const HOSTILE = 4;
  const ROUNDS = 3;
  const vices = Object.values(VICES);

  /** Two or three of them each. */
  const vicesOf = (node: NodeNumber): MakeBehaviour =>
    mixed(vices.filter((_, i) => i % HOSTILE === node));

  it('gives honest paths to who asks, and no position away (attacks 3, 4, 8, 31)', PATIENCE, () =>
    inNetwork(
      { seed: 1 },
      {
        ...SLOTS,
        roundSeconds: 6,
        nodes: NODES,
        behaviourOf: (node) => (node < HOSTILE ? vicesOf(node) : undefined),
      },
      async (network) => {
        await network.runRounds(ROUNDS);
        expectHonestTunnels(network);
        expectTablesInBounds(network);
        expectNoPosition(network);
      },
    ),
  );
});

function expectHonestTunnels(network: SimNetwork): void {
  const found = livenessOf(network);
  expect(found.honestRounds).toBeGreaterThan(10);
  expect(found.honestFailing).toBe(0);
  // At 2 % loss three tries are not always enough for three hops, and these rounds are short for a rebuild.
  expect(found.honestServed).toBeGreaterThanOrEqual(found.honestRounds - 1);
  expect(found.honestBuilt / found.honestAttempts).toBeGreaterThan(0.9);
  // Half of the paths begin, go or end with somebody hostile, and two rebuilds, if there is time for them, are all.
  expect(found.served / found.rounds).toBeGreaterThan(0.7);
}

function expectTablesInBounds(network: SimNetwork): void {
  const { relayed, relayedPerLink, own, links, callers } = fullestTables(network);
  expect(relayed).toBeLessThanOrEqual(MAX_RELAY_CIRCUITS);
  expect(relayedPerLink).toBeLessThanOrEqual(PER_GROUP_MAX);
  expect(own).toBeLessThanOrEqual(5);
  expect(links).toBeLessThanOrEqual(LINK_LIMITS.links);
  expect(callers).toBeLessThanOrEqual(5);
}

/** More than the budget and the pace of building say, a log must not say. */
function expectNoPosition(network: SimNetwork): void {
  const { places, right, expected } = positionsGuessed(network);
  expect(places).toBeGreaterThan(50);
  expect(right).toBeLessThan(expected + 3 * shareDeviation(expected, places));
}

describe('a hostile fifth of all peers that does nothing amiss', () => {
  it('holds as many paths as theory says, and no more', () => {
    const [nodes, hostile, draws] = [50, 10, 20_000];
    const [us = somePeer(0), ...others] = somePeers(nodes);
    const bad = new Set(others.slice(0, hostile).map(({ key }) => key));
    const rng = new SeededRng(1);
    const choice = new PathChoice({
      rng,
      rules: { own: us.key, hops: 2, sameNetgroupAllowed: false },
      guards: new Guards({ rng, count: 0, saved: [], save: () => {} }),
      timing: onionTiming(300),
    });
    const wanted = { destination: undefined, evenPaused: false };
    const compromised = Array.from({ length: draws }).filter(() => {
      const sample = shuffled(rng, others).slice(0, 7);
      const path = choice.choose(sample, wanted, { nowMs: 0, wallMs: 0 }) ?? [];
      const [first = false, ...rest] = path.map(({ key }) => bad.has(key));
      return first && rest.includes(true);
    });
    const theory = compromisedShare(nodes, hostile, 3);
    const apart = Math.abs(compromised.length / draws - theory);
    expect(apart).toBeLessThan(3 * shareDeviation(theory, draws));
  });
});

describe('who kills all tunnels that he does not hold at both ends (attack 9)', () => {
  it('does not lead anybody away from an honest guard', PATIENCE, () =>
    inNetwork(
      { seed: 1, profile: EVEN },
      {
        nodes: 8,
        tickMs: 100,
        roundSeconds: 30,
        guards: 1,
        behaviourOf: (node) => (node < 2 ? killing : undefined),
      },
      async (network) => {
        await network.runRounds(4);
        const rounds = honestRounds(network);
        const tunnels = rounds.flatMap((one) => one.tunnels);
        expect(tunnels.filter(({ failing }) => failing !== undefined).length).toBeGreaterThan(5);
        expect(Math.max(...rounds.map((one) => one.tunnels.length))).toBeLessThanOrEqual(5);
        for (const ofOne of Map.groupBy(tunnels, ({ owner }) => owner).values()) {
          const [guard, ...others] = new Set(ofOne.map(({ asked: [first] }) => first));
          // A hostile one may cut its own link.
          if (network.isHostile(guard)) continue;
          expect(others).toEqual([]);
          expect(ofOne.filter((tunnel) => isCompromised(network, tunnel))).toEqual([]);
        }
      },
    ),
  );
});

describe('a path in circles (attack 10)', () => {
  it('ends after twelve hops, and takes no more than its share of a relay', PATIENCE, () => {
    const report: Loop[] = [];
    const options: SimNetworkOptions = {
      ...SLOTS,
      nodes: 4,
      behaviourOf: (node) => (node > 0 ? undefined : looping({ loops: 4, around: [1, 2], report })),
      peersOf: (node) => (node > 0 ? [] : [1, 2, 3]),
    };
    return inNetwork({ seed: 1, profile: EVEN }, options, async (network) => {
      await network.runRounds(2);
      const { relayedPerLink } = fullestTables(network);
      expect(Math.max(...report.map(({ hops }) => hops))).toBe(BUDGET_MAX);
      expect(report.filter(({ hops, refused }) => hops === BUDGET_MAX && refused < 3)).toEqual([]);
      expect(relayedPerLink).toBe(PER_GROUP_MAX);
      expect(sum(report.map(({ hops }) => hops))).toBeLessThanOrEqual(3 * PER_GROUP_MAX);
    });
  });
});

describe('an endpoint that lies about echoes (attack 31)', () => {
  it('gets nothing to the client, and a new endpoint comes with the next round', PATIENCE, () =>
    inNetwork(
      { seed: 1 },
      {
        ...SLOTS,
        nodes: 5,
        behaviourOf: (node) => (node === 4 ? lying : undefined),
        peersOf: (node) => (node === 0 ? [1, 2, 3, 4] : []),
      },
      async (network, world) => {
        const asker = network.running(0);
        asker.request((onion) => onion.addClient(CLIENT));
        const echoed = { honest: 0, lying: 0 };
        for (let i = 0; i < 40; i++) {
          await world.runFor(1000);
          const endpoint = asker.status.onion.tunnel?.path.at(-1);
          const before = network.node(0).events.length;
          asker.request((onion, now) => onion.cover(CLIENT, 100, now));
          await world.runFor(500);
          const kind = endpoint === network.node(4).peer ? 'lying' : 'honest';
          echoed[kind] += network.node(0).events.length - before;
        }
        expect(echoed.lying).toBe(0);
        expect(echoed.honest).toBeGreaterThan(20);
      },
    ),
  );
});

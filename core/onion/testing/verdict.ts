// What tests ask of a network that has run for some rounds (witness.ts saw it all): did honest tunnels come up, how many
// tunnels does the attacker hold, what does a relay's log say about its place.

import { type Rng, randomBelow, randomBetween } from '../../runtime/index.ts';
import { BUDGET_MAX } from '../hop.ts';
import type { SimNetwork } from './sim-network.ts';
import type { Hop, NodeNumber, Tunnel } from './witness.ts';

/** Protocol 3.3: the first hop is told a uniform value from here to BUDGET_MAX. */
const BUDGET_MIN = 4;
/** Of the build window, for the classifier of positions. */
const BINS = 10;
/** It learns from so many. */
const LOGGED_TUNNELS = 20_000;

export interface RoundsOfOne {
  readonly owner: NodeNumber;
  readonly round: number;
  /** In the order they were begun. */
  readonly tunnels: readonly Tunnel[];
}

/** Attempts of honest nodes, by owner and round, of whole rounds that are over. */
export function honestRounds(network: SimNetwork): readonly RoundsOfOne[] {
  const { witness, world, timing } = network;
  const { wallStartMs } = world.time;
  const isWhole = ({ round }: Tunnel): boolean =>
    round * timing.roundMs > wallStartMs &&
    (round + 1) * timing.roundMs <= wallStartMs + world.nowMs();
  const owned = witness.tunnels.filter((one) => isWhole(one) && !network.isHostile(one.owner));
  return [...Map.groupBy(owned, ({ owner, round }) => `${owner} ${round}`).values()].flatMap(
    (tunnels) => {
      const [first] = tunnels;
      return first === undefined ? [] : [{ owner: first.owner, round: first.round, tunnels }];
    },
  );
}

export interface Liveness {
  readonly rounds: number;
  readonly served: number;
  /** Rounds in which nobody hostile was asked to be a hop. */
  readonly honestRounds: number;
  readonly honestServed: number;
  /** Single attempts over honest paths. Not those given up because the next round's tunnel stood. */
  readonly honestAttempts: number;
  readonly honestBuilt: number;
  /** Tunnels over honest paths that their owners thought silent or lossy. */
  readonly honestFailing: number;
}

export function livenessOf(network: SimNetwork): Liveness {
  const isHonest = (tunnel: Tunnel): boolean => isHonestPath(network, tunnel);
  const isServed = ({ tunnels }: RoundsOfOne): boolean => tunnels.some(isBuilt);
  const rounds = honestRounds(network);
  const honest = rounds.filter(({ tunnels }) => tunnels.every(isHonest));
  const paths = rounds.flatMap(({ tunnels }) => tunnels).filter(isHonest);
  const tried = paths.filter((tunnel) => isBuilt(tunnel) || !isGivenUp(network, tunnel));
  return {
    rounds: rounds.length,
    served: rounds.filter(isServed).length,
    honestRounds: honest.length,
    honestServed: honest.filter(isServed).length,
    honestAttempts: tried.length,
    honestBuilt: tried.filter(isBuilt).length,
    honestFailing: tried.filter(({ failing }) => failing !== undefined).length,
  };
}

function isGivenUp({ world, timing }: SimNetwork, { round, endedMs = 0 }: Tunnel): boolean {
  return world.time.wallStartMs + endedMs >= (round + 1) * timing.roundMs;
}

/** All hops that were asked are honest: it came up, or an honest one failed it. */
export function isHonestPath(network: SimNetwork, { asked }: Tunnel): boolean {
  return asked.every((node) => !network.isHostile(node));
}

export function isBuilt({ builtMs }: Tunnel): boolean {
  return builtMs !== undefined;
}

/** The attacker stands at its entrance and further on: only then can he tell who talks to whom (protocol 1, T2). */
export function isCompromised(network: SimNetwork, { asked }: Tunnel): boolean {
  const [first = -1, ...others] = asked;
  return network.isHostile(first) && others.some((node) => network.isHostile(node));
}

/**
 * How many of the paths of an honest node are compromised when its hops are drawn from all others, each at most once:
 * H1 and (H2 or endpoint …) among the hostile ones.
 */
export function compromisedShare(nodes: number, hostile: number, hops: number): number {
  let allOthersHonest = 1;
  for (let i = 0; i < hops - 1; i++) allOthersHonest *= (nodes - 1 - hostile - i) / (nodes - 2 - i);
  return (hostile / (nodes - 1)) * (1 - allOthersHonest);
}

/** Standard deviation of a share that was counted in `trials` independent ones. */
export function shareDeviation(share: number, trials: number): number {
  return Math.sqrt((share * (1 - share)) / trials);
}

/** What a relay can log when it becomes a hop, and what it would like to know. */
interface PlaceInLog {
  readonly position: number;
  readonly budget: number;
  /** When the CREATE came: before the boundary at which its round begins. */
  readonly beforeRoundMs: number;
}

/** Of first attempts of honest nodes, begun in their window: rebuilds have none. */
function placesInLogs(network: SimNetwork): readonly PlaceInLog[] {
  const { world, timing } = network;
  return honestRounds(network).flatMap(({ tunnels: [first], round }) => {
    const startMs = round * timing.roundMs - world.time.wallStartMs;
    if (first === undefined || first.begunMs > startMs) return [];
    return first.hops.map(({ position, budget, atMs }: Hop) => {
      return { position, budget, beforeRoundMs: startMs - atMs };
    });
  });
}

/** How a node's tables stand beside their named limits. */
export interface Tables {
  readonly relayed: number;
  readonly relayedPerLink: number;
  readonly own: number;
  readonly links: number;
  readonly callers: number;
  readonly dials: number;
}

/** The most any honest node had. */
export function fullestTables(network: SimNetwork): Tables {
  const honest = network.nodes.filter(({ number }) => !network.isHostile(number));
  const all = honest.map(({ number }): Tables => {
    const { own = 0, relayed = 0, perLink = 0 } = network.witness.peaksOf(number) ?? {};
    const { links, callers, dials } = network.statusOf(number).links;
    return { relayed, relayedPerLink: perLink, own, links: links.length, callers, dials };
  });
  const most = (of: keyof Tables): number => Math.max(...all.map((one) => one[of]));
  return {
    relayed: most('relayed'),
    relayedPerLink: most('relayedPerLink'),
    own: most('own'),
    links: most('links'),
    callers: most('callers'),
    dials: most('dials'),
  };
}

/** How fast tunnels are built: what separates, in a relay's log, a first hop from a second. */
interface Pace {
  /** Of each tunnel, between the CREATEs of its hops. */
  readonly hopMs: readonly (readonly number[])[];
}

function paceOf(network: SimNetwork): Pace {
  const built = honestRounds(network).flatMap(({ tunnels: [first] }) => {
    return first === undefined || !isBuilt(first) ? [] : [first.hops];
  });
  return {
    hopMs: built.map((hops) => hops.slice(1).map(({ atMs }, i) => atMs - (hops[i]?.atMs ?? atMs))),
  };
}

/**
 * Logs of tunnels that are begun at a uniformly random moment of the window, with a uniformly random budget, and then
 * built at this pace: what a log cannot help saying.
 */
function placesAtPace(
  { hopMs }: Pace,
  window: { readonly earliestMs: number; readonly latestMs: number },
  tunnels: number,
  rng: Rng,
): readonly PlaceInLog[] {
  return Array.from({ length: tunnels }).flatMap(() => {
    const delays = hopMs[randomBelow(rng, hopMs.length)] ?? [];
    const budget = BUDGET_MIN + randomBelow(rng, BUDGET_MAX - BUDGET_MIN + 1);
    let beforeRoundMs = randomBetween(rng, window.latestMs, window.earliestMs);
    return [0, ...delays].map((delayMs, position) => {
      beforeRoundMs -= delayMs;
      return { position, budget: budget - position, beforeRoundMs };
    });
  });
}

/**
 * How often a classifier is right about the position in `places` that has learned from `known` logs how often which
 * position goes with which budget and which of BINS parts of the build window.
 */
function shareGuessed(
  known: readonly PlaceInLog[],
  places: readonly PlaceInLog[],
  windowMs: number,
): number {
  const features = ({ budget, beforeRoundMs }: PlaceInLog): string =>
    `${budget} ${Math.max(0, Math.ceil((beforeRoundMs / windowMs) * BINS))}`;
  const learned = new Map<string, Map<number, number>>();
  for (const place of known) {
    const counts = learned.get(features(place)) ?? new Map<number, number>();
    counts.set(place.position, (counts.get(place.position) ?? 0) + 1);
    learned.set(features(place), counts);
  }
  const right = places.filter((place) => {
    const counts = [...(learned.get(features(place)) ?? [])];
    const [likeliest] = counts.toSorted(([, a], [, b]) => b - a);
    return likeliest?.[0] === place.position;
  });
  return right.length / places.length;
}

/** How often the position is guessed from the logs of this network, and how often it is from what a log cannot help saying. */
export function positionsGuessed(network: SimNetwork) {
  const { buildEarliestMs: earliestMs, buildLatestMs: latestMs } = network.timing;
  const rng = network.world.rng('logs');
  const [known = [], others = []] = [1, 2].map(() =>
    placesAtPace(paceOf(network), { earliestMs, latestMs }, LOGGED_TUNNELS, rng),
  );
  const places = placesInLogs(network);
  return {
    places: places.length,
    right: shareGuessed(known, places, earliestMs),
    expected: shareGuessed(known, others, earliestMs),
  };
}

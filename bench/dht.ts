// How many lookups of the DHT bring the right value when some nodes are hostile and all work together: they name each other
// or nobody as the nearest, throw away what they are given to store, and have a value of their own for every key. Production
// machines over Rpc without links (core/rpc/testing), 10 to 60 ms each way, no loss.

import { Network } from '../core/dht/testing/network.ts';
import { World } from '../core/sim/index.ts';
import type { Recorder } from './harness.ts';

const SEEDS = [1, 2, 3];
const NODES = 80;
const VALUES = 100;
const JOIN_MS = 60_000;

interface Shares {
  readonly content: number;
  readonly opaque: number;
  readonly long: number;
}

export async function benchDht(recorder: Recorder): Promise<void> {
  for (const [hostile, paths, goal] of [
    [0.2, 4, '≥ 99'],
    [0.3, 4, '≥ 95'],
    [0.3, 8, '≥ 95'],
  ] as const) {
    const runs: Shares[] = [];
    for (const seed of SEEDS) runs.push(await measure(seed, hostile, paths));
    const name = `${100 * hostile} % hostile, d = ${paths}`;
    const of = (kind: keyof Shares): number[] => runs.map((run) => 100 * run[kind]);
    recorder.add(`content found, ${name}`, '%', of('content'), goal);
    recorder.add(`60 KB found, ${name}`, '%', of('long'), goal);
    recorder.add(`opaque found, ${name}`, '%', of('opaque'));
  }
}

async function measure(seed: number, hostile: number, paths: number): Promise<Shares> {
  const world = new World({ seed });
  const network = new Network(world, { paths });
  network.startHostile(Math.round(NODES * hostile));
  network.startAll(NODES - Math.round(NODES * hostile));
  await world.runFor(JOIN_MS);
  const content = Array.from({ length: VALUES }, () => network.value(500));
  const opaque = Array.from({ length: VALUES }, () => network.value(500, false));
  const long = Array.from({ length: 10 }, () => network.value(60_000));
  for (const [i, value] of [...content, ...opaque, ...long].entries()) {
    network.nodes[i % network.nodes.length]?.node.put({ ...value, lifetimeS: 3600, copies: 8 });
  }
  await world.runFor(JOIN_MS);
  return {
    content: (await network.found(content)) / content.length,
    opaque: (await network.found(opaque)) / opaque.length,
    long: (await network.found(long)) / long.length,
  };
}

// How good the random peers of peer sampling are (performance.md, "Peer sampling"): how many of the answers that honest
// nodes give are hostile, with 10 to 30 % of nodes colluding, pushing and telling only of each other; how many honest nodes
// are cut off; and how a network that changes is followed. Production code but for links, Gossip and proofs of work, in
// virtual time (core/rps/testing/large-network.ts). Answers are those of all honest nodes.

import { LargeNetwork, type LargeNetworkOptions } from '../core/rps/testing/large-network.ts';
import { shuffled } from '../core/runtime/index.ts';
import type { Recorder } from './harness.ts';

const NODES = 200;
const SEEDS = [1, 2];
/** Virtual. */
const SETTLED_MS = 300_000;
/** As many as fit into memory: a node here takes about 1 MB. */
const MANY = 2000;
const MANY_MS = 60_000;
/** With which the view has the 24 nodes of the protocol's own simulation. */
const SMALL_VIEW = 500;

export async function benchSampling(recorder: Recorder): Promise<void> {
  for (const [share, flood, factor] of [
    [0.1, 1, undefined],
    [0.2, 1, 1.1],
    [0.2, 3, 1.1],
    [0.3, 1, 1.25],
  ] as const) {
    await benchHostile(recorder, { share, flood, factor });
  }
  await benchChurn(recorder);
  await benchMany(recorder);
}

interface Attack {
  readonly share: number;
  readonly flood: number;
  readonly factor: number | undefined;
}

async function benchHostile(recorder: Recorder, { share, flood, factor }: Attack): Promise<void> {
  const shares: number[] = [];
  const isolated: number[] = [];
  for (const seed of SEEDS) {
    const network = await settled({ seed, flood, networkSize: NODES }, NODES, share);
    shares.push(100 * network.badShare().hostile);
    isolated.push(network.isolated());
  }
  const pushing = flood > 1 ? `, pushing ${flood} times as much` : '';
  const name = `${NODES} nodes, ${100 * share} % hostile${pushing}`;
  const goal = factor === undefined ? undefined : `≤ ${(100 * share * factor).toFixed(1)}`;
  recorder.add(`${name}: bad answers`, '%', shares, goal);
  recorder.add(`${name}: honest nodes cut off`, 'nodes', isolated, '0');
}

async function benchChurn(recorder: Recorder): Promise<void> {
  const gone: number[] = [];
  const isolated: number[] = [];
  for (const seed of SEEDS) {
    const network = await settled({ seed, networkSize: NODES }, NODES, 0);
    const perMinute = NODES / 10;
    for (let i = 0; i < 4 * perMinute; i++) {
      shuffled(network.rng, network.honest)[0]?.stop();
      network.join();
      await network.time.runFor(60_000 / perMinute);
    }
    gone.push(100 * network.badShare().gone);
    isolated.push(network.isolated());
  }
  const name = `${NODES} nodes, 10 % a minute come and go`;
  recorder.add(`${name}: answers that are gone`, '%', gone);
  recorder.add(`${name}: nodes without an answer`, 'nodes', isolated);
}

async function benchMany(recorder: Recorder): Promise<void> {
  const network = await settled({ seed: 1, networkSize: SMALL_VIEW }, MANY, 0.2, MANY_MS);
  const name = `${MANY.toLocaleString('en')} nodes, 20 % hostile, after ${MANY_MS / 1000} s`;
  recorder.add(`${name}: bad answers`, '%', [100 * network.badShare(20).hostile]);
  recorder.add(`${name}: honest nodes cut off`, 'nodes', [network.isolated()], '0');
}

async function settled(
  options: LargeNetworkOptions,
  nodes: number,
  hostileShare: number,
  forMs = SETTLED_MS,
): Promise<LargeNetwork> {
  const network = new LargeNetwork({ ...options, allowPrivate: true });
  await network.grow(nodes, { hostileShare });
  await network.time.runFor(forMs);
  return network;
}

// One-way latency of tunnels over three links (two relays, then the endpoint), from when a message is offered to the
// data plane, at any moment of a slot, until it is delivered behind the endpoint's. Each node's data plane has a thread of
// its own, as in use; between them stands the forwarder, whose own lateness is subtracted.

import { startPlaneThread } from '../core/onion/index.ts';
import { randomBetween, realRng } from '../core/runtime/index.ts';
import { EU, LAN, type PathProfile, WAN } from '../core/sim/index.ts';
import { BedNode, dataOf, join, lay, sleep, type Tunnel } from './bed.ts';
import { startForwarder } from './forwarder.ts';
import type { Recorder } from './harness.ts';
import { mean, quantile } from './stats.ts';

const NODES = 4;
const LINKS = NODES - 1;
/** Each finds phases and margins of its own. */
const TUNNELS = 6;
/** Longer than a relay needs to find the phase of its slots, over slow links too. */
const HOP_MS = 1500;
const RUNS = 3;
const RUN_MS = 4000;
/** Less often than there are slots, so that nothing queues. */
const GAP_MS = { min: 22, max: 50 };
/** After the last message; nothing is on its way for longer. */
const DRAINING_MS = 500;

interface Profile {
  readonly name: string;
  readonly path: PathProfile;
  /** Of one link, on average. */
  readonly linkMs: number;
  readonly goals?: { readonly p50: string; readonly p99: string };
}

/** Mouth to ear wants 160 and 200 ms; a frame, the codec and the jitter buffer take 75 of them (protocol 10.3). */
const PROFILES: readonly Profile[] = [
  { name: 'LAN', path: { ...LAN, latency: { type: 'constant', ms: 0 } }, linkMs: 0 },
  { name: 'EU', path: EU, linkMs: 15, goals: { p50: '≤ 85', p99: '≤ 125' } },
  { name: 'WAN', path: WAN, linkMs: 40 },
];

export async function benchTunnel(recorder: Recorder): Promise<void> {
  for (const profile of PROFILES) await benchProfile(recorder, profile);
}

async function benchProfile(recorder: Recorder, profile: Profile): Promise<void> {
  const { name, linkMs, goals } = profile;
  const { runs, forwarderLateMs } = await measure(profile.path);
  const ownMs = LINKS * mean(forwarderLateMs);
  const [p50, p99] = [50, 99].map((share) =>
    runs.map(({ latenciesMs }) => quantile(latenciesMs, share / 100) - ownMs),
  ) as [number[], number[]];
  recorder.add(`${name}: one way p50`, 'ms', p50, goals?.p50);
  recorder.add(`${name}: one way p99`, 'ms', p99, goals?.p99);
  const excess = (values: readonly number[]) => values.map((ms) => ms - LINKS * linkMs);
  if (linkMs > 0) {
    recorder.add(`${name}: over propagation p50`, 'ms', excess(p50));
    recorder.add(`${name}: over propagation p99`, 'ms', excess(p99));
  }
  const lost = runs.map(({ offered, latenciesMs }) => 100 * (1 - latenciesMs.length / offered));
  recorder.add(`${name}: lost`, '%', lost);
  recorder.add(`${name}: forwarder's lateness, subtracted per link`, 'ms', [mean(forwarderLateMs)]);
}

interface Run {
  readonly offered: number;
  readonly latenciesMs: readonly number[];
}

async function measure(
  profile: PathProfile,
): Promise<{ readonly runs: readonly Run[]; readonly forwarderLateMs: readonly number[] }> {
  const nodes: BedNode[] = [];
  while (nodes.length < NODES) nodes.push(await BedNode.start(startPlaneThread));
  const pairs = nodes.slice(1).map((b, i) => ({ a: nodes[i] ?? b, b }));
  const forwarder = await startForwarder(
    pairs.map(({ a, b }) => ({ a: a.address, b: b.address, profile })),
  );
  const links = pairs.map(({ a, b }, i) => join(a, b, forwarder.ways[i]));
  const laying = Array.from({ length: TUNNELS }, () => lay(nodes, links, HOP_MS));
  const tunnels = await Promise.all(laying);
  const runs: Run[] = [];
  for (let run = 0; run < RUNS; run++) runs.push(await exchange(nodes, tunnels));
  await Promise.all(nodes.map((node) => node.stop()));
  const { lateMs } = await forwarder.stop();
  return { runs, forwarderLateMs: lateMs };
}

/** Messages in all tunnels for one run; each carries the moment when it was offered. */
async function exchange(nodes: readonly BedNode[], tunnels: readonly Tunnel[]): Promise<Run> {
  const [initiator, endpoint] = [nodes[0], nodes.at(-1)];
  const latenciesMs: number[] = [];
  let offered = 0;
  if (endpoint === undefined || initiator === undefined) throw new Error('no nodes');
  endpoint.onInner = (_, message) => {
    const data = dataOf(message);
    if (data === undefined) return;
    const view = new DataView(data.buffer, data.byteOffset);
    latenciesMs.push(performance.now() - view.getFloat64(0));
  };
  const offer = (circuit: number, untilMs: number): void => {
    const nowMs = performance.now();
    if (nowMs > untilMs) return;
    offered++;
    const data = new Uint8Array(480);
    new DataView(data.buffer).setFloat64(0, nowMs);
    initiator.send(circuit, data);
    setTimeout(() => offer(circuit, untilMs), randomBetween(realRng, GAP_MS.min, GAP_MS.max));
  };
  const untilMs = performance.now() + RUN_MS;
  for (const { circuits } of tunnels) offer(circuits[0] ?? 0, untilMs);
  await sleep(RUN_MS + DRAINING_MS);
  return { offered, latenciesMs };
}

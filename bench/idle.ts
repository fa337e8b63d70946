// What an idle node costs the machine it runs on: its share of a core, main thread and data plane together, and its
// memory. It is one of six whole nodes on loopback, each with its own tunnel, so it carries on average as many circuits
// of others as in a large network. The others share the process that measures.

import { freePorts, sleep } from './bed.ts';
import type { Recorder } from './harness.ts';
import { NodeProcess } from './processes.ts';
import { type Member, roundSecondsEndingIn, startWholeNode } from './whole-node.ts';

const NAMES = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank'] as const;
/** Tunnels stand, and what a start takes is over. */
const SETTLING_MS = 20_000;
const RUNS = 5;
const RUN_MS = 4000;
/** Far enough that nobody begins to build the next round's tunnels meanwhile. */
const ROUND_ENDS_IN_S = 150;

export async function benchIdle(recorder: Recorder): Promise<void> {
  const ports = await freePorts(NAMES.length);
  const members: Member[] = NAMES.map((name, i) => ({ name, port: ports[i] ?? 0 }));
  const roundSeconds = roundSecondsEndingIn(ROUND_ENDS_IN_S);
  const optionsOf = (me: Member) => {
    const others = members.filter((member) => member !== me);
    return { me, others, roundSeconds };
  };
  const [measuredOptions, ...otherOptions] = members.map(optionsOf);
  if (measuredOptions === undefined) throw new Error('there are members');
  // First, since the others build their tunnels over whoever is there.
  const measured = await NodeProcess.start(measuredOptions);
  const others = await Promise.all(otherOptions.map(startWholeNode));
  await sleep(SETTLING_MS);
  await benchRuns(recorder, measured);
  await Promise.all([measured.stop(), ...others.map((other) => other.stop())]);
}

async function benchRuns(recorder: Recorder, measured: NodeProcess): Promise<void> {
  const [shares, relayed, memory]: [number[], number[], number[]] = [[], [], []];
  for (let run = 0; run < RUNS; run++) {
    const before = await measured.usage();
    const startMs = performance.now();
    await sleep(RUN_MS);
    const after = await measured.usage();
    if (!after.hasTunnel) throw new Error('it has no tunnel');
    shares.push((100 * (after.cpuMs - before.cpuMs)) / (performance.now() - startMs));
    relayed.push(after.relayed);
    memory.push(after.rssBytes / 2 ** 20);
  }
  recorder.add('one node: of a core', '%', shares, '≤ 3');
  recorder.add('one node: resident memory', 'MiB', memory, '≤ 150');
  recorder.add('circuits of others meanwhile', 'circuits', relayed);
}

// A dedicated relay with 500 circuits (protocol 11), built through one whole node by real handshakes: are they all there, do
// they work, do they all end, and what do they take? Four nodes share this process: its memory is of all of them, and of
// the ends of 500 tunnels, and as slots are a second here, their tables of bodies seen are small.

import { crowd } from '../core/onion/testing/crowd.ts';
import { simulate } from '../core/sim/index.ts';
import type { Recorder } from './harness.ts';

const EACH = 250;
const MB = 1e6;

export async function benchCircuits(recorder: Recorder): Promise<void> {
  await simulate({ seed: 1 }, async (world) => {
    const { relay, end, neighbours, build, run } = await crowd(world, 4 * EACH);
    const count = (name: string, values: readonly number[], goal: number): void =>
      recorder.add(name, '', [values.reduce((sum, value) => sum + value, 0)], `${goal}`);
    const before = memoryBytes();
    await build(EACH, 200);
    await run(40_000);
    count(
      'tunnels that stand',
      neighbours.map(({ built }) => built.size),
      2 * EACH,
    );
    count('circuits at the relay', [relay.status.relayed], 2 * EACH);
    const perCircuit = (memoryBytes() - before) / (2 * EACH) / MB;
    recorder.add('memory of a circuit at all its nodes', 'MB', [perCircuit]);
    for (let i = 0; i < 3; i++) {
      for (const neighbour of neighbours) neighbour.cover();
      await run(3000);
    }
    await run(6000);
    count(
      'tunnels that echo',
      neighbours.map(({ echoed }) => echoed.size),
      2 * EACH,
    );
    for (const neighbour of neighbours) neighbour.end();
    await run(5000);
    count('circuits left when all have ended', [relay.status.relayed, end.status.relayed], 0);
  });
}

function memoryBytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

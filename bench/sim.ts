// How much faster than real time the simulator runs: nodes that each send a datagram a second, over a lossy network.

import { performance } from 'node:perf_hooks';
import { randomBetween } from '../core/runtime/index.ts';
import { EU, World } from '../core/sim/index.ts';
import type { Recorder } from './harness.ts';

const RUNS = 5;
const PORT = 7000;
const PAYLOAD = new Uint8Array(552);

export async function benchSim(recorder: Recorder): Promise<void> {
  for (const [nodes, virtualMs] of [
    [1000, 20_000],
    [10_000, 5000],
  ] as const) {
    const speeds: number[] = [];
    for (let run = 0; run <= RUNS; run++) {
      const speed = await timesRealTime(nodes, virtualMs);
      if (run > 0) speeds.push(speed);
    }
    const name = `${nodes.toLocaleString('en')} nodes, a datagram a second each`;
    recorder.add(name, '× real time', speeds, nodes === 1000 ? '> 1' : undefined);
  }
}

async function timesRealTime(nodes: number, virtualMs: number): Promise<number> {
  const world = new World({ seed: 1, profile: { ...EU, order: 'free' } });
  const hosts = Array.from({ length: nodes }, (_, i) => world.host(`${i}`));
  hosts.forEach((host, i) => {
    host.start(async ({ runtime: { network, timers, rng } }) => {
      const socket = await network.bindUdp({ ip: '0.0.0.0', port: PORT }, { onPacket: () => {} });
      const to = { ip: hosts[(i + 1) % nodes]?.ip ?? '', port: PORT };
      const send = (): void => {
        socket.send(PAYLOAD, to);
        timers.after(1000, send);
      };
      timers.after(randomBetween(rng, 0, 1000), send);
    });
  });
  await world.runFor(0);
  const startMs = performance.now();
  await world.runFor(virtualMs);
  return virtualMs / (performance.now() - startMs);
}

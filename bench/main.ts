// npm run bench [-- NAME …] [--json FILE] [--traces N]: runs the named benchmarks, or all, and prints one table.

import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Figure, machineLine, Recorder, table } from './harness.ts';

/** Loaded only when they run: some need packages or devices that others do not. */
const BENCHES: Readonly<
  Record<string, () => Promise<(recorder: Recorder) => void | Promise<void>>>
> = {
  crypto: async () => (await import('./crypto.ts')).benchCrypto,
  codecs: async () => (await import('./codecs.ts')).benchCodecs,
  sim: async () => (await import('./sim.ts')).benchSim,
  relay: async () => (await import('./relay.ts')).benchRelay,
  tunnel: async () => (await import('./tunnel.ts')).benchTunnel,
  pacing: async () => (await import('./pacing.ts')).benchPacing,
  idle: async () => (await import('./idle.ts')).benchIdle,
  cells: async () => (await import('./cells.ts')).benchCells,
  circuits: async () => (await import('./circuits.ts')).benchCircuits,
  hostile: async () => (await import('./hostile.ts')).benchHostile,
  gossip: async () => (await import('./gossip.ts')).benchGossip,
  handshake: async () => (await import('./handshake.ts')).benchHandshake,
  unobservable: async () => {
    const { benchUnobservable } = await import('./unobservable.ts');
    return (recorder) => benchUnobservable(recorder, Number(values.traces ?? 0));
  },
  tor: async () => (await import('./tor.ts')).benchTor,
  dht: async () => (await import('./dht.ts')).benchDht,
  sampling: async () => (await import('./sampling.ts')).benchSampling,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'string' }, traces: { type: 'string' } },
});

const names = positionals.length > 0 ? positionals : Object.keys(BENCHES);
const unknown = names.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  console.error(
    `No benchmark named ${unknown.join(', ')}. There are: ${Object.keys(BENCHES).join(', ')}.`,
  );
  process.exit(2);
}

console.log(machineLine());
const figures: Figure[] = [];
for (const name of names) {
  console.error(`Measuring ${name} …`);
  const recorder = new Recorder(name);
  await (await BENCHES[name]?.())?.(recorder);
  figures.push(...recorder.figures);
}
console.log(table(figures));
if (values.json !== undefined) {
  const file = resolve(process.env['INIT_CWD'] ?? '.', values.json);
  writeFileSync(file, `${JSON.stringify({ machine: machineLine(), figures }, undefined, 2)}\n`);
  console.log(`Written to ${values.json}.`);
}

// What one relay can carry, and how much later cells arrive for having passed it. The relay has a process of its own,
// its neighbours are in this one and take the other core; real sockets on loopback. Three relays: one that only
// forwards, one that does all that is done per cell but at once, and the data plane as it is, with slots.
//
// A relay carries a rate when at most one cell in a hundred is lost. Slots send at 50 cells a second and direction, so a
// rate is a number of circuits; what a cell waits for its slot is by design, and told apart from by how much the slot
// was late. What forwarding costs the machine anyway is measured beside it and subtracted from the other delays.

import { BedNode, originMs, SETTINGS } from './bed.ts';
import type { Recorder } from './harness.ts';
import { lateness, slotPhase } from './lateness.ts';
import { Load, type LoadResult } from './load.ts';
import type { PlaneKind } from './plane-process.ts';
import { type PlaneProcess, planeProcess } from './processes.ts';
import { benchStalls } from './stalls.ts';
import { quantile } from './stats.ts';

const RUNS = 3;
const RUN_S = 1.2;
/** A relay finds the phase of a circuit's slots in the first second, and has met most of its memory after this. */
const SETTLING_S = 2;
const CELLS_PER_CIRCUIT = 2 * (1000 / SETTINGS.tickMs);
/** Cells a second that are tried first; when they are carried, more is tried. */
const FIRST_TRY = { bare: 80_000, 'at once': 45_000 } as const;
const LOST_MAX = 0.01;
/** While too much is lost, so much less is offered. */
const STEP_DOWN = 0.92;
const LOADS = [25, 50, 80] as const;

const RATE_GOAL = '≥ 45,000';

export async function benchRelay(recorder: Recorder): Promise<void> {
  benchStalls(recorder);
  const bare = await benchRate(recorder, 'bare forwarder', 'bare');
  const atOnce = await benchRate(recorder, 'at once', 'at once', RATE_GOAL);
  recorder.add('at once: of the bare forwarder', '%', [(100 * atOnce) / bare]);
  const withSlots = await benchRateWithSlots(recorder, atOnce);
  for (const load of LOADS) {
    await benchAdded(recorder, load, atOnce);
    await benchSlots(recorder, load, withSlots);
  }
}

class RelayUnderLoad {
  readonly #node: BedNode;
  readonly #process: PlaneProcess;
  readonly #load: Load;

  static async start(kind: PlaneKind): Promise<RelayUnderLoad> {
    const { startPlane, process } = planeProcess(kind);
    const node = await BedNode.start(startPlane);
    return new RelayUnderLoad(node, await process, await Load.start(node, kind));
  }

  private constructor(node: BedNode, process: PlaneProcess, load: Load) {
    this.#node = node;
    this.#process = process;
    this.#load = load;
  }

  async run(circuits: number, seconds = RUN_S): Promise<Measured> {
    const before = await this.#process.usage();
    const result = await this.#load.run(circuits, seconds);
    const { cpuMs, originMs: relayOriginMs } = await this.#process.usage();
    return { ...result, cpuS: (cpuMs - before.cpuMs) / 1000, relayOriginMs };
  }

  async stop(): Promise<void> {
    this.#load.stop();
    await this.#node.stop();
  }
}

interface Measured extends LoadResult {
  readonly cpuS: number;
  /** Of the relay's clock. */
  readonly relayOriginMs: number;
}

/** Answers the median of the most it carries, in cells a second. */
async function benchRate(
  recorder: Recorder,
  name: string,
  kind: keyof typeof FIRST_TRY,
  goal?: string,
): Promise<number> {
  const relay = await RelayUnderLoad.start(kind);
  await relay.run(circuitsFor(FIRST_TRY[kind]), SETTLING_S);
  const carried = await mostCarried(FIRST_TRY[kind], (circuits) => relay.run(circuits));
  await relay.stop();
  return addRates(recorder, name, carried, goal);
}

/** Its circuits all have slots whether cells come or not, and find their phases once: each try has a relay of its own. */
async function benchRateWithSlots(recorder: Recorder, firstTry: number): Promise<number> {
  const carried = await mostCarried(firstTry, async (circuits) => {
    const relay = await RelayUnderLoad.start('slots');
    await relay.run(circuits, SETTLING_S);
    const measured = await relay.run(circuits);
    await relay.stop();
    return measured;
  });
  return addRates(recorder, 'with slots', carried, RATE_GOAL);
}

/** Goes down until few enough cells are lost; the next time from a little above. */
async function mostCarried(
  firstTry: number,
  run: (circuits: number) => Promise<Measured>,
): Promise<Measured[]> {
  const carried: Measured[] = [];
  let circuits = circuitsFor(firstTry);
  while (carried.length < RUNS) {
    const measured = await run(circuits);
    const isCarried = measured.passed >= (1 - LOST_MAX) * measured.sent;
    if (isCarried) carried.push(measured);
    circuits = Math.floor(isCarried ? circuits / STEP_DOWN : circuits * STEP_DOWN);
    if (circuits === 0) throw new Error('the relay loses cells at any rate');
  }
  return carried;
}

function addRates(
  recorder: Recorder,
  name: string,
  carried: readonly Measured[],
  goal?: string,
): number {
  const perCpu = carried.map(({ passed, cpuS }) => passed / cpuS);
  recorder.add(`${name}: at most`, 'cells/s', carried.map(rate), goal);
  recorder.add(`${name}: per CPU second`, 'cells', perCpu, goal);
  return quantile(carried.map(rate), 0.5);
}

function rate({ passed, seconds }: LoadResult): number {
  return passed / seconds;
}

function circuitsFor(cellsPerSecond: number): number {
  return Math.ceil(cellsPerSecond / CELLS_PER_CIRCUIT);
}

/** How much later cells arrive than through the bare forwarder at the same rate, measured in turn. */
async function benchAdded(recorder: Recorder, load: number, most: number): Promise<void> {
  const circuits = circuitsFor((most * load) / 100);
  const [bare, relay] = [await RelayUnderLoad.start('bare'), await RelayUnderLoad.start('at once')];
  for (const one of [bare, relay]) await one.run(circuits, SETTLING_S);
  const runs: { bare: readonly number[]; relay: readonly number[] }[] = [];
  for (let run = 0; run < RUNS; run++) {
    const bareDelaysMs = (await bare.run(circuits)).delaysMs;
    runs.push({ bare: bareDelaysMs, relay: (await relay.run(circuits)).delaysMs });
  }
  for (const one of [bare, relay]) await one.stop();
  for (const percent of [50, 99]) {
    const at = (delaysMs: readonly number[]): number => quantile(delaysMs, percent / 100);
    const added = runs.map((run) => at(run.relay) - at(run.bare));
    const goal = load === 50 && percent === 99 ? '≤ 1' : undefined;
    recorder.add(`at once, ${load} %: added p${percent}`, 'ms', added, goal);
    const floor = runs.map((run) => at(run.bare));
    recorder.add(`bare forwarder, same rate: p${percent}`, 'ms', floor);
  }
}

async function benchSlots(recorder: Recorder, load: number, most: number): Promise<void> {
  const circuits = circuitsFor((most * load) / 100);
  const relay = await RelayUnderLoad.start('slots');
  await relay.run(circuits, SETTLING_S);
  const runs: Measured[] = [];
  for (let run = 0; run < RUNS; run++) runs.push(await relay.run(circuits));
  await relay.stop();
  for (const percent of [50, 99]) {
    const at = (samples: readonly number[]): number => quantile(samples, percent / 100);
    const goal = load === 50 && percent === 99 ? '≤ 1' : undefined;
    const late = runs.map((run) => at(slotLateness(run)));
    const inside = runs.map(({ delaysMs }) => at(delaysMs));
    recorder.add(`with slots, ${load} %: slot late by p${percent}`, 'ms', late, goal);
    recorder.add(`with slots, ${load} %: inside, by design p${percent}`, 'ms', inside);
  }
}

function slotLateness({ arrivalsMs, relayOriginMs }: Measured): number[] {
  const behindMs = originMs() - relayOriginMs;
  return arrivalsMs.flatMap((arrivals) => {
    const times = arrivals.map((ms) => ms + behindMs);
    return lateness(times, slotPhase(times, SETTINGS.tickMs), SETTINGS.tickMs);
  });
}

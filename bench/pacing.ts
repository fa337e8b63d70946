// How late cells leave their slots: of a node that relays as many circuits as a node may and has one tunnel of its own,
// idle and while that tunnel carries DATA both ways, in turn; and both again while the node's control thread is stuck in
// a computation, which takes the other core. The data plane has a worker thread of its own, as in use, and so has that
// of the neighbour on all its links. What counts for anonymity is less how late, than that it is the same: how far the
// two distributions are apart is told beside how far two idle ones are.

import { MAX_RELAY_CIRCUITS, startPlaneThread } from '../core/onion/index.ts';
import type { StartPlane } from '../core/onion/plane-driver.ts';
import type { CircuitId } from '../core/onion/plane-port.ts';
import { startWorker } from '../core/runtime/index.ts';
import { BedNode, join, lay, SETTINGS, sleep } from './bed.ts';
import type { Recorder } from './harness.ts';
import type { FromPacingWorker, ToPacingWorker } from './pacing-worker.ts';
import { benchStalls } from './stalls.ts';
import { distance, quantile } from './stats.ts';

/** Relays find the phases of their slots, and meet their memory. */
const SETTLING_MS = 4000;
const RUNS = 5;
const RUN_MS = 2000;

const CASES = [
  { name: 'idle', hasData: false, isStuck: false },
  { name: 'with DATA', hasData: true, isStuck: false },
  { name: 'idle, control thread stuck', hasData: false, isStuck: true },
  { name: 'with DATA, control thread stuck', hasData: true, isStuck: true },
] as const;
type Case = (typeof CASES)[number];

export async function benchPacing(recorder: Recorder): Promise<void> {
  benchStalls(recorder);
  const bed = await PacingBed.start();
  const runs = new Map<Case, Paced[]>(CASES.map((one) => [one, []]));
  for (let run = 0; run < RUNS; run++) {
    for (const [one, paced] of runs) paced.push(await bed.run(one));
  }
  await bed.stop();
  for (const [{ name }, paced] of runs) addLateness(recorder, name, paced);
  const lateOf = (one: Case): (readonly number[])[] =>
    (runs.get(one) ?? []).map(({ lateMs }) => lateMs);
  addDistances(recorder, '', lateOf(CASES[0]), lateOf(CASES[1]));
  addDistances(recorder, ', control thread stuck', lateOf(CASES[2]), lateOf(CASES[3]));
}

function addLateness(recorder: Recorder, name: string, paced: readonly Paced[]): void {
  for (const percent of [50, 99, 100]) {
    const samples = paced.map(({ lateMs }) => quantile(lateMs, percent / 100));
    const what = percent === 100 ? 'at most' : `p${percent}`;
    recorder.add(`${name}: late by ${what}`, 'ms', samples);
  }
  const lost = paced.map(({ lateMs, skipped }) => (100 * skipped) / (lateMs.length + skipped));
  recorder.add(`${name}: slots skipped`, '%', lost);
  const shares = paced.map(({ cpuShare }) => 100 * cpuShare);
  recorder.add(`${name}: data plane, of a core`, '%', shares);
}

/** Each run against the one after it of the other kind, and of its own. */
function addDistances(
  recorder: Recorder,
  name: string,
  idle: readonly (readonly number[])[],
  data: readonly (readonly number[])[],
): void {
  const apart = idle.map((late, i) => distance(late, data[i] ?? []));
  const null_ = idle.slice(1).map((late, i) => distance(late, idle[i] ?? []));
  recorder.add(`idle and DATA apart by${name}`, '', apart);
  recorder.add(`idle and idle apart by${name}`, '', null_);
}

interface Paced {
  readonly lateMs: readonly number[];
  /** Slots. */
  readonly skipped: number;
  readonly cpuShare: number;
}

class PacingBed {
  readonly #node = pacedNode();
  readonly #ends: { readonly bed: BedNode; readonly circuit: CircuitId }[] = [];

  static async start(): Promise<PacingBed> {
    const bed = new PacingBed();
    const node = await BedNode.start(bed.#node.startPlane);
    const neighbour = await BedNode.start(startPlaneThread);
    const [here = 0, there = 0] = (await lay([node, neighbour], [join(node, neighbour)])).circuits;
    bed.#ends.push({ bed: node, circuit: here }, { bed: neighbour, circuit: there });
    for (let i = 0; i < MAX_RELAY_CIRCUITS; i++) {
      const links = [join(neighbour, node), join(node, neighbour)];
      await lay([neighbour, node, neighbour], links);
    }
    await sleep(SETTLING_MS);
    return bed;
  }

  async run({ hasData, isStuck }: Case): Promise<Paced> {
    const before = await this.#node.collect();
    const startMs = performance.now();
    if (hasData) for (const end of this.#ends) offer(end);
    if (isStuck) while (performance.now() < startMs + RUN_MS);
    else await sleep(RUN_MS);
    const { lateMs, skipped, cpuMs } = await this.#node.collect();
    return { lateMs, skipped, cpuShare: (cpuMs - before.cpuMs) / (performance.now() - startMs) };
  }

  async stop(): Promise<void> {
    await Promise.all(this.#ends.map(({ bed }) => bed.stop()));
  }
}

/** As much as the slots of one run carry. */
function offer({ bed, circuit }: { readonly bed: BedNode; readonly circuit: CircuitId }): void {
  for (let i = 0; i < RUN_MS / SETTINGS.tickMs; i++) bed.send(circuit, new Uint8Array(480));
}

type Sent = FromPacingWorker & { readonly type: 'sent' };

/** A data plane whose packets can be asked for, once it has been started. */
function pacedNode(): { readonly startPlane: StartPlane; collect(): Promise<Sent> } {
  let tell: (message: ToPacingWorker) => void = () => {};
  let answer: (sent: Sent) => void = () => {};
  return {
    startPlane: (settings, onEvent) => {
      const worker = startWorker(import.meta.url, './pacing-worker', settings);
      tell = (message) => worker.postMessage(message);
      worker.on('message', (message: FromPacingWorker) => {
        if (message.type === 'event') onEvent(message.event);
        else answer(message);
      });
      const stop = async (): Promise<void> => void (await worker.terminate());
      return { post: (command) => tell({ type: 'command', command }), stop };
    },
    collect: () =>
      new Promise((resolve) => {
        answer = resolve;
        tell({ type: 'collect' });
      }),
  };
}

// A flood of spoofed INITs while a tunnel of the flooded node carries data both ways (attack 13 of protocol 12): what it
// does to the data, what it costs the node, and how many Diffie-Hellmans it can make it do. Before and under the flood
// in turn. The node, the flooder and the rest of the network have a process each.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { networkId } from '../core/crypto/index.ts';
import { DATAGRAM_BYTES } from '../core/link/index.ts';
import { TICK_MS } from '../core/onion/index.ts';
import type { Address } from '../core/runtime/index.ts';
import { freePorts, LOOPBACK, sleep } from './bed.ts';
import {
  type FloodedReport,
  membersAt,
  SPEAK_EVERY_MS,
  type ToFlooded,
} from './handshake-flooded-process.ts';
import type { Flooded, ToFlooder } from './handshake-flooder-process.ts';
import type { Recorder } from './harness.ts';
import { type Heard, NETWORK, RoundClock, Speaker } from './speaker.ts';
import { quantile } from './stats.ts';

const NODES = 5;
const ROUND_SECONDS = 300;
const BEFORE_BUILDING_MS = 70_000;
const BUILDING_MS = 20_000;
const SETTLING_MS = 17_000;
const INITS_PER_SECOND = 5000;
const RUNS = 3;
const RUN_MS = 8000;
/** After a run, until what was said in it has arrived. */
const ARRIVING_MS = 500;

export async function benchFlood(recorder: Recorder): Promise<void> {
  const bed = await FloodBed.start();
  const [quiet, flooded]: [Run[], Run[]] = [[], []];
  await bed.run(undefined);
  for (let run = 0; run < RUNS; run++) {
    quiet.push(await bed.run(undefined));
    flooded.push(await bed.run(INITS_PER_SECOND));
  }
  await bed.stop();
  for (const [name, runs] of [
    ['before', quiet],
    ['under the flood', flooded],
  ] as const) {
    for (const share of [50, 99] as const) {
      const delays = runs.map(({ tookMs }) => quantile(tookMs, share / 100));
      recorder.add(`${name}: one way through the tunnel p${share}`, 'ms', delays);
    }
    recorder.add(
      `${name}: data lost`,
      '%',
      runs.map(({ lost }) => 100 * lost),
    );
    recorder.add(
      `${name}: of a core`,
      '%',
      runs.map(({ cpuShare }) => 100 * cpuShare),
    );
    recorder.add(
      `${name}: pending handshakes`,
      'places',
      runs.flatMap(({ callers }) => callers),
      '≤ 256',
    );
  }
  const floods = flooded.flatMap(({ flood }) => flood ?? []);
  recorder.add(
    'flood',
    'INIT/s',
    floods.map(({ inits, seconds }) => inits / seconds),
  );
  recorder.add(
    'flood: answered by COOKIE',
    '%',
    floods.map((one) => (100 * one.cookies) / one.inits),
  );
  recorder.add(
    'flood: Diffie-Hellmans',
    'DH',
    floods.map(({ resps }) => 2 * resps),
    '≤ 40',
  );
}

interface Run {
  /** Both ways. */
  readonly tookMs: readonly number[];
  /** As a share. */
  readonly lost: number;
  readonly cpuShare: number;
  readonly callers: readonly number[];
  readonly flood: Flooded | undefined;
}

class FloodBed {
  readonly #node: ChildProcess;
  readonly #flooder: ChildProcess;
  readonly #others: readonly Speaker[];
  readonly #target: Omit<Extract<ToFlooder, { type: 'begin' }>['flood'], 'perSecond'>;

  static async start(): Promise<FloodBed> {
    const ports = await freePorts(NODES);
    const addresses = ports.map((port) => ({ ip: LOOPBACK, port }));
    const members = membersAt(addresses);
    const clock = new RoundClock(ROUND_SECONDS);
    clock.leave(BEFORE_BUILDING_MS);
    const others = await Promise.all(
      members
        .slice(1)
        .map((me) => Speaker.start({ me, others: members.filter((one) => one !== me), clock })),
    );
    const flooder = start('./handshake-flooder-process.ts');
    await once(flooder, 'message');
    const node = start('./handshake-flooded-process.ts');
    const { aheadMs } = clock;
    await ask(node, { type: 'start', addresses, roundSeconds: ROUND_SECONDS, aheadMs });
    clock.leave(BUILDING_MS);
    await ask(node, { type: 'set ahead', aheadMs: clock.aheadMs });
    await sleep(SETTLING_MS);
    others[0]?.speak(SPEAK_EVERY_MS);
    await ask(node, { type: 'speak' });
    return new FloodBed(node, flooder, others, addresses[0] ?? { ip: '', port: 0 });
  }

  private constructor(
    node: ChildProcess,
    flooder: ChildProcess,
    others: readonly Speaker[],
    to: Address,
  ) {
    this.#node = node;
    this.#flooder = flooder;
    this.#others = others;
    const [me] = membersAt([to]);
    if (me === undefined) throw new Error('one member');
    this.#target = {
      to,
      identity: me.hostkey.identity,
      networkId: networkId({
        name: NETWORK,
        roundLengthS: ROUND_SECONDS,
        tickMs: TICK_MS,
        linkDatagramBytes: DATAGRAM_BYTES,
      }),
    };
  }

  async run(perSecond: number | undefined): Promise<Run> {
    const [partner] = this.#others;
    if (partner === undefined) throw new Error('nobody to talk to');
    const before = await this.#report();
    for (const list of [partner.said, partner.heard]) list.splice(0);
    if (perSecond !== undefined) {
      this.#tell({ type: 'begin', flood: { ...this.#target, perSecond } });
    }
    const startMs = performance.now();
    const callers: number[] = [];
    const [said, heard]: [number[], Heard[]] = [[], []];
    while (performance.now() < startMs + RUN_MS) {
      await sleep(500);
      const report = await this.#report();
      callers.push(report.callers);
      said.push(...report.said);
      heard.push(...report.heard);
    }
    const after = await this.#report();
    const cpuShare = (after.cpuMs - before.cpuMs) / (performance.now() - startMs);
    const endMs = performance.timeOrigin + performance.now() - ARRIVING_MS;
    let flood: Flooded | undefined;
    if (perSecond !== undefined) {
      this.#tell({ type: 'end' });
      [flood] = await once(this.#flooder, 'message');
    }
    await sleep(ARRIVING_MS);
    heard.push(...(await this.#report()).heard, ...partner.heard);
    const offered = [...said, ...partner.said].filter((ms) => ms < endMs).length;
    const startedMs = performance.timeOrigin + startMs;
    const arrived = heard.filter(({ atMs, tookMs }) => {
      const saidMs = atMs - tookMs;
      return saidMs >= startedMs && saidMs < endMs;
    });
    const tookMs = arrived.map((one) => one.tookMs);
    return { tookMs, lost: 1 - arrived.length / offered, cpuShare, callers, flood };
  }

  async stop(): Promise<void> {
    for (const child of [this.#node, this.#flooder]) child.disconnect();
    await Promise.all(this.#others.map((speaker) => speaker.stop()));
  }

  #report(): Promise<FloodedReport> {
    return ask(this.#node, { type: 'report' });
  }

  #tell(message: ToFlooder): void {
    this.#flooder.send(message);
  }
}

function start(module: string): ChildProcess {
  return fork(fileURLToPath(new URL(module, import.meta.url)), { serialization: 'advanced' });
}

async function ask(node: ChildProcess, message: ToFlooded): Promise<FloodedReport> {
  node.send(message);
  const [report] = await once(node, 'message');
  return report;
}

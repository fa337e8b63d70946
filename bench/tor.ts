// A relay of Tor beside one of ours, under the same load: messages of 400 bytes every 20 ms through 3 hops and back, in
// one circuit each. What is compared is the processor's time that the middle relay takes per cell, and the round trip. All
// are measured in one run, in turn, with the tor that is installed, in a network of its own on loopback. Ours also without
// slots (at-once.ts): what cells cost when they need not wait for their moment.

import { createServer, type Socket } from 'node:net';
import { SocksClient } from 'socks';
import { startPlaneThread } from '../core/onion/index.ts';
import { randomBetween, realRng } from '../core/runtime/index.ts';
import { BedNode, dataOf, join, LOOPBACK, lay, sleep } from './bed.ts';
import type { Recorder } from './harness.ts';
import type { PlaneKind } from './plane-process.ts';
import { type PlaneProcess, planeProcess } from './processes.ts';
import { quantile } from './stats.ts';
import { TorNetwork, torVersion } from './tor-network.ts';

const MESSAGE_BYTES = 400;
const EVERY_MS = 20;
/** Conversations at once. */
const LOADS = [1, 20, 100] as const;
const AT_ONCE_FROM = 20;
const RUNS = 3;
const RUN_MS = 3000;
/** Circuits stand and slots have their phase. */
const SETTLING_MS = 1500;
const HOP_MS = 1500;
const RATIO_GOAL = '≥ 2';

export async function benchTor(recorder: Recorder): Promise<void> {
  const version = torVersion();
  if (version === undefined) {
    console.error('There is no tor here (or no tor-gencert): nothing to compare with.');
    return;
  }
  console.error(version);
  const tor = await TorNetwork.start();
  try {
    for (const conversations of LOADS) {
      const kinds =
        conversations < AT_ONCE_FROM ? (['slots'] as const) : (['slots', 'at once'] as const);
      const theirs: Run[] = [];
      const ours = new Map<PlaneKind, Run[]>(kinds.map((kind) => [kind, []]));
      for (let run = 0; run < RUNS; run++) {
        theirs.push(await throughTor(tor, conversations));
        for (const [kind, runs] of ours) runs.push(await throughOurs(kind, conversations));
      }
      compare(recorder, conversations, theirs, ours);
    }
  } finally {
    await tor.stop();
  }
}

interface Run {
  readonly roundTripsMs: readonly number[];
  /** Of the middle relay. */
  readonly cpuS: number;
  readonly cells: number;
}

function compare(
  recorder: Recorder,
  conversations: number,
  theirs: readonly Run[],
  ours: ReadonlyMap<PlaneKind, readonly Run[]>,
): void {
  const load = `${conversations} at once`;
  const all = [
    ['tor', theirs] as const,
    ...[...ours].map(([kind, runs]) => [`ours, ${kind}`, runs] as const),
  ];
  for (const [name, runs] of all) {
    recorder.add(`${load}, ${name}: per CPU second`, 'cells', runs.map(perCpu));
    for (const share of [50, 99] as const) {
      const trips = runs.map(({ roundTripsMs }) => quantile(roundTripsMs, share / 100));
      recorder.add(`${load}, ${name}: round trip p${share}`, 'ms', trips);
    }
  }
  for (const [kind, runs] of ours) {
    const ratios = runs.map((run, i) => perCpu(run) / perCpu(theirs[i] ?? run));
    const goal = kind === 'slots' ? RATIO_GOAL : undefined;
    recorder.add(`${load}: ours, ${kind}, to tor`, '×', ratios, goal);
  }
}

function perCpu({ cells, cpuS }: Run): number {
  return cells / cpuS;
}

/** One end of a conversation that is echoed at the other. */
interface Conversation {
  send(message: Uint8Array): void;
}

/** Each sends at moments of its own; what comes back is told by `onEcho`. */
async function converse(
  conversations: readonly Conversation[],
  relay: { cpuS(): number | Promise<number> },
  echoes: { onEcho: (message: Uint8Array) => void },
): Promise<Run> {
  const roundTripsMs: number[] = [];
  let sent = 0;
  echoes.onEcho = (message) => {
    const view = new DataView(message.buffer, message.byteOffset);
    roundTripsMs.push(performance.now() - view.getFloat64(0));
  };
  const startMs = performance.now();
  const cpuS = await relay.cpuS();
  const timers = conversations.map((one) =>
    every(EVERY_MS, () => {
      const message = new Uint8Array(MESSAGE_BYTES);
      new DataView(message.buffer).setFloat64(0, performance.now());
      one.send(message);
      sent++;
    }),
  );
  await sleep(startMs + RUN_MS - performance.now());
  for (const stop of timers) stop();
  const usedS = (await relay.cpuS()) - cpuS;
  await sleep(500);
  echoes.onEcho = () => {};
  // There and back.
  return { roundTripsMs, cpuS: usedS, cells: sent + roundTripsMs.length };
}

/** On an absolute schedule from a random moment on. Answers how to end it. */
function every(periodMs: number, act: () => void): () => void {
  const startMs = performance.now() + randomBetween(realRng, 0, periodMs);
  let turn = 0;
  let timer: NodeJS.Timeout;
  const next = (): void => {
    timer = setTimeout(
      () => {
        act();
        turn++;
        next();
      },
      Math.max(0, startMs + turn * periodMs - performance.now()),
    );
  };
  next();
  return () => clearTimeout(timer);
}

async function throughTor(tor: TorNetwork, conversations: number): Promise<Run> {
  const echoes = { onEcho: (_: Uint8Array): void => {} };
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, LOOPBACK, resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  const sockets = await Promise.all(
    Array.from({ length: conversations }, (_, i) => dial(tor.socks, address.port, i)),
  );
  for (const socket of sockets) inMessages(socket, (message) => echoes.onEcho(message));
  await sleep(SETTLING_MS);
  const ends = sockets.map((socket) => ({
    send: (message: Uint8Array) => void socket.write(message),
  }));
  const run = await converse(ends, tor, echoes);
  for (const socket of sockets) socket.destroy();
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  return run;
}

let dialled = 0;

/** Whoever has a name of his own gets a circuit of his own. */
async function dial(socks: number, port: number, conversation: number): Promise<Socket> {
  dialled++;
  const { socket } = await SocksClient.createConnection({
    proxy: {
      host: LOOPBACK,
      port: socks,
      type: 5,
      userId: `${conversation}`,
      password: `${dialled}`,
    },
    command: 'connect',
    destination: { host: LOOPBACK, port },
    timeout: 60_000,
  });
  socket.setNoDelay(true);
  return socket;
}

function inMessages(socket: Socket, onMessage: (message: Uint8Array) => void): void {
  let rest = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    for (; rest.length >= MESSAGE_BYTES; rest = rest.subarray(MESSAGE_BYTES)) {
      onMessage(rest.subarray(0, MESSAGE_BYTES));
    }
  });
}

/** The relays have processes of their own; what is on either side of them has threads of this one. */
async function throughOurs(kind: PlaneKind, conversations: number): Promise<Run> {
  const echoes = { onEcho: (_: Uint8Array): void => {} };
  const [entry, middle] = [planeProcess(kind), planeProcess(kind)];
  const nodes = [
    await BedNode.start(startPlaneThread),
    await BedNode.start(entry.startPlane),
    await BedNode.start(middle.startPlane),
    await BedNode.start(startPlaneThread),
  ];
  const links = nodes.slice(1).map((node, i) => join(nodes[i] ?? node, node));
  const tunnels = await Promise.all(
    Array.from({ length: conversations }, () => lay(nodes, links, HOP_MS)),
  );
  await sleep(SETTLING_MS);
  const [initiator, endpoint] = [nodes[0], nodes.at(-1)];
  if (initiator === undefined || endpoint === undefined) throw new Error('four nodes were made');
  endpoint.onInner = (circuit, message) => {
    const data = dataOf(message);
    if (data !== undefined) endpoint.send(circuit, data);
  };
  initiator.onInner = (_, message) => {
    const data = dataOf(message);
    if (data !== undefined) echoes.onEcho(data);
  };
  const ends = tunnels.map(({ circuits: [circuit = 0] }) => ({
    send: (message: Uint8Array) => initiator.send(circuit, message),
  }));
  const run = await converse(ends, cpuOf(await middle.process), echoes);
  await Promise.all(nodes.map((node) => node.stop()));
  return run;
}

function cpuOf(process: PlaneProcess): { cpuS(): Promise<number> } {
  return { cpuS: async () => (await process.usage()).cpuMs / 1000 };
}

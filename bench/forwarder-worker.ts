// The worker thread of forwarder.ts: a pair of sockets for each link, and packets that wait for their moment. Timers
// are good to a millisecond, so the last one is spent turning.

import { createSocket, type Socket } from 'node:dgram';
import { parentPort, workerData } from 'node:worker_threads';
import type { Address } from '../core/runtime/index.ts';
import { Dice } from '../core/sim/dice.ts';
import { Path } from '../core/sim/path.ts';
import type { ForwardedLink, ForwarderReport, Way } from './forwarder.ts';

const TURNING_MS = 1.5;

interface Waiting {
  readonly dueMs: number;
  send(): void;
}

const links: readonly ForwardedLink[] = workerData;
const port = parentPort;
if (port === null) throw new Error('this module runs in a worker thread');

/** In the order of their moments. */
const waiting: Waiting[] = [];
const lateMs: number[] = [];
let isTurning = false;

const ways: Way[] = [];
const sockets: Socket[] = [];
for (const [i, { a, b, profile }] of links.entries()) {
  const [forA, forB] = [await bind(), await bind()];
  sockets.push(forA, forB);
  carry({ at: forB, from: forA, to: b, path: new Path(profile, new Dice(2 * i)) });
  carry({ at: forA, from: forB, to: a, path: new Path(profile, new Dice(2 * i + 1)) });
  ways.push({ viaA: addressOf(forA), viaB: addressOf(forB) });
}
port.postMessage(ways);
port.on('message', () => {
  for (const socket of sockets) socket.close();
  const report: ForwarderReport = { lateMs };
  port.postMessage(report);
  port.close();
});

interface OneWay {
  /** Where packets come in. */
  readonly at: Socket;
  /** Where they leave for `to`. */
  readonly from: Socket;
  readonly to: Address;
  readonly path: Path;
}

function carry({ at, from, to, path }: OneWay): void {
  at.on('message', (packet) => {
    if (path.loses()) return;
    const nowMs = performance.now();
    const dueMs = nowMs + path.delayMs(nowMs);
    insert({ dueMs, send: () => from.send(packet, to.port, to.ip) });
    if (!isTurning) turn();
  });
}

/** Most belong at the end. */
function insert(one: Waiting): void {
  let at = waiting.length;
  while (at > 0 && (waiting[at - 1]?.dueMs ?? 0) > one.dueMs) at--;
  waiting.splice(at, 0, one);
}

function turn(): void {
  sendDue();
  const [next] = waiting;
  isTurning = next !== undefined;
  if (next === undefined) return;
  const leftMs = next.dueMs - performance.now();
  if (leftMs > TURNING_MS + 1) {
    isTurning = false;
    setTimeout(turn, leftMs - TURNING_MS);
  } else setImmediate(turn);
}

function sendDue(): void {
  for (;;) {
    const [next] = waiting;
    const nowMs = performance.now();
    if (next === undefined || next.dueMs > nowMs) return;
    waiting.shift();
    next.send();
    lateMs.push(nowMs - next.dueMs);
  }
}

async function bind(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', lookup: (ip, _, done) => done(null, ip, 4) });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return socket;
}

function addressOf(socket: Socket): Address {
  return { ip: '127.0.0.1', port: socket.address().port };
}

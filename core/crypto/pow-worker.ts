// The thread behind solvePow (protocol 2.1): tries one nonce after the other, from 0 on, until one holds, and tells how
// far it is. It listens to nobody: who wants it to stop ends the thread.

import { parentPort, workerData } from 'node:worker_threads';
import {
  POW_CHALLENGE_BYTES,
  POW_NONCE_BYTES,
  type PowReport,
  type PowTask,
  powZeroBits,
} from './pow.ts';

/** A report about every 100 ms (1 µs and 13 ms an attempt, measured). */
const ATTEMPTS_PER_REPORT = { fast: 100_000, id: 8 };

const task: PowTask = workerData;
const input = new Uint8Array(POW_CHALLENGE_BYTES + POW_NONCE_BYTES);
input.set(task.challenge);
const view = new DataView(input.buffer, POW_CHALLENGE_BYTES);
let attempts = 0;
for (;;) {
  view.setUint32(0, attempts / 2 ** 32);
  view.setUint32(4, attempts);
  if (powZeroBits(task.kind, input) >= task.bits) break;
  attempts++;
  if (attempts % ATTEMPTS_PER_REPORT[task.kind] === 0) report({ attempts });
}
report({ nonce: input.slice(POW_CHALLENGE_BYTES) });

function report(message: PowReport): void {
  parentPort?.postMessage(message);
}

// The thread behind solvePow (protocol 2.1): finds a nonce, and tells how far it is. It listens to nobody: who wants it to
// stop ends the thread.

import { parentPort, workerData } from 'node:worker_threads';
import { findNonce, type PowReport, type PowTask } from './pow.ts';

/** A report about every 100 ms (1 µs and 13 ms an attempt, measured). */
const ATTEMPTS_PER_REPORT = { fast: 100_000, id: 8 };

const task: PowTask = workerData;
const nonce = findNonce(task, (attempts) => {
  if (attempts % ATTEMPTS_PER_REPORT[task.kind] === 0) report({ attempts });
});
report({ nonce });

function report(message: PowReport): void {
  parentPort?.postMessage(message);
}

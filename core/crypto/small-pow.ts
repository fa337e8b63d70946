// Small proofs of work, which a node makes all the time (protocol 5: one for every push): a thread of their own that stays,
// because starting one costs more than 14 bits of SHA-256. One after the other, in the order asked. The thread keeps no
// process alive while there is nothing to do.

import type { Worker } from 'node:worker_threads';
import { startWorker } from '../runtime/index.ts';
import { checkTask, type PowTask } from './pow.ts';

/** 65,536 attempts of 1 µs on average. */
export const SMALL_POW_BITS = 16;

type Done = (nonce: Uint8Array) => void;

/** Answered in the order asked. */
const waiting: Done[] = [];
let thread: Worker | undefined;

export async function solveSmallPow(task: PowTask): Promise<Uint8Array> {
  checkTask(task);
  if (task.kind !== 'fast' || task.bits > SMALL_POW_BITS) throw new RangeError('a large proof');
  thread ??= start();
  thread.ref();
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  waiting.push(resolve);
  thread.postMessage(task);
  return promise;
}

function start(): Worker {
  const worker = startWorker(import.meta.url, './small-pow-worker', undefined);
  worker.on('message', (nonce: Uint8Array) => {
    waiting.shift()?.(nonce);
    if (waiting.length === 0) worker.unref();
  });
  return worker;
}

// Starts a module of ours in a worker thread. The same call works from the TypeScript sources and from the built
// JavaScript: the worker file has whatever ending the calling module has.

import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

/** `startWorker(import.meta.url, './pow-worker', data)` runs pow-worker.ts or pow-worker.js beside the caller. */
export function startWorker(callerUrl: string, module: string, workerData: unknown): Worker {
  const ending = extname(fileURLToPath(callerUrl));
  return new Worker(new URL(module + ending, callerUrl), { workerData });
}

// The thread behind solveSmallPow: answers each task with its nonce, in the order they come.

import { parentPort } from 'node:worker_threads';
import { findNonce, type PowTask } from './pow.ts';

parentPort?.on('message', (task: PowTask) => parentPort?.postMessage(findNonce(task, () => {})));

// Starts a data plane: in a worker thread of its own (production), or in this thread over a given runtime (simulator and
// tests). Either way commands go in and events come out, and nothing is shared.

import { type CryptoProvider, chooseProvider } from '../crypto/index.ts';
import { type Runtime, startWorker } from '../runtime/index.ts';
import { DataPlane } from './plane.ts';
import type { PlaneCommand, PlaneEvent } from './plane-port.ts';
import { onionTiming } from './timing.ts';

/** What a data plane is made of: plain data, since it crosses to a thread. */
export interface PlaneSettings {
  readonly roundSeconds: number;
  readonly tickMs: number;
  readonly allowPrivate: boolean;
}

export interface RunningPlane {
  post(command: PlaneCommand): void;
  stop(): Promise<void>;
}

export type StartPlane = (
  settings: PlaneSettings,
  onEvent: (event: PlaneEvent) => void,
) => RunningPlane;

export const startPlaneThread: StartPlane = (settings, onEvent) => {
  const worker = startWorker(import.meta.url, './plane-worker', settings);
  worker.on('message', onEvent);
  // A bug in the data plane ends the process: without it there is no traffic to hide in.
  worker.on('error', (error) => {
    throw error;
  });
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  return {
    post: (command) => worker.postMessage(command),
    stop: async () => {
      worker.postMessage(STOP);
      await ended;
    },
  };
};

/** The one message to the worker that is no command. */
export const STOP = 'stop';

export function startPlaneHere(
  runtime: Runtime,
  provider: CryptoProvider = chooseProvider(),
): StartPlane {
  return (settings, onEvent) => {
    const plane = makePlane(settings, runtime, provider, onEvent);
    return { post: (command) => plane.handle(command), stop: () => plane.stop() };
  };
}

export function makePlane(
  { roundSeconds, tickMs, allowPrivate }: PlaneSettings,
  runtime: Runtime,
  provider: CryptoProvider,
  post: (event: PlaneEvent) => void,
): DataPlane {
  const timing = onionTiming(roundSeconds, tickMs);
  return new DataPlane({ runtime, provider, timing, allowPrivate, post });
}

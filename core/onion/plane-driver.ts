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
  /** Takes over the keys that are in it: they are wiped. */
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
    post: (command) => {
      worker.postMessage(command);
      wipeKeys(command);
    },
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
    return { post: (command) => obey(plane, command), stop: () => plane.stop() };
  };
}

/** The data plane has copies of the keys, or what it makes of them, when it has handled a command. */
export function obey(plane: DataPlane, command: PlaneCommand): void {
  plane.handle(command);
  wipeKeys(command);
}

/** Protocol 2.1, rule 8. */
function wipeKeys(command: PlaneCommand): void {
  if (command.type === 'add session') {
    const { sendKey, receiveKey } = command.session.keys;
    sendKey.fill(0);
    receiveKey.fill(0);
  } else if ('secret' in command) command.secret.fill(0);
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

import type { Network } from './network.ts';
import { realNetwork } from './real-network.ts';
import { realClock, realTimers } from './real-time.ts';
import { type Rng, realRng } from './rng.ts';
import type { Clock, Timers } from './time.ts';

/** Everything a driver takes from the world around it. The simulator has one of these per simulated node. */
export interface Runtime {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly rng: Rng;
  readonly network: Network;
}

export const realRuntime: Runtime = {
  clock: realClock,
  timers: realTimers,
  rng: realRng,
  network: realNetwork,
};

export * from './address.ts';
export * from './files.ts';
export * from './kept-file.ts';
export * from './names.ts';
export * from './network.ts';
export * from './rng.ts';
export type * from './time.ts';
export { startWorker } from './worker.ts';

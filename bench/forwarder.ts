// Stands between nodes on loopback and does to their packets what a network would: delay, jitter and loss after a
// profile of the simulator, in real time. By how much packets left it later than the profile wanted is reported at the
// end, to be subtracted.

import { type Address, startWorker } from '../core/runtime/index.ts';
import type { PathProfile } from '../core/sim/index.ts';

export interface ForwardedLink {
  readonly a: Address;
  readonly b: Address;
  readonly profile: PathProfile;
}

/** Where one sends for the other: `viaA` for A, `viaB` for B. */
export interface Way {
  readonly viaA: Address;
  readonly viaB: Address;
}

export interface ForwarderReport {
  readonly lateMs: readonly number[];
}

export interface Forwarder {
  /** Of the links, in their order. */
  readonly ways: readonly Way[];
  stop(): Promise<ForwarderReport>;
}

export async function startForwarder(links: readonly ForwardedLink[]): Promise<Forwarder> {
  const worker = startWorker(import.meta.url, './forwarder-worker', links);
  const next = <T>(): Promise<T> =>
    new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  const ways = await next<readonly Way[]>();
  return {
    ways,
    stop: () => {
      const report = next<ForwarderReport>();
      worker.postMessage('stop');
      return report;
    },
  };
}

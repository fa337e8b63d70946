// A whole node in a process of its own, so that its share of the processor and its memory can be told: see processes.ts.

import type { OnionNode } from '../core/onion/index.ts';
import { startWholeNode, type WholeNodeOptions } from './whole-node.ts';

export type ToNodeProcess =
  | { readonly type: 'start'; readonly options: WholeNodeOptions }
  | { readonly type: 'usage' };

export interface NodeUsage {
  /** Of all threads, since the start. */
  readonly cpuMs: number;
  readonly rssBytes: number;
  /** Circuits of others that it carries. */
  readonly relayed: number;
  readonly hasTunnel: boolean;
}

let node: OnionNode | undefined;

function usage(): NodeUsage {
  const { user, system } = process.cpuUsage();
  const onion = node?.status.onion;
  return {
    cpuMs: (user + system) / 1000,
    rssBytes: process.memoryUsage.rss(),
    relayed: onion?.relayed ?? 0,
    hasTunnel: onion?.tunnel !== undefined,
  };
}

process.on('message', async (message: ToNodeProcess) => {
  if (message.type === 'start') node = await startWholeNode(message.options);
  // What is said when the other side has gone is lost.
  process.send?.(usage(), () => {});
});
process.on('disconnect', () => process.exit());

// A data plane in a process of its own, so that its share of the processor can be told: started by processes.ts. Over a
// real network it does what production's worker thread does ('slots'), what that would do without slots ('at once'), or
// nothing but forward ('bare').

import { chooseProvider } from '../core/crypto/index.ts';
import { makePlane, type PlaneSettings } from '../core/onion/plane-driver.ts';
import type { PlaneCommand, PlaneEvent } from '../core/onion/plane-port.ts';
import { realRuntime } from '../core/runtime/index.ts';
import { AtOncePlane } from './at-once.ts';
import { BarePlane } from './bare.ts';
import { originMs } from './bed.ts';

export type PlaneKind = 'slots' | 'at once' | 'bare';

export type ToPlaneProcess =
  | { readonly type: 'start'; readonly kind: PlaneKind; readonly settings: PlaneSettings }
  | { readonly type: 'command'; readonly command: PlaneCommand }
  | { readonly type: 'usage' };

export interface Usage {
  /** Of all threads, since the start. */
  readonly cpuMs: number;
  readonly rssBytes: number;
  /** What `performance.now()` counts from there, on the machine's own clock: see `originMs`. */
  readonly originMs: number;
}

export type FromPlaneProcess =
  | { readonly type: 'event'; readonly event: PlaneEvent }
  | { readonly type: 'usage'; readonly usage: Usage };

let plane: { handle(command: PlaneCommand): void } | undefined;

/** What is said when the other side has gone is lost. */
function post(message: FromPlaneProcess): void {
  process.send?.(message, () => {});
}

function make(kind: PlaneKind, settings: PlaneSettings): { handle(command: PlaneCommand): void } {
  const onEvent = (event: PlaneEvent): void => post({ type: 'event', event });
  if (kind === 'bare') return new BarePlane(realRuntime, onEvent);
  const provider = chooseProvider();
  return kind === 'slots'
    ? makePlane(settings, realRuntime, provider, onEvent)
    : new AtOncePlane(realRuntime, provider, onEvent);
}

function usage(): Usage {
  const { user, system } = process.cpuUsage();
  return {
    cpuMs: (user + system) / 1000,
    rssBytes: process.memoryUsage.rss(),
    originMs: originMs(),
  };
}

process.on('message', (message: ToPlaneProcess) => {
  if (message.type === 'start') plane = make(message.kind, message.settings);
  else if (message.type === 'command') plane?.handle(message.command);
  else post({ type: 'usage', usage: usage() });
});
process.on('disconnect', () => process.exit());

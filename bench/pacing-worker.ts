// The worker thread of pacing.ts: a data plane as in plane-worker.ts, whose pacer is watched. When the slots of a stream
// are only the pacer knows: guessed from the packets it would be wrong when they are late.

import { parentPort, workerData } from 'node:worker_threads';
import { chooseProvider } from '../core/crypto/index.ts';
import { Pacer } from '../core/onion/pacer.ts';
import { makePlane, type PlaneSettings } from '../core/onion/plane-driver.ts';
import type { PlaneCommand, PlaneEvent } from '../core/onion/plane-port.ts';
import { realRuntime } from '../core/runtime/index.ts';
import { lateness } from './lateness.ts';

export type ToPacingWorker =
  | { readonly type: 'command'; readonly command: PlaneCommand }
  /** Begin noting anew; what was noted until now is answered. */
  | { readonly type: 'collect' };

export type FromPacingWorker =
  | { readonly type: 'event'; readonly event: PlaneEvent }
  | {
      readonly type: 'sent';
      /** Of all packets in slots, from when it was due until it was sent. */
      readonly lateMs: readonly number[];
      readonly skipped: number;
      /** Of this thread, since it began. */
      readonly cpuMs: number;
    };

const port = parentPort;
if (port === null) throw new Error('this module runs in a worker thread');
const settings: PlaneSettings = workerData;

/** By stream: its phase on the pacer's steps of 1 ms, and when it sent. */
const streams = new Map<unknown, { phaseMs: number; timesMs: number[] }>();
let pacer: Pacer<unknown> | undefined;

const { place, run } = Pacer.prototype;
Pacer.prototype.place = function (stream, phaseMs, nowMs) {
  streams.set(stream, { phaseMs: Math.ceil(phaseMs) % settings.tickMs, timesMs: [] });
  place.call(this, stream, phaseMs, nowMs);
};
Pacer.prototype.run = function (nowMs, send) {
  pacer = this;
  run.call(this, nowMs, (stream) => {
    send(stream);
    streams.get(stream)?.timesMs.push(performance.now());
  });
};

const post = (message: FromPacingWorker): void => port.postMessage(message);
const plane = makePlane(settings, realRuntime, chooseProvider(), (event) =>
  post({ type: 'event', event }),
);

let skippedBefore = 0;

function collect(): void {
  const lateMs = [...streams.values()].flatMap(({ timesMs, phaseMs }) =>
    lateness(timesMs.splice(0), phaseMs, settings.tickMs),
  );
  const skipped = pacer?.skipped ?? 0;
  const { user, system } = process.threadCpuUsage();
  post({ type: 'sent', lateMs, skipped: skipped - skippedBefore, cpuMs: (user + system) / 1000 });
  skippedBefore = skipped;
}

port.on('message', (message: ToPacingWorker) => {
  if (message.type === 'command') plane.handle(message.command);
  else collect();
});

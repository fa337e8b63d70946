// The worker thread of the data plane: see plane-driver.ts.

import { parentPort, workerData } from 'node:worker_threads';
import { chooseProvider } from '../crypto/index.ts';
import { realRuntime } from '../runtime/index.ts';
import { makePlane, obey, type PlaneSettings, STOP } from './plane-driver.ts';
import type { PlaneCommand } from './plane-port.ts';

const port = parentPort;
if (port === null) throw new Error('this module runs in a worker thread');
const settings: PlaneSettings = workerData;
const plane = makePlane(settings, realRuntime, chooseProvider(), (event) =>
  port.postMessage(event),
);

port.on('message', (command: PlaneCommand | typeof STOP) => {
  if (command !== STOP) obey(plane, command);
  else void plane.stop().then(() => port.close());
});

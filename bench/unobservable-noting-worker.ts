// A data plane's worker thread as plane-worker.ts, whose socket notes what it is given to send, and when: what the wire
// shows, where nobody may capture it.

import { parentPort, workerData } from 'node:worker_threads';
import { chooseProvider } from '../core/crypto/index.ts';
import { makePlane, type PlaneSettings } from '../core/onion/plane-driver.ts';
import type { PlaneCommand, PlaneEvent } from '../core/onion/plane-port.ts';
import { type Network, realRuntime } from '../core/runtime/index.ts';
import { NOTED_FIELDS, type Noted } from './unobservable-noting.ts';

/** Far more than a node sends meanwhile. */
const PACKETS_MAX = 8192;
const TELL_EVERY_MS = 500;

const port = parentPort;
if (port === null) throw new Error('this module runs in a worker thread');
const settings: PlaneSettings = workerData;
const packets = new Float64Array(NOTED_FIELDS * PACKETS_MAX);
let noted = 0;

function note(from: number, to: number, bytes: number): void {
  const at = NOTED_FIELDS * noted;
  if (at === packets.length) throw new Error('too many packets to note');
  packets[at] = performance.timeOrigin + performance.now();
  packets[at + 1] = from;
  packets[at + 2] = to;
  packets[at + 3] = bytes;
  noted++;
}

const network: Network = {
  ...realRuntime.network,
  bindUdp: async (local, handlers) => {
    const socket = await realRuntime.network.bindUdp(local, handlers);
    return {
      local: socket.local,
      get sendErrors() {
        return socket.sendErrors;
      },
      send: (packet, to) => {
        note(socket.local.port, to.port, packet.length);
        socket.send(packet, to);
      },
      close: () => socket.close(),
    };
  },
};

const post = (message: PlaneEvent | Noted): void => port.postMessage(message);
const plane = makePlane(settings, { ...realRuntime, network }, chooseProvider(), post);
port.on('message', (command: PlaneCommand) => plane.handle(command));
setInterval(() => {
  post({ type: 'noted', packets: packets.slice(0, NOTED_FIELDS * noted) });
  noted = 0;
}, TELL_EVERY_MS);

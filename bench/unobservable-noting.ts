// Data planes that tell what they send (unobservable-noting-worker.ts), for machines on which nothing can be captured.

import type { StartPlane } from '../core/onion/index.ts';
import type { PlaneEvent } from '../core/onion/plane-port.ts';
import { startWorker } from '../core/runtime/index.ts';
import type { Seen } from './unobservable-capture.ts';

/** Of each packet sent: Unix time in ms, own port, the receiver's, length. */
export interface Noted {
  readonly type: 'noted';
  readonly packets: Float64Array;
}

export const NOTED_FIELDS = 4;

export function notingPlane(onSeen: (seen: Seen) => void): StartPlane {
  return (settings, onEvent) => {
    const worker = startWorker(import.meta.url, './unobservable-noting-worker', settings);
    worker.on('message', (message: PlaneEvent | Noted) => {
      if (message.type === 'noted') tell(message.packets, onSeen);
      else onEvent(message);
    });
    worker.on('error', (error) => {
      throw error;
    });
    return {
      post: (command) => worker.postMessage(command),
      stop: async () => {
        await worker.terminate();
      },
    };
  };
}

function tell(packets: Float64Array, onSeen: (seen: Seen) => void): void {
  for (let i = 0; i < packets.length; i += NOTED_FIELDS) {
    const [atMs = 0, from = 0, to = 0, bytes = 0] = packets.subarray(i, i + NOTED_FIELDS);
    onSeen({ atMs, from, to, bytes });
  }
}

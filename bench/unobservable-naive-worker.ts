// What a sender must not be, to show that attackers would notice: it sends a packet of the same size at the same
// intervals always, noise when nobody talks, but timers that follow from each other, and work that is only done in a call.

import { createSocket } from 'node:dgram';
import { parentPort, workerData } from 'node:worker_threads';
import { Lioness, lionessKeys } from '../core/crypto/index.ts';
import { nobleProvider } from '../core/crypto/noble.ts';
import { BODY_BYTES, DATAGRAM_BYTES } from '../core/link/index.ts';
import { TICK_MS } from '../core/onion/index.ts';
import { randomBytes, realRng } from '../core/runtime/index.ts';

export interface NaivePlace {
  readonly ip: string;
  readonly port: number;
  readonly to: number;
}

const LAYERS = 3;
const { ip, port, to }: NaivePlace = workerData;
const lioness = new Lioness(nobleProvider);
const keys = Array.from({ length: LAYERS }, () => lionessKeys(randomBytes(realRng, 32), 'fwd'));
const body = randomBytes(realRng, BODY_BYTES);
const packet = randomBytes(realRng, DATAGRAM_BYTES);
const socket = createSocket('udp4');
let isBusy = false;

parentPort?.on('message', (busy: boolean) => {
  isBusy = busy;
});
socket.bind(port, ip, () => {
  setInterval(() => {
    if (isBusy) for (const key of keys) lioness.encrypt(body, key);
    socket.send(packet, to, ip);
  }, TICK_MS);
});

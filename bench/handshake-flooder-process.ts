// Floods one node with INITs as who spoofs his address would: each well-formed, with the right mac1, of another Noise key,
// and without a cookie, from many addresses. What comes back is counted by what it is: a RESP has cost the node
// Diffie-Hellmans, a COOKIE has not.

import { createSocket, type Socket } from 'node:dgram';
import { mac1Key, writeMac1 } from '../core/link/macs.ts';
import { encodeHandshakePacket, NOISE_BYTES } from '../core/link/wire.ts';
import {
  type Address,
  randomBelow,
  randomBytes,
  randomU32,
  realRng,
} from '../core/runtime/index.ts';

export interface Flood {
  readonly to: Address;
  readonly identity: Uint8Array;
  readonly networkId: Uint8Array;
  readonly perSecond: number;
}

export type ToFlooder =
  | { readonly type: 'begin'; readonly flood: Flood }
  | { readonly type: 'end' };

/** Of one flood. */
export interface Flooded {
  readonly seconds: number;
  readonly inits: number;
  readonly resps: number;
  readonly cookies: number;
}

/** More than the netgroups, subnets and pending places that a node knows of. */
const ADDRESSES = 512;
const RESP = 2;
const COOKIE = 5;

let counts = { inits: 0, resps: 0, cookies: 0 };
let timer: NodeJS.Timeout | undefined;
let startMs = 0;

/** Loopback is a whole /8. */
async function bound(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', lookup: (ip, _, done) => done(null, ip, 4) });
  const bytes = [1 + randomBelow(realRng, 254), randomBelow(realRng, 256)];
  const ip = ['127', ...bytes, 1 + randomBelow(realRng, 254)].join('.');
  socket.on('message', (packet) => {
    if (packet[0] === RESP) counts.resps++;
    else if (packet[0] === COOKIE) counts.cookies++;
  });
  // What the system refuses is not sent.
  socket.on('error', () => {});
  await new Promise<void>((resolve) => socket.bind(0, ip, resolve));
  return socket;
}

const sockets = await Promise.all(Array.from({ length: ADDRESSES }, bound));

function begin({ to, identity, networkId, perSecond }: Flood): void {
  const key = mac1Key(networkId, identity);
  counts = { inits: 0, resps: 0, cookies: 0 };
  startMs = performance.now();
  timer = setInterval(() => {
    const due = ((performance.now() - startMs) * perSecond) / 1000;
    for (; counts.inits < due; counts.inits++) {
      const noise = randomBytes(realRng, NOISE_BYTES.init);
      const init = encodeHandshakePacket({ type: 'init', index: randomU32(realRng), noise });
      writeMac1(init, key);
      sockets[counts.inits % ADDRESSES]?.send(init, to.port, to.ip);
    }
  }, 1);
}

process.on('message', (message: ToFlooder) => {
  if (message.type === 'begin') begin(message.flood);
  else {
    clearInterval(timer);
    const flooded: Flooded = { ...counts, seconds: (performance.now() - startMs) / 1000 };
    process.send?.(flooded);
  }
});
process.on('disconnect', () => process.exit());
process.send?.('ready');

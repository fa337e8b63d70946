// Addresses for processes of tests.

import { randomInt } from 'node:crypto';
import { type Address, NetworkError, realRuntime } from '../index.ts';

/** Below those that systems give to outgoing connections. */
const PORTS = { min: 15_000, max: 30_000 };

/** On loopback, free for UDP and TCP a moment ago. */
export async function freeAddress(): Promise<Address> {
  const { network } = realRuntime;
  for (;;) {
    const address = { ip: '127.0.0.1', port: randomInt(PORTS.min, PORTS.max) };
    try {
      const listener = await network.listenTcp(address, () => ({ onData() {}, onClose() {} }));
      const socket = await network.bindUdp(address, { onPacket() {} });
      await Promise.all([listener.close(), socket.close()]);
      return address;
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
    }
  }
}

// Dialling through a SOCKS5 proxy (RFC 1928) by the package `socks`. A name is handed to the proxy as it is and never
// resolved here: a lookup in the clear would tell everybody on the way whom we talk to.

import type { Socket } from 'node:net';
import { SocksClient } from 'socks';
import type { HostPort } from './address.ts';
import { NetworkError } from './network.ts';

export interface SocksDial {
  readonly proxy: HostPort;
  readonly to: HostPort;
  readonly timeoutMs: number;
}

/** An open socket to `to`. Rejects with NetworkError. */
export async function dialSocks({ proxy, to, timeoutMs }: SocksDial): Promise<Socket> {
  try {
    const { socket } = await SocksClient.createConnection({
      proxy: { host: proxy.host, port: proxy.port, type: 5 },
      command: 'connect',
      destination: { host: to.host, port: to.port },
      timeout: timeoutMs,
    });
    return socket;
  } catch (error) {
    throw new NetworkError(/timed out/i.test(String(error)) ? 'timed out' : 'unreachable');
  }
}

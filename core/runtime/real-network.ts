// The system's UDP and TCP sockets behind the interfaces of network.ts.

import { createSocket } from 'node:dgram';
import { createServer, isIPv4, isIPv6, Socket } from 'node:net';
import { type Address, canonicalIp } from './address.ts';
import {
  type Network,
  NetworkError,
  type NetworkFault,
  type StreamHandlers,
  type TcpStream,
} from './network.ts';
import { dialSocks as openSocks } from './socks.ts';

/** Room for about 2 s of a busy relay (3,000 datagrams of 552 bytes); the system may grant less. */
const UDP_RECEIVE_BUFFER = 4 << 20;

/** Between `wrap` and `attach`: Node's own 'drain' comes only to who has written more than 64 KiB. */
const EMPTY = 'voidphone:empty';

export const realNetwork: Network = { bindUdp, listenTcp, dialTcp, dialSocks };

async function bindUdp(
  ...[local, handlers]: Parameters<Network['bindUdp']>
): ReturnType<Network['bindUdp']> {
  const type = isIPv6(local.ip) ? 'udp6' : 'udp4';
  const socket = createSocket({ type, lookup: itself });
  const ips = new PeerIps();
  let sendErrors = 0;
  socket.on('message', (packet, from) => {
    const ip = ips.of(from.address);
    if (ip !== undefined) handlers.onPacket(plain(packet), { ip, port: from.port });
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', (error) => reject(networkError(error)));
    socket.bind(local.port, local.ip, resolve);
  });
  socket.removeAllListeners('error');
  socket.on('error', () => {
    sendErrors++;
  });
  growReceiveBuffer(() => socket.setRecvBufferSize(UDP_RECEIVE_BUFFER));
  const onSent = (error: Error | null): void => {
    if (error !== null) sendErrors++;
  };
  return {
    local: { ip: local.ip, port: socket.address().port },
    get sendErrors() {
      return sendErrors;
    },
    send: (packet, to) => {
      try {
        // What waits is behind a whole buffer of the system's already: later is too late, and there is no end to it.
        if (socket.getSendQueueCount() > 0) sendErrors++;
        else socket.send(packet, to.port, to.ip, onSent);
      } catch {
        // Thrown at once for a port of 0, which a peer may have named, and for a closed socket.
        sendErrors++;
      }
    },
    close: () => new Promise((resolve) => socket.close(resolve)),
  };
}

/**
 * In place of the resolver, which would answer for an address too, but in a later turn of the event loop: `send` is to
 * have handed the packet to the system when it returns. A name is refused by the system like any wrong address.
 */
function itself(ip: string, _: unknown, done: (e: null, ip: string, family: number) => void): void {
  done(null, ip, isIPv6(ip) ? 6 : 4);
}

/** How many spellings are remembered. Strangers choose them, so all are forgotten when there are more. A guess. */
const SPELLINGS_MAX = 1024;

/** `peerIp` of those who send to us, remembered: finding it for an IPv6 address costs as much as a cipher. */
class PeerIps {
  readonly #known = new Map<string, string | undefined>();

  of(spelling: string): string | undefined {
    if (isIPv4(spelling)) return spelling;
    if (this.#known.has(spelling)) return this.#known.get(spelling);
    if (this.#known.size >= SPELLINGS_MAX) this.#known.clear();
    const ip = peerIp(spelling);
    this.#known.set(spelling, ip);
    return ip;
  }
}

/**
 * The address of a peer as the system spells it. Undefined for one with a zone (fe80::1%eth0), which says something on
 * one network segment only.
 */
function peerIp(spelling: string | undefined): string | undefined {
  if (spelling === undefined || spelling.includes('%')) return undefined;
  return canonicalIp(spelling);
}

/** Linux grants what it likes without complaint; other systems refuse a size they do not like. */
function growReceiveBuffer(grow: () => void): void {
  try {
    grow();
  } catch {
    // The default size works too, with less room for bursts.
  }
}

async function listenTcp(
  ...[local, onStream]: Parameters<Network['listenTcp']>
): ReturnType<Network['listenTcp']> {
  const server = createServer((socket) => {
    // Without an address it has gone already.
    if (peerIp(socket.remoteAddress) === undefined) return void socket.destroy();
    const stream = wrap(socket);
    attach(socket, onStream(stream));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(networkError(error)));
    server.listen({ port: local.port, host: local.ip }, resolve);
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('a TCP server has an address');
  return {
    local: { ip: local.ip, port: bound.port },
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}

function dialTcp(...[to, options]: Parameters<Network['dialTcp']>): Promise<TcpStream> {
  return new Promise((resolve, reject) => {
    const socket = new Socket();
    const fail = (error: Error): void => {
      socket.destroy();
      reject(networkError(error));
    };
    const timeout = setTimeout(() => fail(new NetworkError('timed out')), options.timeoutMs);
    socket.once('error', fail);
    socket.once('close', () => clearTimeout(timeout));
    socket.connect(to.port, to.ip, () => {
      clearTimeout(timeout);
      socket.removeAllListeners('close');
      socket.removeAllListeners('error');
      const stream = wrap(socket);
      attach(socket, options.handlers);
      resolve(stream);
    });
  });
}

async function dialSocks(
  ...[to, proxy, options]: Parameters<Network['dialSocks']>
): Promise<TcpStream> {
  const socket = await openSocks({ proxy, to, timeoutMs: options.timeoutMs });
  const stream = wrap(socket);
  attach(socket, options.handlers);
  return stream;
}

function wrap(socket: Socket): TcpStream {
  const remote: Address = {
    ip: peerIp(socket.remoteAddress) ?? '::',
    port: socket.remotePort ?? 0,
  };
  socket.setNoDelay(true);
  return {
    remote,
    get bufferedBytes() {
      return socket.writableLength;
    },
    write: (bytes) => {
      socket.write(new Uint8Array(bytes), () => {
        if (socket.writableLength === 0) socket.emit(EMPTY);
      });
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
  };
}

function attach(socket: Socket, handlers: StreamHandlers): void {
  socket.on('data', (bytes) => handlers.onData(plain(bytes)));
  socket.on(EMPTY, () => handlers.onDrain?.());
  socket.on('error', () => socket.destroy());
  socket.once('close', () => handlers.onClose());
}

/** A Buffer's slice() is a view where everybody else's is a copy: none of them leave this file. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

const FAULTS: Readonly<Record<string, NetworkFault>> = {
  EADDRINUSE: 'address in use',
  EADDRNOTAVAIL: 'address not available',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ECONNREFUSED: 'refused',
  ETIMEDOUT: 'timed out',
};

function networkError(error: NodeJS.ErrnoException): NetworkError {
  return error instanceof NetworkError
    ? error
    : new NetworkError(FAULTS[error.code ?? ''] ?? 'unreachable');
}

// Sockets as the rest of the program sees them. real-network.ts has the system's, sim/ the simulated ones. All
// handlers are given when a socket is made, so nothing that arrives early is lost.

import type { Address, HostPort } from './address.ts';

export interface Network {
  bindUdp(local: Address, handlers: UdpHandlers): Promise<UdpSocket>;
  listenTcp(local: Address, onStream: (stream: TcpStream) => StreamHandlers): Promise<TcpListener>;
  /** Rejects with a NetworkError; never later than `timeoutMs`. */
  dialTcp(to: Address, options: DialOptions): Promise<TcpStream>;
  /** The same through a SOCKS5 proxy, which resolves names. `remote` of the stream is the proxy. */
  dialSocks(to: HostPort, proxy: HostPort, options: DialOptions): Promise<TcpStream>;
}

export interface UdpHandlers {
  /** `packet` is valid during the call only. */
  onPacket(packet: Uint8Array, from: Address): void;
}

export interface UdpSocket {
  readonly local: Address;
  /** Best effort, like the network itself: what cannot be sent is lost and counted in `sendErrors`. */
  send(packet: Uint8Array, to: Address): void;
  readonly sendErrors: number;
  close(): Promise<void>;
}

export interface DialOptions {
  readonly timeoutMs: number;
  readonly handlers: StreamHandlers;
}

export interface TcpListener {
  readonly local: Address;
  /** Stops listening; streams that are open stay open. */
  close(): Promise<void>;
}

export interface StreamHandlers {
  /** `bytes` is valid during the call only. */
  onData(bytes: Uint8Array): void;
  /** Called exactly once, whoever closed. */
  onClose(): void;
  /** `bufferedBytes` has come down to zero. */
  onDrain?(): void;
}

export interface TcpStream {
  readonly remote: Address;
  /** Queues a copy of `bytes`. Whoever writes watches `bufferedBytes`; nothing here limits it. */
  write(bytes: Uint8Array): void;
  readonly bufferedBytes: number;
  /** Stop and restart delivering what arrives. */
  pause(): void;
  resume(): void;
  /** Sends what is queued, then closes. */
  end(): void;
  /** Closes now; what is queued is lost. */
  destroy(): void;
}

export type NetworkFault =
  | 'address in use'
  | 'address not available'
  | 'permission denied'
  | 'refused'
  | 'timed out'
  | 'unreachable';

/** Why a socket could not be had. Carries no address: callers know it, and logs must not. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';
  readonly fault: NetworkFault;

  constructor(fault: NetworkFault) {
    super(fault);
    this.fault = fault;
  }
}

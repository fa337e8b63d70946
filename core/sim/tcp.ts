// TCP of a simulated host: its listeners, its streams, and what it answers to segments that belong to none.

import {
  type Address,
  type DialOptions,
  NetworkError,
  type StreamHandlers,
  type TcpListener,
  type TcpStream,
} from '../runtime/index.ts';
import type { TcpPacket } from './packet.ts';
import { anyLike, DYNAMIC_PORT_COUNT, Ports, sourceIp } from './ports.ts';
import { SimTcpStream, type StreamEvents, type TcpHost } from './tcp-stream.ts';

type OnStream = (stream: TcpStream) => StreamHandlers;

interface Listener {
  readonly local: Address;
  readonly onStream: OnStream;
}

export class Tcp {
  readonly #host: TcpHost;
  readonly #ips: readonly string[];
  readonly #ports: Ports<Listener>;
  /** By local and remote address. */
  readonly #streams = new Map<string, SimTcpStream>();

  constructor(host: TcpHost, ips: readonly string[], firstDynamic: number) {
    this.#host = host;
    this.#ips = ips;
    this.#ports = new Ports(ips, firstDynamic);
  }

  listen(local: Address, onStream: OnStream): TcpListener {
    const listener = { local: this.#ports.claim(local), onStream };
    this.#ports.add(listener);
    return { local: listener.local, close: async () => this.#ports.remove(listener) };
  }

  dial(to: Address, { timeoutMs, handlers }: DialOptions): Promise<TcpStream> {
    return new Promise((resolve, reject) => {
      const ip = sourceIp(anyLike(to.ip), to.ip, this.#ips);
      if (ip === undefined) throw new NetworkError('unreachable');
      const stream = this.#stream(this.#freeLocal(ip, to), to, {
        onOpen: () => {
          timeout.cancel();
          resolve(stream);
          return handlers;
        },
        onFailure: (fault) => {
          timeout.cancel();
          reject(new NetworkError(fault));
        },
      });
      const timeout = this.#host.after(timeoutMs, () => stream.fail('timed out'));
      stream.start();
    });
  }

  receive({ from, to, bytes, segment }: TcpPacket): void {
    const stream = this.#streams.get(keyOf(to, from));
    const listener = segment.kind === 'syn' ? this.#ports.find(to) : undefined;
    if (stream !== undefined) stream.receive(segment, bytes);
    else if (listener !== undefined) this.#accept(listener, to, from).start(segment);
    else if (segment.kind !== 'reset') this.#refuse(to, from);
  }

  /** What the system does for a process that ends. */
  destroyAll(): void {
    for (const stream of [...this.#streams.values()]) stream.destroy();
  }

  #accept({ onStream }: Listener, local: Address, remote: Address): SimTcpStream {
    return this.#stream(local, remote, { onOpen: onStream, onFailure: () => {} });
  }

  #stream(local: Address, remote: Address, events: Omit<StreamEvents, 'onGone'>): SimTcpStream {
    const key = keyOf(local, remote);
    const onGone = () => void this.#streams.delete(key);
    const stream = new SimTcpStream(this.#host, local, remote, { ...events, onGone });
    this.#streams.set(key, stream);
    return stream;
  }

  #freeLocal(ip: string, remote: Address): Address {
    for (let tries = 0; tries < DYNAMIC_PORT_COUNT; tries++) {
      const local = this.#ports.claim({ ip, port: 0 });
      if (!this.#streams.has(keyOf(local, remote))) return local;
    }
    throw new NetworkError('address not available');
  }

  #refuse(from: Address, to: Address): void {
    const segment = { kind: 'reset', number: 0, next: 0, windowBytes: 0 } as const;
    this.#host.send({ protocol: 'tcp', from, to, bytes: new Uint8Array(), segment });
  }
}

function keyOf(local: Address, remote: Address): string {
  return `${local.ip} ${local.port} ${remote.ip} ${remote.port}`;
}

// One life of a host, from start to crash or stop: the Runtime its program runs on. Once it is over the Runtime is
// inert: its timers are gone, what it sends goes nowhere, and what it waits for never comes.

import {
  type Address,
  type Clock,
  type DialOptions,
  type Network,
  NetworkError,
  type Runtime,
  SeededRng,
  type StreamHandlers,
  type TcpListener,
  type TcpStream,
  type Timer,
  type Timers,
  type UdpHandlers,
  type UdpSocket,
} from '../runtime/index.ts';
import type { Host } from './host.ts';
import type { SimNetwork } from './network.ts';
import type { Packet } from './packet.ts';
import { DYNAMIC_PORT_COUNT, Ports } from './ports.ts';
import { Tcp } from './tcp.ts';
import { SimUdpSocket } from './udp.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What worlds give to hosts. */
export interface Surroundings {
  readonly time: VirtualTime;
  readonly network: SimNetwork;
  /** A seed for what this label names. */
  seed(label: string): number;
}

export class Life implements Clock, Timers, Network {
  readonly runtime: Runtime;
  readonly ips: readonly string[];
  readonly segmentBytes: number;
  readonly udp: Ports<SimUdpSocket>;
  readonly #host: Host;
  readonly #around: Surroundings;
  readonly #tcp: Tcp;
  readonly #bornMs: number;
  #over = false;

  constructor(host: Host, around: Surroundings) {
    this.#host = host;
    this.#around = around;
    this.#bornMs = around.time.nowMs();
    this.ips = host.ips;
    this.segmentBytes = host.segmentBytes;
    const seed = around.seed(host.name);
    // Not the ports of the life before, whose streams the other side may still hold.
    const firstPort = seed % DYNAMIC_PORT_COUNT;
    this.udp = new Ports(host.ips, firstPort);
    this.#tcp = new Tcp(this, host.ips, firstPort);
    this.runtime = { clock: this, timers: this, network: this, rng: new SeededRng(seed) };
  }

  /** From zero in each life, so that nothing can come to rely on it across a restart. */
  nowMs(): number {
    return (this.#around.time.nowMs() - this.#bornMs) * this.#host.rate;
  }

  wallMs(): number {
    return this.#host.wallMs();
  }

  after(delayMs: number, run: () => void): Timer {
    if (this.#over) return { cancel: () => {} };
    return this.#around.time.after(delayMs / this.#host.rate, run, this);
  }

  async bindUdp(local: Address, handlers: UdpHandlers): Promise<UdpSocket> {
    return this.#over ? never() : new SimUdpSocket(this, local, handlers);
  }

  async listenTcp(
    local: Address,
    onStream: (stream: TcpStream) => StreamHandlers,
  ): Promise<TcpListener> {
    return this.#over ? never() : this.#tcp.listen(local, onStream);
  }

  dialTcp(to: Address, options: DialOptions): Promise<TcpStream> {
    return this.#over ? never() : this.#tcp.dial(to, options);
  }

  /** No proxy is simulated: as if none were there. */
  async dialSocks(): Promise<TcpStream> {
    throw new NetworkError('unreachable');
  }

  send(packet: Packet): void {
    if (!this.#over) this.#around.network.send(this.#host, packet);
  }

  receive(packet: Packet): void {
    if (packet.protocol === 'udp') this.udp.find(packet.to)?.receive(packet);
    else this.#tcp.receive(packet);
  }

  /** The process ends: the system closes its streams. */
  exit(): void {
    this.#tcp.destroyAll();
    this.end();
  }

  /** The machine is gone. */
  end(): void {
    this.#over = true;
    this.#around.time.cancelOwnedBy(this);
  }
}

function never(): Promise<never> {
  return new Promise(() => {});
}

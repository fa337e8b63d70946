// The UDP sockets of a simulated host.

import type { Address, UdpHandlers, UdpSocket } from '../runtime/index.ts';
import type { Packet } from './packet.ts';
import { type Ports, sourceIp } from './ports.ts';
import { copyOf } from './slab.ts';

/** The largest payload of a datagram over IPv4; anything longer a socket refuses. */
const PAYLOAD_MAX = 65_507;

/** What a socket needs of the host it is on. */
export interface UdpHost {
  readonly ips: readonly string[];
  readonly udp: Ports<SimUdpSocket>;
  send(packet: Packet): void;
}

export class SimUdpSocket implements UdpSocket {
  readonly local: Address;
  readonly #host: UdpHost;
  readonly #handlers: UdpHandlers;
  #sendErrors = 0;
  #open = true;

  constructor(host: UdpHost, local: Address, handlers: UdpHandlers) {
    this.#host = host;
    this.local = host.udp.claim(local);
    this.#handlers = handlers;
    host.udp.add(this);
  }

  get sendErrors(): number {
    return this.#sendErrors;
  }

  send(packet: Uint8Array, to: Address): void {
    const ip = sourceIp(this.local.ip, to.ip, this.#host.ips);
    if (!this.#open || ip === undefined || !isPort(to.port) || packet.length > PAYLOAD_MAX) {
      this.#sendErrors++;
      return;
    }
    const from = { ip, port: this.local.port };
    this.#host.send({ protocol: 'udp', from, to, bytes: copyOf(packet) });
  }

  receive({ bytes, from }: Packet): void {
    this.#handlers.onPacket(bytes, from);
  }

  async close(): Promise<void> {
    this.#open = false;
    this.#host.udp.remove(this);
  }
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port < 65_536;
}

// A point on the wire for tests over the system's sockets: forwards datagrams to a node, and its answers back to whoever
// sent, like a translator in front of it, and notes how long they all were.

import { type Address, formatAddress, realRuntime, type UdpSocket } from '../../runtime/index.ts';

const LOOPBACK = { ip: '127.0.0.1', port: 0 };

export class UdpTap {
  /** How many of each length have passed, in either direction. */
  readonly sizes = new Map<number, number>();
  readonly #target: Address;
  readonly #inside: Promise<UdpSocket>;
  /** One per sender. */
  readonly #outside = new Map<string, Promise<UdpSocket>>();

  constructor(target: Address) {
    this.#target = target;
    this.#inside = realRuntime.network.bindUdp(LOOPBACK, {
      onPacket: (packet, from) => this.#forward(packet, from),
    });
  }

  /** Where the node is reached through it. */
  async address(): Promise<Address> {
    return (await this.#inside).local;
  }

  async close(): Promise<void> {
    for (const socket of [this.#inside, ...this.#outside.values()]) await (await socket).close();
  }

  #forward(packet: Uint8Array, from: Address): void {
    const key = formatAddress(from);
    const socket = this.#outside.get(key) ?? this.#open(from);
    this.#outside.set(key, socket);
    void this.#pass(packet, socket, this.#target);
  }

  #open(sender: Address): Promise<UdpSocket> {
    return realRuntime.network.bindUdp(LOOPBACK, {
      onPacket: (packet) => void this.#pass(packet, this.#inside, sender),
    });
  }

  async #pass(packet: Uint8Array, through: Promise<UdpSocket>, to: Address): Promise<void> {
    this.sizes.set(packet.length, (this.sizes.get(packet.length) ?? 0) + 1);
    const copy = new Uint8Array(packet);
    (await through).send(copy, to);
  }
}

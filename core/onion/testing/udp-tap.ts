// A point on the wire for tests over the system's sockets: forwards datagrams to a node, and its answers back to whoever
// sent, like a translator in front of it, and tells of each.

import { type Address, formatAddress, realRuntime, type UdpSocket } from '../../runtime/index.ts';

const LOOPBACK = { ip: '127.0.0.1', port: 0 };

/** A datagram that passes. */
export interface Passing {
  /** Who began to talk to the node behind the tap. */
  readonly caller: Address;
  /** Sent or received, by the caller. */
  readonly direction: 'sent' | 'received';
  readonly bytes: number;
}

export class UdpTap {
  readonly #target: Address;
  readonly #onPassing: (passing: Passing) => void;
  readonly #inside: Promise<UdpSocket>;
  /** One per caller. */
  readonly #outside = new Map<string, Promise<UdpSocket>>();

  constructor(target: Address, onPassing: (passing: Passing) => void) {
    this.#target = target;
    this.#onPassing = onPassing;
    this.#inside = realRuntime.network.bindUdp(LOOPBACK, {
      onPacket: (packet, caller) => this.#forward(packet, caller),
    });
  }

  /** Where the node is reached through it. */
  async address(): Promise<Address> {
    return (await this.#inside).local;
  }

  async close(): Promise<void> {
    for (const socket of [this.#inside, ...this.#outside.values()]) await (await socket).close();
  }

  #forward(packet: Uint8Array, caller: Address): void {
    const key = formatAddress(caller);
    const socket = this.#outside.get(key) ?? this.#open(caller);
    this.#outside.set(key, socket);
    this.#onPassing({ caller, direction: 'sent', bytes: packet.length });
    void pass(packet, socket, this.#target);
  }

  #open(caller: Address): Promise<UdpSocket> {
    return realRuntime.network.bindUdp(LOOPBACK, {
      onPacket: (packet) => {
        this.#onPassing({ caller, direction: 'received', bytes: packet.length });
        void pass(packet, this.#inside, caller);
      },
    });
  }
}

async function pass(packet: Uint8Array, through: Promise<UdpSocket>, to: Address): Promise<void> {
  const copy = new Uint8Array(packet);
  (await through).send(copy, to);
}

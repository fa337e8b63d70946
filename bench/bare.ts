// A forwarder that looks at nothing: what comes from one neighbour goes to the other as it is. What the system and
// Node's sockets cost, below which no relay can be.

import type { PlaneCommand, PlaneEvent } from '../core/onion/plane-port.ts';
import type { Address, Runtime, UdpSocket } from '../core/runtime/index.ts';

export class BarePlane {
  readonly #runtime: Runtime;
  readonly #post: (event: PlaneEvent) => void;
  readonly #neighbours: Address[] = [];
  #socket: UdpSocket | undefined;

  constructor(runtime: Runtime, post: (event: PlaneEvent) => void) {
    this.#runtime = runtime;
    this.#post = post;
  }

  handle(command: PlaneCommand): void {
    if (command.type === 'listen' && command.udp !== undefined) void this.#listen(command.udp);
    else if (command.type === 'add session') this.#know(command.session.route);
  }

  async #listen(local: Address): Promise<void> {
    this.#socket = await this.#runtime.network.bindUdp(local, {
      onPacket: (packet, from) => {
        const to = this.#neighbours.find(({ port }) => port !== from.port);
        if (to !== undefined) this.#socket?.send(packet, to);
      },
    });
    this.#post({ type: 'listening', udp: this.#socket.local });
  }

  #know(route: (PlaneCommand & { type: 'add session' })['session']['route']): void {
    if (route.transport !== 'udp') return;
    const isKnown = this.#neighbours.some(({ port }) => port === route.to.port);
    if (!isKnown) this.#neighbours.push(route.to);
  }
}

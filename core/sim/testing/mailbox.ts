// For the tests of the simulator: UDP sockets that note what arrives.

import { decodeUtf8, utf8 } from '../../bytes/index.ts';
import type { Address, UdpSocket } from '../../runtime/index.ts';
import type { Host } from '../host.ts';
import type { World } from '../world.ts';

export const PORT = 6001;

export interface Mail {
  readonly text: string;
  readonly from: Address;
  readonly atMs: number;
}

/** A UDP socket on a host, which is started if it is not up. */
export class Mailbox {
  readonly mail: Mail[] = [];
  readonly host: Host;
  #socket: UdpSocket | undefined;

  constructor(world: World, host: Host, port = PORT) {
    this.host = host;
    host.start(async ({ runtime }) => {
      this.#socket = await runtime.network.bindUdp(
        { ip: '0.0.0.0', port },
        {
          onPacket: (packet, from) => {
            this.mail.push({ text: decodeUtf8(packet), from, atMs: world.nowMs() });
          },
        },
      );
    });
  }

  get texts(): string[] {
    return this.mail.map(({ text }) => text);
  }

  get times(): number[] {
    return this.mail.map(({ atMs }) => atMs);
  }

  send(text: string, to: Host | Address): void {
    this.#socket?.send(utf8(text), 'port' in to ? to : { ip: to.ip, port: PORT });
  }
}

export async function twoMailboxes(world: World): Promise<[Mailbox, Mailbox]> {
  const boxes: [Mailbox, Mailbox] = [
    new Mailbox(world, world.host('alice')),
    new Mailbox(world, world.host('bob')),
  ];
  await world.runFor(0);
  return boxes;
}

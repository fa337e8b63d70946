// For the tests of the simulator: TCP connections with somebody listening at both ends.

import { decodeUtf8 } from '../../bytes/index.ts';
import type { TcpListener, TcpStream } from '../../runtime/index.ts';
import type { Host, HostOptions } from '../host.ts';
import type { PathProfile } from '../profiles.ts';
import { World } from '../world.ts';
import { PORT } from './mailbox.ts';

export const TEN: PathProfile = { latency: { type: 'constant', ms: 10 } };
export const KB = 1000;

/** What happened on one end of a TCP connection. */
export class Ear {
  text = '';
  pieces = 0;
  closes = 0;
  drains = 0;
  onData = (bytes: Uint8Array): void => {
    this.text += decodeUtf8(bytes);
    this.pieces++;
  };
  onClose = (): void => {
    this.closes++;
  };
  onDrain = (): void => {
    this.drains++;
  };
}

export interface Connection {
  readonly client: TcpStream;
  readonly server: TcpStream;
  readonly clientEar: Ear;
  readonly serverEar: Ear;
  readonly listener: TcpListener;
}

/** Starts both hosts where needed, and connects the first to PORT of the second. */
export async function connect(world: World, from: Host, to: Host): Promise<Connection> {
  const [clientEar, serverEar] = [new Ear(), new Ear()];
  const accepted: TcpStream[] = [];
  const listener = await to.start().network.listenTcp({ ip: '0.0.0.0', port: PORT }, (stream) => {
    accepted.push(stream);
    return serverEar;
  });
  const dialled = from
    .start()
    .network.dialTcp({ ip: to.ip, port: PORT }, { timeoutMs: 30_000, handlers: clientEar });
  const client = await world.complete(dialled);
  await world.until(() => accepted.length > 0);
  const [server] = accepted;
  if (server === undefined) throw new Error('nothing was accepted');
  return { client, server, clientEar, serverEar, listener };
}

/** Two hosts of a new world, connected. */
export async function connected(profile: PathProfile = TEN, options: HostOptions = {}) {
  const world = new World({ seed: 1, profile });
  const [alice, bob] = [world.host('alice', options), world.host('bob')];
  return { world, alice, bob, ...(await connect(world, alice, bob)) };
}

/** Text that shows any loss, repetition or disorder. */
export function story(length: number): string {
  let text = '';
  for (let i = 0; text.length < length; i++) text += `${i} `;
  return text.slice(0, length);
}

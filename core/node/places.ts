// Where a node listens for others: as configured; otherwise at the onion's host or on every interface, at ports drawn once and kept, so that a
// router can be told to forward them.

import { DecodeError } from '../bytes/index.ts';
import type { Config } from '../config/index.ts';
import {
  type Address,
  type HostPort,
  type Rng,
  randomBelow,
  resolveHost,
} from '../runtime/index.ts';
import type { Setting, Settings } from '../store/index.ts';

const MODULES = ['gossip', 'rpc', 'onion'] as const;
type Module = (typeof MODULES)[number];

export type Places = Readonly<Record<Module, Address>>;

type Ports = Readonly<Record<Module, number>>;

/** Above what servers use, below what systems give to outgoing connections. */
const PORTS = { first: 20_000, count: 12_000 };
const ANY_HOST = '0.0.0.0';

const PORTS_SETTING: Setting<Ports> = {
  name: 'node.ports',
  version: 1,
  decode(value) {
    const ports = value as Partial<Ports>;
    const isRight = MODULES.every((module) => Number.isInteger(ports[module]));
    if (!isRight) throw new DecodeError('the stored ports are damaged');
    return ports as Ports;
  },
};

/** An address of the configuration that cannot be had; the message is for people. */
export class PlaceError extends Error {
  override readonly name = 'PlaceError';
}

export async function placesOf(
  { gossip, dht, onion }: Config,
  settings: Settings,
  rng: Rng,
): Promise<Places> {
  const ports = settings.read(PORTS_SETTING) ?? drawn(rng);
  settings.write(PORTS_SETTING, ports);
  const { p2p_hostname: host = ANY_HOST, p2p_port: port = ports.onion } = onion;
  return {
    gossip: await place(gossip.p2p_address ?? { host, port: ports.gossip }),
    rpc: await place(dht.p2p_address ?? { host, port: ports.rpc }),
    onion: await place({ host, port }),
  };
}

/** Throws PlaceError. */
export async function place(where: HostPort): Promise<Address> {
  const address = await resolveHost(where);
  if (address === undefined) throw new PlaceError(`${where.host}: this name has no address`);
  return address;
}

/** Different ones. */
function drawn(rng: Rng): Ports {
  const start = PORTS.first + randomBelow(rng, PORTS.count - MODULES.length);
  return { gossip: start, rpc: start + 1, onion: start + 2 };
}

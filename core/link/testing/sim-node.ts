// Nodes of links on hosts of a simulated world.

import { type Host, type SimulateOptions, simulate, type World } from '../../sim/index.ts';
import type { LinkId } from '../port.ts';
import { LinkNode, type LinkNodeOptions } from './link-node.ts';
import { type TestNode, testNode, WALL_MS } from './nodes.ts';

export const PORT = 4000;

const NAMES = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank'] as const;
type Name = (typeof NAMES)[number];

/** Their certificates hold for 72 h from an hour before the world begins. */
const NODES = new Map<Name, TestNode>(
  NAMES.map((name, i) => [name, testNode(name, i + 1, { addresses: [] })]),
);

export function nodeOf(name: Name): TestNode {
  return NODES.get(name) ?? testNode(name, 0);
}

export class SimNode extends LinkNode {
  readonly host: Host;

  constructor(host: Host, options: LinkNodeOptions) {
    super(options);
    this.host = host;
  }
}

export type SimNodeOptions = Partial<LinkNodeOptions> & { readonly host?: Host };

/** Each on a host of its own, listening on UDP and TCP. */
export async function startNodes<const Names extends readonly Name[]>(
  world: World,
  names: Names,
  options: SimNodeOptions = {},
): Promise<{ readonly [Place in keyof Names]: SimNode }> {
  const nodes = names.map((name) => startNode(world, name, options));
  await world.until(() => nodes.every((node) => node.event('listening') !== undefined));
  return nodes as { readonly [Place in keyof Names]: SimNode };
}

/** It is not listening yet. */
export function startNode(world: World, name: Name, options: SimNodeOptions = {}): SimNode {
  const host = options.host ?? world.host(name);
  const local = { ip: host.ip, port: PORT };
  const listen = { udp: local, tcp: local };
  return new SimNode(host, { runtime: host.start(), node: nodeOf(name), listen, ...options });
}

/** The number of their link at `a` and at `b`, once both have it. */
export async function linked(world: World, a: SimNode, b: SimNode): Promise<[LinkId, LinkId]> {
  const before = [a.ups.length, b.ups.length] as const;
  a.open(b, b.address);
  await world.until(() => a.ups.length > before[0] && b.ups.length > before[1]);
  return [a.ups.at(-1)?.link ?? 0, b.ups.at(-1)?.link ?? 0];
}

/** In a world whose time is that of the nodes' certificates. */
export function simulateLinks(
  options: SimulateOptions,
  test: (world: World) => Promise<void>,
): Promise<void> {
  return simulate({ wallStartMs: WALL_MS, ...options }, test);
}

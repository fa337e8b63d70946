// Nodes of Rpc on hosts of a simulated world, with test hostkeys; proofs of work are taken as given.

import { chooseProvider } from '../../crypto/index.ts';
import type { Listen, Target } from '../../link/index.ts';
import { NETWORK_ID, type TestNode, testNode, WALL_MS } from '../../link/testing/nodes.ts';
import type { Runtime } from '../../runtime/index.ts';
import { type Host, type SimulateOptions, simulate, type World } from '../../sim/index.ts';
import { RpcNode, type RpcNodeOptions } from '../driver.ts';
import type { Outcome } from '../rpc.ts';

export const PORT = 4000;
export const SERVICE_NUMBER = 7;

const NAMES = ['alice', 'bob', 'carol', 'dave'] as const;
type Name = (typeof NAMES)[number];

const NODES = new Map<Name, TestNode>(
  NAMES.map((name, i) => [name, testNode(name, i + 1, { addresses: [] })]),
);
const provider = chooseProvider();

export interface SimRpc {
  readonly host: Host;
  readonly rpc: RpcNode;
  readonly target: Target;
}

export type SimRpcOptions = Partial<Omit<RpcNodeOptions, 'runtime'>> & { readonly host?: Host };

export function rpcOptions(runtime: Runtime, name: Name, listen: Listen): RpcNodeOptions {
  const node = NODES.get(name) ?? testNode(name, 0);
  const { identity, encoded: certificate } = node.descriptor;
  const { staticKey } = node;
  return {
    runtime,
    provider,
    networkId: NETWORK_ID,
    self: () => ({ identity, staticKey, certificate }),
    listen,
    allowPrivate: false,
    hasProof: () => true,
  };
}

/** On a host of its own, answering every request with its bytes reversed. */
export async function startRpc(
  world: World,
  name: Name,
  { host = world.host(name), ...changes }: SimRpcOptions = {},
): Promise<SimRpc> {
  const address = { ip: host.ip, port: PORT };
  const runtime = host.start(() => undefined);
  const listen = { udp: address, tcp: address };
  const options = { ...rpcOptions(runtime, name, listen), ...changes };
  const rpc = await world.complete(RpcNode.start(options));
  rpc.serve(SERVICE_NUMBER, (_, bytes, answer) => answer(bytes.toReversed()));
  return { host, rpc, target: { identity: options.self().identity, address } };
}

/** Asks, and lets the world run until there is an outcome. */
export async function ask(
  world: World,
  from: SimRpc,
  target: Target,
  request: Uint8Array,
  service = SERVICE_NUMBER,
): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  from.rpc.call(target, { service, request }, resolve);
  return world.complete(promise);
}

export function simulateRpc(
  options: SimulateOptions,
  test: (world: World) => Promise<void>,
): Promise<void> {
  return simulate({ wallStartMs: WALL_MS, ...options }, test);
}

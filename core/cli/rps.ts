// voidphone rps: the RPS module as a process of its own, between other nodes, the APIs of Gossip and NSE, and its clients.

import type { Config } from '../config/index.ts';
import { chooseProvider, type PowTask } from '../crypto/index.ts';
import { identityPowTask, type NodeAddress, type Portmap } from '../identity/index.ts';
import { NodeCredentials } from '../link/index.ts';
import type { Logger } from '../log/index.ts';
import { GossipFlood } from '../module-api/index.ts';
import { advertised, networkIdOf, proofsOf } from '../node/index.ts';
import { RpcNode } from '../rpc/index.ts';
import { NseSize, openStateFile, RpsApi, RpsNode } from '../rps/index.ts';
import { type Address, realRuntime } from '../runtime/index.ts';
import { type Command, EXIT_OK, type Io } from './command.ts';
import { identityProof } from './identity-proof.ts';
import {
  hostkeyAt,
  listening,
  MODULE_OPTIONS,
  type ModuleConfig,
  moduleConfig,
  moduleLog,
  required,
  resolved,
} from './module.ts';

export const rps: Command = {
  name: 'rps',
  operands: '-c FILE',
  summary: 'Run the RPS module alone, speaking the specification’s API.',
  details: [
    '  -c FILE  the configuration: sections [rps], [gossip], [nse] and [link], the ports of [dht] and',
    '           [onion], and the global options; "voidphone help config" explains them',
  ].join('\n'),
  options: MODULE_OPTIONS,
  operandsMax: 0,
  async run(_operands, options, io) {
    await runRps(await moduleConfig('rps', options, io), io);
    return EXIT_OK;
  },
};

async function runRps({ file, config }: ModuleConfig, io: Io): Promise<void> {
  const settings = required(file, {
    hostkey: config.global.hostkey,
    '[rps] p2p_address': config.rps.p2p_address,
    '[rps] api_address': config.rps.api_address,
    '[gossip] api_address': config.gossip.api_address,
  });
  const hostkey = await hostkeyAt(settings.hostkey, io);
  const [own, address, gossip] = await Promise.all([
    resolved(settings['[rps] p2p_address']),
    resolved(settings['[rps] api_address']),
    resolved(settings['[gossip] api_address']),
  ]);
  const state = await openStateFile(`${file}.rps`, (what) => io.note(what));
  const log = moduleLog(io).child('rps');
  const ending = new AsyncDisposableStack();
  const { allow_private: allowPrivate } = config.global;
  let node: RpsNode | undefined;
  const api = new RpsApi({
    runtime: realRuntime,
    address,
    log,
    sample: (except) => node?.sample(except),
  });
  ending.defer(() => api.stop());
  try {
    await listening(api.listen(), '[rps] api_address');
    const stopping = new AbortController();
    ending.defer(() => stopping.abort());
    const proofs = proofsOf(config);
    const solve = (task: PowTask) =>
      identityProof(settings.hostkey, task, { io, signal: stopping.signal, proofs });
    const networkId = networkIdOf(config);
    const place: Place = { config, own, networkId, ending };
    const credentials = await startCredentials(place, { hostkey, solve });
    const rpc = await startRpc(place, credentials);
    const flood = new GossipFlood({ runtime: realRuntime, address: gossip, log });
    ending.defer(() => flood.stop());
    const running = new RpsNode({
      runtime: realRuntime,
      rpc,
      flood,
      networkId,
      identity: hostkey.identity,
      own,
      allowPrivate,
      saved: state.saved,
      save: state.save,
      networkSize: await sizeOf(place, log),
      onReach: (reached) => tellReach(credentials, reached, log),
      ...proofs,
    });
    ending.defer(() => running.stop());
    node = running;
    io.out('RPS module running. Ctrl-C stops it.');
    await io.untilStopped();
  } finally {
    await ending.disposeAsync();
  }
  await state.flush();
}

interface Place {
  readonly config: Config;
  readonly own: Address;
  readonly networkId: Uint8Array;
  readonly ending: AsyncDisposableStack;
}

const FLAGS = { relay: false, dht: false, mailbox: false, streamOnly: false };

/** Finds the proof of work of the identity first: some seconds, the first time. */
async function startCredentials(
  { config, own, networkId, ending }: Place,
  { hostkey, solve }: Pick<Parameters<typeof NodeCredentials.start>[0], 'hostkey' | 'solve'>,
): Promise<NodeCredentials> {
  const credentials = await NodeCredentials.start({
    runtime: realRuntime,
    provider: chooseProvider(),
    networkId,
    hostkey,
    flags: FLAGS,
    addresses: [...advertised(own, 'udp', config), ...advertised(own, 'tcp', config)],
    ports: portsOf(config),
    solve,
  });
  ending.defer(() => credentials.stop());
  return credentials;
}

async function startRpc(
  { config, own, networkId, ending }: Place,
  credentials: NodeCredentials,
): Promise<RpcNode> {
  const { proxy } = config.link;
  const started = RpcNode.start({
    runtime: realRuntime,
    provider: chooseProvider(),
    networkId,
    self: () => credentials.self,
    listen: { udp: own, tcp: own, ...(proxy === undefined ? {} : { proxy }) },
    allowPrivate: config.global.allow_private,
    hasProof: ({ identity, powEpoch, powNonce }) =>
      proofsOf(config).verify(identityPowTask(networkId, identity, powEpoch), powNonce),
  });
  const rpc = await listening(started, '[rps] p2p_address');
  ending.defer(() => rpc.stop());
  return rpc;
}

/** Without an NSE module the network is taken for a small one. */
async function sizeOf({ config, ending }: Place, log: Logger): Promise<() => number | undefined> {
  const { api_address: nse } = config.nse;
  if (nse === undefined) return () => undefined;
  const size = new NseSize({ runtime: realRuntime, address: await resolved(nse), log });
  ending.defer(() => size.stop());
  return () => size.peers;
}

function tellReach(credentials: NodeCredentials, reached: Address | undefined, log: Logger): void {
  if (reached === undefined) log.warn('other nodes cannot reach this one; it goes on as a caller');
  else log.info('other nodes can reach this one');
  const transports: readonly NodeAddress['transport'][] = ['udp', 'tcp'];
  credentials.change({
    flags: { ...FLAGS, relay: reached !== undefined },
    addresses:
      reached === undefined ? [] : transports.map((transport) => ({ transport, ...reached })),
  });
}

/** Size estimation is spoken through Gossip, so where that listens. */
function portsOf({ gossip, dht, onion }: Config): Portmap {
  const gossipPort = gossip.p2p_address?.port ?? 0;
  return {
    dht: dht.p2p_address?.port ?? 0,
    gossip: gossipPort,
    nse: gossipPort,
    onion: onion.p2p_port ?? 0,
  };
}

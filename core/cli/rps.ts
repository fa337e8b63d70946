// voidphone rps: the RPS module as a process of its own, between other nodes, the APIs of Gossip and NSE, and its clients.

import type { Config } from '../config/index.ts';
import type { Hostkey, Portmap } from '../identity/index.ts';
import type { Logger } from '../log/index.ts';
import { GossipFlood } from '../module-api/index.ts';
import {
  advertised,
  NOT_REACHED,
  networkIdOf,
  proofsOf,
  type StartedRpc,
  startRpc,
  tellReach,
} from '../node/index.ts';
import { NseSize, RPS_STATE, RpsApi, RpsNode } from '../rps/index.ts';
import { type Address, openKeptFile, realRuntime } from '../runtime/index.ts';
import type { Io } from './command.ts';
import { identityProof } from './identity-proof.ts';
import {
  hostkeyAt,
  listening,
  type ModuleConfig,
  moduleCommand,
  moduleLog,
  required,
  resolved,
} from './module.ts';

export const rps = moduleCommand(
  'rps',
  {
    title: 'RPS',
    reads: 'sections [rps], [gossip], [nse] and [link], the ports of [dht] and\n           [onion]',
  },
  runRps,
);

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
  const state = await openKeptFile(`${file}.rps`, RPS_STATE, io.note);
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
    const { rpc, credentials } = await startedRpc({ config, hostkey, own, ending, io });
    const flood = new GossipFlood({ runtime: realRuntime, address: gossip, log });
    ending.defer(() => flood.stop());
    const running = new RpsNode({
      runtime: realRuntime,
      rpc,
      flood,
      networkId: networkIdOf(config),
      identity: hostkey.identity,
      own,
      allowPrivate,
      saved: state.saved,
      save: state.save,
      networkSize: await sizeOf(config, { ending, log }),
      onReach: (reached) => tellReach(credentials, reached, { hasDht: false, log }),
      ...proofsOf(config),
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
  readonly hostkey: Hostkey;
  readonly own: Address;
  readonly ending: AsyncDisposableStack;
  readonly io: Io;
}

function startedRpc({ config, hostkey, own, ending, io }: Place): Promise<StartedRpc> {
  const stopping = new AbortController();
  ending.defer(() => stopping.abort());
  const { signal } = stopping;
  const { hostkey: path = '' } = config.global;
  const started = startRpc({
    config,
    hostkey,
    listen: own,
    flags: NOT_REACHED,
    addresses: [...advertised(own, 'udp', config), ...advertised(own, 'tcp', config)],
    ports: portsOf(config),
    proof: (task) => identityProof(path, task, { io, signal, proofs: proofsOf(config) }),
    ending,
  });
  return listening(started, '[rps] p2p_address');
}

/** Without an NSE module the network is taken for a small one. */
async function sizeOf(
  config: Config,
  { ending, log }: { readonly ending: AsyncDisposableStack; readonly log: Logger },
): Promise<() => number | undefined> {
  const { api_address: nse } = config.nse;
  if (nse === undefined) return () => undefined;
  const size = new NseSize({ runtime: realRuntime, address: await resolved(nse), log });
  ending.defer(() => size.stop());
  return () => size.peers;
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

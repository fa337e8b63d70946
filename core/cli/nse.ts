// voidphone nse: the NSE module as a process of its own, between the APIs of Gossip and of its clients.

import { verifySigned } from '../identity/index.ts';
import { GossipFlood } from '../module-api/index.ts';
import { networkIdOf, proofsOf } from '../node/index.ts';
import { NseApi, NseNode } from '../nse/index.ts';
import { realRuntime } from '../runtime/index.ts';
import type { Io } from './command.ts';
import {
  hostkeyAt,
  listening,
  type ModuleConfig,
  moduleCommand,
  moduleLog,
  required,
  resolved,
} from './module.ts';

export const nse = moduleCommand(
  'nse',
  { title: 'NSE', reads: 'sections [nse] and [gossip]' },
  runNse,
);

async function runNse({ file, config }: ModuleConfig, io: Io): Promise<void> {
  const settings = required(file, {
    hostkey: config.global.hostkey,
    '[nse] api_address': config.nse.api_address,
    '[gossip] api_address': config.gossip.api_address,
  });
  const signer = await hostkeyAt(settings.hostkey, io);
  const [address, gossipAddress] = await Promise.all([
    resolved(settings['[nse] api_address']),
    resolved(settings['[gossip] api_address']),
  ]);
  const runtime = realRuntime;
  const log = moduleLog(io).child('nse');
  const flood = new GossipFlood({ runtime, address: gossipAddress, log: log.child('gossip') });
  const proofs = proofsOf(config);
  const node = new NseNode({
    runtime,
    flood,
    signer,
    networkId: networkIdOf(config),
    history: config.nse.history,
    periodS: config.nse.period,
    // Gossip's API does not tell.
    connectedPeers: () => 0,
    verifySigned,
    verifyPow: proofs.verify,
    solve: proofs.solve,
  });
  const api = new NseApi({ runtime, address, log, estimate: () => node.estimate() });
  try {
    await listening(api.listen(), '[nse] api_address');
    io.out('NSE module running. Ctrl-C stops it.');
    await io.untilStopped();
  } finally {
    node.stop();
    await Promise.all([api.stop(), flood.stop()]);
  }
}

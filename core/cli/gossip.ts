// voidphone gossip: the Gossip module as a process of its own, between other nodes and the API of its clients.

import { chooseProvider } from '../crypto/index.ts';
import { GOSSIP_STATE, GossipApi, GossipNode } from '../gossip/index.ts';
import { NodeCredentials } from '../link/index.ts';
import { advertised, gossipSettings, networkIdOf, proofsOf } from '../node/index.ts';
import { openKeptFile, realRuntime } from '../runtime/index.ts';
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

export const gossip = moduleCommand(
  'gossip',
  { title: 'Gossip', reads: 'sections [gossip] and [link]' },
  runGossip,
);

async function runGossip({ file, config }: ModuleConfig, io: Io): Promise<void> {
  const settings = required(file, {
    hostkey: config.global.hostkey,
    '[gossip] p2p_address': config.gossip.p2p_address,
    '[gossip] api_address': config.gossip.api_address,
  });
  const hostkey = await hostkeyAt(settings.hostkey, io);
  const [listen, apiAddress] = await Promise.all([
    resolved(settings['[gossip] p2p_address']),
    resolved(settings['[gossip] api_address']),
  ]);
  const state = await openKeptFile(`${file}.gossip`, GOSSIP_STATE, io.note);
  const stopping = new AbortController();
  const { signal } = stopping;
  const common = {
    runtime: realRuntime,
    provider: chooseProvider(),
    networkId: networkIdOf(config),
  };
  const log = moduleLog(io).child('gossip');
  const credentials = NodeCredentials.start({
    ...common,
    hostkey,
    flags: { relay: false, dht: false, mailbox: false, streamOnly: false },
    addresses: advertised(listen, 'tcp', config),
    ports: { dht: 0, gossip: listen.port, nse: 0, onion: 0 },
    solve: (task) =>
      identityProof(settings.hostkey, task, { io, signal, proofs: proofsOf(config) }),
  });
  const started = GossipNode.start({
    ...common,
    ...gossipSettings(config),
    ...state,
    log,
    identity: hostkey.identity,
    credentials,
    listen,
  });
  try {
    const node = await listening(started, '[gossip] p2p_address');
    const api = new GossipApi({ runtime: realRuntime, address: apiAddress, log, node });
    try {
      await listening(api.listen(), '[gossip] api_address');
      io.out('Gossip module running. Ctrl-C stops it.');
      await io.untilStopped();
    } finally {
      await Promise.all([api.stop(), node.stop()]);
    }
  } finally {
    stopping.abort();
    credentials.then(
      (made) => made.stop(),
      () => {},
    );
  }
  await state.flush();
}

// voidphone gossip: the Gossip module as a process of its own, between other nodes and the API of its clients.

import { chooseProvider } from '../crypto/index.ts';
import { GossipApi, GossipNode, openStateFile } from '../gossip/index.ts';
import { NodeCredentials } from '../link/index.ts';
import { advertised, gossipSettings, networkIdOf, proofsOf } from '../node/index.ts';
import { realRuntime } from '../runtime/index.ts';
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

export const gossip: Command = {
  name: 'gossip',
  operands: '-c FILE',
  summary: 'Run the Gossip module alone, speaking the specification’s API.',
  details: [
    '  -c FILE  the configuration: sections [gossip] and [link], and the global options;',
    '           "voidphone help config" explains them',
  ].join('\n'),
  options: MODULE_OPTIONS,
  operandsMax: 0,
  async run(_operands, options, io) {
    await runGossip(await moduleConfig('gossip', options, io), io);
    return EXIT_OK;
  },
};

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
  const state = await openStateFile(`${file}.gossip`, (what) => io.note(what));
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

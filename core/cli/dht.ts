// voidphone dht: the DHT module as a process of its own, between other nodes, the API of RPS and its clients.

import { DhtApi, DhtNode, NO_SEEDS, openShelf, RpsSeeds } from '../dht/index.ts';
import { verifySigned } from '../identity/index.ts';
import type { Logger } from '../log/index.ts';
import { advertised, NOT_REACHED, networkIdOf, proofsOf, startRpc } from '../node/index.ts';
import { type Address, FileError, realRuntime } from '../runtime/index.ts';
import { CommandError, type Io } from './command.ts';
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

export const dht = moduleCommand(
  'dht',
  { title: 'DHT', reads: 'sections [dht], [rps] and [link]' },
  runDht,
);

async function runDht({ file, config }: ModuleConfig, io: Io): Promise<void> {
  const settings = required(file, {
    hostkey: config.global.hostkey,
    '[dht] p2p_address': config.dht.p2p_address,
    '[dht] api_address': config.dht.api_address,
  });
  const hostkey = await hostkeyAt(settings.hostkey, io);
  const [listen, address] = await Promise.all([
    resolved(settings['[dht] p2p_address']),
    resolved(settings['[dht] api_address']),
  ]);
  const rpsAddress = config.rps.api_address && (await resolved(config.rps.api_address));
  const shelf = await shelfAt(`${file}.dht`, io);
  const runtime = realRuntime;
  const log = moduleLog(io).child('dht');
  const ending = new AsyncDisposableStack();
  try {
    const proofs = proofsOf(config);
    const stopping = new AbortController();
    const { signal } = stopping;
    ending.defer(() => stopping.abort());
    const started = startRpc({
      config,
      hostkey,
      listen,
      flags: { ...NOT_REACHED, dht: true },
      addresses: [...advertised(listen, 'udp', config), ...advertised(listen, 'tcp', config)],
      ports: { dht: listen.port, gossip: 0, nse: 0, onion: 0 },
      proof: (task) => identityProof(settings.hostkey, task, { io, signal, proofs }),
      ending,
    });
    const { rpc } = await listening(started, '[dht] p2p_address');
    const seeds = rpsAddress === undefined ? NO_SEEDS : rpsSeeds(rpsAddress, log, ending);
    const { replication: copies, paths } = config.dht;
    const node = new DhtNode({
      runtime,
      rpc,
      publicKey: hostkey.publicKey,
      networkId: networkIdOf(config),
      paths,
      allowPrivate: config.global.allow_private,
      seeds,
      shelf,
      verifyPow: proofs.verify,
      verifySigned,
      solve: proofs.solve,
    });
    ending.defer(() => node.stop());
    const api = new DhtApi({ runtime, address, log, node, copies });
    ending.defer(() => api.stop());
    await listening(api.listen(), '[dht] api_address');
    io.out('DHT module running. Ctrl-C stops it.');
    await io.untilStopped();
  } finally {
    await ending.disposeAsync();
  }
}

function rpsSeeds(address: Address, log: Logger, ending: AsyncDisposableStack): RpsSeeds {
  const seeds = new RpsSeeds({ runtime: realRuntime, address, log });
  ending.defer(() => seeds.stop());
  return seeds;
}

async function shelfAt(folder: string, io: Io) {
  try {
    return await openShelf(folder, ({ message }) => io.note(message));
  } catch (error) {
    if (error instanceof FileError) throw new CommandError(error.message);
    throw error;
  }
}

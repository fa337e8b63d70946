// voidphone onion: the Onion module as a process of its own, between the APIs of RPS and of its clients.

import { DecodeError } from '../bytes/index.ts';
import type { PowTask } from '../crypto/index.ts';
import { guardCount, onionSettings, proofsOf } from '../node/index.ts';
import { OnionApi, OnionNode, openGuardsFile, RpsPeers } from '../onion/index.ts';
import { FileError, realRuntime } from '../runtime/index.ts';
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

export const onion = moduleCommand(
  'onion',
  { title: 'Onion', reads: 'sections [onion], [rps] and [link]' },
  runOnion,
);

async function runOnion({ file, config }: ModuleConfig, io: Io): Promise<void> {
  const settings = required(file, {
    hostkey: config.global.hostkey,
    '[onion] api_address': config.onion.api_address,
    '[onion] p2p_hostname': config.onion.p2p_hostname,
    '[onion] p2p_port': config.onion.p2p_port,
    '[rps] api_address': config.rps.api_address,
  });
  const hostkey = await hostkeyAt(settings.hostkey, io);
  const [apiAddress, rpsAddress, p2p] = await Promise.all([
    resolved(settings['[onion] api_address']),
    resolved(settings['[rps] api_address']),
    resolved({ host: settings['[onion] p2p_hostname'], port: settings['[onion] p2p_port'] }),
  ]);
  const guards = await guardsAt(`${file}.guards`, guardCount(config), io);
  const log = moduleLog(io).child('onion');
  const common = { runtime: realRuntime, log, allowPrivate: config.global.allow_private };
  const node = Promise.withResolvers<OnionNode>();
  const api = new OnionApi({ ...common, address: apiAddress, node: node.promise });
  const rps = new RpsPeers({ ...common, address: rpsAddress });
  const stopping = new AbortController();
  const { signal } = stopping;
  try {
    await listening(api.listen(), '[onion] api_address');
    const { proxy } = config.link;
    const listen = { udp: p2p, tcp: p2p, ...(proxy === undefined ? {} : { proxy }) };
    const samplePeers = (count: number) => rps.sample(count);
    const proofs = proofsOf(config);
    const solve = (task: PowTask) =>
      task.kind === 'id'
        ? identityProof(settings.hostkey, task, { io, signal, proofs })
        : proofs.solve(task);
    const options = {
      ...common,
      ...onionSettings(config),
      ...{ hostkey, listen, guards, samplePeers, solve },
    };
    const started = OnionNode.start(options, (event) => api.onEvent(event));
    const running = await listening(started, '[onion] p2p_hostname and p2p_port');
    node.resolve(running);
    io.out('Onion module running. Ctrl-C stops it.');
    await io.untilStopped();
    await running.stop();
  } finally {
    stopping.abort();
    await Promise.all([api.stop(), rps.stop()]);
  }
  await guards.flush();
}

/** With none the file is neither read nor made. */
async function guardsAt(path: string, count: number, io: Io) {
  if (count === 0) return { count, saved: [], save: () => {}, flush: async () => {} };
  try {
    return { count, ...(await openGuardsFile(path, ({ message }) => io.note(message))) };
  } catch (error) {
    if (error instanceof FileError) throw new CommandError(error.message);
    if (error instanceof DecodeError) {
      throw new CommandError(`${path}: ${error.message}; delete it to draw new guards`);
    }
    throw error;
  }
}

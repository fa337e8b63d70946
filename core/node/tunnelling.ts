// The Onion module within a node, with peers from peer sampling and its data plane in a thread of its own.

import { DecodeError } from '../bytes/index.ts';
import type { PowTask } from '../crypto/index.ts';
import { GUARDS, OnionApi, OnionNode, type Peer, toPeer } from '../onion/index.ts';
import type { RpsNode, Sampled } from '../rps/index.ts';
import { isPublic } from '../runtime/index.ts';
import { type Common, serve } from './common.ts';
import { keptIn } from './kept.ts';
import { place } from './places.ts';
import { guardCount, onionSettings } from './settings.ts';

export async function startOnion(common: Common, rps: RpsNode): Promise<OnionNode> {
  const { config, profile, runtime, places, ending } = common;
  const log = common.log.child('onion');
  const { allow_private: allowPrivate } = config.global;
  const { proxy } = config.link;
  const started = Promise.withResolvers<OnionNode>();
  const address = config.onion.api_address;
  const api =
    address === undefined
      ? undefined
      : new OnionApi({
          ...{ runtime, log, allowPrivate, node: started.promise },
          address: await place(address),
        });
  if (api !== undefined) await serve(common, api);
  const kept = keptIn(profile.store, 'guards', GUARDS, () => {
    log.warn('the guards that were kept are damaged; drawing new ones');
  });
  const node = await OnionNode.start(
    {
      ...onionSettings(config),
      runtime,
      log,
      hostkey: profile.hostkey,
      listen: { udp: places.onion, tcp: places.onion, ...(proxy === undefined ? {} : { proxy }) },
      guards: { count: guardCount(config), saved: kept.saved ?? [], save: kept.save },
      samplePeers: async (count) => peersOf(rps, count, allowPrivate),
      solve: (task: PowTask) =>
        task.kind === 'id' ? common.proof(task) : common.proofs.solve(task),
    },
    (event) => api?.onEvent(event),
  );
  ending.defer(() => node.stop());
  started.resolve(node);
  return node;
}

/** Each once, and only those that relay. */
function peersOf(rps: RpsNode, count: number, allowPrivate: boolean): readonly Peer[] {
  const peers = new Map<string, Peer>();
  for (let i = 0; i < count; i++) {
    const sampled = rps.sample();
    const peer = sampled && peerOf(sampled, allowPrivate);
    if (peer !== undefined) peers.set(peer.key, peer);
  }
  return [...peers.values()];
}

function peerOf({ contact, descriptor }: Sampled, allowPrivate: boolean): Peer | undefined {
  const { flags, ports, publicKey } = descriptor;
  const { ip } = contact.address;
  if (!flags.relay || ports.onion === 0 || !(allowPrivate || isPublic(ip))) return undefined;
  try {
    return toPeer(publicKey, { ip, port: ports.onion });
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

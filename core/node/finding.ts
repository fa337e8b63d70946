// Peer sampling and the DHT within a node, over one port.

import { DhtApi, DhtNode, type Seeds, toContact } from '../dht/index.ts';
import { type GossipNode, LocalFlood } from '../gossip/index.ts';
import { verifySigned } from '../identity/index.ts';
import type { NseNode } from '../nse/index.ts';
import type { RpcNode } from '../rpc/index.ts';
import { RPS_STATE, RpsApi, RpsNode } from '../rps/index.ts';
import { type Common, serve } from './common.ts';
import { keptIn } from './kept.ts';
import { place } from './places.ts';
import { NOT_REACHED, type StartedRpc, startRpc, tellReach } from './rpc.ts';
import { shelfIn } from './shelf.ts';

export function startNodeRpc({
  config,
  profile,
  places,
  proof,
  ending,
}: Common): Promise<StartedRpc> {
  const { gossip, rpc, onion } = places;
  return startRpc({
    config,
    hostkey: profile.hostkey,
    listen: rpc,
    flags: NOT_REACHED,
    addresses: [],
    ports: { dht: rpc.port, gossip: gossip.port, nse: 0, onion: onion.port },
    proof,
    ending,
  });
}

export async function startRps(
  common: Common,
  { rpc, credentials }: StartedRpc,
  { gossip, nse }: { readonly gossip: GossipNode; readonly nse: NseNode },
): Promise<RpsNode> {
  const { config, profile, runtime, networkId, places, ending } = common;
  const log = common.log.child('rps');
  const flood = new LocalFlood(gossip);
  const node = new RpsNode({
    ...keptIn(profile.store, 'rps', RPS_STATE, () =>
      log.warn('what RPS kept is damaged; beginning anew'),
    ),
    runtime,
    rpc,
    flood,
    networkId,
    identity: profile.hostkey.identity,
    own: places.rpc,
    allowPrivate: config.global.allow_private,
    networkSize: () => nse.estimate().peers,
    onReach: (reached) => tellReach(credentials, reached, { hasDht: true, log }),
    ...common.proofs,
  });
  ending.defer(() => {
    node.stop();
    flood.stop();
  });
  const address = config.rps.api_address;
  if (address !== undefined) {
    const sample: RpsNode['sample'] = (except) => node.sample(except);
    await serve(common, new RpsApi({ runtime, address: await place(address), log, sample }));
  }
  return node;
}

export async function startDht(common: Common, rpc: RpcNode, rps: RpsNode): Promise<DhtNode> {
  const { config, profile, runtime, networkId, ending } = common;
  const log = common.log.child('dht');
  const node = new DhtNode({
    runtime,
    rpc,
    networkId,
    publicKey: profile.hostkey.publicKey,
    paths: config.dht.paths,
    allowPrivate: config.global.allow_private,
    seeds: seedsOf(rps),
    shelf: shelfIn(profile.store),
    verifyPow: common.proofs.verify,
    verifySigned,
    solve: common.proofs.solve,
  });
  ending.defer(() => node.stop());
  const address = config.dht.api_address;
  if (address !== undefined) {
    const copies = config.dht.replication;
    await serve(common, new DhtApi({ runtime, address: await place(address), log, node, copies }));
  }
  return node;
}

function seedsOf(rps: RpsNode): Seeds {
  return {
    async sample(count) {
      const sampled = Array.from({ length: count }, () => rps.sample());
      return sampled.flatMap((one) => {
        if (one === undefined) return [];
        const { identity, address } = one.contact;
        return [toContact(identity, address)];
      });
    },
  };
}

// Gossip and size estimation within a node.

import { GOSSIP_STATE, GossipApi, GossipNode, LocalFlood } from '../gossip/index.ts';
import { verifySigned } from '../identity/index.ts';
import { NodeCredentials } from '../link/index.ts';
import { NseApi, NseNode } from '../nse/index.ts';
import { type Common, ignore, serve } from './common.ts';
import { keptIn } from './kept.ts';
import { place } from './places.ts';
import { advertised, gossipSettings } from './settings.ts';

export async function startGossip(common: Common): Promise<GossipNode> {
  const { config, profile, runtime, crypto, networkId, places, ending } = common;
  const { hostkey, store } = profile;
  const log = common.log.child('gossip');
  const shared = { runtime, provider: crypto, networkId };
  const credentials = NodeCredentials.start({
    ...shared,
    hostkey,
    flags: { relay: false, dht: false, mailbox: false, streamOnly: false },
    addresses: advertised(places.gossip, 'tcp', config),
    ports: { dht: 0, gossip: places.gossip.port, nse: 0, onion: 0 },
    solve: common.proof,
  });
  ending.defer(() => void credentials.then((made) => made.stop(), ignore));
  const kept = keptIn(store, 'gossip', GOSSIP_STATE, () => {
    log.warn('what gossip kept is damaged; beginning anew');
  });
  const { identity } = hostkey;
  const listen = places.gossip;
  const options = { ...shared, ...gossipSettings(config), ...kept, log, identity, credentials };
  const node = await GossipNode.start({ ...options, listen });
  ending.defer(() => node.stop());
  const address = config.gossip.api_address;
  if (address !== undefined) {
    await serve(common, new GossipApi({ runtime, address: await place(address), log, node }));
  }
  return node;
}

export async function startNse(common: Common, gossip: GossipNode): Promise<NseNode> {
  const { config, profile, runtime, networkId, proof, proofs, ending } = common;
  const log = common.log.child('nse');
  const flood = new LocalFlood(gossip);
  const node = new NseNode({
    runtime,
    flood,
    signer: profile.hostkey,
    networkId,
    history: config.nse.history,
    periodS: config.nse.period,
    connectedPeers: () => gossip.status.neighbours.length,
    verifySigned,
    verifyPow: proofs.verify,
    solve: proof,
  });
  ending.defer(() => {
    node.stop();
    flood.stop();
  });
  const address = config.nse.api_address;
  if (address !== undefined) {
    const estimate = () => node.estimate();
    await serve(common, new NseApi({ runtime, address: await place(address), log, estimate }));
  }
  return node;
}

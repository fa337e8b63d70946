// All modules of one node, in one process: each is what it is as a process of its own, but they talk in memory where others
// use the specification's APIs, share the proof of their identity, and keep what they keep in the profile.

import type { Config } from '../config/index.ts';
import { type CryptoProvider, type PowTask, solvePow, verifyPow } from '../crypto/index.ts';
import {
  decodeState,
  encodeState,
  GossipApi,
  GossipNode,
  type GossipNodeStatus,
  LocalFlood,
  type SavedState,
} from '../gossip/index.ts';
import { verifySigned } from '../identity/index.ts';
import { NodeCredentials } from '../link/index.ts';
import type { Logger } from '../log/index.ts';
import { NseApi, NseNode, type NseStatus } from '../nse/index.ts';
import type { Address, Runtime } from '../runtime/index.ts';
import { keptIn, type Shape } from './kept.ts';
import { type Places, place, placesOf } from './places.ts';
import { identityProofs, type Profile } from './profile.ts';
import { advertised, gossipSettings, networkIdOf } from './settings.ts';

const GOSSIP_STATE: Shape<SavedState> = {
  name: 'gossip',
  encode: encodeState,
  decode: decodeState,
};

export interface ModulesOptions {
  readonly config: Config;
  readonly profile: Profile;
  readonly runtime: Runtime;
  readonly crypto: CryptoProvider;
  readonly log: Logger;
}

export interface ModulesStatus {
  readonly gossip: GossipNodeStatus;
  readonly nse: NseStatus;
}

export interface Modules {
  readonly status: ModulesStatus;
  stop(): Promise<void>;
}

/** What every module needs, and where it says how it is ended: in the reverse order. */
interface Common extends ModulesOptions {
  readonly networkId: Uint8Array;
  readonly places: Places;
  readonly ending: AsyncDisposableStack;
  /** Finds the proof of work of our identity; rejects when the node stops. */
  proof(task: PowTask): Promise<Uint8Array>;
}

/** Rejects with PlaceError or NetworkError. */
export async function startModules(options: ModulesOptions): Promise<Modules> {
  const { config, profile, runtime } = options;
  const ending = new AsyncDisposableStack();
  const stopping = new AbortController();
  const solve = (task: PowTask) => solvePow(task, { signal: stopping.signal });
  const common: Common = {
    ...options,
    networkId: networkIdOf(config),
    places: await placesOf(config, profile.store.settings, runtime.rng),
    ending,
    proof: identityProofs(profile, solve, verifyPow),
  };
  try {
    const gossip = await startGossip(common);
    const nse = await startNse(common, gossip);
    ending.defer(() => stopping.abort());
    return {
      get status() {
        return { gossip: gossip.status, nse: nse.status };
      },
      stop: () => ending.disposeAsync(),
    };
  } catch (error) {
    stopping.abort();
    await ending.disposeAsync();
    throw error;
  }
}

async function startGossip(common: Common): Promise<GossipNode> {
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
  const kept = keptIn(store, GOSSIP_STATE, () => {
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

async function startNse(common: Common, gossip: GossipNode): Promise<NseNode> {
  const { config, profile, runtime, networkId, proof, ending } = common;
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
    verifyPow,
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

interface Api {
  listen(): Promise<Address>;
  stop(): Promise<void>;
}

async function serve({ ending }: Common, api: Api): Promise<void> {
  ending.defer(() => api.stop());
  await api.listen();
}

/** Rejections that the end of the node causes. */
function ignore(): void {}

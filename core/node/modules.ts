// All modules of one node, in one process: each is what it is as a process of its own, but they talk in memory where others
// use the specification's APIs, share the proof of their identity, and keep what they keep in the profile.

import type { PowTask } from '../crypto/index.ts';
import type { DhtNode } from '../dht/index.ts';
import type { GossipNode } from '../gossip/index.ts';
import type { NseNode } from '../nse/index.ts';
import type { OnionNode } from '../onion/index.ts';
import type { RpcNode } from '../rpc/index.ts';
import type { RpsNode } from '../rps/index.ts';
import type { Common, ModulesOptions } from './common.ts';
import { startDht, startNodeRpc, startRps } from './finding.ts';
import { placesOf } from './places.ts';
import { identityProofs } from './profile.ts';
import { networkIdOf, proofsOf } from './settings.ts';
import { startGossip, startNse } from './spreading.ts';
import { startOnion } from './tunnelling.ts';

export interface Modules {
  readonly gossip: GossipNode;
  readonly nse: NseNode;
  readonly rpc: RpcNode;
  readonly rps: RpsNode;
  readonly dht: DhtNode;
  readonly onion: OnionNode;
  /** Resolves when all is saved and nothing runs any more. */
  stop(): Promise<void>;
}

/** Rejects with PlaceError or NetworkError. Takes the seconds of a proof of work at the first start in a month. */
export async function startModules(options: ModulesOptions): Promise<Modules> {
  const { config, profile, runtime } = options;
  const ending = new AsyncDisposableStack();
  const stopping = new AbortController();
  const proofs = proofsOf(config);
  const solve = (task: PowTask) => proofs.solve(task, stopping.signal);
  const common: Common = {
    ...options,
    networkId: networkIdOf(config),
    places: await placesOf(config, profile.store.settings, runtime.rng),
    ending,
    proof: identityProofs(profile, solve, proofs.verify),
    proofs,
  };
  const stop = async (): Promise<void> => {
    stopping.abort();
    await ending.disposeAsync();
  };
  try {
    const gossip = await startGossip(common);
    const nse = await startNse(common, gossip);
    const started = await startNodeRpc(common);
    const { rpc } = started;
    const rps = await startRps(common, started, { gossip, nse });
    const dht = await startDht(common, rpc, rps);
    const onion = await startOnion(common, rps);
    return { gossip, nse, rpc, rps, dht, onion, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

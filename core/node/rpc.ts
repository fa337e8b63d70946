// Rpc with what it shows of its node, as peer sampling and the DHT use it, alone or together.

import type { Config } from '../config/index.ts';
import { chooseProvider, type PowTask } from '../crypto/index.ts';
import {
  type Hostkey,
  identityPowTask,
  type NodeAddress,
  type NodeFlags,
  type Portmap,
} from '../identity/index.ts';
import { NodeCredentials } from '../link/index.ts';
import type { Logger } from '../log/index.ts';
import { RpcNode } from '../rpc/index.ts';
import { type Address, realRuntime } from '../runtime/index.ts';
import { networkIdOf, proofsOf } from './settings.ts';

export interface RpcPlace {
  readonly config: Config;
  readonly hostkey: Hostkey;
  readonly listen: Address;
  readonly flags: NodeFlags;
  readonly addresses: readonly NodeAddress[];
  readonly ports: Portmap;
  /** Finds the proof of work of our identity; rejects when the node stops. */
  proof(task: PowTask): Promise<Uint8Array>;
  readonly ending: AsyncDisposableStack;
}

export interface StartedRpc {
  readonly rpc: RpcNode;
  readonly credentials: NodeCredentials;
}

/** Finds the proof of work of the identity first. Rejects with NetworkError. */
export async function startRpc(place: RpcPlace): Promise<StartedRpc> {
  const { config, listen, proof, ending } = place;
  const networkId = networkIdOf(config);
  const common = { runtime: realRuntime, provider: chooseProvider(), networkId };
  const credentials = await NodeCredentials.start({ ...common, ...place, solve: proof });
  ending.defer(() => credentials.stop());
  const { proxy } = config.link;
  const { verify } = proofsOf(config);
  const rpc = await RpcNode.start({
    ...common,
    self: () => credentials.self,
    listen: { udp: listen, tcp: listen, ...(proxy === undefined ? {} : { proxy }) },
    allowPrivate: config.global.allow_private,
    hasProof: ({ identity, powEpoch, powNonce }) =>
      verify(identityPowTask(networkId, identity, powEpoch), powNonce),
  });
  ending.defer(() => rpc.stop());
  return { rpc, credentials };
}

/** Nobody is asked to relay for others, or to keep their values, whom others cannot call. */
export const NOT_REACHED: NodeFlags = {
  relay: false,
  dht: false,
  mailbox: false,
  streamOnly: false,
};

/** Says, here and to others, where we were found to be; undefined: nowhere that others can call. */
export function tellReach(
  credentials: NodeCredentials,
  reached: Address | undefined,
  { hasDht, log }: { readonly hasDht: boolean; readonly log: Logger },
): void {
  if (reached === undefined) {
    log.warn('other nodes cannot reach this one; it goes on as a caller');
    credentials.change({ flags: NOT_REACHED, addresses: [] });
    return;
  }
  log.info('other nodes can reach this one');
  const transports: readonly NodeAddress['transport'][] = ['udp', 'tcp'];
  credentials.change({
    flags: { ...NOT_REACHED, relay: true, dht: hasDht },
    addresses: transports.map((transport) => ({ transport, ...reached })),
  });
}

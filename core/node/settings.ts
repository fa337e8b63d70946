// From the configuration file to the options of each module: the same for a module that runs by itself and for a whole node.

import type { Config } from '../config/index.ts';
import {
  chooseProvider,
  networkId,
  type PowTask,
  SMALL_POW_BITS,
  solvePow,
  solveSmallPow,
  verifyPow,
} from '../crypto/index.ts';
import type { NodeAddress } from '../identity/index.ts';
import { DATAGRAM_BYTES } from '../link/index.ts';
import { startPlaneThread, TICK_MS } from '../onion/index.ts';
import { type Address, isPublic, resolveHost } from '../runtime/index.ts';

/** Protocol 3.4: two primary guards. */
const GUARDS = 2;
/** Four attempts of 13 ms. */
const TEST_ID_BITS = 2;

/** Of the network that the configuration names. */
export function networkIdOf({ global, onion }: Config): Uint8Array {
  return networkId({
    name: global.network,
    roundLengthS: onion.round,
    tickMs: TICK_MS,
    linkDatagramBytes: DATAGRAM_BYTES,
  });
}

export interface Proofs {
  /** Rejects when the signal says so, if it takes long. */
  solve(task: PowTask, signal?: AbortSignal): Promise<Uint8Array>;
  verify(task: PowTask, nonce: Uint8Array): boolean;
}

/**
 * Proofs of work. In a test network an identity costs next to nothing: the strangers it is to hold off are not there, and
 * a dozen nodes on one computer would have to wait for it.
 */
export function proofsOf({ global }: Pick<Config, 'global'>): Proofs {
  const asked = (task: PowTask): PowTask =>
    task.kind === 'id' && global.allow_private ? { ...task, bits: TEST_ID_BITS } : task;
  return {
    solve: (task, signal) =>
      isSmall(task) ? solveSmallPow(task) : solvePow(asked(task), { signal }),
    verify: (task, nonce) => verifyPow(asked(task), nonce),
  };
}

function isSmall({ kind, bits }: PowTask): boolean {
  return kind === 'fast' && bits <= SMALL_POW_BITS;
}

export function gossipSettings(config: Config) {
  const { global, link, gossip } = config;
  return {
    ...proofsOf(config),
    proxy: link.proxy,
    bootstrappers: gossip.bootstrapper,
    resolve: resolveHost,
    degree: gossip.degree,
    cacheSize: gossip.cache_size,
    maxConnections: gossip.max_connections,
    hidesOrigin: (global.profile ?? 'spec') === 'hardened',
    allowPrivate: global.allow_private,
  };
}

export function onionSettings(config: Config) {
  const { global, onion } = config;
  return {
    provider: chooseProvider(),
    startPlane: startPlaneThread,
    verify: proofsOf(config).verify,
    network: global.network,
    roundSeconds: onion.round,
    hops: onion.hops,
    maxCircuits: onion.max_circuits,
    allowPrivate: global.allow_private,
  };
}

/** With none, every first hop is fresh. */
export function guardCount({ global, onion }: Config): number {
  return onion.guards ?? (global.profile === 'hardened' ? GUARDS : 0);
}

/** What others are told: nothing where they could not call us, and nothing when a proxy is to hide where we are. */
export function advertised(
  listen: Address,
  transport: NodeAddress['transport'],
  { global, link }: Config,
): readonly NodeAddress[] {
  const isHost = listen.ip !== '0.0.0.0' && listen.ip !== '::';
  const isUsable = isPublic(listen.ip) || (global.allow_private && isHost);
  return isUsable && link.proxy === undefined ? [{ transport, ...listen }] : [];
}

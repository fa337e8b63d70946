// A practice network: complete nodes on loopback, with profiles of their own, that know nobody but each other. For people
// who have no network yet, and for tests. Everything in it is as in a real one, but that private addresses are accepted and
// that rounds may be shorter.

import { parseConfig } from '../config/index.ts';
import type { CryptoProvider } from '../crypto/index.ts';
import type { Logger } from '../log/index.ts';
import {
  type Address,
  formatAddress,
  NetworkError,
  type Runtime,
  randomBelow,
} from '../runtime/index.ts';
import type { ProfileSecret } from '../store/index.ts';
import { startNode, type VoidNode } from './node.ts';

export const PRACTICE_HOST = '127.0.0.1';
/** Fewer cannot make a path of two relays and an endpoint, with a choice at every step. */
export const PRACTICE_PEERS = { min: 5, max: 64, default: 8 };
/** Gossip's bootstrappers of everybody else. */
const BOOTSTRAPPERS = 2;
/** A guess: what two cores make of hostkeys and proofs of work side by side. */
const AT_ONCE = 2;
/** How often it is looked whether all have a tunnel. */
const LOOK_MS = 250;
/** Below what systems give to outgoing connections. */
const PORTS = { first: 20_000, count: 12_000, each: 3 };

export interface PracticeOptions {
  readonly peers: number;
  readonly roundSeconds: number;
  /** Where the profiles are made, one folder each. */
  folderOf(peer: number): string;
  readonly secret: ProfileSecret;
  readonly runtime: Runtime;
  readonly crypto: CryptoProvider;
  readonly log: Logger;
  /** So many nodes run, and so many of them have a tunnel. */
  onProgress(progress: { readonly running: number; readonly standing: number }): void;
  /** Ends the start. */
  readonly signal: AbortSignal;
}

export interface PracticeNetwork {
  readonly network: string;
  readonly bootstrappers: readonly Address[];
  readonly nodes: readonly VoidNode[];
  /** The text of a configuration file with which further nodes join. */
  readonly config: string;
  stop(): Promise<void>;
}

/**
 * Resolves when every node has a tunnel. Rejects with StoreError, NetworkError, or the signal's reason; the nodes that were
 * started have then been stopped.
 */
export async function startPractice(options: PracticeOptions): Promise<PracticeNetwork> {
  const { runtime, peers, roundSeconds, signal } = options;
  const number = randomBelow(runtime.rng, 2 ** 32);
  const network = `practice-${number.toString(36)}`;
  const firstPort = await freePorts(runtime, PORTS.each * peers);
  const portOf = (peer: number): number => firstPort + PORTS.each * peer;
  const bootstrappers = Array.from({ length: BOOTSTRAPPERS }, (_, peer) => {
    return { ip: PRACTICE_HOST, port: portOf(peer) };
  });
  const config = configText(network, roundSeconds, bootstrappers);
  const nodes: VoidNode[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  try {
    let next = 0;
    const startSome = async (): Promise<void> => {
      while (next < peers) {
        signal.throwIfAborted();
        const peer = next++;
        nodes.push(await startPeer(options, peer, config + placesText(portOf(peer))));
        options.onProgress({ running: nodes.length, standing: 0 });
      }
    };
    await allSettled(Array.from({ length: AT_ONCE }, startSome));
    await standing(nodes, options);
  } catch (error) {
    await stop();
    throw error;
  }
  return { network, bootstrappers, nodes, config, stop };
}

/** The first of so many that nobody used a moment ago. */
async function freePorts({ rng, network }: Runtime, count: number): Promise<number> {
  for (;;) {
    const first = PORTS.first + randomBelow(rng, PORTS.count - count);
    const opened: { close(): Promise<void> }[] = [];
    try {
      for (let port = first; port < first + count; port++) {
        const address = { ip: PRACTICE_HOST, port };
        opened.push(await network.listenTcp(address, () => ({ onData() {}, onClose() {} })));
        opened.push(await network.bindUdp(address, { onPacket() {} }));
      }
      return first;
    } catch (error) {
      if (!(error instanceof NetworkError && error.fault === 'address in use')) throw error;
    } finally {
      await Promise.all(opened.map((one) => one.close()));
    }
  }
}

/** Like Promise.all, but nothing is under way any more when it rejects. */
async function allSettled(works: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(works);
  await Promise.all(works);
}

async function standing(
  nodes: readonly VoidNode[],
  { runtime, onProgress, signal }: PracticeOptions,
): Promise<void> {
  let told = 0;
  for (;;) {
    signal.throwIfAborted();
    const isStanding = ({ modules }: VoidNode): boolean =>
      modules.onion.status.onion.tunnel !== undefined;
    const count = nodes.filter(isStanding).length;
    if (count > told) onProgress({ running: nodes.length, standing: count });
    if (count === nodes.length) return;
    told = Math.max(told, count);
    const { promise, resolve } = Promise.withResolvers<void>();
    runtime.timers.after(LOOK_MS, resolve);
    await promise;
  }
}

function startPeer(options: PracticeOptions, peer: number, text: string): Promise<VoidNode> {
  const { runtime, crypto, secret, log, folderOf } = options;
  return startNode({
    folder: folderOf(peer),
    secret,
    config: parseConfig(text, 'the configuration of the practice network').config,
    runtime,
    crypto,
    log,
    onKeyProgress: () => {},
  });
}

/** Size estimation has an estimate of its own as often as there are rounds. */
function configText(network: string, roundS: number, bootstrappers: readonly Address[]): string {
  const lines = [
    `network = ${network}`,
    'allow_private = yes',
    'profile = hardened',
    '[gossip]',
    `bootstrapper = ${bootstrappers.map(formatAddress).join(', ')}`,
    '[nse]',
    `period = ${roundS}`,
    '[onion]',
    `round = ${roundS}`,
    `p2p_hostname = ${PRACTICE_HOST}`,
    '',
  ];
  return lines.join('\n');
}

function placesText(port: number): string {
  const address = (offset: number): string => `${PRACTICE_HOST}:${port + offset}`;
  const lines = [
    '[gossip]',
    `p2p_address = ${address(0)}`,
    '[dht]',
    `p2p_address = ${address(1)}`,
    '[onion]',
    `p2p_port = ${port + 2}`,
    '',
  ];
  return lines.join('\n');
}

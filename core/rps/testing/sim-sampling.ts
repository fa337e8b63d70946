// Nodes of peer sampling on hosts of a simulated world: links, certificates and dial-backs are real; proofs of work are
// taken as given, and Gossip is contact-flood.ts.

import { chooseProvider } from '../../crypto/index.ts';
import { type IdentityKey, identityKey } from '../../identity/index.ts';
import { manyHostkeys } from '../../identity/testing/many-keys.ts';
import { NodeCredentials } from '../../link/index.ts';
import { RpcNode } from '../../rpc/index.ts';
import type { Address } from '../../runtime/index.ts';
import type { Host, World } from '../../sim/index.ts';
import { RpsNode } from '../driver.ts';
import type { Sampled } from '../port.ts';
import type { SavedState } from '../state.ts';
import { ContactFlood } from './contact-flood.ts';

const PORT = 4000;
const NETWORK_ID = new Uint8Array(16).fill(0x4e);
const FLAGS = { relay: false, dht: false, mailbox: false, streamOnly: false };
const HOSTKEYS = manyHostkeys(20);
const provider = chooseProvider();

export interface SimSampler {
  readonly host: Host;
  readonly node: RpsNode;
  readonly rpc: RpcNode;
}

export class SimSampling {
  readonly nodes: SimSampler[] = [];
  readonly #world: World;
  readonly #flood: ContactFlood;
  readonly #numbers = new Map<IdentityKey, number>(
    HOSTKEYS.map(({ identity }, i) => [identityKey(identity), i]),
  );
  readonly #saved = new Map<number, SavedState>();
  readonly #leave = new Map<number, () => void>();

  constructor(world: World) {
    this.#world = world;
    this.#flood = new ContactFlood(world.rng('flood'));
  }

  numberOf(sampled: Sampled | undefined): number | undefined {
    return sampled && this.#numbers.get(sampled.contact.key);
  }

  /** Again, on its host and with what it kept, when it ran before. */
  async start(number: number, { isHidden = false } = {}): Promise<void> {
    const hostkey = HOSTKEYS[number];
    if (hostkey === undefined) throw new Error('more nodes than hostkeys');
    const nat = isHidden ? { nat: this.#world.nat() } : {};
    const host = this.nodes[number]?.host ?? this.#world.host(`${number}`, nat);
    const runtime = host.start(() => undefined);
    const own: Address = { ip: host.ip, port: PORT };
    const common = { runtime, provider, networkId: NETWORK_ID };
    const credentials = await NodeCredentials.start({
      ...common,
      hostkey,
      flags: FLAGS,
      addresses: [],
      ports: { dht: PORT, gossip: 4001, nse: 4001, onion: 4002 },
      solve: async () => new Uint8Array(8),
    });
    const rpc = await this.#world.complete(
      RpcNode.start({
        ...common,
        self: () => credentials.self,
        listen: { udp: own, tcp: own },
        allowPrivate: false,
        hasProof: () => true,
      }),
    );
    const { flood, leave } = this.#flood.join(runtime.timers);
    this.#leave.set(number, leave);
    const node = new RpsNode({
      runtime,
      rpc,
      flood,
      networkId: NETWORK_ID,
      identity: hostkey.identity,
      own,
      allowPrivate: false,
      saved: this.#saved.get(number),
      save: (state) => void this.#saved.set(number, state),
      networkSize: () => undefined,
      onReach: (address) =>
        credentials.change({
          flags: { ...FLAGS, relay: address !== undefined },
          addresses: address === undefined ? [] : [{ transport: 'udp', ...address }],
        }),
      solve: async () => new Uint8Array(8),
      verify: () => true,
    });
    this.nodes[number] = { host, node, rpc };
  }

  crash(number: number): void {
    this.#leave.get(number)?.();
    this.nodes[number]?.host.crash();
  }
}

// Whole gossip nodes on hosts of a simulated world: production code but for the worker that finds proofs.

import { chooseProvider, type KeyPair } from '../../crypto/index.ts';
import { signDescriptor } from '../../identity/index.ts';
import { type TestHostkeyName, testHostkey } from '../../identity/testing/keys.ts';
import type { LinkSelf } from '../../link/index.ts';
import { createLogger } from '../../log/index.ts';
import { type MemorySink, memorySink } from '../../log/testing/index.ts';
import type { Opinion } from '../../module-api/index.ts';
import { SeededRng } from '../../runtime/index.ts';
import {
  type Host,
  type HostOptions,
  type ProgramEnvironment,
  type SimulateOptions,
  simulate,
  type World,
} from '../../sim/index.ts';
import { GossipApi } from '../api-driver.ts';
import {
  type GossipClient,
  GossipNode,
  type GossipNodeOptions,
  type GossipNotification,
} from '../driver.ts';
import { decodeState, encodeState } from '../state.ts';
import { NETWORK_ID, solveNow, testPeer, WALL_MS } from './fixtures.ts';

export const PORT = 6001;
export const API_PORT = 7001;
const STATE = 'gossip.state';
const provider = chooseProvider();

export const NAMES = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi'] as const;

/** Made once for each name and address, since signing takes a while. */
const SELVES = new Map<string, LinkSelf>();

/** Who `name` is; told others where it is only with `ip`. */
export function selfOf(name: TestHostkeyName, ip: string | undefined): LinkSelf {
  const known = SELVES.get(`${name} ${ip}`);
  if (known !== undefined) return known;
  const staticKey: KeyPair = provider.x25519KeyPair(new SeededRng(name.charCodeAt(0)));
  const { encoded: _, ...fields } = testPeer(1);
  const descriptor = signDescriptor(testHostkey(name), NETWORK_ID, {
    ...fields,
    linkDh: staticKey.publicKey,
    addresses: ip === undefined ? [] : [{ transport: 'tcp', ip, port: PORT }],
    ports: { dht: 0, gossip: PORT, nse: 0, onion: 0 },
  });
  const { identity, encoded } = descriptor;
  const self = { identity, staticKey, certificate: encoded };
  SELVES.set(`${name} ${ip}`, self);
  return self;
}

export interface SimNodeOptions extends Partial<GossipNodeOptions> {
  readonly host?: HostOptions;
  /** Others are told where it is. */
  readonly isPublic?: boolean;
  /** It serves the API, at API_PORT. */
  readonly hasApi?: boolean;
}

/** A module in the same process as the node. */
export class TestModule {
  readonly received: GossipNotification[] = [];
  /** What it says of an item; undefined: nothing. */
  judgement: ((notification: GossipNotification) => Opinion) | undefined = () => 'pass on';
  readonly client: GossipClient;

  constructor(node: Pick<GossipNode, 'connect'>) {
    this.client = node.connect((notification) => {
      this.received.push(notification);
      const opinion = this.judgement?.(notification);
      if (opinion !== undefined) this.client.validate(notification.messageId, opinion);
    });
  }

  get texts(): string[] {
    return this.received.map(({ data }) => new TextDecoder().decode(data));
  }
}

export class SimNode {
  readonly host: Host;
  readonly name: TestHostkeyName;
  readonly sink: MemorySink = memorySink();
  readonly #options: SimNodeOptions;
  #node: GossipNode | undefined;
  #module: TestModule | undefined;

  constructor(world: World, name: TestHostkeyName, options: SimNodeOptions) {
    this.name = name;
    this.host = world.host(name, options.host);
    this.#options = options;
    this.host.start((env) => this.#run(env));
  }

  get isRunning(): boolean {
    return this.#node !== undefined;
  }

  get node(): GossipNode {
    if (this.#node === undefined) throw new Error(`${this.name} does not run yet`);
    return this.#node;
  }

  /** The first module of each life. */
  get module(): TestModule {
    if (this.#module === undefined) throw new Error(`${this.name} does not run yet`);
    return this.#module;
  }

  get neighbours(): number {
    return this.#node?.status.neighbours.length ?? 0;
  }

  async #run({ runtime, disk, host }: ProgramEnvironment) {
    const log = createLogger({ sink: this.sink, clock: runtime.clock, level: 'debug' });
    const saved = disk.get(STATE);
    const self = selfOf(this.name, this.#options.isPublic === true ? host.ip : undefined);
    const node = await GossipNode.start({
      runtime,
      provider,
      log: log.child('gossip'),
      networkId: NETWORK_ID,
      identity: self.identity,
      credentials: Promise.resolve({ self }),
      listen: { ip: host.ip, port: PORT },
      bootstrappers: [],
      resolve: async ({ host: ip, port }) => ({ ip, port }),
      degree: 6,
      cacheSize: 1000,
      maxConnections: 30,
      hidesOrigin: false,
      allowPrivate: false,
      saved: saved === undefined ? undefined : decodeState(saved),
      save: (state) => void disk.set(STATE, encodeState(state)),
      solve: async (task) => solveNow(task),
      verify: () => true,
      ...this.#options,
    });
    this.#node = node;
    this.#module = new TestModule(node);
    const address = { ip: host.ip, port: API_PORT };
    const api = new GossipApi({ runtime, address, log, node });
    if (this.#options.hasApi === true) await api.listen();
    return {
      stop: async () => {
        this.#node = undefined;
        await api.stop();
        await node.stop();
      },
    };
  }
}

export function simulateGossip(
  options: SimulateOptions,
  test: (world: World) => Promise<void>,
): Promise<void> {
  return simulate({ wallStartMs: WALL_MS, ...options }, test);
}

/** Each knows the one before it, and nobody is told of anybody else. */
export async function startLine(
  world: World,
  names: readonly TestHostkeyName[],
  options: SimNodeOptions = {},
): Promise<readonly SimNode[]> {
  const nodes: SimNode[] = [];
  for (const name of names) {
    const before = nodes.at(-1);
    const bootstrappers = before === undefined ? [] : [{ host: before.host.ip, port: PORT }];
    nodes.push(new SimNode(world, name, { ...options, bootstrappers }));
  }
  await world.until(() =>
    nodes.every((node, i) => node.neighbours === (i === 0 || i === nodes.length - 1 ? 1 : 2)),
  );
  return nodes;
}

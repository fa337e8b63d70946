// A network of production drivers over the ideal flood, in a simulated world.

import type { Host, World } from '../../sim/index.ts';
import type { Fault, Mishap } from '../claims.ts';
import { NseNode } from '../driver.ts';
import { fakeHostkey, verifyFake } from './hostkeys.ts';
import { Mesh } from './mesh.ts';
import { networkId, periodS } from './messages.ts';

/** Appendix B of the protocol: gossip's mesh. */
const DEGREE = 6;
const HISTORY = 64;

export interface SimNode {
  readonly host: Host;
  readonly nse: NseNode;
}

export class Network {
  readonly mesh: Mesh;
  readonly nodes: SimNode[] = [];
  readonly #world: World;
  readonly #history: number;

  constructor(world: World, { history = HISTORY }: { readonly history?: number } = {}) {
    this.mesh = new Mesh(world.rng('mesh'), DEGREE);
    this.#world = world;
    this.#history = history;
  }

  start(offsetMs = 0): SimNode {
    const name = `node ${this.nodes.length}`;
    const host = this.#world.host(name, { offsetMs });
    const runtime = host.start(() => undefined);
    const nse = new NseNode({
      runtime,
      networkId,
      periodS,
      history: this.#history,
      signer: fakeHostkey(this.#world.rng(name)),
      flood: this.mesh.join(runtime),
      connectedPeers: () => 0,
      verifySigned: verifyFake,
      verifyPow: () => true,
      solve: async () => new Uint8Array(8),
    });
    const node = { host, nse };
    this.nodes.push(node);
    return node;
  }

  startAll(count: number, offsetMs: (i: number) => number = () => 0): void {
    for (let i = 0; i < count; i++) this.start(offsetMs(i));
  }

  /** Of those who live. */
  get estimates(): readonly number[] {
    return this.nodes.filter(({ host }) => host.up).map(({ nse }) => nse.estimate().peers);
  }

  /** Why messages went no further, at all nodes together. */
  get reasons(): readonly (Fault | Mishap)[] {
    return [...new Set(this.nodes.flatMap(({ nse }) => [...nse.status.dropped.keys()]))];
  }
}

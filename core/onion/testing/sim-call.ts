// Two nodes of a simulated network with a tunnel between them, over which both count.

import type { World } from '../../sim/index.ts';
import type { ClientId } from '../api-port.ts';
import type { SimNetworkOfOnions, SimOnion } from './sim-onion.ts';

/** How often both say a number, unless told otherwise. */
const EVERY_MS = 100;
/** Longer than anything is under way. */
const ARRIVAL_MS = 2000;

/** From client 1 of the first node to the second, which has clients 1 and 2. */
export class SimCall {
  readonly from: SimOnion;
  readonly to: SimOnion;
  readonly #world: World;
  readonly #fromTunnel: number;
  readonly #toTunnel: number;
  #said = 0;

  static async begin(world: World, { nodes }: SimNetworkOfOnions): Promise<SimCall> {
    const [from, to] = nodes as [SimOnion, SimOnion];
    await world.until(() => nodes.every(({ isUp }) => isUp));
    from.connect(1);
    for (const client of [1, 2]) to.connect(client);
    from.build(1, to);
    await world.until(
      () => from.events('ready').length > 0 && to.events('incoming').length > 1,
      120_000,
    );
    return new SimCall(world, from, to);
  }

  private constructor(world: World, from: SimOnion, to: SimOnion) {
    this.#world = world;
    this.from = from;
    this.to = to;
    this.#fromTunnel = from.events('ready')[0]?.tunnel ?? 0;
    this.#toTunnel = to.events('incoming')[0]?.tunnel ?? 0;
  }

  /** All that was said so far. */
  get said(): number[] {
    return Array.from({ length: this.#said }, (_, i) => i);
  }

  /** Both say one number after the other. */
  async talk(ms: number, everyMs: number = EVERY_MS): Promise<void> {
    for (let i = 0; i < ms / everyMs; i++) {
      const number = Uint8Array.of(this.#said >> 8, this.#said);
      this.from.send(1, this.#fromTunnel, number);
      this.to.send(1, this.#toTunnel, number);
      this.#said++;
      await this.#world.runFor(everyMs);
    }
  }

  /** How many numbers are under way or wait for a slot, to either. */
  get underWay(): readonly number[] {
    return [this.from, this.to].map((node) => this.#said - 1 - (heard(node, 1).at(-1) ?? 0));
  }

  /** Both fall silent until all has arrived. */
  async listen(): Promise<void> {
    await this.#world.runFor(ARRIVAL_MS);
  }

  /** Whether each has heard the other in the last second. */
  get flows(): boolean {
    const recent = this.#said - 1000 / EVERY_MS;
    return [heard(this.from, 1), heard(this.to, 1)].every(
      (numbers) => (numbers.at(-1) ?? 0) > recent,
    );
  }
}

/** The numbers a client heard, in order. */
export function heard(node: SimOnion, client: ClientId): number[] {
  return node
    .events('data')
    .filter((event) => event.client === client)
    .map(({ data: [high = 0, low = 0] }) => 256 * high + low);
}

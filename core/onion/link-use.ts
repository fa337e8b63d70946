// Which links circuits run on, read off the commands to the data plane: a link that nothing runs on may be closed.

import type { LinkId } from '../link/index.ts';
import type { CircuitId, PlaneCommand, Side } from './plane-port.ts';

export class LinkUse {
  /** As many as there are circuits. */
  readonly #links = new Map<CircuitId, Partial<Record<Side, LinkId>>>();
  readonly #circuits = new Map<LinkId, number>();
  readonly #changed: (link: LinkId, inUse: boolean) => void;

  constructor(changed: (link: LinkId, inUse: boolean) => void) {
    this.#changed = changed;
  }

  on(command: PlaneCommand): void {
    switch (command.type) {
      case 'add own':
      case 'connect next':
        this.#take(command.circuit, 'next', command.link);
        break;
      case 'add relayed':
        this.#take(command.circuit, 'prev', command.link);
        break;
      case 'disconnect next':
        this.#release(command.circuit, 'next');
        break;
      case 'remove':
        this.#release(command.circuit, 'next');
        this.#release(command.circuit, 'prev');
        this.#links.delete(command.circuit);
    }
  }

  #take(circuit: CircuitId, side: Side, link: LinkId): void {
    this.#release(circuit, side);
    this.#links.set(circuit, { ...this.#links.get(circuit), [side]: link });
    const circuits = (this.#circuits.get(link) ?? 0) + 1;
    this.#circuits.set(link, circuits);
    if (circuits === 1) this.#changed(link, true);
  }

  #release(circuit: CircuitId, side: Side): void {
    const sides = this.#links.get(circuit);
    const link = sides?.[side];
    if (sides === undefined || link === undefined) return;
    delete sides[side];
    const circuits = (this.#circuits.get(link) ?? 1) - 1;
    if (circuits > 0) this.#circuits.set(link, circuits);
    else {
      this.#circuits.delete(link);
      this.#changed(link, false);
    }
  }
}

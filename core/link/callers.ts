// Those who call us and are not through yet: lets INITs in through the gate (gate.ts), and brings the repeats of one to
// the link that its first sending began. A caller keeps its place at the gate until its link is open or given up: 256 in
// all, however far they come (protocol 11).

import type { Address } from '../runtime/index.ts';
import { type Arrival, type GateDecision, type GateOptions, InitGate } from './gate.ts';
import type { LinkId, Route } from './port.ts';

/** An INIT and the way it came. */
export interface Caller extends Arrival {
  readonly route: Route;
}

export class Callers {
  readonly #gate: InitGate;
  /** By where the INIT came from and its sender's index. Both maps: PENDING_MAX of gate.ts. */
  readonly #links = new Map<string, LinkId>();
  readonly #places = new Map<LinkId, { readonly key: string; readonly from: Address }>();

  constructor(options: GateOptions) {
    this.#gate = new InitGate(options);
  }

  get size(): number {
    return this.#places.size;
  }

  /** The link this INIT began. */
  find(caller: Caller): LinkId | undefined {
    return this.#links.get(keyOf(caller));
  }

  decide(caller: Caller, nowMs: number): GateDecision {
    return this.#gate.decide(caller, nowMs);
  }

  /** After an INIT was let in, for this link. */
  enter(link: LinkId, caller: Caller): void {
    const key = keyOf(caller);
    this.#links.set(key, link);
    this.#places.set(link, { key, from: caller.from });
  }

  /** Harmless for who has no place. */
  leave(link: LinkId): void {
    const place = this.#places.get(link);
    if (place === undefined) return;
    this.#places.delete(link);
    this.#links.delete(place.key);
    this.#gate.leave(place.from);
  }
}

function keyOf({ route, index }: Caller): string {
  const way = route.transport === 'udp' ? `${route.to.ip} ${route.to.port}` : `${route.stream}`;
  return `${way} ${index}`;
}

// Tunnels that others opened to us (voidphone-api.md, Onion; protocol 3.7). Each belongs to every client that was there
// when it came, until that client destroys it; it ends when all have, or when its initiator says so. Below it circuits
// change with the rounds: a token that only the two ends can make names it on the next one. That one comes before its
// round; what is sent goes over the circuit of the round that it is by our clock, if there is one, and waits when there
// is none at all.
//
// A tunnel that all clients have destroyed is remembered as one without clients: its initiator, if it has not heard of
// it and comes with another circuit, is told again.

import { equalSecrets } from '../crypto/index.ts';
import {
  type ApiOutput,
  type ClientId,
  delivered,
  failed,
  forgetData,
  keepData,
  moveData,
  sendInner,
  type TunnelId,
} from './api-port.ts';
import type { Now } from './build.ts';
import { type Notices, tokenOf } from './notices.ts';
import type { CircuitId } from './plane-port.ts';
import type { Origin } from './relay.ts';
import { type OnionTiming, roundAt } from './timing.ts';

/** At once. One that waits for its next circuit makes room for a new one. */
const TUNNELS_MAX = 64;
/** An initiator goes on from the last circuit on which it has heard us: this one, or one of those that failed before. */
const TOKENS_MAX = 4;

interface Incoming {
  readonly tunnel: TunnelId;
  readonly clients: Set<ClientId>;
  /** Those that are there, in the order they were opened: as many as end here. */
  circuits: readonly Opened[];
  /** The one to send on, or the last that was. */
  circuit: CircuitId;
  /** Each names it when its next circuit comes: those of its last circuits, at most TOKENS_MAX. */
  tokens: readonly Uint8Array[];
  /** When it is given up, if its circuit has gone and no other has come. */
  overAtMs: number;
}

interface Opened {
  readonly circuit: CircuitId;
  readonly round: number;
}

export interface IncomingTunnelsOptions {
  readonly notices: Notices;
  readonly timing: OnionTiming;
  /** How long a tunnel without a circuit may wait for the next. */
  readonly resumeWaitMs: number;
  newTunnelId(): TunnelId;
  /** Of a circuit that ends here. */
  originOf(circuit: CircuitId): Origin | undefined;
}

export class IncomingTunnels {
  readonly #options: IncomingTunnelsOptions;
  /** At most TUNNELS_MAX. */
  readonly #tunnels = new Map<TunnelId, Incoming>();
  /** Also circuits they have left, on which something may still be under way: as many as end here. */
  readonly #byCircuit = new Map<CircuitId, Incoming>();

  constructor(options: IncomingTunnelsOptions) {
    this.#options = options;
  }

  /** Those that have not ended. */
  get count(): number {
    return [...this.#tunnels.values()].filter(({ clients }) => clients.size > 0).length;
  }

  has(tunnel: TunnelId): boolean {
    return this.#tunnels.has(tunnel);
  }

  /** Whether it is one of this client's. */
  isOf(client: ClientId, tunnel: TunnelId): boolean {
    return this.#tunnels.get(tunnel)?.clients.has(client) === true;
  }

  /** The client has no more to do with it. */
  leave(client: ClientId, tunnel: TunnelId, nowMs: number): ApiOutput[] {
    const incoming = this.#tunnels.get(tunnel);
    if (incoming?.clients.delete(client) !== true || incoming.clients.size > 0) return [];
    const { circuit, circuits } = incoming;
    return circuits.length > 0
      ? this.#options.notices.close(circuit, nowMs)
      : [forgetData(circuit)];
  }

  leaveAll(client: ClientId, nowMs: number): ApiOutput[] {
    return [...this.#tunnels.keys()].flatMap((tunnel) => this.leave(client, tunnel, nowMs));
  }

  send(tunnel: TunnelId, messages: readonly Uint8Array[]): ApiOutput[] {
    const incoming = this.#tunnels.get(tunnel);
    return incoming === undefined ? [] : [sendInner(incoming.circuit, 'data', messages)];
  }

  onOpen(
    circuit: CircuitId,
    open: Uint8Array,
    clients: ReadonlySet<ClientId>,
    now: Now,
  ): ApiOutput[] {
    const token = tokenOf(open);
    const origin = this.#options.originOf(circuit);
    if (token === undefined || origin === undefined || this.#byCircuit.has(circuit)) return [];
    const resumed = this.#named(token);
    if (resumed === undefined) return this.#announce(circuit, origin, clients);
    resumed.circuits = [...resumed.circuits, { circuit, round: origin.round }];
    resumed.tokens = [...resumed.tokens, origin.resumeToken].slice(-TOKENS_MAX);
    resumed.overAtMs = Number.POSITIVE_INFINITY;
    this.#byCircuit.set(circuit, resumed);
    if (resumed.clients.size === 0) return this.#options.notices.close(circuit, now.nowMs);
    return this.#follow(resumed, now);
  }

  /** Its initiator has ended it. */
  onClose(circuit: CircuitId): ApiOutput[] {
    const incoming = this.#byCircuit.get(circuit);
    if (incoming === undefined) return [];
    return this.#end(incoming);
  }

  onData(circuit: CircuitId, data: Uint8Array): ApiOutput[] {
    const incoming = this.#byCircuit.get(circuit);
    return incoming === undefined ? [] : delivered(incoming, data);
  }

  /** It is about to. */
  onCircuitEnded(circuit: CircuitId, now: Now): ApiOutput[] {
    const incoming = this.#byCircuit.get(circuit);
    this.#byCircuit.delete(circuit);
    if (incoming === undefined || !this.#tunnels.has(incoming.tunnel)) return [];
    incoming.circuits = incoming.circuits.filter((one) => one.circuit !== circuit);
    if (incoming.circuits.length > 0) return this.#follow(incoming, now);
    incoming.overAtMs = now.nowMs + this.#options.resumeWaitMs;
    return incoming.clients.size > 0 ? [keepData(circuit)] : [];
  }

  /** Also when a round has begun. */
  onTick(now: Now): ApiOutput[] {
    return [...this.#tunnels.values()].flatMap((incoming) =>
      now.nowMs >= incoming.overAtMs ? this.#end(incoming) : this.#follow(incoming, now),
    );
  }

  nextDeadlineMs(): number {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { overAtMs } of this.#tunnels.values()) nextMs = Math.min(nextMs, overAtMs);
    return nextMs;
  }

  /** Looks at all of them, whichever it is. */
  #named(token: Uint8Array): Incoming | undefined {
    const [named] = [...this.#tunnels.values()].filter(
      ({ tokens }) => tokens.filter((one) => equalSecrets(one, token)).length > 0,
    );
    return named;
  }

  /** What is sent goes over the newest circuit of the latest round that has begun; if none has, over any. */
  #follow(incoming: Incoming, { wallMs }: Now): ApiOutput[] {
    const round = roundAt(this.#options.timing, wallMs);
    const begun = incoming.circuits.filter((one) => one.round <= round);
    const [first, ...others] = begun.length > 0 ? begun : incoming.circuits;
    if (first === undefined) return [];
    const { circuit } = others.reduce((best, one) => (one.round < best.round ? best : one), first);
    const from = incoming.circuit;
    incoming.circuit = circuit;
    return from === circuit ? [] : [moveData(from, circuit)];
  }

  #announce(
    circuit: CircuitId,
    { resumeToken, round }: Origin,
    clients: ReadonlySet<ClientId>,
  ): ApiOutput[] {
    if (clients.size === 0) return [];
    const outputs = this.#tunnels.size >= TUNNELS_MAX ? this.#makeRoom() : [];
    if (this.#tunnels.size >= TUNNELS_MAX) return [];
    const tunnel = this.#options.newTunnelId();
    const overAtMs = Number.POSITIVE_INFINITY;
    const circuits = [{ circuit, round }];
    const tokens = [resumeToken];
    const incoming = { tunnel, clients: new Set(clients), circuits, circuit, tokens, overAtMs };
    this.#tunnels.set(tunnel, incoming);
    this.#byCircuit.set(circuit, incoming);
    const announced = [...clients].map((client) => ({ type: 'incoming', client, tunnel }) as const);
    return [...outputs, ...announced];
  }

  #makeRoom(): ApiOutput[] {
    const waiting = [...this.#tunnels.values()].filter(({ circuits }) => circuits.length === 0);
    const [longest] = waiting.sort((one, other) => one.overAtMs - other.overAtMs);
    return longest === undefined ? [] : this.#end(longest);
  }

  /** What still comes on its circuits is nobody's. */
  #end(incoming: Incoming): ApiOutput[] {
    const outputs = failed(incoming);
    this.#tunnels.delete(incoming.tunnel);
    incoming.clients.clear();
    return incoming.circuits.length > 0 ? outputs : [...outputs, forgetData(incoming.circuit)];
  }
}

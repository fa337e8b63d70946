// The tunnels that clients of the API see (voidphone-api.md, Onion; protocol 3.7). One at a time is ours: asked for with
// BUILD, READY in the next round, moved from circuit to circuit without its clients noticing. Any number come in: each
// belongs to every client until that client destroys it. Below them the circuits come and go with the rounds.
//
// Clients are numbers here; connections are the API driver's.

import { toHex } from '../bytes/index.ts';
import { type Rng, randomU32 } from '../runtime/index.ts';
import type { Now } from './build.ts';
import { CoverEchoes } from './cover-echoes.ts';
import { encodeInner, INNER, type InnerMessage } from './inner.ts';
import type { OwnTunnel } from './own-tunnels.ts';
import type { Peer } from './peer.ts';
import type { CircuitCommand, CircuitId } from './plane-port.ts';

export type ClientId = number;
export type TunnelId = number;

/** ONION ERROR names the request it answers. */
export type FailedRequest = 'build' | 'destroy' | 'data' | 'cover';

export type ApiOutput =
  | { readonly type: 'plane'; readonly command: CircuitCommand }
  | {
      readonly type: 'ready';
      readonly client: ClientId;
      readonly tunnel: TunnelId;
      readonly destination: Peer;
    }
  | { readonly type: 'incoming'; readonly client: ClientId; readonly tunnel: TunnelId }
  | {
      readonly type: 'data';
      readonly client: ClientId;
      readonly tunnel: TunnelId;
      readonly data: Uint8Array;
    }
  | {
      readonly type: 'error';
      readonly client: ClientId;
      readonly request: FailedRequest;
      readonly tunnel: TunnelId;
    };

interface Outgoing {
  readonly tunnel: TunnelId;
  readonly destination: Peer;
  readonly clients: Set<ClientId>;
  /** The first round whose tunnel is to end there. */
  readonly fromRound: number;
  isReady: boolean;
  circuit: CircuitId | undefined;
  resumeToken: Uint8Array;
}

interface Incoming {
  readonly tunnel: TunnelId;
  readonly clients: Set<ClientId>;
  circuit: CircuitId;
  /** Names it when its next circuit comes. */
  resumeToken: string;
  /** When its circuit has gone and no other has come by then, it is over. */
  overAtMs: number;
}

const NO_TOKEN = new Uint8Array(32);
const TOKEN_BYTES = 32;
const KIND = { cover: 0, data: 1 } as const;
/** OPEN is not acknowledged: it is sent again until it can hardly have been lost. */
const OPEN_AGAIN_MS = [200, 600, 1500];
/** How long an incoming tunnel without a circuit waits to be resumed. A guess: a rebuild with its delays. */
const RESUME_WAIT_MS = 20_000;
/** Tunnels that come in at once: as many as circuits, or fewer. */
const INCOMING_MAX = 64;
/** Who sends COVER while its tunnel is not there gets no echo; the tunnel ID in echoes. */
const COVER_TUNNEL = 0;

export interface ApiTunnelsOptions {
  readonly rng: Rng;
  /** Told once per circuit that we are the endpoint of. */
  resumeTokenOf(circuit: CircuitId): Uint8Array | undefined;
}

export class ApiTunnels {
  readonly #options: ApiTunnelsOptions;
  readonly #clients = new Set<ClientId>();
  readonly #incoming = new Map<TunnelId, Incoming>();
  readonly #echoes: CoverEchoes;
  #outgoing: Outgoing | undefined;
  #ownCircuit: OwnTunnel | undefined;
  #openAgain: {
    readonly atMs: number;
    readonly circuit: CircuitId;
    readonly message: Uint8Array;
  }[] = [];
  #messageId = 0;

  constructor(options: ApiTunnelsOptions) {
    this.#options = options;
    this.#echoes = new CoverEchoes(options.rng);
  }

  addClient(client: ClientId): void {
    this.#clients.add(client);
  }

  /** A client that goes away has destroyed all its tunnels. */
  removeClient(client: ClientId): ApiOutput[] {
    this.#clients.delete(client);
    this.#echoes.forget(client);
    const tunnels = [...this.#incoming.keys(), ...(this.#outgoing ? [this.#outgoing.tunnel] : [])];
    return tunnels.flatMap((tunnel) => this.#leave(client, tunnel));
  }

  /** Where the tunnel of this round is to end. */
  destination(round: number): Peer | undefined {
    const isForThen = this.#outgoing !== undefined && round >= this.#outgoing.fromRound;
    return isForThen ? this.#outgoing?.destination : undefined;
  }

  build(client: ClientId, destination: Peer, nextRound: number): ApiOutput[] {
    const { rng } = this.#options;
    const wanted = this.#outgoing;
    if (wanted === undefined) {
      this.#outgoing = {
        tunnel: this.#newTunnelId(rng),
        destination,
        clients: new Set([client]),
        fromRound: nextRound,
        isReady: false,
        circuit: undefined,
        resumeToken: NO_TOKEN,
      };
      return [];
    }
    if (wanted.destination.key !== destination.key) {
      return [{ type: 'error', client, request: 'build', tunnel: 0 }];
    }
    wanted.clients.add(client);
    const { tunnel } = wanted;
    return wanted.isReady ? [{ type: 'ready', client, tunnel, destination }] : [];
  }

  destroy(client: ClientId, tunnel: TunnelId): ApiOutput[] {
    const isKnown = this.#incoming.has(tunnel) || this.#outgoing?.tunnel === tunnel;
    if (!isKnown) return [{ type: 'error', client, request: 'destroy', tunnel }];
    return this.#leave(client, tunnel);
  }

  data(client: ClientId, tunnel: TunnelId, data: Uint8Array): ApiOutput[] {
    const own = this.#outgoing?.tunnel === tunnel && this.#outgoing.isReady;
    const members = own ? this.#outgoing?.clients : this.#incoming.get(tunnel)?.clients;
    if (members?.has(client) !== true) return [{ type: 'error', client, request: 'data', tunnel }];
    const circuit = own ? this.#outgoing?.circuit : this.#incoming.get(tunnel)?.circuit;
    // Between two circuits there is nowhere to send to: best effort, as specified.
    return circuit === undefined ? [] : [this.#send(circuit, 'data', INNER.data, data)];
  }

  cover(client: ClientId, size: number): ApiOutput[] {
    const circuit = this.#ownCircuit?.circuit;
    if (this.#outgoing?.isReady === true || circuit === undefined) {
      return [{ type: 'error', client, request: 'cover', tunnel: COVER_TUNNEL }];
    }
    const messages = this.#echoes.begin(client, size);
    return [{ type: 'plane', command: { type: 'send inner', circuit, queue: 'data', messages } }];
  }

  /** Our tunnel of this round stands, or another took its place. */
  onCurrent(tunnel: OwnTunnel, now: Now): ApiOutput[] {
    this.#ownCircuit = tunnel;
    const wanted = this.#outgoing;
    if (wanted === undefined || tunnel.destination?.key !== wanted.destination.key) {
      if (wanted !== undefined) wanted.circuit = undefined;
      return [];
    }
    const kindAndToken = new Uint8Array(1 + TOKEN_BYTES);
    kindAndToken[0] = KIND.data;
    kindAndToken.set(wanted.resumeToken, 1);
    wanted.circuit = tunnel.circuit;
    wanted.resumeToken = tunnel.resumeToken;
    return [this.#open(tunnel.circuit, kindAndToken, now), ...this.#ready(wanted)];
  }

  #ready(wanted: Outgoing): ApiOutput[] {
    if (wanted.isReady) return [];
    wanted.isReady = true;
    const { tunnel, destination, clients } = wanted;
    return [...clients].map((client) => ({ type: 'ready', client, tunnel, destination }));
  }

  /** Our tunnel is gone, and another attempt is under way or not. */
  onLost(): ApiOutput[] {
    this.#ownCircuit = undefined;
    if (this.#outgoing !== undefined) this.#outgoing.circuit = undefined;
    return [];
  }

  /** The round is over, and there was no tunnel to where it should have gone: whoever waits for it is told. */
  onRoundEnd(round: number): ApiOutput[] {
    const wanted = this.#outgoing;
    if (wanted === undefined || wanted.isReady || round < wanted.fromRound) return [];
    this.#outgoing = undefined;
    return [...wanted.clients].map((client) => ({
      type: 'error',
      client,
      request: 'build',
      tunnel: 0,
    }));
  }

  /** From the endpoint of our own tunnel. */
  onOwnMessage(circuit: CircuitId, { type, data }: InnerMessage): ApiOutput[] {
    const wanted = this.#outgoing;
    if (type === INNER.coverEcho) {
      const echo = this.#echoes.collect(data);
      return echo === undefined
        ? []
        : [{ type: 'data', client: echo.client, tunnel: COVER_TUNNEL, data: echo.data }];
    }
    if (type !== INNER.data || wanted === undefined || !this.#isOwn(circuit)) return [];
    return this.#deliver(wanted, data);
  }

  /** From the initiator of a circuit that ends here. */
  onEndpointMessage(circuit: CircuitId, { type, data }: InnerMessage): ApiOutput[] {
    const known = [...this.#incoming.values()].find((one) => one.circuit === circuit);
    if (type === INNER.open) return known === undefined ? this.#opened(circuit, data) : [];
    if (type === INNER.closeLogical && known !== undefined) return this.#over(known);
    const tunnel = known ?? this.#byOldCircuit.get(circuit);
    if (type !== INNER.data || tunnel === undefined) return [];
    return this.#deliver(tunnel, data);
  }

  /** A circuit that ends here is gone; what runs over it waits to be resumed. */
  onCircuitEnded(circuit: CircuitId, now: Now): ApiOutput[] {
    this.#byOldCircuit.delete(circuit);
    for (const tunnel of this.#incoming.values()) {
      if (tunnel.circuit === circuit) tunnel.overAtMs = now.nowMs + RESUME_WAIT_MS;
    }
    return [];
  }

  onTick(now: Now): ApiOutput[] {
    const due = this.#openAgain.filter(({ atMs }) => now.nowMs >= atMs);
    this.#openAgain = this.#openAgain.filter(({ atMs }) => now.nowMs < atMs);
    const over = [...this.#incoming.values()].filter(({ overAtMs }) => now.nowMs >= overAtMs);
    return [
      ...due.map(({ circuit, message }) => inner(circuit, 'control', [message])),
      ...over.flatMap((tunnel) => this.#over(tunnel)),
    ];
  }

  nextDeadlineMs(): number {
    const opens = this.#openAgain.map(({ atMs }) => atMs);
    const overs = [...this.#incoming.values()].map(({ overAtMs }) => overAtMs);
    return Math.min(Number.POSITIVE_INFINITY, ...opens, ...overs);
  }

  /** For status. */
  get counts(): { readonly incoming: number; readonly clients: number; readonly own: string } {
    const own =
      this.#outgoing === undefined ? 'cover' : this.#outgoing.isReady ? 'ready' : 'wanted';
    return { incoming: this.#incoming.size, clients: this.#clients.size, own };
  }

  /** Circuits of incoming tunnels that have moved on, while something may still be under way on them. */
  readonly #byOldCircuit = new Map<CircuitId, Incoming>();
  readonly #ownCircuits = new Set<CircuitId>();

  #isOwn(circuit: CircuitId): boolean {
    return this.#ownCircuits.has(circuit);
  }

  #open(circuit: CircuitId, kindAndToken: Uint8Array, { nowMs }: Now): ApiOutput {
    this.#ownCircuits.add(circuit);
    const [oldest] = this.#ownCircuits;
    if (this.#ownCircuits.size > 4 && oldest !== undefined) this.#ownCircuits.delete(oldest);
    const [message = kindAndToken] = encodeInner(INNER.open, kindAndToken, 0);
    for (const afterMs of OPEN_AGAIN_MS) {
      this.#openAgain.push({ atMs: nowMs + afterMs, circuit, message });
    }
    return inner(circuit, 'control', [message]);
  }

  #opened(circuit: CircuitId, data: Uint8Array): ApiOutput[] {
    const next = this.#options.resumeTokenOf(circuit);
    if (data.length !== 1 + TOKEN_BYTES || data[0] !== KIND.data || next === undefined) return [];
    if (this.#byOldCircuit.has(circuit)) return [];
    const token = toHex(data.subarray(1));
    const resumed = [...this.#incoming.values()].find((one) => one.resumeToken === token);
    if (resumed !== undefined) {
      this.#byOldCircuit.set(resumed.circuit, resumed);
      resumed.circuit = circuit;
      resumed.resumeToken = toHex(next);
      resumed.overAtMs = Number.POSITIVE_INFINITY;
      return [];
    }
    return this.#admitIncoming(circuit, next);
  }

  #admitIncoming(circuit: CircuitId, next: Uint8Array): ApiOutput[] {
    if (this.#incoming.size >= INCOMING_MAX || this.#clients.size === 0) return [];
    const tunnel = this.#newTunnelId(this.#options.rng);
    this.#incoming.set(tunnel, {
      tunnel,
      clients: new Set(this.#clients),
      circuit,
      resumeToken: toHex(next),
      overAtMs: Number.POSITIVE_INFINITY,
    });
    return [...this.#clients].map((client) => ({ type: 'incoming', client, tunnel }));
  }

  #deliver(to: Outgoing | Incoming, data: Uint8Array): ApiOutput[] {
    const { tunnel, clients } = to;
    return [...clients].map((client) => ({ type: 'data', client, tunnel, data }));
  }

  /** The other side closed it, or it was never resumed: the established tunnel has failed for all its clients. */
  #over({ tunnel, clients, circuit }: Incoming): ApiOutput[] {
    this.#incoming.delete(tunnel);
    this.#byOldCircuit.delete(circuit);
    return [...clients].map((client) => ({ type: 'error', client, request: 'data', tunnel }));
  }

  #leave(client: ClientId, tunnel: TunnelId): ApiOutput[] {
    const wanted = this.#outgoing;
    if (wanted?.tunnel === tunnel) {
      wanted.clients.delete(client);
      if (wanted.clients.size > 0) return [];
      this.#outgoing = undefined;
      const { circuit } = wanted;
      const close = encodeInner(INNER.closeLogical, new Uint8Array(), 0);
      return circuit === undefined ? [] : [inner(circuit, 'control', close)];
    }
    const incoming = this.#incoming.get(tunnel);
    incoming?.clients.delete(client);
    if (incoming?.clients.size === 0) this.#incoming.delete(tunnel);
    return [];
  }

  #send(circuit: CircuitId, queue: 'data', type: number, data: Uint8Array): ApiOutput {
    this.#messageId = (this.#messageId + 1) % 2 ** 16;
    return inner(circuit, queue, encodeInner(type, data, this.#messageId));
  }

  #newTunnelId(rng: Rng): TunnelId {
    for (;;) {
      const id = randomU32(rng);
      if (id !== COVER_TUNNEL && !this.#incoming.has(id) && this.#outgoing?.tunnel !== id)
        return id;
    }
  }
}

function inner(
  circuit: CircuitId,
  queue: 'control' | 'data',
  messages: readonly Uint8Array[],
): ApiOutput {
  return { type: 'plane', command: { type: 'send inner', circuit, queue, messages } };
}

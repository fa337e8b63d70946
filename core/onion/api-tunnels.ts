// The tunnels that clients of the API see (voidphone-api.md, Onion; protocol 3.7). One at a time is ours: asked for with
// BUILD, READY in the next round, moved from circuit to circuit without its clients noticing. Those that come in are
// incoming-tunnels.ts's.

import type { IdentityKey } from '../identity/index.ts';
import { type Rng, randomU32 } from '../runtime/index.ts';
import {
  type ApiOutput,
  type ClientId,
  delivered,
  failed,
  NO_TUNNEL,
  sendInner,
  type TunnelId,
} from './api-port.ts';
import type { Now } from './build.ts';
import { CoverEchoes } from './cover-echoes.ts';
import { IncomingTunnels } from './incoming-tunnels.ts';
import { encodeInner, INNER, type InnerMessage } from './inner.ts';
import { NO_TOKEN, Notices } from './notices.ts';
import type { OwnTunnel } from './own-tunnels.ts';
import type { Peer } from './peer.ts';
import type { CircuitId } from './plane-port.ts';
import type { OnionTiming } from './timing.ts';

/** How long into a round its first tunnel may take to stand. A guess: two rebuilds. */
const BUILD_SLACK_MS = 20_000;
/** Circuits of our tunnel: this round's, the last one's, and two rebuilt ones' of each. */
const CIRCUITS_MAX = 6;

/** The tunnel that clients have asked for. */
interface Wanted {
  readonly tunnel: TunnelId;
  readonly destination: Peer;
  readonly clients: Set<ClientId>;
  /** The first round whose tunnel is to end there. */
  fromRound: number;
  isReady: boolean;
  /** Undefined between two. */
  circuit: CircuitId | undefined;
  /** At most CIRCUITS_MAX, the newest last. */
  circuits: readonly Opened[];
}

/** A circuit of the tunnel, past or present. */
interface Opened {
  readonly circuit: CircuitId;
  /** Names the tunnel on its next circuit … */
  readonly token: Uint8Array;
  /** … if its endpoint has been heard on this one: otherwise it may not know of it. */
  isHeard: boolean;
}

export interface ApiTunnelsOptions {
  readonly rng: Rng;
  readonly timing: OnionTiming;
  readonly own: IdentityKey;
  /** Of a circuit that ends here. */
  resumeTokenOf(circuit: CircuitId): Uint8Array | undefined;
}

export class ApiTunnels {
  readonly #options: ApiTunnelsOptions;
  /** Bounded by the API's server. */
  readonly #clients = new Set<ClientId>();
  readonly #notices = new Notices();
  readonly #incoming: IncomingTunnels;
  readonly #echoes: CoverEchoes;
  #wanted: Wanted | undefined;
  /** Wherever it ends. */
  #circuit: CircuitId | undefined;
  #messageId = 0;

  constructor(options: ApiTunnelsOptions) {
    this.#options = options;
    this.#echoes = new CoverEchoes(options.rng);
    this.#incoming = new IncomingTunnels({
      notices: this.#notices,
      // Without a tunnel in this round, its initiator builds one in the next.
      resumeWaitMs: options.timing.roundMs + BUILD_SLACK_MS,
      newTunnelId: () => this.#newTunnelId(),
      resumeTokenOf: (circuit) => options.resumeTokenOf(circuit),
    });
  }

  /** For status. */
  get counts(): {
    readonly incoming: number;
    readonly clients: number;
    readonly own: 'cover' | 'wanted' | 'ready';
  } {
    const isReady = this.#wanted?.isReady;
    const own = isReady === undefined ? 'cover' : isReady ? 'ready' : 'wanted';
    return { incoming: this.#incoming.count, clients: this.#clients.size, own };
  }

  addClient(client: ClientId): void {
    this.#clients.add(client);
  }

  /** A client that goes away has destroyed all its tunnels. */
  removeClient(client: ClientId, { nowMs }: Now): ApiOutput[] {
    this.#clients.delete(client);
    this.#echoes.forget(client);
    return [...this.#leaveWanted(client, nowMs), ...this.#incoming.leaveAll(client, nowMs)];
  }

  /** Where the tunnel of this round is to end. */
  destination(round: number): Peer | undefined {
    const wanted = this.#wanted;
    if (wanted === undefined) return undefined;
    return wanted.isReady || round >= wanted.fromRound ? wanted.destination : undefined;
  }

  /** `nextRound` is the first whose tunnel has not been begun. */
  build(client: ClientId, destination: Peer, nextRound: number): ApiOutput[] {
    const wanted = this.#wanted;
    const isOther = wanted !== undefined && wanted.destination.key !== destination.key;
    if (isOther || destination.key === this.#options.own) {
      return [{ type: 'error', client, request: 'build', tunnel: NO_TUNNEL }];
    }
    if (wanted === undefined) {
      this.#wanted = {
        tunnel: this.#newTunnelId(),
        destination,
        clients: new Set([client]),
        fromRound: nextRound,
        isReady: false,
        circuit: undefined,
        circuits: [],
      };
      return [];
    }
    wanted.clients.add(client);
    return wanted.isReady ? ready(wanted, [client]) : [];
  }

  destroy(client: ClientId, tunnel: TunnelId, { nowMs }: Now): ApiOutput[] {
    if (this.#isOf(client, tunnel)) return this.#leaveWanted(client, nowMs);
    if (this.#incoming.isOf(client, tunnel)) return this.#incoming.leave(client, tunnel, nowMs);
    return [{ type: 'error', client, request: 'destroy', tunnel }];
  }

  data(client: ClientId, tunnel: TunnelId, data: Uint8Array): ApiOutput[] {
    const isOwn = this.#isOf(client, tunnel);
    if (!isOwn && !this.#incoming.isOf(client, tunnel)) {
      return [{ type: 'error', client, request: 'data', tunnel }];
    }
    this.#messageId = (this.#messageId + 1) % 2 ** 16;
    const messages = encodeInner(INNER.data, data, this.#messageId);
    if (!isOwn) return this.#incoming.send(tunnel, messages);
    const circuit = this.#wanted?.circuit;
    // Between two circuits there is nowhere to send to: best effort, as specified.
    return circuit === undefined ? [] : [sendInner(circuit, 'data', messages)];
  }

  cover(client: ClientId, size: number): ApiOutput[] {
    if (this.#wanted?.isReady === true || this.#circuit === undefined) {
      return [{ type: 'error', client, request: 'cover', tunnel: NO_TUNNEL }];
    }
    return [sendInner(this.#circuit, 'data', this.#echoes.begin(client, size))];
  }

  /** Our tunnel of this round stands, or another took its place. */
  onCurrent({ circuit, destination, resumeToken }: OwnTunnel, { nowMs }: Now): ApiOutput[] {
    this.#circuit = circuit;
    const wanted = this.#wanted;
    if (wanted === undefined) return [];
    const { circuit: from, circuits } = wanted;
    wanted.circuit = undefined;
    if (destination?.key !== wanted.destination.key) return [];
    const token = circuits.findLast(({ isHeard }) => isHeard)?.token ?? NO_TOKEN;
    const current: Opened = { circuit, token: resumeToken, isHeard: false };
    wanted.circuit = circuit;
    wanted.circuits = [...circuits, current].slice(-CIRCUITS_MAX);
    const opened = this.#notices.open(circuit, token, nowMs);
    if (!wanted.isReady) {
      wanted.isReady = true;
      return [...opened, ...ready(wanted, wanted.clients)];
    }
    if (from === undefined) return opened;
    return [
      ...opened,
      { type: 'plane', command: { type: 'move data', circuit: from, to: circuit } },
    ];
  }

  /** Our tunnel is gone, and another attempt is under way or not. */
  onLost(): void {
    this.#circuit = undefined;
    if (this.#wanted !== undefined) this.#wanted.circuit = undefined;
  }

  /** The round is over: if there was no tunnel to where it should have gone, whoever waits for it is told. */
  onRoundEnd(round: number): ApiOutput[] {
    const wanted = this.#wanted;
    if (wanted === undefined || wanted.isReady || round < wanted.fromRound) return [];
    this.#wanted = undefined;
    return [...wanted.clients].map((client) => ({
      type: 'error',
      client,
      request: 'build',
      tunnel: NO_TUNNEL,
    }));
  }

  /** The clock was set back: what was to be soon would be far off. */
  onRoundsBack(nextRound: number): void {
    if (this.#wanted === undefined) return;
    this.#wanted.fromRound = Math.min(this.#wanted.fromRound, nextRound);
  }

  /** From the endpoint of a tunnel of ours. */
  onOwnMessage(circuit: CircuitId, { type, data }: InnerMessage): ApiOutput[] {
    if (type === INNER.coverEcho) {
      const echo = this.#echoes.collect(data);
      return echo === undefined ? [] : [{ type: 'data', tunnel: NO_TUNNEL, ...echo }];
    }
    const wanted = this.#wanted;
    const opened = wanted?.circuits.find((one) => one.circuit === circuit);
    if (wanted === undefined || opened === undefined) return [];
    opened.isHeard = true;
    if (type === INNER.data) return delivered(wanted, data);
    return type === INNER.closeLogical ? this.#closed(wanted) : [];
  }

  /** From the initiator of a circuit that ends here. */
  onEndpointMessage(circuit: CircuitId, { type, data }: InnerMessage, now: Now): ApiOutput[] {
    switch (type) {
      case INNER.open:
        return this.#incoming.onOpen(circuit, data, this.#clients, now.nowMs);
      case INNER.closeLogical:
        return this.#incoming.onClose(circuit);
      case INNER.data:
        return this.#incoming.onData(circuit, data);
      default:
        return [];
    }
  }

  /** A circuit that ends here is gone; what runs over it waits to be resumed. */
  onCircuitEnded(circuit: CircuitId, { nowMs }: Now): void {
    this.#notices.forget(circuit);
    this.#incoming.onCircuitEnded(circuit, nowMs);
  }

  onTick({ nowMs }: Now): ApiOutput[] {
    return [...this.#notices.onTick(nowMs), ...this.#incoming.onTick(nowMs)];
  }

  nextDeadlineMs(): number {
    return Math.min(this.#notices.nextDeadlineMs(), this.#incoming.nextDeadlineMs());
  }

  /** Whether it is our tunnel, and this client knows of it. */
  #isOf(client: ClientId, tunnel: TunnelId): boolean {
    const wanted = this.#wanted;
    return wanted?.isReady === true && wanted.tunnel === tunnel && wanted.clients.has(client);
  }

  #leaveWanted(client: ClientId, nowMs: number): ApiOutput[] {
    const wanted = this.#wanted;
    if (wanted?.clients.delete(client) !== true || wanted.clients.size > 0) return [];
    this.#wanted = undefined;
    return wanted.circuit === undefined ? [] : this.#notices.close(wanted.circuit, nowMs);
  }

  /** Its endpoint has ended it: nobody there wants it any more. */
  #closed(wanted: Wanted): ApiOutput[] {
    this.#wanted = undefined;
    if (wanted.circuit !== undefined) this.#notices.forget(wanted.circuit);
    return failed(wanted);
  }

  #newTunnelId(): TunnelId {
    for (;;) {
      const id = randomU32(this.#options.rng);
      const isTaken = id === NO_TUNNEL || this.#incoming.has(id) || this.#wanted?.tunnel === id;
      if (!isTaken) return id;
    }
  }
}

function ready({ tunnel, destination }: Wanted, clients: Iterable<ClientId>): ApiOutput[] {
  return [...clients].map((client) => ({ type: 'ready', client, tunnel, destination }));
}

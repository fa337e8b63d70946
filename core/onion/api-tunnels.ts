// The tunnels that clients of the API see (voidphone-api.md, Onion; protocol 3.7): which client may do what with which.
// The one of ours is wanted-tunnel.ts's, those that come in are incoming-tunnels.ts's.

import type { IdentityKey } from '../identity/index.ts';
import { type Rng, randomU32 } from '../runtime/index.ts';
import { type ApiOutput, type ClientId, NO_TUNNEL, sendInner, type TunnelId } from './api-port.ts';
import type { Now } from './build.ts';
import { CoverEchoes } from './cover-echoes.ts';
import { IncomingTunnels } from './incoming-tunnels.ts';
import { encodeInner, INNER, type InnerMessage } from './inner.ts';
import { Notices } from './notices.ts';
import type { OwnTunnel } from './own-tunnel.ts';
import type { Peer } from './peer.ts';
import type { CircuitId } from './plane-port.ts';
import type { Origin } from './relay.ts';
import type { OnionTiming } from './timing.ts';
import { buildFailed, WantedTunnel } from './wanted-tunnel.ts';

/** How long into a round its first tunnel may take to stand. A guess: two rebuilds. */
const BUILD_SLACK_MS = 20_000;

export interface ApiTunnelsOptions {
  readonly rng: Rng;
  readonly timing: OnionTiming;
  readonly own: IdentityKey;
  /** Of a circuit that ends here. */
  originOf(circuit: CircuitId): Origin | undefined;
}

export class ApiTunnels {
  readonly #options: ApiTunnelsOptions;
  /** Bounded by the API's server. */
  readonly #clients = new Set<ClientId>();
  readonly #notices = new Notices();
  readonly #wanted: WantedTunnel;
  readonly #incoming: IncomingTunnels;
  readonly #echoes: CoverEchoes;
  /** Of our tunnel, wherever it ends. */
  #circuit: CircuitId | undefined;
  #messageId = 0;

  constructor(options: ApiTunnelsOptions) {
    const { rng, timing } = options;
    const notices = this.#notices;
    const newTunnelId = (): TunnelId => this.#newTunnelId();
    this.#options = options;
    this.#echoes = new CoverEchoes(rng);
    this.#wanted = new WantedTunnel({ notices, newTunnelId });
    this.#incoming = new IncomingTunnels({
      notices,
      timing,
      // Without a tunnel in this round, its initiator builds one in the next.
      resumeWaitMs: timing.roundMs + BUILD_SLACK_MS,
      newTunnelId,
      originOf: (circuit) => options.originOf(circuit),
    });
  }

  /** For status. */
  get counts(): {
    readonly incoming: number;
    readonly clients: number;
    readonly own: WantedTunnel['state'];
  } {
    const { state: own } = this.#wanted;
    return { incoming: this.#incoming.count, clients: this.#clients.size, own };
  }

  addClient(client: ClientId): void {
    this.#clients.add(client);
  }

  /** A client that goes away has destroyed all its tunnels. */
  removeClient(client: ClientId, { nowMs }: Now): ApiOutput[] {
    this.#clients.delete(client);
    this.#echoes.forget(client);
    return [...this.#wanted.leave(client, nowMs), ...this.#incoming.leaveAll(client, nowMs)];
  }

  /** Where the tunnel of this round is to end. */
  destination(round: number): Peer | undefined {
    return this.#wanted.destination(round);
  }

  /** `nextRound` is the first whose tunnel has not been begun. */
  build(client: ClientId, destination: Peer, nextRound: number): ApiOutput[] {
    if (destination.key === this.#options.own) return buildFailed([client]);
    return this.#wanted.build(client, destination, nextRound);
  }

  destroy(client: ClientId, tunnel: TunnelId, { nowMs }: Now): ApiOutput[] {
    if (this.#wanted.isOf(client, tunnel)) return this.#wanted.leave(client, nowMs);
    if (this.#incoming.isOf(client, tunnel)) return this.#incoming.leave(client, tunnel, nowMs);
    return [{ type: 'error', client, request: 'destroy', tunnel }];
  }

  data(client: ClientId, tunnel: TunnelId, data: Uint8Array): ApiOutput[] {
    const isOwn = this.#wanted.isOf(client, tunnel);
    if (!isOwn && !this.#incoming.isOf(client, tunnel)) {
      return [{ type: 'error', client, request: 'data', tunnel }];
    }
    this.#messageId = (this.#messageId + 1) % 2 ** 16;
    const messages = encodeInner(INNER.data, data, this.#messageId);
    return isOwn ? this.#wanted.send(messages) : this.#incoming.send(tunnel, messages);
  }

  cover(client: ClientId, size: number): ApiOutput[] {
    if (this.#wanted.state === 'ready' || this.#circuit === undefined) {
      return [{ type: 'error', client, request: 'cover', tunnel: NO_TUNNEL }];
    }
    return [sendInner(this.#circuit, 'data', this.#echoes.begin(client, size))];
  }

  /** Our tunnel of the next round stands. */
  onPrepared(tunnel: OwnTunnel, { nowMs }: Now): ApiOutput[] {
    return this.#wanted.onPrepared(tunnel, nowMs);
  }

  /** Our tunnel of this round stands, or another took its place. */
  onCurrent(tunnel: OwnTunnel, { nowMs }: Now): ApiOutput[] {
    this.#circuit = tunnel.circuit;
    return this.#wanted.onCurrent(tunnel, nowMs);
  }

  /** Our tunnel is about to go. */
  onLost(): ApiOutput[] {
    this.#circuit = undefined;
    return this.#wanted.onLost();
  }

  onRoundEnd(round: number): ApiOutput[] {
    return this.#wanted.onRoundEnd(round);
  }

  /** The clock was set back. */
  onRoundsBack(nextRound: number): void {
    this.#wanted.onRoundsBack(nextRound);
  }

  /** From the endpoint of a tunnel of ours. */
  onOwnMessage(circuit: CircuitId, message: InnerMessage): ApiOutput[] {
    if (message.type !== INNER.coverEcho) return this.#wanted.onMessage(circuit, message);
    const echo = this.#echoes.collect(message.data);
    return echo === undefined ? [] : [{ type: 'data', tunnel: NO_TUNNEL, ...echo }];
  }

  /** From the initiator of a circuit that ends here. */
  onEndpointMessage(circuit: CircuitId, { type, data }: InnerMessage, now: Now): ApiOutput[] {
    switch (type) {
      case INNER.open:
        return this.#incoming.onOpen(circuit, data, this.#clients, now);
      case INNER.closeLogical:
        return this.#incoming.onClose(circuit);
      case INNER.data:
        return this.#incoming.onData(circuit, data);
      default:
        return [];
    }
  }

  /** A circuit that ends here is about to go; what runs over it waits to be resumed. */
  onCircuitEnded(circuit: CircuitId, now: Now): ApiOutput[] {
    this.#notices.forget(circuit);
    return this.#incoming.onCircuitEnded(circuit, now);
  }

  /** Also when a round has begun. */
  onTick(now: Now): ApiOutput[] {
    return [...this.#notices.onTick(now.nowMs), ...this.#incoming.onTick(now)];
  }

  nextDeadlineMs(): number {
    return Math.min(this.#notices.nextDeadlineMs(), this.#incoming.nextDeadlineMs());
  }

  #newTunnelId(): TunnelId {
    for (;;) {
      const id = randomU32(this.#options.rng);
      const isTaken = id === NO_TUNNEL || this.#incoming.has(id) || this.#wanted.has(id);
      if (!isTaken) return id;
    }
  }
}

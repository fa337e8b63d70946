// The control plane of the onion module: what arrives is handed to whom it concerns (our tunnels, what we relay, what
// clients see), and what they answer is carried out. It decides nothing by itself. A machine in all but its callbacks:
// no clock, no timer, no socket.

import { type Identity, type IdentityKey, identityKey } from '../identity/index.ts';
import {
  COMMAND,
  cellBody,
  cellCircuit,
  cellCommand,
  type LinkId,
  type Links,
  type LinksEvent,
  type LinkUp,
  type Target,
} from '../link/index.ts';
import type { Address } from '../runtime/index.ts';
import type { Admission } from './admission.ts';
import type { ApiOutput, ClientId, TunnelId } from './api-port.ts';
import { ApiTunnels } from './api-tunnels.ts';
import type { Now } from './build.ts';
import { CellCollector } from './control-cells.ts';
import type { Guards } from './guards.ts';
import type { HopCredentials, HopParameters } from './hop.ts';
import { LinkUse } from './link-use.ts';
import type { RelayLink } from './next-hop.ts';
import type { OwnTunnel } from './own-tunnel.ts';
import { OwnTunnels, type OwnTunnelsOutput } from './own-tunnels.ts';
import type { Peer } from './peer.ts';
import type { CircuitEvent, CircuitId, PlaneCommand } from './plane-port.ts';
import { Relay, type RelayOutput } from './relay.ts';
import type { OnionTiming } from './timing.ts';

const SWEEP_MS = 1000;

export interface OnionOptions {
  readonly parameters: HopParameters;
  readonly timing: OnionTiming;
  readonly identity: Identity;
  /** Where we are, as far as we know: no relay is led there. */
  readonly ownIps: readonly string[];
  readonly hops: number;
  readonly allowPrivate: boolean;
  readonly guards: Guards;
  readonly admission: Admission;
  readonly links: Pick<Links, 'open' | 'setInUse' | 'setKept' | 'announceLoad'>;
  credentials(): HopCredentials;
  post(command: PlaneCommand): void;
  emit(event: OnionEvent): void;
}

export type OnionEvent =
  | Exclude<ApiOutput, { readonly type: 'plane' }>
  /** Peers wanted from RPS, answered by `onPeers`; a proof of work to be done elsewhere, by `onProof`; and news. */
  | Extract<
      OwnTunnelsOutput,
      { readonly type: 'want peers' | 'solve' | 'no tunnel' | 'poor guard' }
    >
  | { readonly type: 'tunnel'; readonly tunnel: OwnTunnel };

interface OpenLink extends RelayLink {
  readonly key: IdentityKey;
  readonly cells: CellCollector;
  /** Whether it is to stay open without circuits. */
  isKept: boolean;
}

export class Onion {
  readonly #options: OnionOptions;
  readonly #own: OwnTunnels;
  readonly #relay: Relay;
  readonly #api: ApiTunnels;
  readonly #use: LinkUse;
  /** As many as are open. */
  readonly #links = new Map<LinkId, OpenLink>();
  #now: Now;
  #sweepAtMs: number;

  constructor(options: OnionOptions, now: Now) {
    const { parameters, timing, identity, ownIps, admission, allowPrivate, hops, guards } = options;
    let lastCircuit: CircuitId = 0;
    const newCircuit = (): CircuitId => ++lastCircuit;
    this.#options = options;
    this.#now = now;
    this.#sweepAtMs = now.nowMs + SWEEP_MS;
    this.#relay = new Relay({
      parameters,
      timing,
      identity,
      ownIps,
      admission,
      allowPrivate,
      newCircuit,
      credentials: () => options.credentials(),
    });
    this.#api = new ApiTunnels({
      rng: parameters.rng,
      timing,
      own: identityKey(identity),
      originOf: (circuit) => this.#relay.originOf(circuit),
    });
    this.#own = new OwnTunnels(
      {
        parameters,
        timing,
        hops,
        guards,
        newCircuit,
        own: identityKey(identity),
        sameNetgroupAllowed: allowPrivate,
        destination: (round) => this.#api.destination(round),
      },
      now,
    );
    this.#use = new LinkUse((link, inUse) => options.links.setInUse(link, inUse, this.#now.nowMs));
  }

  get status() {
    return {
      round: this.#own.round,
      tunnel: this.#own.current,
      states: this.#own.states,
      poorGuards: this.#own.poorGuards(this.#now),
      relayed: this.#relay.circuits,
      powBits: this.#options.admission.powBits,
      api: this.#api.counts,
    };
  }

  onTick(now: Now): void {
    this.#now = now;
    const roundBefore = this.#own.round;
    this.#doOwn(this.#own.onTick(now));
    const { round, nextFreeRound } = this.#own;
    if (round > roundBefore) this.#doApi(this.#api.onRoundEnd(round - 1));
    if (round < roundBefore) this.#api.onRoundsBack(nextFreeRound);
    this.#doApi(this.#api.onTick(now));
    if (now.nowMs < this.#sweepAtMs) return;
    this.#sweepAtMs = now.nowMs + SWEEP_MS;
    this.#doRelay(this.#relay.sweep(now));
    this.#options.links.announceLoad(this.#options.admission.powBits);
    this.#keepGuards();
  }

  nextDeadlineMs(now: Now): number {
    return Math.min(this.#own.nextDeadlineMs(now), this.#api.nextDeadlineMs(), this.#sweepAtMs);
  }

  onCircuitEvent(event: CircuitEvent, now: Now): void {
    this.#now = now;
    switch (event.type) {
      case 'cell':
        this.#onCell(event);
        break;
      case 'inner':
        this.#onInner(event.circuit, event.message);
        break;
      case 'circuit failing':
        this.#doOwn(this.#own.onFailing(event.circuit, event.why, now));
        break;
      default:
    }
  }

  onLinksEvent(event: LinksEvent, now: Now): void {
    this.#now = now;
    if (event.type === 'up') this.#onLinkUp(event);
    else if (event.type === 'failed') this.#onLinkFailed(event);
    else if (event.type === 'down') this.#onLinkDown(event.link);
  }

  onPeers(peers: readonly Peer[], now: Now): void {
    this.#now = now;
    this.#doOwn(this.#own.onPeers(peers, now));
  }

  onProof(circuit: CircuitId, nonce: Uint8Array, now: Now): void {
    this.#now = now;
    this.#doOwn(this.#own.onProof(circuit, nonce, now));
  }

  addClient(client: ClientId): void {
    this.#api.addClient(client);
  }

  removeClient(client: ClientId, now: Now): void {
    this.#now = now;
    this.#doApi(this.#api.removeClient(client, now));
  }

  build(client: ClientId, destination: Peer, now: Now): void {
    this.#now = now;
    this.#doApi(this.#api.build(client, destination, this.#own.nextFreeRound));
  }

  destroy(client: ClientId, tunnel: TunnelId, now: Now): void {
    this.#now = now;
    this.#doApi(this.#api.destroy(client, tunnel, now));
  }

  data(client: ClientId, tunnel: TunnelId, data: Uint8Array, now: Now): void {
    this.#now = now;
    this.#doApi(this.#api.data(client, tunnel, data));
  }

  cover(client: ClientId, size: number, now: Now): void {
    this.#now = now;
    this.#doApi(this.#api.cover(client, size));
  }

  #onCell({ link, circuit, side, cell }: CircuitEvent & { readonly type: 'cell' }): void {
    const from = this.#links.get(link);
    if (from === undefined) return;
    switch (cellCommand(cell)) {
      case COMMAND.create:
        this.#onCreate(from, cell);
        break;
      case COMMAND.created:
        if (circuit !== undefined && side === 'next') this.#onCreated(from, circuit, cell);
        break;
      case COMMAND.destroy:
        if (circuit !== undefined) this.#onDestroy(circuit, side ?? 'next', cellBody(cell));
        break;
      default:
    }
  }

  #onCreate(from: OpenLink, cell: Uint8Array): void {
    const payload = from.cells.collect(cell, this.#now.nowMs);
    if (payload === undefined) return;
    this.#doRelay(this.#relay.onCreate(from, cellCircuit(cell), payload, this.#now));
  }

  #onCreated(from: OpenLink, circuit: CircuitId, cell: Uint8Array): void {
    const payload = from.cells.collect(cell, this.#now.nowMs);
    if (payload === undefined) return;
    if (this.#relay.has(circuit)) this.#doRelay(this.#relay.onCreated(circuit, payload));
    else this.#doOwn(this.#own.onCreated(circuit, payload, this.#now));
  }

  #onDestroy(circuit: CircuitId, side: 'prev' | 'next', body: Uint8Array): void {
    if (this.#relay.has(circuit)) this.#doRelay(this.#relay.onDestroy(circuit, side, body));
    else this.#doOwn(this.#own.onDestroy(circuit, body, this.#now));
  }

  #onInner(circuit: CircuitId, plaintext: Uint8Array): void {
    if (this.#relay.has(circuit)) this.#doRelay(this.#relay.onInner(circuit, plaintext, this.#now));
    else this.#doOwn(this.#own.onInner(circuit, plaintext, this.#now));
  }

  #onLinkUp({ link, identity, address, initiator }: LinkUp): void {
    const key = identityKey(identity);
    const fresh = { cells: new CellCollector(), isKept: false };
    const { cells, isKept } = this.#links.get(link) ?? fresh;
    const up = { link, key, address, isInitiator: initiator, cells, isKept };
    this.#links.set(link, up);
    this.#doOwn(this.#own.onLinkUp(key, up, this.#now));
    this.#doRelay(this.#relay.onLinkUp(identity, up));
  }

  #onLinkFailed(call: Target): void {
    this.#doOwn(this.#own.onLinkFailed(call, this.#now));
    this.#doRelay(this.#relay.onLinkFailed(call));
  }

  #onLinkDown(link: LinkId): void {
    this.#links.delete(link);
    this.#doOwn(this.#own.onLinkDown(link, this.#now));
    this.#doRelay(this.#relay.onLinkDown(link));
  }

  /** Links to guards stay open when they are idle (protocol 3.1). */
  #keepGuards(): void {
    const { guards, links } = this.#options;
    for (const open of this.#links.values()) {
      const isKept = guards.isInUse(open.key, this.#now.wallMs);
      if (isKept !== open.isKept) links.setKept(open.link, isKept);
      open.isKept = isKept;
    }
  }

  #openLink(identity: Identity, address: Address, onBehalf: boolean): void {
    const opening = this.#options.links.open({ identity, address }, this.#now, { onBehalf });
    if (opening.type === 'up') this.#onLinkUp(opening);
    else if (opening.type === 'failed') this.#onLinkFailed({ identity, address });
  }

  #doOwn(outputs: readonly OwnTunnelsOutput[]): void {
    for (const output of outputs) {
      switch (output.type) {
        case 'plane':
          this.#post(output.command);
          break;
        case 'open link':
          this.#openLink(output.identity, output.address, false);
          break;
        case 'current':
          this.#options.emit({ type: 'tunnel', tunnel: output.tunnel });
          this.#doApi(this.#api.onCurrent(output.tunnel, this.#now));
          break;
        case 'prepared':
          this.#doApi(this.#api.onPrepared(output.tunnel, this.#now));
          break;
        case 'lost':
          this.#doApi(this.#api.onLost());
          break;
        case 'message':
          this.#doApi(this.#api.onOwnMessage(output.circuit, output.message));
          break;
        default:
          this.#options.emit(output);
      }
    }
  }

  #doRelay(outputs: readonly RelayOutput[]): void {
    for (const output of outputs) {
      switch (output.type) {
        case 'plane':
          this.#post(output.command);
          break;
        case 'open link':
          this.#openLink(output.identity, output.address, true);
          break;
        case 'message':
          this.#doApi(this.#api.onEndpointMessage(output.circuit, output.message, this.#now));
          break;
        default:
          this.#doApi(this.#api.onCircuitEnded(output.circuit, this.#now));
      }
    }
  }

  #doApi(outputs: readonly ApiOutput[]): void {
    for (const output of outputs) {
      if (output.type === 'plane') this.#post(output.command);
      else this.#options.emit(output);
    }
  }

  #post(command: PlaneCommand): void {
    this.#use.on(command);
    this.#options.post(command);
  }
}

// The tunnel that clients of the API asked for (voidphone-api.md, Onion; protocol 3.7), one at a time: READY in the next
// round, then moved from circuit to circuit without its clients noticing. Its endpoint is told of the next circuit while
// that carries nothing but cover, so what clients send is never late for it; what they send when there is none waits.

import {
  type ApiOutput,
  type ClientId,
  delivered,
  failed,
  forgetData,
  keepData,
  moveData,
  NO_TUNNEL,
  sendInner,
  type TunnelId,
} from './api-port.ts';
import { INNER, type InnerMessage } from './inner.ts';
import { NO_TOKEN, type Notices } from './notices.ts';
import type { OwnTunnel } from './own-tunnel.ts';
import type { Peer } from './peer.ts';
import type { CircuitId } from './plane-port.ts';

/** Circuits of a tunnel: the last round's, this one's and the next one's, and two rebuilt ones' of each. */
const CIRCUITS_MAX = 9;
/** An endpoint waits a round and a little for a tunnel's next circuit: so in this one and the next. */
const PARTING_ROUNDS = 2;

interface Wanted {
  readonly tunnel: TunnelId;
  readonly destination: Peer;
  readonly clients: Set<ClientId>;
  /** The first round whose tunnel is to end there. */
  fromRound: number;
  isReady: boolean;
  /** The one to send on, or the last that was; undefined before the first. */
  circuit: CircuitId | undefined;
  /** Between two: what is sent waits for the next. */
  isLost: boolean;
  /** The next round's, if its endpoint has been told. */
  prepared: CircuitId | undefined;
  /** At most CIRCUITS_MAX, the newest last. */
  circuits: readonly Opened[];
}

/** A circuit of the tunnel, past, present or prepared. */
interface Opened {
  readonly circuit: CircuitId;
  /** Names the tunnel on its next circuit … */
  readonly token: Uint8Array;
  /** … if its endpoint has been heard on this one: otherwise it may not know of it. */
  isHeard: boolean;
}

/** A tunnel that its clients left when there was no circuit to tell its endpoint: the next one there does. */
interface Parting extends Pick<Wanted, 'destination' | 'circuits'> {
  roundsLeft: number;
}

export interface WantedTunnelOptions {
  readonly notices: Notices;
  newTunnelId(): TunnelId;
}

export class WantedTunnel {
  readonly #options: WantedTunnelOptions;
  #wanted: Wanted | undefined;
  #parting: Parting | undefined;

  constructor(options: WantedTunnelOptions) {
    this.#options = options;
  }

  /** For status. */
  get state(): 'cover' | 'wanted' | 'ready' {
    if (this.#wanted === undefined) return 'cover';
    return this.#wanted.isReady ? 'ready' : 'wanted';
  }

  has(tunnel: TunnelId): boolean {
    return this.#wanted?.tunnel === tunnel;
  }

  /** Whether it stands, and this client knows of it. */
  isOf(client: ClientId, tunnel: TunnelId): boolean {
    return this.has(tunnel) && this.#wanted?.isReady === true && this.#wanted.clients.has(client);
  }

  /** Where the tunnel of this round is to end. */
  destination(round: number): Peer | undefined {
    const wanted = this.#wanted;
    const isFor = wanted !== undefined && (wanted.isReady || round >= wanted.fromRound);
    return isFor ? wanted.destination : this.#parting?.destination;
  }

  /** `nextRound` is the first whose tunnel has not been begun. */
  build(client: ClientId, destination: Peer, nextRound: number): ApiOutput[] {
    const wanted = this.#wanted;
    if (wanted === undefined) {
      this.#wanted = {
        tunnel: this.#options.newTunnelId(),
        destination,
        clients: new Set([client]),
        fromRound: nextRound,
        isReady: false,
        circuit: undefined,
        isLost: false,
        prepared: undefined,
        circuits: [],
      };
      return [];
    }
    if (wanted.destination.key !== destination.key) return buildFailed([client]);
    wanted.clients.add(client);
    return wanted.isReady ? ready(wanted, [client]) : [];
  }

  send(messages: readonly Uint8Array[]): ApiOutput[] {
    const circuit = this.#wanted?.circuit;
    return circuit === undefined ? [] : [sendInner(circuit, 'data', messages)];
  }

  leave(client: ClientId, nowMs: number): ApiOutput[] {
    const wanted = this.#wanted;
    if (wanted?.clients.delete(client) !== true || wanted.clients.size > 0) return [];
    this.#wanted = undefined;
    const { circuit, prepared, isLost, destination, circuits } = wanted;
    if (circuit === undefined) return [];
    if (isLost) this.#parting = { destination, circuits, roundsLeft: PARTING_ROUNDS };
    return [
      ...(isLost ? [forgetData(circuit)] : this.#options.notices.close(circuit, nowMs)),
      ...(prepared === undefined ? [] : this.#options.notices.close(prepared, nowMs)),
    ];
  }

  /** The next round's stands. */
  onPrepared(tunnel: OwnTunnel, nowMs: number): ApiOutput[] {
    const wanted = this.#wanted;
    const isIts = wanted?.isReady === true && leadsTo(tunnel, wanted);
    // To an endpoint that perhaps knows nothing of the tunnel, this would be another one.
    if (!isIts || tokenOfHeard(wanted.circuits) === undefined) return [];
    wanted.prepared = tunnel.circuit;
    return this.#open(wanted, tunnel, nowMs);
  }

  /** This round's stands, or another took its place. */
  onCurrent(tunnel: OwnTunnel, nowMs: number): ApiOutput[] {
    const wanted = this.#wanted;
    const isItsTurn = wanted !== undefined && (wanted.isReady || tunnel.round >= wanted.fromRound);
    if (isItsTurn && leadsTo(tunnel, wanted)) return this.#goOn(wanted, tunnel, nowMs);
    return [...this.onLost(), ...this.#part(tunnel, nowMs)];
  }

  /** It is about to go, and another attempt is under way or not. */
  onLost(): ApiOutput[] {
    const wanted = this.#wanted;
    if (wanted?.circuit === undefined || wanted.isLost) return [];
    wanted.isLost = true;
    return [keepData(wanted.circuit)];
  }

  /** If there was no tunnel to where it should have gone, whoever waits for it is told. */
  onRoundEnd(round: number): ApiOutput[] {
    if (this.#parting !== undefined) this.#parting.roundsLeft -= 1;
    if (this.#parting?.roundsLeft === 0) this.#parting = undefined;
    const wanted = this.#wanted;
    if (wanted === undefined || wanted.isReady || round < wanted.fromRound) return [];
    this.#wanted = undefined;
    return buildFailed(wanted.clients);
  }

  /** The clock was set back: what was to be soon would be far off. */
  onRoundsBack(nextRound: number): void {
    if (this.#wanted === undefined) return;
    this.#wanted.fromRound = Math.min(this.#wanted.fromRound, nextRound);
  }

  /** From the endpoint of a circuit of ours. */
  onMessage(circuit: CircuitId, { type, data }: InnerMessage): ApiOutput[] {
    const wanted = this.#wanted;
    const opened = wanted?.circuits.find((one) => one.circuit === circuit);
    if (wanted === undefined || opened === undefined) return [];
    opened.isHeard = true;
    this.#options.notices.heard(circuit);
    if (type === INNER.data) return delivered(wanted, data);
    return type === INNER.closeLogical ? this.#closed(wanted) : [];
  }

  /** Over this circuit from now on, of which its endpoint may know already. */
  #goOn(wanted: Wanted, tunnel: OwnTunnel, nowMs: number): ApiOutput[] {
    const { circuit } = tunnel;
    const { circuit: from, isReady } = wanted;
    const isPrepared = circuit === wanted.prepared;
    const opened = isPrepared ? [] : this.#open(wanted, tunnel, nowMs);
    if (isPrepared) wanted.prepared = undefined;
    wanted.circuit = circuit;
    wanted.isLost = false;
    wanted.isReady = true;
    this.#parting = undefined;
    if (!isReady) return [...opened, ...ready(wanted, wanted.clients)];
    return from === undefined ? opened : [...opened, moveData(from, circuit)];
  }

  #open(wanted: Wanted, { circuit, resumeToken }: OwnTunnel, nowMs: number): ApiOutput[] {
    const token = tokenOfHeard(wanted.circuits) ?? NO_TOKEN;
    const opened = { circuit, token: resumeToken, isHeard: false };
    wanted.circuits = [...wanted.circuits, opened].slice(-CIRCUITS_MAX);
    return this.#options.notices.open(circuit, token, nowMs);
  }

  /** Tells the endpoint of a tunnel that was left what could not be told then. */
  #part(tunnel: OwnTunnel, nowMs: number): ApiOutput[] {
    const parting = this.#parting;
    if (parting === undefined || !leadsTo(tunnel, parting)) return [];
    this.#parting = undefined;
    const { notices } = this.#options;
    const { circuit } = tunnel;
    const token = tokenOfHeard(parting.circuits);
    const isOpened = parting.circuits.some((one) => one.circuit === circuit);
    if (isOpened) return notices.close(circuit, nowMs);
    if (token === undefined) return [];
    return [...notices.open(circuit, token, nowMs), ...notices.close(circuit, nowMs)];
  }

  /** Its endpoint has ended it: nobody there wants it any more. */
  #closed(wanted: Wanted): ApiOutput[] {
    this.#wanted = undefined;
    const { circuit, prepared, isLost } = wanted;
    for (const one of [circuit, prepared]) {
      if (one !== undefined) this.#options.notices.forget(one);
    }
    return [...failed(wanted), ...(isLost && circuit !== undefined ? [forgetData(circuit)] : [])];
  }
}

function leadsTo({ destination }: OwnTunnel, to: { readonly destination: Peer }): boolean {
  return destination?.key === to.destination.key;
}

/** Of the last circuit on which the endpoint has been heard. */
function tokenOfHeard(circuits: readonly Opened[]): Uint8Array | undefined {
  return circuits.findLast(({ isHeard }) => isHeard)?.token;
}

export function buildFailed(clients: Iterable<ClientId>): ApiOutput[] {
  return [...clients].map((client) => ({
    type: 'error',
    client,
    request: 'build',
    tunnel: NO_TUNNEL,
  }));
}

function ready({ tunnel, destination }: Wanted, clients: Iterable<ClientId>): ApiOutput[] {
  return [...clients].map((client) => ({ type: 'ready', client, tunnel, destination }));
}

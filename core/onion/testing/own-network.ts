// OwnTunnels among peers that do what they should, unless a test says otherwise: they are up, and answer at once. Time is
// a number; it goes from one deadline to the next.

import { expect } from 'vitest';
import { identityKey } from '../../identity/index.ts';
import { SeededRng } from '../../runtime/index.ts';
import { encodeRefusal, type Refusal } from '../control-cells.ts';
import { decodeExtend } from '../extend.ts';
import { Guards } from '../guards.ts';
import { encodeInner, INNER } from '../inner.ts';
import type { RelayLink } from '../next-hop.ts';
import { OwnTunnels, type OwnTunnelsOutput } from '../own-tunnels.ts';
import type { Peer } from '../peer.ts';
import type { CircuitCommand, CircuitId, Failing } from '../plane-port.ts';
import { type OnionTiming, onionTiming, roundStartMs } from '../timing.ts';
import { answered, manyHops, parametersOf, ROUND, type TestHop, WALL_MS } from './hops.ts';
import { padded, readCells, readInner } from './read.ts';

const HOPS = manyHops(13);
/** More turns at one moment than any machine needs. */
const TURNS_MAX = 20;

export type Happening =
  | { readonly what: 'begun'; readonly circuit: CircuitId }
  | {
      readonly what: 'prepared' | 'current';
      readonly circuit: CircuitId;
      readonly round: number;
    }
  | { readonly what: 'destroyed' | 'removed'; readonly circuit: CircuitId }
  | { readonly what: 'lost' | 'no tunnel'; readonly round: number }
  | { readonly what: 'poor guard' };

export interface OwnNetworkOptions {
  readonly roundSeconds?: number;
  readonly seed?: number;
  readonly guards?: number;
  /** How many others there are. */
  readonly peers?: number;
  /** How far into its round the node begins. */
  readonly startMs?: number;
}

export class OwnNetwork {
  readonly timing: OnionTiming;
  readonly own: OwnTunnels;
  readonly peers: readonly TestHop[];
  /** In order, with their times. */
  readonly happenings: (Happening & { readonly atMs: number })[] = [];
  /** The peers of each circuit so far. */
  readonly paths = new Map<CircuitId, string[]>();
  /** Who does not answer: no link to it comes up, and no EXTEND. */
  readonly dead = new Set<string>();
  /** Who answers with this instead. */
  readonly refusing = new Map<string, Refusal>();
  readonly messages: OwnTunnelsOutput[] = [];
  readonly solving: (OwnTunnelsOutput & { readonly type: 'solve' })[] = [];
  /** Whether RPS answers. */
  hasPeers = true;
  destination: Peer | undefined;
  asks = 0;
  ticks = 0;
  nowMs = 0;
  #wallMs: number;
  #circuits = 0;

  constructor(options: OwnNetworkOptions = {}) {
    const { roundSeconds = 300, seed = 1, guards = 0, peers = 9, startMs = 0 } = options;
    const [us, ...others] = HOPS;
    if (us === undefined) throw new Error('nobody');
    this.timing = onionTiming(roundSeconds);
    this.peers = others.slice(0, peers);
    this.#wallMs = WALL_MS + startMs;
    this.own = new OwnTunnels(
      {
        parameters: parametersOf(seed),
        timing: this.timing,
        own: us.peer.key,
        hops: 2,
        sameNetgroupAllowed: false,
        guards: new Guards({ rng: new SeededRng(seed), count: guards, saved: [], save: () => {} }),
        newCircuit: () => {
          this.#circuits += 1;
          return this.#circuits;
        },
        destination: () => this.destination,
      },
      this.now,
    );
  }

  get now() {
    return { nowMs: this.nowMs, wallMs: this.#wallMs + this.nowMs };
  }

  get circuits(): number {
    return this.#circuits;
  }

  /** Until its own clock says so; every turn leaves the next deadline in the future. */
  run(untilMs: number): void {
    for (;;) {
      const deadlineMs = Math.max(this.nowMs, this.own.nextDeadlineMs(this.now));
      if (deadlineMs > untilMs) break;
      this.nowMs = deadlineMs;
      this.tick();
    }
    this.nowMs = untilMs;
  }

  runFor(ms: number): void {
    this.run(this.nowMs + ms);
  }

  /** Until that many milliseconds after the start of the round that many after this. */
  runToRound(rounds: number, ms: number): void {
    const startMs = roundStartMs(this.timing, this.own.round + rounds);
    this.run(startMs + ms - this.#wallMs);
  }

  tick(): void {
    this.ticks++;
    this.do(this.own.onTick(this.now));
    expect(this.own.nextDeadlineMs(this.now)).toBeGreaterThan(this.nowMs);
  }

  /** Somebody sets the wall clock. */
  setWall(byMs: number): void {
    this.#wallMs += byMs;
  }

  of<W extends Happening['what']>(what: W) {
    return this.happenings.filter(
      (one): one is Happening & { what: W; readonly atMs: number } => one.what === what,
    );
  }

  /** When, after the boundary of the round it happened in. */
  afterBoundary(atMs: number): number {
    return (this.#wallMs + atMs) % this.timing.roundMs;
  }

  linkOf(key: string): RelayLink {
    const at = this.peers.findIndex(({ peer }) => peer.key === key);
    const address = this.peers[at]?.peer.address ?? { ip: '', port: 0 };
    return { link: 100 + at, address, isInitiator: true };
  }

  /** The link to the first hop of this circuit goes down. */
  cutLink(circuit: CircuitId): void {
    const [first = ''] = this.paths.get(circuit) ?? [];
    this.do(this.own.onLinkDown(this.linkOf(first).link, this.now));
  }

  fail(circuit: CircuitId, why: Failing = 'silent'): void {
    this.do(this.own.onFailing(circuit, why, this.now));
  }

  /** The far end of the circuit says something. */
  hear(circuit: CircuitId, type: number, data: Uint8Array): void {
    for (const piece of encodeInner(type, data, 0)) {
      this.do(this.own.onInner(circuit, padded(piece), this.now));
    }
  }

  do(outputs: readonly OwnTunnelsOutput[]): void {
    for (const output of outputs) this.#doOne(output);
  }

  #doOne(output: OwnTunnelsOutput): void {
    switch (output.type) {
      case 'want peers':
        this.asks++;
        if (this.hasPeers) {
          const peers = this.peers.map(({ peer }) => peer);
          this.do(this.own.onPeers(peers, this.now));
        }
        break;
      case 'open link':
        this.#openLink(identityKey(output.identity), output);
        break;
      case 'plane':
        this.#command(output.command);
        break;
      case 'prepared':
      case 'current':
        this.#happens({ what: output.type, ...circuitAndRound(output.tunnel) });
        break;
      case 'poor guard':
        this.#happens({ what: output.type });
        break;
      case 'solve':
        this.solving.push(output);
        break;
      case 'message':
        this.messages.push(output);
        break;
      default:
        this.#happens({ what: output.type, round: output.round });
    }
  }

  #openLink(key: string, call: OwnTunnelsOutput & { readonly type: 'open link' }): void {
    const { own, now } = this;
    if (this.dead.has(key)) this.do(own.onLinkFailed(call, now));
    else this.do(own.onLinkUp(identityKey(call.identity), this.linkOf(key), now));
  }

  #command(command: CircuitCommand): void {
    const { circuit } = command;
    if (command.type === 'add own') {
      const at = command.link - 100;
      this.#happens({ what: 'begun', circuit });
      this.paths.set(circuit, []);
      for (const cell of readCells(command.cells)) {
        if ('create' in cell) this.#answer(circuit, this.peers[at], cell.create);
      }
    } else if (command.type === 'send cells') {
      const isDestroy = readCells(command.cells).some((cell) => 'destroy' in cell);
      if (isDestroy) this.#happens({ what: 'destroyed', circuit });
    } else if (command.type === 'send inner') {
      for (const { type, data } of readInner(command.messages)) {
        if (type === INNER.extend) this.#extend(circuit, data);
      }
    } else if (command.type === 'remove') this.#happens({ what: 'removed', circuit });
  }

  #extend(circuit: CircuitId, data: Uint8Array): void {
    const { identity, create } = decodeExtend(data);
    const hop = this.peers.find(({ peer }) => peer.key === identityKey(identity));
    this.#answer(circuit, hop, create);
  }

  #answer(circuit: CircuitId, hop: TestHop | undefined, create: Uint8Array): void {
    const path = this.paths.get(circuit) ?? [];
    if (hop === undefined || this.dead.has(hop.peer.key)) return;
    const why = this.refusing.get(hop.peer.key);
    const isFirst = path.length === 0;
    if (why !== undefined) {
      const body = encodeRefusal(why);
      if (isFirst) this.do(this.own.onDestroy(circuit, body, this.now));
      else this.hear(circuit, INNER.extendFail, body);
      return;
    }
    path.push(hop.peer.key);
    const { created } = answered(hop, create);
    if (isFirst) this.do(this.own.onCreated(circuit, created, this.now));
    else this.hear(circuit, INNER.extended, created);
  }

  #happens(happening: Happening): void {
    this.happenings.push({ ...happening, atMs: this.nowMs });
    const turns = this.happenings.filter(({ atMs }) => atMs === this.nowMs).length;
    expect(turns).toBeLessThan(TURNS_MAX);
  }
}

function circuitAndRound({ circuit, round }: { circuit: CircuitId; round: number }) {
  return { circuit, round };
}

export function withoutTimes(network: OwnNetwork): object[] {
  return network.happenings.map(({ atMs: _, ...rest }) => rest);
}

/** With a tunnel for its first round, in the middle of it. */
export function standing(options: OwnNetworkOptions = {}): OwnNetwork {
  const network = new OwnNetwork({ startMs: 100_000, ...options });
  network.runFor(20_000);
  expect(network.own.current).toMatchObject({ circuit: 1, round: ROUND });
  network.happenings.length = 0;
  return network;
}

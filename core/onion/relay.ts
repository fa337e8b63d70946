// What a relay decides (protocol 3.3): which circuits it takes, how it answers their handshakes, and what becomes of the
// messages for it as their endpoint. How one is led on to another hop is next-hop.ts's; what happens to its cells the
// data plane's (circuits.ts).
//
// A repeated CREATE is answered from memory, so that lost cells cost no second handshake.

import { equalBytes } from '../bytes/index.ts';
import type { Identity } from '../identity/index.ts';
import { COMMAND, type LinkId, type Target } from '../link/index.ts';
import { netgroup } from '../runtime/index.ts';
import type { Admission, Neighbour } from './admission.ts';
import type { Now } from './build.ts';
import { controlCells, destroyCell, REASON, type Refusal, refusal } from './control-cells.ts';
import { decoded } from './decoded.ts';
import { decodeExtend } from './extend.ts';
import { ExtendRules } from './extend-rules.ts';
import {
  answerCreate,
  type Create,
  decodeCreate,
  type HopCredentials,
  type HopParameters,
  resumeToken,
} from './hop.ts';
import { INNER, type InnerMessage, InnerReceiver } from './inner.ts';
import { NextHop, type NextHopOutput, type RelayLink } from './next-hop.ts';
import type { CircuitId } from './plane-port.ts';
import { CLOCK_SKEW_MAX_MS, type OnionTiming, roundIsAcceptable, roundStartMs } from './timing.ts';

/** From here on, circuit numbers are chosen by the side that began the link. */
const INITIATORS_CIRC_IDS = 2 ** 31;

export interface RelayOptions {
  readonly parameters: HopParameters;
  readonly timing: OnionTiming;
  readonly identity: Identity;
  /** Where we are, as far as we know. */
  readonly ownIps: readonly string[];
  readonly admission: Admission;
  readonly allowPrivate: boolean;
  credentials(): HopCredentials;
  newCircuit(): CircuitId;
}

export type RelayOutput =
  | NextHopOutput
  /** For us as endpoint: DATA, OPEN, CLOSE_LOGICAL. */
  | { readonly type: 'message'; readonly circuit: CircuitId; readonly message: InnerMessage }
  /** Before the data plane forgets it. */
  | { readonly type: 'ended'; readonly circuit: CircuitId };

export interface Origin {
  readonly round: number;
  /** Names the tunnel on this circuit when its next one comes. */
  readonly resumeToken: Uint8Array;
}

interface Relayed {
  readonly circuit: CircuitId;
  readonly link: LinkId;
  readonly circId: number;
  readonly neighbour: Neighbour;
  readonly create: Create;
  readonly created: readonly Uint8Array[];
  readonly cachedUntilMs: number;
  readonly expiresMs: number;
  readonly inner: InnerReceiver;
  readonly resumeToken: Uint8Array;
  readonly next: NextHop;
}

export class Relay {
  readonly #options: RelayOptions;
  readonly #rules: ExtendRules;
  /** Bounded by Admission. */
  readonly #circuits = new Map<CircuitId, Relayed>();

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#rules = new ExtendRules(options);
  }

  get circuits(): number {
    return this.#circuits.size;
  }

  has(circuit: CircuitId): boolean {
    return this.#circuits.has(circuit);
  }

  /** Of a circuit of which we may be the endpoint. */
  originOf(circuit: CircuitId): Origin | undefined {
    const relayed = this.#circuits.get(circuit);
    return relayed && { round: relayed.create.round, resumeToken: relayed.resumeToken };
  }

  /** A whole CREATE on a circuit number, new or known. */
  onCreate(from: RelayLink, circId: number, payload: Uint8Array, now: Now): RelayOutput[] {
    const create = decoded(() => decodeCreate(payload));
    if (create === undefined) return [];
    const known = [...this.#circuits.values()].find(
      (one) => one.link === from.link && one.circId === circId,
    );
    if (known !== undefined) return this.#repeatCreated(known, create, now);
    const isOurs = circId >= INITIATORS_CIRC_IDS === from.isInitiator;
    if (isOurs || !roundIsAcceptable(this.#options.timing, create.round, now.wallMs)) return [];
    const neighbour = { link: from.link, netgroup: netgroup(from.address.ip) };
    const refused = this.#options.admission.admit(neighbour, create, now.nowMs);
    if (refused !== undefined) return [this.#refuse(from.link, circId, refused)];
    return this.#admit(neighbour, circId, create, now);
  }

  /** The next hop of a circuit answered. */
  onCreated(circuit: CircuitId, payload: Uint8Array): RelayOutput[] {
    return this.#circuits.get(circuit)?.next.onCreated(payload) ?? [];
  }

  onDestroy(circuit: CircuitId, side: 'prev' | 'next', body: Uint8Array): RelayOutput[] {
    const relayed = this.#circuits.get(circuit);
    if (relayed === undefined) return [];
    return side === 'prev' ? this.#remove(relayed) : relayed.next.onDestroy(body);
  }

  onInner(circuit: CircuitId, plaintext: Uint8Array, { nowMs }: Now): RelayOutput[] {
    const relayed = this.#circuits.get(circuit);
    const message = decoded(() => relayed?.inner.receive(plaintext, nowMs));
    if (relayed === undefined || message === undefined) return [];
    return message.type === INNER.extend
      ? this.#extend(relayed, message.data, nowMs)
      : [{ type: 'message', circuit, message }];
  }

  onLinkUp(identity: Identity, link: RelayLink): RelayOutput[] {
    return this.#each(({ next }) => next.onLinkUp(identity, link));
  }

  onLinkFailed(call: Target): RelayOutput[] {
    return this.#each(({ next }) => next.onLinkFailed(call));
  }

  onLinkDown(link: LinkId): RelayOutput[] {
    return this.#each((relayed) =>
      relayed.link === link ? this.#remove(relayed) : relayed.next.onLinkDown(link),
    );
  }

  /** Ends circuits of rounds long past, and extensions nobody answered. Once a second is often enough. */
  sweep({ nowMs }: Now): RelayOutput[] {
    return this.#each((relayed) =>
      nowMs > relayed.expiresMs ? this.#remove(relayed) : relayed.next.sweep(nowMs),
    );
  }

  #each(act: (relayed: Relayed) => RelayOutput[]): RelayOutput[] {
    return [...this.#circuits.values()].flatMap(act);
  }

  #repeatCreated(known: Relayed, create: Create, { nowMs }: Now): RelayOutput[] {
    const isSame = equalBytes(create.noise, known.create.noise) && nowMs < known.cachedUntilMs;
    if (!isSame) return [];
    const { circuit, created: cells } = known;
    return [{ type: 'plane', command: { type: 'send cells', circuit, side: 'prev', cells } }];
  }

  #refuse(link: LinkId, circId: number, why: Refusal): RelayOutput {
    const cell = destroyCell(this.#options.parameters.rng, circId, why);
    return { type: 'plane', command: { type: 'send control cell', link, cell } };
  }

  #admit(neighbour: Neighbour, circId: number, create: Create, now: Now): RelayOutput[] {
    const { parameters, timing, admission, credentials, newCircuit } = this.#options;
    const answer = decoded(() => answerCreate(parameters, credentials(), create));
    if (answer === undefined) {
      admission.leave(neighbour);
      return [];
    }
    const { link } = neighbour;
    const { secret } = answer;
    const { rng } = parameters;
    const circuit = newCircuit();
    const created = controlCells(circId, COMMAND.created, answer.created);
    const patienceMs = timing.handshakeLifeMs;
    this.#circuits.set(circuit, {
      circuit,
      link,
      circId,
      neighbour,
      create,
      created,
      cachedUntilMs: now.nowMs + timing.handshakeLifeMs,
      expiresMs: now.nowMs + this.#lifeMs(create.round, now.wallMs),
      inner: new InnerReceiver(),
      resumeToken: resumeToken(secret),
      next: new NextHop({ rng, circuit, patienceMs }),
    });
    const command = { type: 'add relayed', circuit, link, circId, secret, cells: created } as const;
    return [{ type: 'plane', command }];
  }

  /** To the end of its round's drain by whatever clock is slowest, measured by ours that never jumps. */
  #lifeMs(round: number, wallMs: number): number {
    const { timing } = this.#options;
    const drainedMs = roundStartMs(timing, round + 1) + timing.drainLatestMs;
    return drainedMs + 2 * CLOCK_SKEW_MAX_MS - wallMs;
  }

  #extend(relayed: Relayed, data: Uint8Array, nowMs: number): RelayOutput[] {
    const { circuit, link, create, next } = relayed;
    const extend = decoded(() => decodeExtend(data));
    if (extend === undefined) return next.refuse(refusal(REASON.connectFailed));
    const repeated = next.repeated(extend);
    if (repeated !== undefined) return repeated;
    const fault = this.#rules.fault({ circuit, link, budget: create.budget }, extend, nowMs);
    return fault === undefined ? next.begin(extend, nowMs) : next.refuse(refusal(fault));
  }

  #remove(relayed: Relayed): RelayOutput[] {
    const { circuit, neighbour, next } = relayed;
    const dropped = next.end();
    this.#circuits.delete(circuit);
    this.#options.admission.leave(neighbour);
    return [
      ...dropped,
      { type: 'ended', circuit },
      { type: 'plane', command: { type: 'remove', circuit } },
    ];
  }
}

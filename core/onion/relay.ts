// What a relay decides (protocol 3.3): which circuits it takes, how it answers their handshakes, and how it adds one more
// hop to them when their initiator asks. What happens to their cells is the data plane's (circuits.ts).
//
// Everything repeated is answered from memory: a CREATE for 10 s, an EXTEND as long as its circuit lives, so lost cells
// cost no second handshake. Of what goes wrong further on only reasons 1 to 3 are told to the initiator.

import { DecodeError, equalBytes } from '../bytes/index.ts';
import { type Identity, type IdentityKey, identityKey } from '../identity/index.ts';
import { COMMAND, type LinkId, TokenBuckets } from '../link/index.ts';
import { type Address, isPublic, netgroup } from '../runtime/index.ts';
import type { Admission, Neighbour } from './admission.ts';
import type { Now } from './build.ts';
import { newCircId } from './circ-id.ts';
import {
  controlCells,
  decodeRefusal,
  destroyCell,
  encodeRefusal,
  REASON,
  type Refusal,
  refusal,
} from './control-cells.ts';
import { decodeExtend, type Extend } from './extend.ts';
import {
  answerCreate,
  type Create,
  decodeCreate,
  type HopCredentials,
  type HopParameters,
  resumeToken,
} from './hop.ts';
import { encodeInner, INNER, type InnerMessage, InnerReceiver } from './inner.ts';
import type { CircuitId, PlaneCommand } from './plane-port.ts';
import { type OnionTiming, roundIsAcceptable, roundStartMs } from './timing.ts';

/** Protocol 3.3: the hop caches its CREATED by X. */
const CREATED_CACHE_MS = 10_000;
/** A next hop that has not answered by then is given up; the initiator has given up before. */
const EXTEND_TIMEOUT_MS = 10_000;
/** Protocol 3.3: EXTENDs per minute of one circuit and of one link. */
const EXTENDS_PER_CIRCUIT = { perSecond: 3 / 60, burst: 3 };
const EXTENDS_PER_LINK = { perSecond: 10 / 60, burst: 10 };
/** How long after its round's drain a circuit may still be there: clocks differ. */
const EXPIRY_SLACK_MS = 20_000;

export interface RelayLink {
  readonly link: LinkId;
  readonly address: Address;
  /** Whether we began the link: decides the top bit of the circuit numbers we choose. */
  readonly isInitiator: boolean;
}

export interface RelayOptions {
  readonly parameters: HopParameters;
  readonly timing: OnionTiming;
  readonly identity: Identity;
  readonly admission: Admission;
  readonly allowPrivate: boolean;
  credentials(): HopCredentials;
  newCircuit(): CircuitId;
}

export type RelayOutput =
  | { readonly type: 'plane'; readonly command: PlaneCommand }
  /** Wanted for a circuit; answered by `onLinkUp` or `onLinkFailed`. */
  | { readonly type: 'open link'; readonly identity: Identity; readonly address: Address }
  /** For us as endpoint: DATA, OPEN, CLOSE_LOGICAL. */
  | { readonly type: 'message'; readonly circuit: CircuitId; readonly message: InnerMessage }
  | { readonly type: 'ended'; readonly circuit: CircuitId };

interface Extension {
  readonly target: IdentityKey;
  readonly create: Uint8Array;
  readonly untilMs: number;
  /** Once its link is up. */
  next?: { readonly link: LinkId; readonly circId: number };
  /** The EXTENDED, once the next hop has answered. */
  answer?: readonly Uint8Array[];
}

interface Relayed {
  readonly circuit: CircuitId;
  readonly link: LinkId;
  readonly circId: number;
  readonly neighbour: Neighbour;
  readonly create: Create;
  readonly created: readonly Uint8Array[];
  readonly cachedUntilMs: number;
  readonly expiresWallMs: number;
  readonly inner: InnerReceiver;
  readonly resumeToken: Uint8Array;
  extension: Extension | undefined;
  messageId: number;
}

export class Relay {
  readonly #options: RelayOptions;
  /** Bounded by Admission. */
  readonly #circuits = new Map<CircuitId, Relayed>();
  readonly #perCircuit: TokenBuckets;
  readonly #perLink: TokenBuckets;

  constructor(options: RelayOptions) {
    this.#options = options;
    // Circuits and links have limits of their own; these only have to be larger.
    this.#perCircuit = new TokenBuckets({ ...EXTENDS_PER_CIRCUIT, max: 8192 });
    this.#perLink = new TokenBuckets({ ...EXTENDS_PER_LINK, max: 1024 });
  }

  get circuits(): number {
    return this.#circuits.size;
  }

  has(circuit: CircuitId): boolean {
    return this.#circuits.has(circuit);
  }

  /** What names the tunnel on this circuit when its next one comes. */
  resumeTokenOf(circuit: CircuitId): Uint8Array | undefined {
    return this.#circuits.get(circuit)?.resumeToken;
  }

  /** A whole CREATE on a circuit number, new or known. */
  onCreate(from: RelayLink, circId: number, payload: Uint8Array, now: Now): RelayOutput[] {
    const known = [...this.#circuits.values()].find(
      (one) => one.link === from.link && one.circId === circId,
    );
    const create = decoded(() => decodeCreate(payload));
    if (create === undefined) return [];
    if (known !== undefined) return this.#repeatCreated(known, create, now);
    const theyChose = circId >= 2 ** 31;
    if (theyChose === from.isInitiator) return [];
    if (!roundIsAcceptable(this.#options.timing, create.round, now.wallMs)) return [];
    const neighbour = { link: from.link, netgroup: netgroup(from.address.ip) };
    const refused = this.#options.admission.admit(neighbour, create, now.nowMs);
    if (refused !== undefined) return [this.#refuse(from.link, circId, refused)];
    return this.#admit(neighbour, circId, create, now);
  }

  /** The next hop of a circuit answered. */
  onCreated(circuit: CircuitId, payload: Uint8Array): RelayOutput[] {
    const relayed = this.#circuits.get(circuit);
    if (relayed?.extension?.next === undefined || relayed.extension.answer !== undefined) return [];
    relayed.messageId = (relayed.messageId + 1) % 2 ** 16;
    relayed.extension.answer = encodeInner(INNER.extended, payload, relayed.messageId);
    return [
      this.#control(circuit, relayed.extension.answer),
      { type: 'plane', command: { type: 'relay', circuit } },
    ];
  }

  onDestroy(circuit: CircuitId, side: 'prev' | 'next', body: Uint8Array): RelayOutput[] {
    const relayed = this.#circuits.get(circuit);
    if (relayed === undefined) return [];
    return side === 'prev' ? this.#remove(relayed) : this.#nextGone(relayed, decodeRefusal(body));
  }

  onInner(circuit: CircuitId, plaintext: Uint8Array, now: Now): RelayOutput[] {
    const relayed = this.#circuits.get(circuit);
    const message = decoded(() => relayed?.inner.receive(plaintext, now.nowMs));
    if (relayed === undefined || message === undefined) return [];
    if (message.type !== INNER.extend) return [{ type: 'message', circuit, message }];
    const extend = decoded(() => decodeExtend(message.data));
    return extend === undefined
      ? [this.#fail(relayed, refusal(REASON.protocol))]
      : this.#extend(relayed, extend, now);
  }

  onLinkUp(identity: Identity, link: RelayLink): RelayOutput[] {
    return this.#waitingFor(identity).map((relayed) => this.#connect(relayed, link));
  }

  onLinkFailed(identity: Identity): RelayOutput[] {
    return this.#waitingFor(identity).map((relayed) => {
      relayed.extension = undefined;
      return this.#fail(relayed, refusal(REASON.connectFailed));
    });
  }

  onLinkDown(link: LinkId): RelayOutput[] {
    return [...this.#circuits.values()].flatMap((relayed) => {
      if (relayed.link === link) return this.#remove(relayed);
      const isNext = relayed.extension?.next?.link === link;
      return isNext ? this.#nextGone(relayed, refusal(REASON.connectFailed)) : [];
    });
  }

  /** Ends circuits of rounds long past, and extensions nobody answered. Once a second is often enough. */
  sweep(now: Now): RelayOutput[] {
    return [...this.#circuits.values()].flatMap((relayed) => {
      if (now.wallMs > relayed.expiresWallMs) return this.#remove(relayed);
      const { extension } = relayed;
      const isLate = extension !== undefined && now.nowMs > extension.untilMs;
      if (!isLate || extension.answer !== undefined) return [];
      return this.#nextGone(relayed, refusal(REASON.connectFailed));
    });
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
    const circuit = newCircuit();
    const cells = controlCells(circId, COMMAND.created, answer.created);
    const expiresWallMs =
      roundStartMs(timing, create.round + 1) + timing.drainLatestMs + EXPIRY_SLACK_MS;
    this.#circuits.set(circuit, {
      circuit,
      link,
      circId,
      neighbour,
      create,
      created: cells,
      cachedUntilMs: now.nowMs + CREATED_CACHE_MS,
      expiresWallMs,
      inner: new InnerReceiver(),
      resumeToken: resumeToken(answer.secret),
      extension: undefined,
      messageId: 0,
    });
    const { secret } = answer;
    return [
      { type: 'plane', command: { type: 'add relayed', circuit, link, circId, secret, cells } },
    ];
  }

  #extend(relayed: Relayed, extend: Extend, now: Now): RelayOutput[] {
    const { extension } = relayed;
    if (extension !== undefined && equalBytes(extension.create, extend.create)) {
      return this.#repeatExtend(relayed, extension);
    }
    const fault = this.#extendFault(relayed, extend, now);
    if (fault !== undefined) return [this.#fail(relayed, refusal(fault))];
    const dropped = extension?.next === undefined ? [] : this.#disconnect(relayed);
    relayed.extension = {
      target: identityKey(extend.identity),
      create: extend.create,
      untilMs: now.nowMs + EXTEND_TIMEOUT_MS,
    };
    const { identity, address } = extend;
    return [...dropped, { type: 'open link', identity, address }];
  }

  #repeatExtend({ circuit }: Relayed, { answer, next, create }: Extension): RelayOutput[] {
    if (answer !== undefined) return [this.#control(circuit, answer)];
    if (next === undefined) return [];
    const cells = this.#createCells(next.circId, create);
    return [{ type: 'plane', command: { type: 'send cells', circuit, side: 'next', cells } }];
  }

  /** Why this extension is not to be, as a reason the initiator may know. */
  #extendFault(
    relayed: Relayed,
    { address, identity, create }: Extend,
    now: Now,
  ): number | undefined {
    const { identity: own, allowPrivate } = this.#options;
    const isQuick =
      !this.#perCircuit.take(String(relayed.circuit), now.nowMs) ||
      !this.#perLink.take(String(relayed.link), now.nowMs);
    if (isQuick && !allowPrivate) return REASON.resourceLimit;
    const mayReach = allowPrivate || isPublic(address.ip);
    if (!mayReach || address.port === 0 || equalBytes(identity, own)) return REASON.connectFailed;
    const budget = decoded(() => decodeCreate(create))?.budget;
    return budget === relayed.create.budget - 1 ? undefined : REASON.protocol;
  }

  #waitingFor(identity: Identity): Relayed[] {
    const key = identityKey(identity);
    return [...this.#circuits.values()].filter(
      ({ extension }) => extension?.target === key && extension.next === undefined,
    );
  }

  #connect(relayed: Relayed, { link, isInitiator }: RelayLink): RelayOutput {
    const { circuit, extension } = relayed;
    if (extension === undefined) throw new Error('connects only what waits');
    const circId = newCircId(this.#options.parameters.rng, isInitiator);
    extension.next = { link, circId };
    const cells = this.#createCells(circId, extension.create);
    return { type: 'plane', command: { type: 'connect next', circuit, link, circId, cells } };
  }

  #createCells(circId: number, create: Uint8Array): Uint8Array[] {
    return controlCells(circId, COMMAND.create, create);
  }

  /** Before it has answered, the initiator is told; afterwards it notices by itself. */
  #nextGone(relayed: Relayed, why: Refusal): RelayOutput[] {
    const { extension } = relayed;
    if (extension === undefined) return [];
    const dropped = this.#disconnect(relayed);
    relayed.extension = undefined;
    const isTellable = why.reason >= REASON.resourceLimit && why.reason <= REASON.connectFailed;
    const told = isTellable ? why : refusal(REASON.connectFailed);
    return extension.answer === undefined ? [...dropped, this.#fail(relayed, told)] : dropped;
  }

  #disconnect({ circuit, extension }: Relayed): RelayOutput[] {
    if (extension?.next === undefined) return [];
    const cell = destroyCell(
      this.#options.parameters.rng,
      extension.next.circId,
      refusal(REASON.normal),
    );
    const side = 'next';
    return [
      { type: 'plane', command: { type: 'send cells', circuit, side, cells: [cell] } },
      { type: 'plane', command: { type: 'disconnect next', circuit } },
    ];
  }

  #remove(relayed: Relayed): RelayOutput[] {
    const { circuit, neighbour } = relayed;
    const dropped = this.#disconnect(relayed);
    this.#circuits.delete(circuit);
    this.#options.admission.leave(neighbour);
    return [
      ...dropped,
      { type: 'plane', command: { type: 'remove', circuit } },
      { type: 'ended', circuit },
    ];
  }

  #fail({ circuit }: Relayed, why: Refusal): RelayOutput {
    return this.#control(circuit, encodeInner(INNER.extendFail, encodeRefusal(why), 0));
  }

  #control(circuit: CircuitId, messages: readonly Uint8Array[]): RelayOutput {
    return { type: 'plane', command: { type: 'send inner', circuit, queue: 'control', messages } };
  }
}

/** What a stranger sent, or undefined when it cannot be right. */
function decoded<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

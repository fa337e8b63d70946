// The next hop of one circuit that we relay (protocol 3.3, "Steps"): its link, our CREATE and its CREATED, and what the
// initiator is told of them. A repeated EXTEND is answered from memory. Before the hop has answered the initiator hears
// what went wrong, as one of the reasons 1 to 3; afterwards nothing, it notices by itself.
//
// Whether an EXTEND is carried out at all is for extend-rules.ts to say.

import { equalBytes } from '../bytes/index.ts';
import type { Identity } from '../identity/index.ts';
import { COMMAND, type LinkId, type Target } from '../link/index.ts';
import type { Address, Rng } from '../runtime/index.ts';
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
import type { Extend } from './extend.ts';
import { encodeInner, INNER } from './inner.ts';
import { isCallTo } from './peer.ts';
import type { CircuitCommand, CircuitId, PlaneCommand } from './plane-port.ts';

/** An open link, as circuits need it. */
export interface RelayLink {
  readonly link: LinkId;
  readonly address: Address;
  /** Whether we began the link: decides the top bit of the circuit numbers we choose. */
  readonly isInitiator: boolean;
}

export type NextHopOutput =
  | { readonly type: 'plane'; readonly command: PlaneCommand }
  /** Wanted for a circuit; answered by `onLinkUp` or `onLinkFailed`. */
  | { readonly type: 'open link'; readonly identity: Identity; readonly address: Address };

export interface NextHopOptions {
  readonly rng: Rng;
  readonly circuit: CircuitId;
  /** How long a hop may take to answer. The initiator has given up before. */
  readonly patienceMs: number;
}

interface Extension {
  readonly extend: Extend;
  readonly untilMs: number;
  /** Once its link is up. */
  place?: { readonly link: LinkId; readonly circId: number };
  /** The EXTENDED, once the hop has answered. */
  answer?: readonly Uint8Array[];
}

export class NextHop {
  readonly #options: NextHopOptions;
  #extension: Extension | undefined;
  #messageId = 0;

  constructor(options: NextHopOptions) {
    this.#options = options;
  }

  /** What to do about an EXTEND that has come before; undefined when it is another. */
  repeated({ create }: Extend): NextHopOutput[] | undefined {
    const extension = this.#extension;
    if (extension === undefined || !equalBytes(extension.extend.create, create)) return undefined;
    const { answer, place } = extension;
    if (answer !== undefined) return [this.#say(answer)];
    if (place === undefined) return [];
    const cells = controlCells(place.circId, COMMAND.create, create);
    return [this.#do({ type: 'send cells', circuit: this.#options.circuit, side: 'next', cells })];
  }

  /** In place of the one before, if there was one. */
  begin(extend: Extend, nowMs: number): NextHopOutput[] {
    const dropped = this.end();
    this.#extension = { extend, untilMs: nowMs + this.#options.patienceMs };
    const { identity, address } = extend;
    return [...dropped, { type: 'open link', identity, address }];
  }

  /** EXTEND_FAIL. */
  refuse(why: Refusal): NextHopOutput[] {
    return [this.#say(encodeInner(INNER.extendFail, encodeRefusal(why), 0))];
  }

  onLinkUp(identity: Identity, { link, isInitiator }: RelayLink): NextHopOutput[] {
    const extension = this.#extension;
    const isWaiting = extension !== undefined && extension.place === undefined;
    if (!isWaiting || !equalBytes(extension.extend.identity, identity)) return [];
    const { rng, circuit } = this.#options;
    const circId = newCircId(rng, isInitiator);
    extension.place = { link, circId };
    const cells = controlCells(circId, COMMAND.create, extension.extend.create);
    return [this.#do({ type: 'connect next', circuit, link, circId, cells })];
  }

  onLinkFailed(call: Target): NextHopOutput[] {
    const extension = this.#extension;
    const isWaiting = extension !== undefined && extension.place === undefined;
    if (!isWaiting || !isCallTo(extension.extend, call)) return [];
    return this.#gone(refusal(REASON.connectFailed));
  }

  onLinkDown(link: LinkId): NextHopOutput[] {
    const isOurs = this.#extension?.place?.link === link;
    return isOurs ? this.#gone(refusal(REASON.connectFailed)) : [];
  }

  onCreated(payload: Uint8Array): NextHopOutput[] {
    const extension = this.#extension;
    if (extension?.place === undefined || extension.answer !== undefined) return [];
    this.#messageId = (this.#messageId + 1) % 2 ** 16;
    extension.answer = encodeInner(INNER.extended, payload, this.#messageId);
    const { circuit } = this.#options;
    return [this.#say(extension.answer), this.#do({ type: 'relay', circuit })];
  }

  /** It does not want the circuit, or not any more. */
  onDestroy(body: Uint8Array): NextHopOutput[] {
    const why = decodeRefusal(body);
    if (why.reason === REASON.proofRequired) return this.#gone(why);
    const isFull = why.reason === REASON.resourceLimit;
    return this.#gone(refusal(isFull ? REASON.resourceLimit : REASON.connectFailed));
  }

  /** Gives up a hop that takes too long. */
  sweep(nowMs: number): NextHopOutput[] {
    const extension = this.#extension;
    const isLate = extension !== undefined && nowMs > extension.untilMs;
    if (!isLate || extension.answer !== undefined) return [];
    return [...this.#tell(), ...this.#gone(refusal(REASON.connectFailed))];
  }

  /** Lets go of the hop, and tells it. */
  end(): NextHopOutput[] {
    const told = this.#tell();
    const dropped = this.#disconnect();
    this.#extension = undefined;
    return [...told, ...dropped];
  }

  #gone(why: Refusal): NextHopOutput[] {
    const isBuilding = this.#extension !== undefined && this.#extension.answer === undefined;
    const dropped = this.#disconnect();
    this.#extension = undefined;
    return [...dropped, ...(isBuilding ? this.refuse(why) : [])];
  }

  #tell(): NextHopOutput[] {
    const { rng, circuit } = this.#options;
    const place = this.#extension?.place;
    if (place === undefined) return [];
    const cells = [destroyCell(rng, place.circId, refusal(REASON.normal))];
    return [this.#do({ type: 'send cells', circuit, side: 'next', cells })];
  }

  #disconnect(): NextHopOutput[] {
    const { circuit } = this.#options;
    const isConnected = this.#extension?.place !== undefined;
    return isConnected ? [this.#do({ type: 'disconnect next', circuit })] : [];
  }

  #say(messages: readonly Uint8Array[]): NextHopOutput {
    const { circuit } = this.#options;
    return this.#do({ type: 'send inner', circuit, queue: 'control', messages });
  }

  #do(command: CircuitCommand): NextHopOutput {
    return { type: 'plane', command };
  }
}

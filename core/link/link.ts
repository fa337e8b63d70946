// One link in the control plane, from INIT to its end: puts the handshake (handshake.ts), its datagrams (framing.ts),
// the messages inside the channel (control.ts), rekeying (rekeying.ts) and upkeep (upkeep.ts) together. What it does by
// itself goes to the data plane at once; what the table of links has to know or to decide it returns as news.

import { DecodeError } from '../bytes/index.ts';
import type { CryptoProvider, Purpose } from '../crypto/index.ts';
import type { Identity, NodeDescriptor } from '../identity/index.ts';
import type { Address, Rng } from '../runtime/index.ts';
import { ControlAssembly, type ControlMessage, encodeControl } from './control.ts';
import { Framing } from './framing.ts';
import type {
  Handshake,
  HandshakeFailure,
  HandshakeInput,
  HandshakeOptions,
  HandshakeOutput,
  OpenLink,
} from './handshake.ts';
import { Initiator } from './initiator.ts';
import type { TrafficKeys } from './keys.ts';
import type { LinkCommand, LinkId, NewSession, Route } from './port.ts';
import { Rekeying, type RekeyingInput, type RekeyingOutput } from './rekeying.ts';
import { Responder } from './responder.ts';
import { load, Upkeep } from './upkeep.ts';

/** Who we are towards neighbours. */
export type LinkSelf = HandshakeOptions['self'];

/** What every link needs. */
export interface LinkParts {
  readonly provider: CryptoProvider;
  readonly rng: Rng;
  readonly networkId: Uint8Array;
  /** What the links are for: 'link' (the onion's) unless said otherwise. Nodes with another do not understand each other. */
  readonly purpose?: Purpose;
  readonly self: LinkSelf;
  readonly allowPrivate: boolean;
  /** An index for packets to us that nobody else's has. */
  newIndex(link: LinkId): number;
  post(command: LinkCommand): void;
}

export interface LinkPlace {
  readonly id: LinkId;
  readonly route: Route;
  /** The other end of that route; through a proxy, the node behind it. */
  readonly address: Address;
  readonly transport: 'udp' | 'tcp' | 'proxy';
}

/** Both clocks at one moment. */
export interface Now {
  readonly nowMs: number;
  readonly wallMs: number;
}

export type LinkNews =
  /** Noise is through: who is at the address receives there. */
  | { readonly type: 'answered' }
  | { readonly type: 'judge'; readonly peer: NodeDescriptor }
  | { readonly type: 'open'; readonly peer: NodeDescriptor; readonly clockAheadS: number }
  /** Nothing more will come of it: it must be removed. */
  | { readonly type: 'over'; readonly why: HandshakeFailure }
  | { readonly type: 'drop' };

const DROP: readonly LinkNews[] = [{ type: 'drop' }];
const VIOLATION: readonly LinkNews[] = [{ type: 'over', why: 'violation' }];

export class Link implements LinkPlace {
  readonly id: LinkId;
  readonly route: Route;
  readonly address: Address;
  readonly transport: LinkPlace['transport'];
  readonly isInitiator: boolean;
  readonly #parts: LinkParts;
  readonly #handshake: Handshake;
  readonly #framing: Framing;
  readonly #assembly = new ControlAssembly();
  /** When to give it up if nobody has answered until then. */
  #giveUpMs: number;
  #hasChannel = false;
  #peer: NodeDescriptor | undefined;
  /** Once it is open. */
  #rekeying: Rekeying | undefined;
  readonly #upkeep: Upkeep;

  private constructor(parts: LinkParts, place: LinkPlace, machines: Machines, nowMs: number) {
    this.id = place.id;
    this.route = place.route;
    this.address = place.address;
    this.transport = place.transport;
    this.#parts = parts;
    this.#handshake = machines.handshake;
    this.#framing = machines.framing;
    this.isInitiator = machines.handshake instanceof Initiator;
    this.#giveUpMs = machines.giveUpMs;
    this.#upkeep = new Upkeep(parts.rng, nowMs);
  }

  /** Calls `wanted`; INIT goes out at the first tick. */
  static call(parts: LinkParts, place: LinkPlace, { wanted, giveUpMs }: Call, now: Now): Link {
    const options = handshakeOptions(parts, place, now);
    const handshake = new Initiator(wanted, options);
    const framing = framingTo(wanted, options);
    return new Link(parts, place, { handshake, framing, giveUpMs }, now.nowMs);
  }

  /** Answers an INIT that was let in, which `onPacket` gets then, too. DecodeError when there is no answering it. */
  static answer(parts: LinkParts, place: LinkPlace, init: Uint8Array, now: Now): Link {
    const options = handshakeOptions(parts, place, now);
    const framing = framingTo(parts.self.identity, options);
    const message = framing.decode(init);
    if (message === undefined) throw new DecodeError('no INIT');
    const handshake = new Responder(message, options);
    const giveUpMs = Number.POSITIVE_INFINITY;
    return new Link(parts, place, { handshake, framing, giveUpMs }, now.nowMs);
  }

  /** Once its certificate is right. */
  get peer(): NodeDescriptor | undefined {
    return this.#peer;
  }

  get rttMs(): number | undefined {
    return this.#upkeep.rttMs;
  }

  get powBits(): number {
    return this.#upkeep.powBits;
  }

  nextDeadlineMs(): number {
    return Math.min(
      this.#giveUpMs,
      this.#handshake.nextDeadlineMs(),
      this.#rekeying?.nextDeadlineMs() ?? Number.POSITIVE_INFINITY,
      this.#rekeying ? this.#upkeep.nextMs : Number.POSITIVE_INFINITY,
    );
  }

  tick(ownPowBits: number, nowMs: number): readonly LinkNews[] {
    if (nowMs >= this.#giveUpMs) return [{ type: 'over', why: 'no answer' }];
    if (this.#rekeying) for (const one of this.#upkeep.due(ownPowBits, nowMs)) this.#say(one);
    const news = this.#tell({ type: 'tick' }, nowMs);
    return [...news, ...this.#rekey({ type: 'tick' }, nowMs)];
  }

  /** INIT, RESP, FIN or COOKIE. */
  onPacket(packet: Uint8Array, nowMs: number): readonly LinkNews[] {
    try {
      const message = this.#framing.decode(packet);
      return message === undefined ? [] : this.#tell(message, nowMs);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return DROP;
    }
  }

  /** LINK_CTRL. */
  onCell(cell: Uint8Array, nowMs: number): readonly LinkNews[] {
    try {
      const message = this.#assembly.push(cell);
      if (message === undefined) return [];
      if (this.#rekeying === undefined) return this.#tell({ type: 'control', message }, nowMs);
      return this.#onMessage(message, nowMs);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return VIOLATION;
    }
  }

  /** The first packet of a session has come. Only the newest can be one that was not confirmed before. */
  onConfirmed(nowMs: number): readonly LinkNews[] {
    const news = this.#tell({ type: 'confirmed' }, nowMs);
    return [...news, ...this.#rekey({ type: 'confirmed' }, nowMs)];
  }

  onRekeyDue(nowMs: number): readonly LinkNews[] {
    return this.#rekey({ type: 'due' }, nowMs);
  }

  verdict(verdict: Verdict, nowMs: number): readonly LinkNews[] {
    return this.#tell({ type: 'verdict', verdict }, nowMs);
  }

  sayLoad(powBits: number): void {
    this.#say(load(powBits));
  }

  /** Tells the other side, if there is a way to, and wipes what is secret. */
  end(): void {
    if (this.#hasChannel) this.#say({ type: 'close', data: new Uint8Array() });
    this.#handshake.end();
    this.#rekeying?.wipe();
  }

  #onMessage(message: ControlMessage, nowMs: number): readonly LinkNews[] {
    switch (message.type) {
      case 'cert':
      case 'pq ek':
      case 'pq ct':
        // Repeats that were under way when the link opened.
        return DROP;
      case 'rekey':
      case 'rekey ack':
        return this.#rekey({ type: 'control', message }, nowMs);
      case 'close':
        return [{ type: 'over', why: 'closed' }];
      default:
        for (const answer of this.#upkeep.handle(message, nowMs)) this.#say(answer);
        return [];
    }
  }

  #tell(input: HandshakeInput, nowMs: number): readonly LinkNews[] {
    return this.#handshake
      .handle(input, nowMs)
      .map((output) => this.#onHandshake(output, nowMs))
      .filter((news) => news !== undefined);
  }

  #onHandshake(output: HandshakeOutput, nowMs: number): LinkNews | undefined {
    const { route } = this;
    switch (output.type) {
      case 'send':
        this.#parts.post({ type: 'send packet', route, packet: this.#framing.encode(output) });
        return undefined;
      case 'control':
        this.#say(output.message);
        return undefined;
      case 'session':
        this.#addSession(output.keys, output.stage);
        return output.stage === 'setup' ? this.#onAnswered() : undefined;
      case 'judge':
        this.#peer = output.peer;
        return output;
      case 'open':
        this.#rekeying = this.#startRekeying(output, nowMs);
        return { type: 'open', peer: output.peer, clockAheadS: output.clockAheadS };
      case 'failed':
        return { type: 'over', why: output.why };
      case 'drop':
        return { type: 'drop' };
    }
  }

  #onAnswered(): LinkNews {
    this.#hasChannel = true;
    this.#giveUpMs = Number.POSITIVE_INFINITY;
    return { type: 'answered' };
  }

  #startRekeying({ chain }: OpenLink, nowMs: number): Rekeying {
    const { provider, rng, newIndex } = this.#parts;
    const role = this.isInitiator ? 'initiator' : 'responder';
    return new Rekeying({ provider, rng, role, chain, newIndex: () => newIndex(this.id), nowMs });
  }

  #rekey(input: RekeyingInput, nowMs: number): readonly LinkNews[] {
    const outputs = this.#rekeying?.handle(input, nowMs) ?? [];
    return outputs.flatMap((output) => this.#onRekeying(output));
  }

  #onRekeying(output: RekeyingOutput): readonly LinkNews[] {
    switch (output.type) {
      case 'control':
        this.#say(output.message);
        return [];
      case 'session':
        this.#addSession(output.keys, 'open');
        return [];
      case 'violation':
        return VIOLATION;
      case 'drop':
        return DROP;
    }
  }

  #addSession(keys: TrafficKeys, stage: NewSession['stage']): void {
    const { id: link, route } = this;
    this.#parts.post({ type: 'add session', session: { link, keys, route, stage } });
  }

  #say(message: ControlMessage): void {
    const { id: link } = this;
    for (const cell of encodeControl(message)) {
      this.#parts.post({ type: 'send control cell', link, cell });
    }
  }
}

export interface Call {
  readonly wanted: Identity;
  readonly giveUpMs: number;
}

type Verdict = (HandshakeInput & { readonly type: 'verdict' })['verdict'];

interface Machines {
  readonly handshake: Handshake;
  readonly framing: Framing;
  readonly giveUpMs: number;
}

function handshakeOptions(parts: LinkParts, { id }: LinkPlace, now: Now): HandshakeOptions {
  const { provider, rng, networkId, purpose = 'link', self, allowPrivate } = parts;
  const indices = { setup: parts.newIndex(id), final: parts.newIndex(id) };
  return {
    provider,
    rng,
    networkId,
    purpose,
    self,
    indices,
    pqRequired: true,
    allowPrivate,
    ...now,
  };
}

/** For the handshake with this responder. */
function framingTo(identity: Identity, options: HandshakeOptions): Framing {
  const { provider, networkId, indices } = options;
  return new Framing({ provider, networkId, identity, index: indices.setup });
}

// One end of a link for tests: the machines of this folder put together as Links and the data plane do it, in the
// fewest words and for one peer only. It also shows the rules by which sessions follow each other.

import { DecodeError } from '../../bytes/index.ts';
import type { Identity } from '../../identity/index.ts';
import { COMMAND, cellCommand, cellFault, writeCellHeader } from '../cells.ts';
import { ControlAssembly, type ControlMessage, encodeControl } from '../control.ts';
import { Framing } from '../framing.ts';
import type { Handshake, HandshakeInput, HandshakeOptions, HandshakeOutput } from '../handshake.ts';
import { Initiator } from '../initiator.ts';
import type { TrafficKeys } from '../keys.ts';
import { Rekeying, type RekeyingInput, type RekeyingOutput } from '../rekeying.ts';
import { Responder } from '../responder.ts';
import { Session } from '../session.ts';
import { DATAGRAM_BYTES, DataPacket, dataIndex, isData } from '../wire.ts';

interface Installed {
  readonly session: Session;
  readonly isFinal: boolean;
  isConfirmed: boolean;
}

export class LinkEnd {
  /** Packets to be delivered; the test takes them out. */
  readonly outbox: Uint8Array[] = [];
  /** All that the handshake said, in order. */
  readonly outputs: HandshakeOutput[] = [];
  readonly dropped: string[] = [];
  /** Bodies of RELAY cells that arrived. */
  readonly bodies: Uint8Array[] = [];
  bytesIn = 0;
  bytesOut = 0;
  /** What is thought of every peer; undefined: nobody ever says. */
  verdict: (HandshakeInput & { type: 'verdict' })['verdict'] | undefined = 'welcome';
  readonly #options: HandshakeOptions;
  readonly #framing: Framing;
  readonly #assembly = new ControlAssembly();
  readonly #sessions = new Map<number, Installed>();
  readonly #packet = new DataPacket();
  #handshake: Handshake | undefined;
  #rekeying: Rekeying | undefined;
  #sending: Session | undefined;
  #lastIndex: number;

  /** Without `wanted` it waits for an INIT. */
  constructor(options: HandshakeOptions, wanted?: Identity) {
    const { provider, networkId, self, indices } = options;
    const identity = wanted ?? self.identity;
    this.#options = options;
    this.#framing = new Framing({ provider, networkId, identity, index: indices.setup });
    this.#lastIndex = indices.final;
    if (wanted) this.#handshake = new Initiator(wanted, options);
  }

  get isOpen(): boolean {
    return this.output('open') !== undefined;
  }

  /** How often the link was rekeyed. */
  get rekeyings(): number {
    return Math.max(0, this.#sessions.size - 2);
  }

  /** The first output of this type. */
  output<T extends HandshakeOutput['type']>(type: T): (HandshakeOutput & { type: T }) | undefined {
    return this.outputs.find(
      (output): output is HandshakeOutput & { type: T } => output.type === type,
    );
  }

  nextDeadlineMs(): number {
    return Math.min(
      this.#handshake?.nextDeadlineMs() ?? Number.POSITIVE_INFINITY,
      this.#rekeying?.nextDeadlineMs() ?? Number.POSITIVE_INFINITY,
    );
  }

  tick(nowMs: number): void {
    this.#tell({ type: 'tick' }, nowMs);
    this.rekey({ type: 'tick' }, nowMs);
  }

  receive(bytes: Uint8Array, nowMs: number): void {
    this.bytesIn += bytes.length;
    try {
      if (isData(bytes)) this.#onData(bytes, nowMs);
      else this.#onHandshakePacket(bytes, nowMs);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.dropped.push(error.message);
    }
  }

  sendBody(body: Uint8Array, nowMs: number): void {
    writeCellHeader(this.#packet.cell, 1, COMMAND.relay);
    this.#packet.cell.set(body, 8);
    this.#seal(nowMs);
  }

  sendControl(message: ControlMessage, nowMs: number): void {
    for (const cell of encodeControl(message)) {
      this.#packet.cell.set(cell);
      this.#seal(nowMs);
    }
  }

  rekey(input: RekeyingInput, nowMs: number): void {
    for (const output of this.#rekeying?.handle(input, nowMs) ?? [])
      this.#onRekeying(output, nowMs);
  }

  #seal(nowMs: number): void {
    if (this.#sending?.seal(this.#packet, nowMs)) this.#send(new Uint8Array(this.#packet.bytes));
  }

  #send(bytes: Uint8Array): void {
    this.bytesOut += bytes.length;
    this.outbox.push(bytes);
  }

  #onHandshakePacket(bytes: Uint8Array, nowMs: number): void {
    const message = this.#framing.decode(bytes);
    if (message === undefined) return;
    if (message.step === 'init') this.#handshake ??= new Responder(message, this.#options);
    this.#tell(message, nowMs);
  }

  #onData(bytes: Uint8Array, nowMs: number): void {
    const installed = this.#sessions.get(dataIndex(bytes));
    if (installed === undefined || bytes.length !== DATAGRAM_BYTES) return;
    this.#packet.bytes.set(bytes);
    const opened = installed.session.open(this.#packet, nowMs);
    if (opened !== 'ok') {
      this.dropped.push(opened);
      return;
    }
    const cell = new Uint8Array(this.#packet.cell);
    if (!installed.isConfirmed) this.#confirm(installed, nowMs);
    this.#onCell(cell, nowMs);
  }

  /** The first packet of a session: from now on it is the one to send in, and all before it end. */
  #confirm(installed: Installed, nowMs: number): void {
    installed.isConfirmed = true;
    this.#sending = installed.session;
    for (const { session } of this.#sessions.values()) {
      if (session !== installed.session && installed.isFinal) session.retire(nowMs);
    }
    if (!installed.isFinal) return;
    this.#tell({ type: 'confirmed' }, nowMs);
    this.rekey({ type: 'confirmed' }, nowMs);
  }

  #onCell(cell: Uint8Array, nowMs: number): void {
    const fault = cellFault(cell);
    if (fault !== undefined) throw new DecodeError(fault);
    if (cellCommand(cell) === COMMAND.relay) this.bodies.push(cell.slice(8));
    if (cellCommand(cell) !== COMMAND.linkControl) return;
    const message = this.#assembly.push(cell);
    if (message === undefined) return;
    if (!this.isOpen) this.#tell({ type: 'control', message }, nowMs);
    else if (message.type === 'ping') this.sendControl({ type: 'pong', data: message.data }, nowMs);
    else if (message.type.startsWith('rekey')) this.rekey({ type: 'control', message }, nowMs);
  }

  #tell(input: HandshakeInput, nowMs: number): void {
    for (const output of this.#handshake?.handle(input, nowMs) ?? []) {
      this.outputs.push(output);
      this.#onHandshake(output, nowMs);
    }
  }

  #onHandshake(output: HandshakeOutput, nowMs: number): void {
    switch (output.type) {
      case 'send':
        this.#send(this.#framing.encode(output));
        break;
      case 'control':
        this.sendControl(output.message, nowMs);
        break;
      case 'session':
        this.#install(output.keys, output.stage === 'open', nowMs);
        break;
      case 'judge':
        if (this.verdict) this.#tell({ type: 'verdict', verdict: this.verdict }, nowMs);
        break;
      case 'open':
        this.#startRekeying(output, nowMs);
        break;
      default:
        this.dropped.push(output.why);
    }
  }

  #onRekeying(output: RekeyingOutput, nowMs: number): void {
    if (output.type === 'control') this.sendControl(output.message, nowMs);
    else if (output.type === 'session') this.#install(output.keys, true, nowMs);
    else this.dropped.push(output.type);
  }

  #install(keys: TrafficKeys, isFinal: boolean, nowMs: number): void {
    const session = new Session({ provider: this.#options.provider, keys, nowMs });
    this.#sessions.set(keys.receiveIndex, { session, isFinal, isConfirmed: false });
    if (keys.sendsFirst) this.#sending = session;
  }

  #startRekeying({ chain }: HandshakeOutput & { type: 'open' }, nowMs: number): void {
    const { provider, rng } = this.#options;
    const role = this.#handshake instanceof Initiator ? 'initiator' : 'responder';
    const newIndex = () => ++this.#lastIndex;
    this.#rekeying = new Rekeying({ provider, rng, role, chain, newIndex, nowMs });
  }
}

// Rpc over the network: Links and LinkPlane of its own (with the handshake's purpose "rpc", so nothing of another channel
// passes for it), in one thread, and the exchange on top.

import type { CryptoProvider } from '../crypto/index.ts';
import { type Identity, identityKey, type NodeDescriptor } from '../identity/index.ts';
import {
  COMMAND,
  cellCommand,
  type LinkEvent,
  LinkPlane,
  type LinkSelf,
  Links,
  type LinksEvent,
  type Listen,
  type Now,
  OneCell,
  type Target,
} from '../link/index.ts';
import { type Address, NetworkError, type Runtime, type Timer } from '../runtime/index.ts';
import { Exchange, type ExchangeOutput } from './exchange.ts';
import {
  type Outcome,
  type Question,
  REQUEST_BYTES_MAX,
  type RequestHandler,
  type Rpc,
  type RpcPeer,
  type RpcStatus,
  type ServiceNumber,
} from './rpc.ts';
import { encodeRequest } from './wire.ts';

export interface RpcNodeOptions {
  readonly runtime: Runtime;
  readonly provider: CryptoProvider;
  readonly networkId: Uint8Array;
  /** Who we are, for handshakes that begin now. */
  self(): LinkSelf;
  readonly listen: Listen;
  readonly allowPrivate: boolean;
  /** Whether the node has paid for its identity (protocol 4): 13 ms of work. */
  hasProof(peer: NodeDescriptor): boolean;
}

export interface Listening {
  readonly udp?: Address;
  readonly tcp?: Address;
}

export class RpcNode implements Rpc {
  readonly #options: RpcNodeOptions;
  readonly #links: Links;
  readonly #plane: LinkPlane;
  readonly #exchange: Exchange;
  readonly #listening = Promise.withResolvers<Listening>();
  /** One for each `callAnew` under way: whoever calls that bounds them. */
  readonly #anew = new Set<RpcNode>();
  #certificate: Uint8Array;
  #timer: Timer | undefined;
  #isStopped = false;

  /** Rejects with a NetworkError. */
  static async start(options: RpcNodeOptions): Promise<RpcNode> {
    const node = new RpcNode(options);
    try {
      await node.listening;
    } catch (error) {
      await node.stop();
      throw error;
    }
    return node;
  }

  private constructor(options: RpcNodeOptions) {
    const { runtime, provider, networkId, allowPrivate, listen } = options;
    this.#options = options;
    this.#certificate = options.self().certificate;
    this.#exchange = new Exchange(runtime.rng);
    this.#plane = new LinkPlane({
      runtime,
      provider,
      allowPrivate,
      post: (event) => this.#onPlane(event),
      onCell: (link, cell) => {
        if (cellCommand(cell) !== COMMAND.rpc) return;
        this.#act(this.#exchange.onCell(link, cell, this.#now().nowMs));
      },
    });
    this.#links = new Links({
      provider,
      rng: runtime.rng,
      networkId,
      purpose: 'rpc',
      self: options.self(),
      allowPrivate,
      nowMs: this.#now().nowMs,
      hasProof: options.hasProof,
      post: (command) => this.#plane.handle(command),
      emit: (event) => this.#onLinks(event),
    });
    this.#links.listen(listen);
  }

  /** Where it really listens. */
  get listening(): Promise<Listening> {
    return this.#listening.promise;
  }

  get status(): RpcStatus {
    return { links: this.#links.status(this.#now().nowMs), ...this.#exchange.status };
  }

  peerOf(identity: Identity): RpcPeer | undefined {
    return this.#exchange.peerOf(identityKey(identity));
  }

  serve(service: ServiceNumber, handler: RequestHandler): void {
    this.#exchange.serve(service, handler);
  }

  call(target: Target, { service, request }: Question, done: (outcome: Outcome) => void): void {
    if (request.length > REQUEST_BYTES_MAX) {
      throw new RangeError(`a request of ${request.length} bytes`);
    }
    if (this.#isStopped) return;
    const message = encodeRequest({ service, bytes: request });
    let hasReturned = false;
    const tell = (outcome: Outcome): void => {
      if (hasReturned) done(outcome);
      else this.#later(() => done(outcome));
    };
    this.#act(this.#exchange.call({ target, message, done: tell }, this.#now().nowMs));
    hasReturned = true;
  }

  callAnew(target: Target, question: Question, done: (outcome: Outcome) => void): void {
    const { listen } = this.#options;
    const once = new RpcNode({
      ...this.#options,
      listen: listen.proxy === undefined ? {} : { proxy: listen.proxy },
    });
    this.#anew.add(once);
    once.call(target, question, (outcome) => {
      this.#anew.delete(once);
      void once.stop();
      done(outcome);
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#links.closeAll();
    await Promise.all([this.#plane.stop(), ...[...this.#anew].map((once) => once.stop())]);
  }

  #now(): Now {
    const { clock } = this.#options.runtime;
    return { nowMs: clock.nowMs(), wallMs: clock.wallMs() };
  }

  #later(run: () => void): void {
    this.#options.runtime.timers.after(0, () => {
      if (!this.#isStopped) run();
    });
  }

  #onPlane(event: LinkEvent): void {
    if (this.#isStopped) return;
    if (event.type === 'packet') this.#renew();
    this.#links.handle(event, this.#now());
    this.#schedule();
  }

  /** Others know us by what we said when the link was made: after a new certificate they are to hear that. */
  #renew(): void {
    const self = this.#options.self();
    if (self.certificate === this.#certificate) return;
    this.#certificate = self.certificate;
    this.#links.renew(self);
    for (const { link } of this.#links.status(this.#now().nowMs).links) this.#links.close(link);
  }

  #onLinks(event: LinksEvent): void {
    const { nowMs } = this.#now();
    switch (event.type) {
      case 'listening':
        this.#listening.resolve(event);
        break;
      case 'listen failed':
        this.#listening.reject(new NetworkError(event.fault));
        break;
      case 'up':
        this.#act(this.#exchange.onUp(event, nowMs));
        break;
      case 'down':
        this.#act(this.#exchange.onDown(event.link, nowMs));
        break;
      case 'failed':
        this.#act(this.#exchange.onUnreachable(event));
    }
  }

  #act(outputs: readonly ExchangeOutput[]): void {
    if (this.#isStopped) return;
    for (const output of outputs) this.#actOn(output);
    this.#schedule();
  }

  #actOn(output: ExchangeOutput): void {
    const { nowMs } = this.#now();
    switch (output.type) {
      case 'open':
        this.#open(output.target);
        break;
      case 'send':
        for (const cell of output.cells) this.#plane.send(output.link, new OneCell(cell));
        break;
      case 'touch':
        this.#links.setInUse(output.link, true, nowMs);
        this.#links.setInUse(output.link, false, nowMs);
        break;
      case 'close':
        this.#links.close(output.link);
        break;
      case 'done':
        output.done(output.outcome);
        break;
      case 'request':
        this.#onRequest(output);
    }
  }

  #open(target: Target): void {
    this.#renew();
    const opening = this.#links.open(target, this.#now());
    if (opening.type === 'up') this.#act(this.#exchange.onUp(opening, this.#now().nowMs));
    else if (opening.type === 'failed') this.#act(this.#exchange.onUnreachable(target));
  }

  #onRequest({ handler, from, bytes, link, number }: ExchangeOutput & { type: 'request' }): void {
    handler(from, bytes, (answer) => {
      this.#act(this.#exchange.answer(link, number, answer, this.#now().nowMs));
    });
  }

  #schedule(): void {
    this.#timer?.cancel();
    if (this.#isStopped) return;
    const atMs = Math.min(this.#links.nextDeadlineMs(), this.#exchange.nextDeadlineMs());
    if (atMs === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.max(0, atMs - this.#now().nowMs);
    this.#timer = this.#options.runtime.timers.after(delayMs, () => this.#onTimer());
  }

  #onTimer(): void {
    this.#links.onTimer(this.#now());
    this.#act(this.#exchange.onTimer(this.#now().nowMs));
  }
}

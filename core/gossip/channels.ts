// Channels over TCP: listens, calls, runs the machine of each channel (channel.ts), and reads no faster than a neighbour may
// keep us busy. What is said in a channel, and who may have one, is not known here.

import { DecodeError } from '../bytes/index.ts';
import type { NodeDescriptor } from '../identity/index.ts';
import { PROOF_RETRY_MS, Quota } from '../link/index.ts';
import {
  type Address,
  formatAddress,
  type HostPort,
  isPublic,
  NetworkError,
  netgroup,
  type Runtime,
  type StreamHandlers,
  type TcpListener,
  type TcpStream,
  type Timer,
} from '../runtime/index.ts';
import { Channel, type ChannelOptions, type ChannelOutput } from './channel.ts';
import type { Judgement } from './membership.ts';
import type { NeighbourId } from './neighbours.ts';
import type { DialId, DialTarget } from './port.ts';
import { Rate } from './rate.ts';
import { decodeMessage, encodeMessage, type GossipMessage } from './wire.ts';

/** Streams that others have begun and that are no channels yet: as for links (protocol 3.1). */
const PENDING_MAX = 64;
const PENDING_PER_NETGROUP_MAX = 4;
const DIAL_TIMEOUT_MS = 5000;
/** How long a channel that we end may take to send what it still has. A guess. */
const ENDING_MS = 500;
/** What a neighbour has not read is no more than this, or it is not a neighbour. A guess: 10 s at full rate. */
const UNREAD_MAX = 1 << 20;
/**
 * What we read of one neighbour: twice the items it may send (protocol 11), and each message costs as much as so many
 * bytes, so that small ones cannot keep us busy. Guesses.
 */
const READING = { perSecond: 256 << 10, burst: 1 << 20 };
const MESSAGE_COST = 256;

interface OpenChannel {
  readonly machine: Channel;
  readonly tcp: TcpStream;
  readonly address: Address;
  readonly dial: DialId | undefined;
  readonly pace: Rate;
  /** Gives back the place of a stream that is no channel yet. */
  readonly release: () => void;
  deadline: Timer | undefined;
  resume: Timer | undefined;
  /** The node has been told of it. */
  isKnown: boolean;
  /** We ended it: what still comes is ignored. */
  isEnding: boolean;
}

export interface NewChannel {
  readonly id: NeighbourId;
  readonly peer: NodeDescriptor;
  readonly address: Address;
  readonly dial: DialId | undefined;
  readonly clockAheadS: number;
}

export interface ChannelsOptions {
  readonly runtime: Runtime;
  readonly proxy: HostPort | undefined;
  readonly allowPrivate: boolean;
  /**
   * For a channel that begins now. Until it is there calls wait, and who calls us is sent away. Rejects only after `stop`.
   */
  readonly channel: Promise<() => ChannelOptions>;
  /** Of a name in our own configuration; undefined if it has no address. */
  resolve(host: HostPort): Promise<Address | undefined>;
  judge(peer: NodeDescriptor): Judgement;
  isRefused(address: Address): boolean;
  onOpen(channel: NewChannel): void;
  onMessage(id: NeighbourId, message: GossipMessage): void;
  /** What came over an open channel cannot be right. */
  onViolation(id: NeighbourId): void;
  onClosed(id: NeighbourId): void;
  onDialFailed(dial: DialId): void;
  /** The same before there was a channel; `peer` if it had proven to be somebody. */
  onFault(address: Address, peer: NodeDescriptor | undefined): void;
}

export class Channels {
  readonly #options: ChannelsOptions;
  /** At most PENDING_MAX that came in, those the machine dials, and its neighbours. */
  readonly #open = new Map<NeighbourId, OpenChannel>();
  readonly #pending: Quota;
  #channel: (() => ChannelOptions) | undefined;
  #listener: TcpListener | undefined;
  #lastId = 0;
  #isStopped = false;

  constructor(options: ChannelsOptions) {
    this.#options = options;
    options.channel.then(
      (channel) => {
        this.#channel = channel;
      },
      (error: unknown) => this.#expectStopped(error),
    );
    this.#pending = new Quota({ max: PENDING_MAX, perGroupMax: PENDING_PER_NETGROUP_MAX });
  }

  /** Rejects with NetworkError. */
  async listen(local: Address): Promise<Address> {
    const { network } = this.#options.runtime;
    this.#listener = await network.listenTcp(local, (tcp) => this.#accept(tcp));
    return this.#listener.local;
  }

  dial(dial: DialId, target: DialTarget): void {
    this.#dial(dial, target).catch((error: unknown) => {
      if (error instanceof NetworkError && !this.#isStopped) this.#options.onDialFailed(dial);
      else this.#expectStopped(error);
    });
  }

  send(id: NeighbourId, messages: readonly GossipMessage[]): void {
    const open = this.#open.get(id);
    if (open === undefined || !open.machine.isOpen || open.isEnding) return;
    for (const frame of open.machine.seal(messages.map(encodeMessage))) open.tcp.write(frame);
    if (open.tcp.bufferedBytes > UNREAD_MAX) open.tcp.destroy();
  }

  /** Closes it once what was written has gone. */
  end(id: NeighbourId): void {
    const open = this.#open.get(id);
    if (open === undefined || open.isEnding) return;
    open.isEnding = true;
    open.tcp.end();
    this.#setDeadline(open, ENDING_MS, () => open.tcp.destroy());
  }

  /** Ends all, and listens no more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const id of [...this.#open.keys()]) this.end(id);
    await this.#listener?.close();
  }

  #expectStopped(error: unknown): void {
    if (!this.#isStopped) throw error;
  }

  async #dial(dial: DialId, target: DialTarget): Promise<void> {
    const channel = await this.#options.channel;
    if (this.#isStopped) return;
    const id = ++this.#lastId;
    const { tcp, address } = await this.#connect(id, target);
    if (this.#isStopped) {
      tcp.destroy();
      return;
    }
    const wanted = target.type === 'node' ? target.identity : undefined;
    const machine = new Channel({ type: 'caller', wanted }, channel());
    this.#add(id, { machine, tcp, address, dial, release: () => {} });
  }

  async #connect(id: NeighbourId, target: DialTarget): Promise<Connected> {
    const { runtime, proxy, resolve } = this.#options;
    const { network } = runtime;
    const options = { timeoutMs: DIAL_TIMEOUT_MS, handlers: this.#handlers(id) };
    if (proxy === undefined) {
      const address = target.type === 'node' ? target.address : await resolve(target.host);
      if (address === undefined) throw new NetworkError('unreachable');
      return { tcp: await network.dialTcp(address, options), address };
    }
    const host = target.type === 'node' ? hostOf(target.address) : target.host;
    const tcp = await network.dialSocks(host, proxy, options);
    // Where a bootstrapper is that only the proxy can resolve, we do not know.
    return { tcp, address: target.type === 'node' ? target.address : tcp.remote };
  }

  #accept(tcp: TcpStream): StreamHandlers {
    // As many as like to of our own machine and network.
    const group = isPublic(tcp.remote.ip) ? netgroup(tcp.remote.ip) : formatAddress(tcp.remote);
    const channel = this.#isStopped ? undefined : this.#channel;
    const isRefused = channel === undefined || this.#options.isRefused(tcp.remote);
    if (isRefused || !this.#pending.take(group)) {
      tcp.destroy();
      return { onData: () => {}, onClose: () => {} };
    }
    let isPending = true;
    const release = (): void => {
      if (isPending) this.#pending.release(group);
      isPending = false;
    };
    const id = ++this.#lastId;
    const machine = new Channel({ type: 'called' }, channel());
    this.#add(id, { machine, tcp, address: tcp.remote, dial: undefined, release });
    return this.#handlers(id);
  }

  #add(id: NeighbourId, begun: Begun): void {
    const open: OpenChannel = {
      ...begun,
      pace: new Rate(READING),
      deadline: undefined,
      resume: undefined,
      isKnown: false,
      isEnding: false,
    };
    this.#open.set(id, open);
    this.#act(id, open, open.machine.start(this.#options.runtime.clock.nowMs()));
  }

  #handlers(id: NeighbourId): StreamHandlers {
    return {
      onData: (bytes) => this.#onData(id, bytes),
      onClose: () => this.#onClose(id),
    };
  }

  #onData(id: NeighbourId, bytes: Uint8Array): void {
    const open = this.#open.get(id);
    if (open === undefined || open.isEnding) return;
    const nowMs = this.#options.runtime.clock.nowMs();
    const outputs = open.machine.onData(bytes, nowMs);
    const messages = outputs.filter(({ type }) => type === 'message').length;
    this.#brake(open, open.pace.owe(bytes.length + messages * MESSAGE_COST, nowMs));
    this.#act(id, open, outputs);
  }

  /** Stops reading for a while. */
  #brake(open: OpenChannel, ms: number): void {
    if (ms === 0) return;
    open.tcp.pause();
    open.resume?.cancel();
    open.resume = this.#options.runtime.timers.after(ms, () => open.tcp.resume());
  }

  #onClose(id: NeighbourId): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    this.#open.delete(id);
    open.release();
    open.deadline?.cancel();
    open.resume?.cancel();
    open.machine.end();
    if (this.#isStopped || open.isEnding) return;
    if (open.isKnown) this.#options.onClosed(id);
    else if (open.dial !== undefined) this.#options.onDialFailed(open.dial);
  }

  #act(id: NeighbourId, open: OpenChannel, outputs: readonly ChannelOutput[]): void {
    // First what is sealed already: what the others lead to may be sealed after it.
    for (const output of outputs) if (output.type === 'write') open.tcp.write(output.bytes);
    for (const output of outputs) if (!open.isEnding) this.#carryOut(id, open, output);
    if (open.isEnding) return;
    const { clock } = this.#options.runtime;
    const deadlineMs = open.machine.nextDeadlineMs();
    if (deadlineMs === Number.POSITIVE_INFINITY) open.deadline?.cancel();
    else {
      this.#setDeadline(open, deadlineMs - clock.nowMs(), () => {
        this.#act(id, open, open.machine.onTick(clock.nowMs()));
      });
    }
  }

  #carryOut(id: NeighbourId, open: OpenChannel, output: ChannelOutput): void {
    switch (output.type) {
      case 'write':
        break;
      case 'judge':
        this.#judge(id, open, output.peer);
        break;
      case 'open':
        open.isKnown = true;
        open.release();
        this.#options.onOpen({ ...open, ...output, id });
        break;
      case 'message':
        this.#onMessage(id, output.bytes);
        break;
      case 'failed':
        this.#onFailed(id, open, output);
        break;
    }
  }

  #judge(id: NeighbourId, open: OpenChannel, peer: NodeDescriptor): void {
    const { clock, timers } = this.#options.runtime;
    const verdict = this.#options.judge(peer);
    if (verdict === 'later') {
      timers.after(PROOF_RETRY_MS, () => {
        if (this.#open.get(id) === open && !open.isEnding) this.#judge(id, open, peer);
      });
    } else this.#act(id, open, open.machine.judged(verdict, clock.nowMs()));
  }

  #onMessage(id: NeighbourId, bytes: Uint8Array): void {
    let message: GossipMessage;
    try {
      message = decodeMessage(bytes);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#options.onViolation(id);
      return;
    }
    this.#options.onMessage(id, message);
  }

  #onFailed(
    id: NeighbourId,
    open: OpenChannel,
    { why, peer }: ChannelOutput & { readonly type: 'failed' },
  ): void {
    const { onViolation, onFault, onClosed, onDialFailed } = this.#options;
    const isFault = why === 'violation' || (why === 'malformed' && open.dial === undefined);
    if (open.isKnown) (why === 'violation' ? onViolation : onClosed)(id);
    else {
      if (isFault) onFault(open.address, peer);
      if (open.dial !== undefined) onDialFailed(open.dial);
    }
    open.isEnding = true;
    open.tcp.destroy();
  }

  #setDeadline(open: OpenChannel, ms: number, run: () => void): void {
    open.deadline?.cancel();
    open.deadline = this.#options.runtime.timers.after(Math.max(0, ms), run);
  }
}

interface Connected {
  readonly tcp: TcpStream;
  readonly address: Address;
}

type Begun = Pick<OpenChannel, 'machine' | 'tcp' | 'address' | 'dial' | 'release'>;

function hostOf({ ip, port }: Address): HostPort {
  return { host: ip, port };
}

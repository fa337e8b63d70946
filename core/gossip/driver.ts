// Drives the gossip module: channels over TCP, the machine, proofs of work, what is kept over a restart, and the modules of
// the same process, which use it like API connections do (voidphone-api.md, "Gossip"). The API itself is api-driver.ts's.

import { DecodeError } from '../bytes/index.ts';
import type { CryptoProvider, PowTask } from '../crypto/index.ts';
import {
  type Identity,
  identityPowTask,
  type NodeDescriptor,
  openDescriptor,
} from '../identity/index.ts';
import type { LinkSelf } from '../link/index.ts';
import type { Logger } from '../log/index.ts';
import { GOSSIP_DATA_BYTES_MAX, type Opinion } from '../module-api/index.ts';
import {
  type Address,
  type HostPort,
  netgroup,
  type Runtime,
  type Timer,
} from '../runtime/index.ts';
import type { ChannelOptions } from './channel.ts';
import { Channels } from './channels.ts';
import type { ClientId } from './clients.ts';
import { Clocks } from './clocks.ts';
import { Gossip } from './gossip.ts';
import type { Drop, GossipInput, GossipOutput, GossipStatus, Now } from './port.ts';
import type { SavedState } from './state.ts';
import { MESSAGE_BYTES_MAX } from './wire.ts';

const SAVE_MS = 600_000;
/** Without any neighbour for so long, it is said once. */
const LONELY_MS = 15_000;

export interface GossipNodeOptions {
  readonly runtime: Runtime;
  readonly provider: CryptoProvider;
  readonly log: Logger;
  readonly networkId: Uint8Array;
  readonly identity: Identity;
  /**
   * Who we are, for handshakes that begin now. Until it is there modules are served, and nobody is called. Rejects only
   * after `stop`.
   */
  readonly credentials: Promise<{ readonly self: LinkSelf }>;
  /** Undefined: nobody can call us. */
  readonly listen: Address | undefined;
  readonly proxy?: HostPort | undefined;
  readonly bootstrappers: readonly HostPort[];
  /** Of a bootstrapper's name; undefined if it has no address now. */
  resolve(host: HostPort): Promise<Address | undefined>;
  readonly degree: number;
  readonly cacheSize: number;
  readonly maxConnections: number;
  /** Whether nobody can tell from the ttl of an item who made it; items then reach about a node further. */
  readonly hidesOrigin: boolean;
  readonly allowPrivate: boolean;
  readonly saved: SavedState | undefined;
  /** Keeps what the next run begins with; called now and then, and at the end. */
  save(state: SavedState): void;
  /** The answer to a proof of work, found without holding up anything else. Rejects when the signal says so. */
  solve(task: PowTask, signal: AbortSignal): Promise<Uint8Array>;
  /** Whether a stranger's proof holds; 13 ms for those of identities. */
  verify(task: PowTask, nonce: Uint8Array): boolean;
}

export interface GossipNotification {
  readonly messageId: number;
  readonly dataType: number;
  /** Not to be changed. */
  readonly data: Uint8Array;
}

/** What a module can do; each call means what the API message of that name does. */
export interface GossipClient {
  /** `hops` 0: without limit. */
  announce(announcement: {
    readonly hops: number;
    readonly dataType: number;
    readonly data: Uint8Array;
  }): void;
  notify(dataType: number): void;
  validate(messageId: number, opinion: Opinion): void;
  /** Ends all it asked for. */
  close(): void;
}

export interface GossipNodeStatus extends GossipStatus {
  /** By how much the clocks of our neighbours are ahead of ours, in the middle; undefined for too few. */
  readonly clockAheadS: number | undefined;
  /** What was ignored since the beginning, and why. */
  readonly dropped: ReadonlyMap<Drop, number>;
}

export class GossipNode {
  readonly #options: GossipNodeOptions;
  readonly #gossip: Gossip;
  readonly #channels: Channels;
  readonly #clients = new Map<ClientId, (notification: GossipNotification) => void>();
  /** One for each open channel. */
  readonly #clocks = new Clocks();
  readonly #dropped = new Map<Drop, number>();
  readonly #inputs: GossipInput[] = [];
  readonly #stopping = new AbortController();
  #address: Address | undefined;
  #isBusy = false;
  #timer: Timer | undefined;
  #saving: Timer | undefined;
  #loneliness: Timer | undefined;
  #isLonely = false;
  #hasWarnedOfClock = false;
  #lastClient = 0;

  /** Rejects with NetworkError when it cannot listen. */
  static async start(options: GossipNodeOptions): Promise<GossipNode> {
    const node = new GossipNode(options);
    try {
      await node.#begin(options.listen);
      return node;
    } catch (error) {
      await node.#halt();
      throw error;
    }
  }

  private constructor(options: GossipNodeOptions) {
    const { runtime, networkId, allowPrivate, maxConnections, verify } = options;
    this.#options = options;
    this.#gossip = new Gossip(
      {
        ...options,
        rng: runtime.rng,
        inboundMax: maxConnections,
        outboundMax: maxConnections,
        openDescriptor: (bytes, wallMs) =>
          opened(() => openDescriptor(bytes, { networkId, wallMs, allowPrivate })),
        hasProof: ({ identity, powEpoch, powNonce }) =>
          verify(identityPowTask(networkId, identity, powEpoch), powNonce),
      },
      this.#now(),
    );
    this.#channels = this.#makeChannels();
  }

  get status(): GossipNodeStatus {
    const status = this.#gossip.status(this.#now().nowMs);
    return { ...status, clockAheadS: this.#clocks.aheadS, dropped: this.#dropped };
  }

  /** Where it really listens. */
  get listening(): Address | undefined {
    return this.#address;
  }

  /** For a module of the same process. It is never called back from within one of its own calls. */
  connect(onNotification: (notification: GossipNotification) => void): GossipClient {
    const client = ++this.#lastClient;
    this.#clients.set(client, onNotification);
    return {
      announce: ({ hops, dataType, data }) => {
        if (data.length > GOSSIP_DATA_BYTES_MAX) throw new RangeError(`${data.length} bytes`);
        this.#input({ type: 'announce', client, hops, dataType, data });
      },
      notify: (dataType) => this.#input({ type: 'notify', client, dataType }),
      validate: (messageId, opinion) =>
        this.#input({ type: 'validation', client, messageId, opinion }),
      close: () => {
        if (this.#clients.delete(client)) this.#input({ type: 'client gone', client });
      },
    };
  }

  /** An item that came through a tunnel which ends here (protocol 4, "Origin privacy"). */
  inject(item: Uint8Array): void {
    this.#input({ type: 'inject', item });
  }

  async stop(): Promise<void> {
    this.#options.save(this.#gossip.saved());
    for (const id of this.#clocks.neighbours()) {
      this.#channels.send(id, [{ type: 'bye', reason: 'stopping' }]);
    }
    await this.#halt();
  }

  async #begin(listen: Address | undefined): Promise<void> {
    if (listen !== undefined) this.#address = await this.#channels.listen(listen);
    this.#saveLater();
    this.#waitForNeighbours();
    this.#input({ type: 'tick' });
  }

  async #halt(): Promise<void> {
    this.#stopping.abort();
    for (const timer of [this.#timer, this.#saving, this.#loneliness]) timer?.cancel();
    await this.#channels.stop();
  }

  #makeChannels(): Channels {
    const { runtime, proxy, allowPrivate, resolve, credentials } = this.#options;
    const nowMs = (): number => runtime.clock.nowMs();
    return new Channels({
      runtime,
      proxy,
      allowPrivate,
      resolve,
      channel: credentials.then((one) => () => this.#channelOptions(one.self)),
      judge: (peer) => this.#gossip.judge(peer, nowMs()),
      isRefused: (address) => this.#gossip.isRefused(address, nowMs()),
      onOpen: ({ id, peer, address, dial, clockAheadS }) => {
        this.#clocks.add(id, netgroup(address.ip), clockAheadS);
        this.#input({ type: 'connected', neighbour: id, peer, address, dial });
      },
      onMessage: (from, message) => this.#input({ type: 'message', from, message }),
      onViolation: (from) => this.#input({ type: 'violation', from }),
      onClosed: (neighbour) => {
        this.#clocks.remove(neighbour);
        this.#input({ type: 'disconnected', neighbour });
      },
      onDialFailed: (dial) => this.#input({ type: 'dial failed', dial }),
      onFault: (address, peer) => this.#gossip.fault(address, peer, nowMs()),
    });
  }

  #channelOptions(self: LinkSelf): ChannelOptions {
    const { runtime, provider, networkId, allowPrivate } = this.#options;
    return {
      messageBytesMax: MESSAGE_BYTES_MAX,
      handshake: {
        ...this.#now(),
        provider,
        rng: runtime.rng,
        networkId,
        purpose: 'gossip',
        self,
        indices: { setup: 0, final: 0 },
        pqRequired: true,
        allowPrivate,
      },
    };
  }

  #now(): Now {
    const { clock } = this.#options.runtime;
    return { nowMs: clock.nowMs(), wallMs: clock.wallMs() };
  }

  /** One input, act on all outputs, next input. */
  #input(input: GossipInput): void {
    if (this.#stopping.signal.aborted) return;
    this.#inputs.push(input);
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
      this.#act(this.#gossip.handle(next, this.#now()));
    }
    this.#isBusy = false;
    this.#schedule();
  }

  #act(outputs: readonly GossipOutput[]): void {
    const sends = outputs.filter((output) => output.type === 'send');
    for (const [id, said] of Map.groupBy(sends, ({ to }) => to)) {
      this.#channels.send(
        id,
        said.map(({ message }) => message),
      );
    }
    for (const output of outputs) this.#carryOut(output);
  }

  #carryOut(output: GossipOutput): void {
    switch (output.type) {
      case 'send':
        break;
      case 'dial':
        this.#channels.dial(output.dial, output.target);
        break;
      case 'disconnect':
        this.#clocks.remove(output.neighbour);
        this.#channels.send(output.neighbour, [{ type: 'bye', reason: output.reason }]);
        this.#channels.end(output.neighbour);
        break;
      case 'notification':
        queueMicrotask(() => this.#clients.get(output.client)?.(output));
        break;
      case 'solve':
        void this.#solve(output);
        break;
      case 'drop':
        this.#dropped.set(output.why, (this.#dropped.get(output.why) ?? 0) + 1);
        break;
    }
  }

  async #solve({ proof, task }: GossipOutput & { readonly type: 'solve' }): Promise<void> {
    const { signal } = this.#stopping;
    try {
      this.#input({ type: 'solved', proof, nonce: await this.#options.solve(task, signal) });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #schedule(): void {
    const { clock, timers } = this.#options.runtime;
    this.#timer?.cancel();
    const delayMs = Math.max(0, this.#gossip.nextDeadlineMs() - clock.nowMs());
    this.#timer = timers.after(delayMs, () => this.#input({ type: 'tick' }));
  }

  #saveLater(): void {
    this.#saving = this.#options.runtime.timers.after(SAVE_MS, () => {
      this.#options.save(this.#gossip.saved());
      this.#saveLater();
    });
  }

  /** Says when there are no neighbours, and when there are again. */
  #waitForNeighbours(): void {
    const { runtime, log } = this.#options;
    this.#loneliness = runtime.timers.after(LONELY_MS, () => {
      const isLonely = this.#clocks.size === 0;
      if (isLonely && !this.#isLonely) log.warn('no other node can be reached; trying on');
      if (!isLonely && this.#isLonely) log.info('other nodes can be reached');
      this.#isLonely = isLonely;
      this.#watchClock();
      this.#waitForNeighbours();
    });
  }

  #watchClock(): void {
    if (this.#hasWarnedOfClock || !this.#clocks.isOff) return;
    this.#hasWarnedOfClock = true;
    const { aheadS = 0 } = this.#clocks;
    this.#options.log.warn('the clock of this machine differs from those of others', { aheadS });
  }
}

/** Undefined for a DecodeError. */
function opened(open: () => NodeDescriptor): NodeDescriptor | undefined {
  try {
    return open();
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

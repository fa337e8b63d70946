// Drives the gossip module: channels over TCP, the machine, proofs of work, what is kept over a restart, and the modules of
// the same process, which use it like API connections do (voidphone-api.md, "Gossip"). The API itself is api-driver.ts's.

import { DecodeError } from '../bytes/index.ts';
import type { CryptoProvider, PowTask } from '../crypto/index.ts';
import { identityPowTask, type NodeDescriptor, openDescriptor } from '../identity/index.ts';
import type { LinkSelf } from '../link/index.ts';
import type { Logger } from '../log/index.ts';
import { GOSSIP_DATA_BYTES_MAX } from '../module-api/index.ts';
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
import { Gossip } from './gossip.ts';
import type { NeighbourId } from './neighbours.ts';
import type { Drop, GossipInput, GossipOutput, GossipStatus, Now } from './port.ts';
import type { SavedState } from './state.ts';
import { type GossipMessage, MESSAGE_BYTES_MAX } from './wire.ts';

const SAVE_MS = 600_000;
/** Without any neighbour for so long, it is said once. */
const LONELY_MS = 15_000;
/** Protocol 2.2: so many clocks of different netgroups, and so far off in the middle, and the user is warned. */
const CLOCKS_MIN = 5;
const CLOCK_OFF_S = 5;

export interface GossipNodeOptions {
  readonly runtime: Runtime;
  readonly provider: CryptoProvider;
  readonly log: Logger;
  readonly networkId: Uint8Array;
  /** Who we are, for handshakes that begin now. */
  self(): LinkSelf;
  /** Undefined: nobody can call us. */
  readonly listen: Address | undefined;
  readonly proxy?: HostPort | undefined;
  readonly bootstrappers: readonly HostPort[];
  /** Of a bootstrapper's name; undefined if it has no address now. */
  resolve(host: HostPort): Promise<Address | undefined>;
  readonly degree: number;
  readonly cacheSize: number;
  readonly maxConnections: number;
  readonly outboundMax?: number;
  /** Whether nobody can tell from the ttl of an item who made it; items then reach about a node further. */
  readonly hidesOrigin: boolean;
  readonly allowPrivate: boolean;
  readonly saved: SavedState | undefined;
  /** Keeps what the next run begins with; called now and then, and at the end. */
  save(state: SavedState): void;
  /** The answer to a proof of work, found without holding up anything else. */
  solve(task: PowTask): Promise<Uint8Array>;
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
  validate(messageId: number, isWellFormed: boolean): void;
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
  readonly #clocks = new Map<NeighbourId, { readonly group: string; readonly aheadS: number }>();
  readonly #dropped = new Map<Drop, number>();
  readonly #inputs: GossipInput[] = [];
  #address: Address | undefined;
  #isBusy = false;
  #isStopped = false;
  #timer: Timer | undefined;
  #saving: Timer;
  #loneliness: Timer | undefined;
  #isLonely = false;
  #hasWarnedOfClock = false;
  #lastClient = 0;

  /** Rejects with NetworkError when it cannot listen. */
  static async start(options: GossipNodeOptions): Promise<GossipNode> {
    const node = new GossipNode(options);
    await node.#begin(options.listen);
    return node;
  }

  private constructor(options: GossipNodeOptions) {
    const { runtime, networkId, allowPrivate, maxConnections, verify } = options;
    this.#options = options;
    this.#gossip = new Gossip(
      {
        ...options,
        rng: runtime.rng,
        identity: options.self().identity,
        inboundMax: maxConnections,
        openDescriptor: (bytes, wallMs) =>
          opened(() => openDescriptor(bytes, { networkId, wallMs, allowPrivate })),
        hasProof: ({ identity, powEpoch, powNonce }) =>
          verify(identityPowTask(networkId, identity, powEpoch), powNonce),
      },
      this.#now(),
    );
    this.#channels = this.#makeChannels();
    this.#saving = this.#saveLater();
    this.#waitForNeighbours();
  }

  get status(): GossipNodeStatus {
    const status = this.#gossip.status(this.#now().nowMs);
    return { ...status, clockAheadS: this.#clockAheadS(), dropped: this.#dropped };
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
      validate: (messageId, isWellFormed) =>
        this.#input({ type: 'validation', client, messageId, isWellFormed }),
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
    this.#isStopped = true;
    for (const timer of [this.#timer, this.#saving, this.#loneliness]) timer?.cancel();
    this.#options.save(this.#gossip.saved());
    for (const id of this.#clocks.keys()) {
      this.#channels.send(id, [{ type: 'bye', reason: 'stopping' }]);
    }
    await this.#channels.stop();
  }

  async #begin(listen: Address | undefined): Promise<void> {
    if (listen !== undefined) this.#address = await this.#channels.listen(listen);
    this.#input({ type: 'tick' });
  }

  #makeChannels(): Channels {
    const { runtime, proxy, allowPrivate, resolve } = this.#options;
    const nowMs = (): number => runtime.clock.nowMs();
    return new Channels({
      runtime,
      proxy,
      allowPrivate,
      resolve,
      channel: () => this.#channelOptions(),
      judge: (peer) => this.#gossip.judge(peer, nowMs()),
      isRefused: (address) => this.#gossip.isRefused(address, nowMs()),
      onOpen: ({ id, peer, address, dial, clockAheadS }) => {
        this.#clocks.set(id, { group: netgroup(address.ip), aheadS: clockAheadS });
        this.#input({ type: 'connected', neighbour: id, peer, address, dial });
      },
      onMessage: (from, message) => this.#input({ type: 'message', from, message }),
      onViolation: (from) => this.#input({ type: 'violation', from }),
      onClosed: (neighbour) => {
        this.#clocks.delete(neighbour);
        this.#input({ type: 'disconnected', neighbour });
      },
      onDialFailed: (dial) => this.#input({ type: 'dial failed', dial }),
      onFault: (address, peer) => this.#gossip.fault(address, peer, nowMs()),
    });
  }

  #channelOptions(): ChannelOptions {
    const { runtime, provider, networkId, allowPrivate, self } = this.#options;
    return {
      messageBytesMax: MESSAGE_BYTES_MAX,
      handshake: {
        ...this.#now(),
        provider,
        rng: runtime.rng,
        networkId,
        purpose: 'gossip',
        self: self(),
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
    if (this.#isStopped) return;
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
    const messages = new Map<NeighbourId, GossipMessage[]>();
    for (const output of outputs) {
      if (output.type !== 'send') continue;
      const said = messages.get(output.to);
      if (said === undefined) messages.set(output.to, [output.message]);
      else said.push(output.message);
    }
    for (const [to, said] of messages) this.#channels.send(to, said);
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
        this.#clocks.delete(output.neighbour);
        this.#channels.send(output.neighbour, [{ type: 'bye', reason: output.reason }]);
        this.#channels.end(output.neighbour);
        break;
      case 'notification':
        this.#clients.get(output.client)?.(output);
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
    this.#input({ type: 'solved', proof, nonce: await this.#options.solve(task) });
  }

  #schedule(): void {
    const { clock, timers } = this.#options.runtime;
    this.#timer?.cancel();
    if (this.#isStopped) return;
    const delayMs = Math.max(0, this.#gossip.nextDeadlineMs() - clock.nowMs());
    this.#timer = timers.after(delayMs, () => this.#input({ type: 'tick' }));
  }

  #saveLater(): Timer {
    return this.#options.runtime.timers.after(SAVE_MS, () => {
      this.#options.save(this.#gossip.saved());
      this.#saving = this.#saveLater();
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
    const aheadS = this.#clockAheadS() ?? 0;
    if (this.#hasWarnedOfClock || Math.abs(aheadS) <= CLOCK_OFF_S) return;
    this.#hasWarnedOfClock = true;
    this.#options.log.warn('the clock of this machine differs from those of others', { aheadS });
  }

  /** The median, each netgroup counted once. */
  #clockAheadS(): number | undefined {
    const groups = new Map([...this.#clocks.values()].map(({ group, aheadS }) => [group, aheadS]));
    const sorted = [...groups.values()].sort((a, b) => a - b);
    return sorted.length < CLOCKS_MIN ? undefined : sorted[Math.floor(sorted.length / 2)];
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

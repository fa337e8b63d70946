// Many nodes of peer sampling, production code but for links (core/rpc/testing/memory.ts), samplers' orders
// (fast-ranking.ts), Gossip and proofs of work; and attackers among them. For thousands of nodes.
//
// Attackers collude: they push to honest nodes, each as often as an honest node pushes or `flood` times that, answer pulls
// with nothing but each other, and every probe, as the best of nodes would.

import {
  type Identity,
  type IdentityKey,
  type NodeDescriptor,
  toIdentity,
} from '../../identity/index.ts';
import { SERVICE } from '../../rpc/index.ts';
import { MemoryNetwork, type MemoryRpc } from '../../rpc/testing/memory.ts';
import {
  pick,
  type Rng,
  randomBytes,
  randomUnit,
  SeededRng,
  shuffled,
  type Timers,
} from '../../runtime/index.ts';
import { VirtualTime } from '../../sim/index.ts';
import { type Contact, contactAt } from '../contact.ts';
import { RpsNode } from '../driver.ts';
import { parametersFor, ROUND_MS } from '../parameters.ts';
import { roundAt } from '../push-stamp.ts';
import type { SavedState } from '../state.ts';
import { decodeMessage, encodeContacts, encodeMessage, NOTHING } from '../wire.ts';
import { ContactFlood } from './contact-flood.ts';
import { FastRanking } from './fast-ranking.ts';

const PORT = 4000;
const NONCE = new Uint8Array(8);
const NETWORK_ID = new Uint8Array(16);
/** The first octet of public addresses, as the simulator gives them. */
const FIRST_OCTET = 20;

export interface LargeNetworkOptions {
  readonly seed: number;
  readonly loss?: number;
  /** As in test networks: addresses are not looked at, which is faster. */
  readonly allowPrivate?: boolean;
  /** What NSE says; undefined: nothing. */
  readonly networkSize?: number;
  /** What attackers push, in terms of what an honest node does. */
  readonly flood?: number;
  /** Where node `i` is. Without it every node is in a netgroup of its own. */
  ipOf?(i: number): string;
}

export interface Member {
  readonly number: number;
  readonly contact: Contact;
  readonly descriptor: NodeDescriptor;
  readonly isHostile: boolean;
  readonly rpc: MemoryRpc;
  /** Of honest ones. */
  readonly node: RpsNode | undefined;
  /** What it kept when it last could. */
  saved: SavedState | undefined;
  stop(): void;
}

export class LargeNetwork {
  readonly time: VirtualTime;
  readonly rng: Rng;
  readonly members = new Map<IdentityKey, Member>();
  readonly #options: LargeNetworkOptions;
  readonly #rpcs: MemoryNetwork;
  readonly #flood: ContactFlood;
  #numbers = 0;
  #honest: Contact[] = [];
  #hostile: Contact[] = [];

  constructor(options: LargeNetworkOptions) {
    this.#options = options;
    this.time = new VirtualTime();
    this.rng = new SeededRng(options.seed);
    this.#flood = new ContactFlood(this.rng);
    this.#rpcs = new MemoryNetwork({
      timers: this.time,
      clock: this.time,
      rng: this.rng,
      latencyMs: { min: 10, max: 100 },
      loss: options.loss ?? 0,
    });
  }

  get honest(): Member[] {
    return [...this.members.values()].filter(({ isHostile }) => !isHostile);
  }

  /** Another node. With `before` it is that one again, after a restart. */
  join({
    isHostile = false,
    isReachable = true,
    offsetMs = 0,
    before = undefined as Member | undefined,
  } = {}): Member {
    const number = before?.number ?? this.#numbers++;
    const { identity, address } = before?.contact ?? this.#newContact(number);
    const contact = contactAt(identity, address);
    const descriptor = descriptorOf(contact);
    const rpc = this.#rpcs.join({ identity, address, descriptor }, { isReachable });
    const make = isHostile
      ? this.#beHostile(contact, rpc)
      : this.#beHonest(contact, rpc, offsetMs, before?.saved);
    const member: Member = {
      number,
      contact,
      descriptor,
      isHostile,
      rpc,
      node: make.node,
      saved: undefined,
      stop: () => {
        make.stop();
        void rpc.stop();
        this.members.delete(contact.key);
        this.#honest = this.#honest.filter((one) => one.key !== contact.key);
        this.#hostile = this.#hostile.filter((one) => one.key !== contact.key);
      },
    };
    make.keep((state) => {
      member.saved = state;
    });
    this.members.set(contact.key, member);
    (isHostile ? this.#hostile : this.#honest).push(contact);
    return member;
  }

  /** Brings up so many, the hostile ones spread evenly among them, within `overMs`. */
  async grow(count: number, { hostileShare = 0, overMs = 20_000 } = {}): Promise<void> {
    for (let i = 0; i < count; i++) {
      const before = Math.floor(i * hostileShare);
      this.join({ isHostile: Math.floor((i + 1) * hostileShare) > before });
      await this.time.runFor(overMs / count);
    }
  }

  /** Of all answers that honest nodes give now, how many name a hostile node, or one that is gone. */
  badShare(answers = 50): { readonly hostile: number; readonly gone: number } {
    let [hostile, gone, all] = [0, 0, 0];
    for (const { node } of this.honest) {
      for (let i = 0; i < answers; i++) {
        const found = node?.sample();
        if (found === undefined) continue;
        all++;
        const member = this.members.get(found.contact.key);
        if (member === undefined) gone++;
        else if (member.isHostile) hostile++;
      }
    }
    return { hostile: hostile / all, gone: gone / all };
  }

  /** Honest nodes whose answers are all bad, or who have none. */
  isolated(): number {
    return this.honest.filter(({ node }) => {
      const isGood = (): boolean => {
        const found = node?.sample();
        return found !== undefined && this.members.get(found.contact.key)?.isHostile === false;
      };
      return !Array.from({ length: 40 }).some(isGood);
    }).length;
  }

  #newContact(number: number): Contact {
    const identity: Identity = toIdentity(randomBytes(this.rng, 32));
    const group = `${FIRST_OCTET + (number >> 8)}.${number & 0xff}`;
    const ip = this.#options.ipOf?.(number) ?? `${group}.1.1`;
    return contactAt(identity, { ip, port: PORT });
  }

  #beHonest(contact: Contact, rpc: MemoryRpc, offsetMs: number, saved: SavedState | undefined) {
    const life = new Life(this.time);
    const { flood, leave } = this.#flood.join(life);
    let keep: (state: SavedState) => void = () => {};
    const { time } = this;
    const clock = { nowMs: () => time.nowMs(), wallMs: () => time.wallMs() + offsetMs };
    const node = new RpsNode({
      runtime: { clock, timers: life, rng: this.rng },
      rpc,
      flood,
      networkId: NETWORK_ID,
      identity: contact.identity,
      own: contact.address,
      allowPrivate: this.#options.allowPrivate ?? false,
      saved,
      save: (state) => keep(state),
      networkSize: () => this.#options.networkSize,
      onReach: () => {},
      solve: async () => NONCE,
      verify: () => true,
      ranking: new FastRanking(this.rng),
    });
    const stop = (): void => {
      node.stop();
      leave();
      life.end();
    };
    const keepWith = (kept: typeof keep): void => {
      keep = kept;
    };
    return { node, stop, keep: keepWith };
  }

  #beHostile(contact: Contact, rpc: MemoryRpc) {
    const life = new Life(this.time);
    rpc.serve(SERVICE.rps, (_, bytes, answer) => {
      const { type } = decodeMessage(bytes);
      if (type === 'pull') answer(encodeContacts(shuffled(this.rng, this.#hostile).slice(0, 24)));
      else answer(NOTHING);
    });
    const pushes = parametersFor(this.#options.networkSize).pushed * (this.#options.flood ?? 1);
    const round = (): void => {
      for (let i = 0; i < pushes; i++) {
        life.after(randomUnit(this.rng) * ROUND_MS, () => this.#pushTo(rpc));
      }
      life.after(ROUND_MS, round);
    };
    round();
    // As every node, it says through Gossip where it is.
    const { flood, leave } = this.#flood.join(life);
    const announce = (): void => {
      flood.announce(0, contact.encoded);
      life.after(300_000, announce);
    };
    flood.listen(0, { onUp: announce, onDown: () => {}, onItem: () => {} });
    const stop = (): void => {
      leave();
      life.end();
    };
    return { node: undefined, stop, keep: () => {} };
  }

  #pushTo(rpc: MemoryRpc): void {
    const to = pick(this.rng, this.#honest);
    if (to === undefined) return;
    const message = { type: 'push', round: roundAt(this.time.wallMs()), nonce: NONCE } as const;
    rpc.call(to, { service: SERVICE.rps, request: encodeMessage(message) }, () => {});
  }
}

/** Timers that end together. */
class Life implements Timers {
  readonly #time: VirtualTime;
  #isOver = false;

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  after(delayMs: number, run: () => void) {
    return this.#time.after(delayMs, () => {
      if (!this.#isOver) run();
    });
  }

  end(): void {
    this.#isOver = true;
  }
}

/** Of a node that others can reach; what samplers do not look at is empty. */
function descriptorOf({ identity, address }: Contact): NodeDescriptor {
  return {
    identity,
    serial: 1,
    notBeforeS: 0,
    notAfterS: 0,
    flags: { relay: true, dht: true, mailbox: false, streamOnly: false },
    linkDh: NOTHING,
    opSign: NOTHING,
    addresses: [{ transport: 'udp', ...address }],
    ports: { dht: PORT, gossip: PORT + 1, nse: 0, onion: PORT + 2 },
    powEpoch: 0,
    powNonce: NONCE,
    publicKey: identity as Uint8Array as NodeDescriptor['publicKey'],
    encoded: NOTHING,
  };
}

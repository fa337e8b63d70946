// Who our neighbours are: whom we let in, whom we call, whom we part from (protocol 4, "Score" and "Eclipse defence"). Knows
// nothing of items.

import { compareBytes, utf8 } from '../bytes/index.ts';
import { sha256 } from '../crypto/index.ts';
import {
  type Identity,
  type IdentityKey,
  identityKey,
  type NodeDescriptor,
} from '../identity/index.ts';
import { Bans, Proofs } from '../link/index.ts';
import { type Address, type HostPort, isPublic, type Rng, randomBytes } from '../runtime/index.ts';
import { AddressBook } from './addresses.ts';
import { chooseToEvict } from './eviction.ts';
import { Introductions } from './introductions.ts';
import { Liveness } from './liveness.ts';
import { Neighbour, Neighbours, type NewNeighbour } from './neighbours.ts';
import { Peering } from './peering.ts';
import type { DialId, GossipOutput, Now, SendMessage } from './port.ts';
import { SCORE_BAN, Scores } from './scores.ts';
import { type SavedState, SECRET_BYTES } from './state.ts';
import type { ByeReason } from './wire.ts';

export interface MembershipOptions {
  readonly rng: Rng;
  readonly identity: Identity;
  /** How many may call us. */
  readonly inboundMax: number;
  /** Whom we call; never more than the eight of protocol 4. */
  readonly outboundMax?: number;
  readonly bootstrappers: readonly HostPort[];
  readonly allowPrivate: boolean;
  readonly saved: SavedState | undefined;
  /** Undefined for what is no descriptor that anybody may use. */
  openDescriptor(bytes: Uint8Array, wallMs: number): NodeDescriptor | undefined;
  /** Whether it has paid for its identity; 13 ms. */
  hasProof(peer: NodeDescriptor): boolean;
}

export interface MembershipPort {
  put(output: GossipOutput): void;
  readonly send: SendMessage;
  onGone(neighbour: Neighbour): void;
}

export type Judgement = 'welcome' | 'banned' | 'no proof of work' | 'later';

export class Membership {
  readonly neighbours = new Neighbours();
  readonly scores = new Scores();
  readonly introductions: Introductions;
  readonly liveness: Liveness;
  readonly #options: MembershipOptions;
  readonly #port: MembershipPort;
  readonly #secret: Uint8Array;
  readonly #own: IdentityKey;
  readonly #bans = new Bans();
  readonly #proofs: Proofs;
  readonly #book: AddressBook;
  readonly #peering: Peering;

  constructor(options: MembershipOptions, port: MembershipPort, now: Now) {
    const { nowMs } = now;
    const { rng, identity, allowPrivate, openDescriptor, saved } = options;
    const { put, send } = port;
    this.#options = options;
    this.#port = port;
    this.#secret = saved?.secret ?? randomBytes(rng, SECRET_BYTES);
    this.#own = identityKey(identity);
    this.#proofs = new Proofs((peer) => options.hasProof(peer));
    this.liveness = new Liveness(rng, send);
    const book = new AddressBook({ rng, secret: this.#secret, allowPrivate });
    for (const node of saved?.nodes ?? []) book.restore(node, nowMs);
    this.#bans.restore(saved?.bans ?? [], now);
    this.#book = book;
    this.introductions = new Introductions(
      { rng, identity, book, openDescriptor, send, drop: (why) => put({ type: 'drop', why }) },
      nowMs,
    );
    this.#peering = new Peering(
      {
        rng,
        book,
        neighbours: this.neighbours,
        bootstrappers: options.bootstrappers,
        anchors: saved?.anchors ?? [],
        ...(options.outboundMax !== undefined && { outboundMax: options.outboundMax }),
        isUnwanted: (peer, atMs) => this.#isUnwanted(peer, atMs),
        dial: (dial, target) => put({ type: 'dial', dial, target }),
      },
      nowMs,
    );
  }

  get knownNodes(): { readonly all: number; readonly reached: number } {
    return { all: this.#book.size, reached: this.#book.triedSize };
  }

  saved(now: Now): SavedState {
    const nodes = [...this.#book.all()];
    const bans = this.#bans.saved(now);
    return { secret: this.#secret, anchors: this.#peering.anchors(), nodes, bans };
  }

  /** Whether to go on with who has just proven who he is. 'later': to be asked again. */
  judge(peer: NodeDescriptor, nowMs: number): Judgement {
    if (this.#bans.hasIdentity(peer.identity, nowMs)) return 'banned';
    const proof = this.#proofs.check(peer, nowMs);
    if (proof === 'proven') return 'welcome';
    return proof === 'later' ? 'later' : 'no proof of work';
  }

  isRefused({ ip }: Address, nowMs: number): boolean {
    return this.#bans.hasAddress({ ip, port: 0 }, nowMs);
  }

  /** Somebody there broke the protocol before there was a channel. Behind one private address there may be many. */
  fault({ ip }: Address, peer: NodeDescriptor | undefined, nowMs: number): void {
    if (peer !== undefined) this.#bans.banIdentity(peer.identity, nowMs);
    else if (isPublic(ip)) this.#bans.banAddress({ ip, port: 0 }, nowMs);
  }

  /** The new neighbour; undefined when the channel is not going to stay. */
  connected(input: NewNeighbour, dial: DialId | undefined, nowMs: number): Neighbour | undefined {
    const arrived = new Neighbour(input, nowMs);
    const use = dial === undefined ? 'neighbour' : this.#peering.connected(dial, input.peer, nowMs);
    const refusal = use === 'probe' ? use : this.#makeRoom(arrived);
    if (refusal !== undefined) {
      this.#port.put({ type: 'disconnect', neighbour: arrived.id, reason: refusal });
      return undefined;
    }
    if (dial === undefined) this.#book.learn(input.peer, this.#book.groupOf(input.address));
    this.neighbours.add(arrived);
    return arrived;
  }

  dialFailed(dial: DialId, nowMs: number): void {
    this.#peering.failed(dial, nowMs);
  }

  part(neighbour: Neighbour, reason: ByeReason): void {
    this.#port.put({ type: 'disconnect', neighbour: neighbour.id, reason });
    this.remove(neighbour);
  }

  remove(neighbour: Neighbour): void {
    this.neighbours.remove(neighbour);
    this.#port.onGone(neighbour);
  }

  ban(neighbour: Neighbour, nowMs: number): void {
    this.#bans.banIdentity(neighbour.peer.identity, nowMs);
    this.part(neighbour, 'banned');
  }

  scoreOf(neighbour: Neighbour, nowMs: number): number {
    // Who calls from our own machine or network, or through a translator in it, says nothing about who he is.
    const isElsewhere = isPublic(neighbour.address.ip) && !this.#options.allowPrivate;
    const crowd = isElsewhere ? this.neighbours.inSubnetOf(neighbour) : 1;
    return this.scores.of(neighbour.key, crowd, nowMs);
  }

  /** After something that lowered its score. */
  judgeScore(key: IdentityKey, nowMs: number): void {
    const neighbour = this.neighbours.withIdentity(key);
    if (neighbour === undefined || this.scoreOf(neighbour, nowMs) >= SCORE_BAN) return;
    this.ban(neighbour, nowMs);
  }

  heartbeat(nowMs: number): void {
    for (const neighbour of this.neighbours.all()) {
      if (this.liveness.isGone(neighbour, nowMs)) this.part(neighbour, 'silent');
      else this.liveness.heartbeat(neighbour, nowMs);
    }
    this.introductions.heartbeat(this.neighbours.ready(), nowMs);
    this.#peering.heartbeat(nowMs);
  }

  /** Now and then. */
  sweep({ nowMs, wallMs }: Now): void {
    this.#book.expire(wallMs);
    const keys = this.neighbours.all().map(({ key }) => key);
    this.scores.sweep(keys, nowMs);
  }

  /** A bit of our own about a neighbour that never changes and that nobody else knows. */
  coin({ key }: Neighbour): boolean {
    return ((sha256(this.#secret, utf8(key))[0] ?? 0) & 1) === 1;
  }

  /** Why it cannot stay; parts from others to make room. */
  #makeRoom(arrived: Neighbour): ByeReason | undefined {
    const same = this.neighbours.withIdentity(arrived.key);
    if (same !== undefined) {
      if (!this.#isBetter(arrived, same)) return 'duplicate';
      this.part(same, 'duplicate');
    }
    if (arrived.isOutbound) return undefined;
    const inbound = this.neighbours.all().filter(({ isOutbound }) => !isOutbound);
    if (inbound.length < this.#options.inboundMax) return undefined;
    const evicted = chooseToEvict(inbound, (group) => this.#rankOf(group));
    if (evicted === undefined) return 'full';
    this.part(evicted, 'full');
    return undefined;
  }

  /**
   * Of two channels with one node the newer is better, because the older one may be dead without our knowing it. If each
   * side has called, both keep that of the side with the smaller identity.
   */
  #isBetter(arrived: Neighbour, same: Neighbour): boolean {
    if (arrived.isOutbound === same.isOutbound) return true;
    const weAreSmaller = compareBytes(this.#options.identity, arrived.peer.identity) < 0;
    return arrived.isOutbound === weAreSmaller;
  }

  #isUnwanted(key: IdentityKey, nowMs: number): boolean {
    const identity = this.#book.find(key)?.descriptor.identity;
    const isBanned = identity !== undefined && this.#bans.hasIdentity(identity, nowMs);
    return key === this.#own || isBanned;
  }

  #rankOf(group: string): number {
    const digest = sha256(this.#secret, utf8(group));
    return new DataView(digest.buffer, digest.byteOffset).getUint32(0);
  }
}

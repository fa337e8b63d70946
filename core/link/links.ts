// The control half of the links (protocol 3.1 and 11): keeps the table of links, runs their handshakes, and ends those
// that are idle, dead or misbehave. A machine: events of the data plane (port.ts) come in through `handle`, commands to
// it go out through `post`, what users of links want to know through `emit`.
//
// One link in itself is link.ts, calling others dialling.ts, being called callers.ts, who is welcome judge.ts; what a
// packet costs is the data plane's (plane.ts).

import { DecodeError, equalBytes } from '../bytes/index.ts';
import type { NodeDescriptor } from '../identity/index.ts';
import { type Caller, Callers } from './callers.ts';
import type { Target } from './dial.ts';
import { type Attempt, Dialling } from './dialling.ts';
import type { HandshakeFailure } from './handshake.ts';
import { Judge, LINK_LIMITS, type LinkLimits } from './judge.ts';
import {
  Link,
  type LinkNews,
  type LinkParts,
  type LinkPlace,
  type LinkSelf,
  type Now,
} from './link.ts';
import { LinkTable } from './link-table.ts';
import type {
  DialFailure,
  LinkEnd,
  LinksEvent,
  LinksStatus,
  Listen,
  Opening,
} from './links-port.ts';
import { linkStatus, linkUp, type OpenEntry, OpenLinks } from './open-links.ts';
import { isSameRoute, type LinkEvent, type LinkId, type Route } from './port.ts';
import { decodeHandshakePacket } from './wire.ts';

/** Packets dealt with, told to the data plane together. Its own bound is 512. */
const HANDLED_BATCH = 32;

export interface LinksOptions extends Omit<LinkParts, 'newIndex'> {
  readonly limits?: LinkLimits;
  /** Whether the node has paid for its identity (protocol 4): 13 ms of work, so it is asked 5 times a second at most. */
  hasProof(peer: NodeDescriptor): boolean;
  emit(event: LinksEvent): void;
  readonly nowMs: number;
}

export class Links {
  readonly #options: LinksOptions;
  readonly #limits: LinkLimits;
  /** At most the callers', two for each of our calls, and the open ones'. */
  readonly #table: LinkTable;
  readonly #open: OpenLinks;
  readonly #dialling: Dialling;
  readonly #callers: Callers;
  readonly #judge: Judge;
  #parts: LinkParts;
  #powBits = 0;
  #handled = 0;
  #dropped = 0;

  constructor(options: LinksOptions) {
    const { self, allowPrivate, limits = LINK_LIMITS } = options;
    this.#options = options;
    this.#limits = limits;
    this.#table = new LinkTable(options.rng);
    this.#parts = { ...options, newIndex: (link) => this.#table.newIndex(link) };
    this.#open = new OpenLinks(self.identity);
    this.#callers = new Callers({ ...options, identity: self.identity });
    this.#judge = new Judge({ limits, allowPrivate, hasProof: (peer) => options.hasProof(peer) });
    this.#dialling = new Dialling({
      allowPrivate,
      post: (command) => options.post(command),
      call: (attempt, now) => this.#call(attempt, now),
      hangUp: (link) => this.#remove(link),
      failed: (target, why) => options.emit({ type: 'failed', ...target, why }),
    });
  }

  listen(where: Listen): void {
    this.#dialling.configure(where);
    this.#options.post({ type: 'listen', ...where });
  }

  /** A new certificate, perhaps with a new static key: for links made from now on. */
  renew(self: LinkSelf): void {
    this.#parts = { ...this.#parts, self };
  }

  /** `onBehalf`: somebody else wants it, who may have made the address up. */
  open(target: Target, now: Now, { onBehalf = false } = {}): Opening {
    const { identity } = target;
    if (equalBytes(identity, this.#parts.self.identity)) return failed('own identity');
    const [open] = this.#open.of(identity);
    if (open !== undefined) return { type: 'up', ...linkUp(open) };
    if (this.#judge.bans.hasIdentity(identity, now.nowMs)) return failed('banned');
    if (this.#isFull()) return failed('too many links');
    const why = this.#dialling.open(target, onBehalf, now);
    return why === undefined ? { type: 'dialling' } : failed(why);
  }

  close(link: LinkId): void {
    this.#end(this.#open.find(link), 'ended');
  }

  /** Says CLOSE to all neighbours, before the program ends. */
  closeAll(): void {
    for (const link of this.#table.all()) this.#remove(link.id);
  }

  /** Whether circuits depend on it. One without is closed after a minute. */
  setInUse(link: LinkId, inUse: boolean, nowMs: number): void {
    this.#open.setInUse(link, inUse, nowMs);
  }

  /** Whether it stays open without circuits (guards, meeting points). */
  setKept(link: LinkId, kept: boolean): void {
    this.#open.setKept(link, kept);
  }

  /** The proof of work that we ask of new circuits. */
  announceLoad(powBits: number): void {
    if (powBits === this.#powBits) return;
    this.#powBits = powBits;
    for (const { link } of this.#open.all()) link.sayLoad(powBits);
  }

  handle(event: LinkEvent, now: Now): void {
    switch (event.type) {
      case 'listening':
      case 'listen failed':
        this.#options.emit(event);
        break;
      case 'packet':
        this.#onPacket(event, now);
        break;
      case 'stream open':
        this.#dialling.onStreamOpen(event.stream, event.remote, now);
        break;
      case 'stream failed':
        this.#dialling.onStreamFailed(event.stream, event.fault, now);
        break;
      case 'stream closed':
        this.#onOver(this.#table.byStream(event.stream), 'stream closed', now);
        break;
      default:
        this.#handleLink(event, now);
    }
  }

  onTimer(now: Now): void {
    const { nowMs } = now;
    for (const link of this.#table.all()) {
      if (nowMs >= link.nextDeadlineMs()) this.#onNews(link, link.tick(this.#powBits, nowMs), now);
    }
    for (const entry of this.#open.expired(nowMs)) this.#end(entry, 'idle');
    this.#dialling.onTimer(now);
    for (const id of this.#judge.takeWaiting(nowMs)) {
      const link = this.#table.find(id);
      if (link?.peer !== undefined) this.#onJudge(link, link.peer, now);
    }
  }

  nextDeadlineMs(): number {
    return Math.min(
      this.#open.nextDeadlineMs(),
      this.#dialling.nextDeadlineMs(),
      this.#judge.nextDeadlineMs(),
      ...this.#table.all().map((link) => link.nextDeadlineMs()),
    );
  }

  status(nowMs: number): LinksStatus {
    return {
      links: [...this.#open.all()].map((entry) => linkStatus(entry, nowMs)),
      callers: this.#callers.size,
      dials: this.#dialling.size,
      bans: this.#judge.bans.size,
      dropped: this.#dropped,
    };
  }

  #handleLink(event: LinkEvent & { readonly link: LinkId }, now: Now): void {
    const link = this.#table.find(event.link);
    if (link === undefined) return;
    const { nowMs } = now;
    switch (event.type) {
      case 'confirmed':
        this.#onNews(link, link.onConfirmed(nowMs), now);
        break;
      case 'control cell':
        this.#onNews(link, link.onCell(event.cell, nowMs), now);
        break;
      case 'rekey due':
        this.#onNews(link, link.onRekeyDue(nowMs), now);
        break;
      case 'violation':
        this.#onOver(link, 'violation', now);
        break;
      case 'link dead':
        // One in the making has deadlines of its own.
        this.#end(this.#open.find(link.id), 'dead');
    }
  }

  #isFull(): boolean {
    return this.#open.size + this.#dialling.size >= this.#limits.links;
  }

  #onPacket({ packet, route, from }: LinkEvent & { readonly type: 'packet' }, now: Now): void {
    this.#handled++;
    if (this.#handled % HANDLED_BATCH === 0) {
      this.#options.post({ type: 'handshakes handled', count: HANDLED_BATCH });
    }
    try {
      const { type, index } = decodeHandshakePacket(packet);
      if (type === 'init') this.#onInit({ init: packet, index, from, route }, now);
      else this.#pass(this.#table.byIndex(index), route, packet, now);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#dropped++;
    }
  }

  #pass(link: Link | undefined, route: Route, packet: Uint8Array, now: Now): void {
    if (link === undefined || !isSameRoute(link.route, route)) this.#dropped++;
    else this.#onNews(link, link.onPacket(packet, now.nowMs), now);
  }

  #onInit(caller: Caller, now: Now): void {
    const { route, init, from } = caller;
    const known = this.#callers.find(caller);
    if (known !== undefined) {
      this.#pass(this.#table.find(known), route, init, now);
      return;
    }
    if (this.#judge.bans.hasAddress(from, now.nowMs) || this.#isFull()) {
      this.#dropped++;
      return;
    }
    const decision = this.#callers.decide(caller, now.nowMs);
    if (decision.type === 'drop') this.#dropped++;
    else if (decision.type === 'admit') this.#answer(caller, now);
    else this.#options.post({ type: 'send packet', route, packet: decision.packet });
  }

  #answer(caller: Caller, now: Now): void {
    const { init, route, from } = caller;
    const transport = route.transport === 'udp' ? 'udp' : 'tcp';
    const place: LinkPlace = { id: this.#table.newId(), route, address: from, transport };
    this.#callers.enter(place.id, caller);
    try {
      const link = Link.answer(this.#parts, place, init, now);
      this.#table.add(link);
      this.#pass(link, route, init, now);
    } catch (error) {
      this.#remove(place.id);
      throw error;
    }
  }

  #call({ wanted, giveUpMs, ...place }: Attempt, now: Now): LinkId {
    const id = this.#table.newId();
    const link = Link.call(this.#parts, { id, ...place }, { wanted, giveUpMs }, now);
    this.#table.add(link);
    this.#onNews(link, link.tick(this.#powBits, now.nowMs), now);
    return link.id;
  }

  #onNews(link: Link, news: readonly LinkNews[], now: Now): void {
    for (const one of news) {
      switch (one.type) {
        case 'answered':
          this.#dialling.onAnswered(link.id);
          break;
        case 'judge':
          this.#onJudge(link, one.peer, now);
          break;
        case 'open':
          this.#onOpen(link, one, now);
          break;
        case 'over':
          this.#onOver(link, one.why, now);
          break;
        case 'drop':
          this.#dropped++;
      }
    }
  }

  #onJudge(link: Link, peer: NodeDescriptor, now: Now): void {
    const judgement = this.#judge.decide(link, peer, now.nowMs);
    if (judgement === 'too many links') this.#remove(link.id);
    else if (judgement !== 'later') this.#onNews(link, link.verdict(judgement, now.nowMs), now);
  }

  #onOpen(link: Link, { peer, clockAheadS }: LinkNews & { readonly type: 'open' }, now: Now): void {
    this.#callers.leave(link.id);
    this.#dialling.onReached(peer.identity, link.id);
    const { added, surplus } = this.#open.add(link, { peer, clockAheadS }, now.nowMs);
    this.#options.emit({ type: 'up', ...linkUp(added) });
    this.#end(surplus, 'replaced');
  }

  #onOver(link: Link | undefined, why: HandshakeFailure | 'stream closed', now: Now): void {
    if (link === undefined) return;
    if (why === 'violation') this.#ban(link, now);
    this.#end(this.#open.find(link.id), why);
    this.#remove(link.id);
    this.#dialling.onFailed(link.id, why, now);
  }

  #end(entry: OpenEntry | undefined, why: LinkEnd): void {
    if (entry === undefined) return;
    const { link, peer } = entry;
    this.#remove(link.id);
    this.#options.emit({ type: 'down', link: link.id, identity: peer.identity, why });
  }

  /** Whom the keys show to be at fault; before there is anybody, the address, unless it is one that we chose. */
  #ban({ peer, address, route, isInitiator }: Link, { nowMs }: Now): void {
    const { bans } = this.#judge;
    if (peer === undefined) {
      if (!isInitiator && route.transport === 'udp') bans.banAddress(address, nowMs);
      return;
    }
    bans.banIdentity(peer.identity, nowMs);
    for (const entry of this.#open.of(peer.identity)) this.#end(entry, 'violation');
  }

  /** Harmless when it is gone, and for what was only going to be a link. */
  #remove(id: LinkId): void {
    const link = this.#table.find(id);
    this.#table.remove(id);
    this.#open.remove(id);
    this.#callers.leave(id);
    this.#judge.leave(id);
    if (link === undefined) return;
    link.end();
    const { route } = link;
    this.#options.post({ type: 'remove link', link: id });
    if (route.transport !== 'stream') return;
    this.#options.post({ type: 'close stream', stream: route.stream });
  }
}

function failed(why: DialFailure): Opening {
  return { type: 'failed', why };
}

// Several people with all their calls, and tunnels between them over a bad network: for tests.

import { equalBytes, toHex, utf8 } from '../../bytes/index.ts';
import { sha256 } from '../../crypto/index.ts';
import type { TestHostkeyName } from '../../identity/testing/keys.ts';
import { randomUnit, SeededRng } from '../../runtime/index.ts';
import type { CallState } from '../call-table.ts';
import { Calls } from '../calls.ts';
import type {
  CallNumber,
  CallsInput,
  CallsOptions,
  LegNumber,
  UserCommand,
} from '../calls-port.ts';
import type { CallEnd } from '../end.ts';
import type { OwnKeys, Peer } from '../handshake.ts';
import {
  CLEAN,
  handshakeOptions,
  type Kind,
  type Loss,
  PROVIDER,
  peerOf,
  person,
  ROUND,
  SLOT_MS,
  solve,
} from './ends.ts';

interface Tunnel {
  readonly from: Person;
  readonly to: Person;
  readonly legs: readonly [LegNumber, LegNumber];
  isUp: boolean;
}

/** One person's calls, and all that came of them. */
export class Person {
  readonly calls: Calls;
  readonly own: OwnKeys;
  readonly ends: CallEnd[] = [];
  readonly heard: number[] = [];
  readonly blocked = new Set<string>();
  readonly name: string;
  incoming = 0;
  framesSent = 0;
  isWaiting = false;
  wasWaiting = false;
  /** Hears and says nothing any more. */
  isAway = false;
  readonly #world: World;

  constructor(world: World, name: string, own: OwnKeys, options: Omit<CallsOptions, 'peerByHint'>) {
    this.name = name;
    this.own = own;
    this.#world = world;
    this.calls = new Calls({ ...options, peerByHint: (hint) => this.#peerByHint(hint) });
  }

  /** Of the calls that the user sees. */
  get states(): CallState[] {
    const states = this.calls.calls.map(({ call }) => call.state);
    return states.filter((state) => state !== 'ending' && state !== 'proving');
  }

  /** The newest call. */
  get number(): CallNumber | undefined {
    return this.calls.calls.at(-1)?.number;
  }

  numberOf(state: CallState): CallNumber | undefined {
    return this.calls.calls.find(({ call }) => call.state === state)?.number;
  }

  dial(other: Person): void {
    this.handle({ type: 'dial', peer: this.#world.peer(this, other) });
  }

  command(event: UserCommand, number = this.number): void {
    if (number !== undefined) this.handle({ type: 'command', call: number, event });
  }

  say(bytes: Uint8Array): void {
    const call = this.number;
    if (call !== undefined) this.handle({ type: 'call', call, input: { type: 'audio', bytes } });
  }

  handle(input: CallsInput): void {
    for (const output of this.calls.handle(input, this.#world.nowMs)) {
      if (output.type === 'incoming') this.incoming++;
      if (output.type === 'connect') this.#connect(output.call, output.peer);
      if (output.type !== 'call') continue;
      const { output: what, call } = output;
      if (what.type === 'ended') this.ends.push(what.end);
      if (what.type === 'state') this.isWaiting = what.isWaiting;
      if (what.type === 'state' && what.isWaiting) this.wasWaiting = true;
      if (what.type === 'audio') this.heard.push(...what.frames.map(({ frameNo }) => frameNo));
      if (what.type === 'work') {
        const input = { type: 'work done', nonce: solve(what.task) } as const;
        this.handle({ type: 'call', call, input });
      }
    }
  }

  #connect(call: CallNumber, peer: Peer): void {
    const to = this.#world.people.find(({ own }) =>
      equalBytes(own.hostkey.identity, peer.identity),
    );
    if (to) this.#world.connect(this, to, call);
  }

  #peerByHint(hint: Uint8Array): Peer | undefined {
    return this.#world.people
      .filter((one) => one !== this && !this.blocked.has(one.name))
      .map((one) => this.#world.peer(this, one))
      .find((peer) => equalBytes(peer.hint, hint));
  }
}

export class World {
  readonly people: Person[] = [];
  nowMs = 0;
  tunnels = 0;
  readonly #kind: Kind;
  readonly #whenBusy: CallsOptions['whenBusy'];
  readonly #network: Loss;
  readonly #dice: SeededRng;
  #open: Tunnel[] = [];
  #flying: { atMs: number; to: Person; leg: LegNumber; frame: Uint8Array; tunnel: Tunnel }[] = [];
  #recorded: Uint8Array[] | undefined;

  constructor(
    kind: Kind = 'card',
    whenBusy: CallsOptions['whenBusy'] = 'waiting',
    network: Loss & { readonly seed?: number } = CLEAN,
  ) {
    this.#kind = kind;
    this.#whenBusy = whenBusy;
    this.#network = network;
    this.#dice = new SeededRng(network.seed ?? 1);
  }

  person(name: TestHostkeyName): Person {
    return this.#add(name, person(name));
  }

  /** Somebody with a made-up identity: enough between cards, where no hostkey signs. */
  stranger(i: number): Person {
    const { hostkey } = person('alice');
    const identity = sha256(utf8(`stranger ${i}`)) as typeof hostkey.identity;
    const contactKey = PROVIDER.x25519KeyPair(new SeededRng(1000 + i));
    const own = { hostkey: { ...hostkey, identity } as unknown as typeof hostkey, contactKey };
    return this.#add(`stranger ${i}`, own);
  }

  #add(name: string, own: OwnKeys): Person {
    const { length } = this.people;
    const common = handshakeOptions(own, 100 + length);
    const card = () => new Uint8Array(1193);
    const one = new Person(this, name, own, {
      ...common,
      card,
      whenBusy: this.#whenBusy,
      round: ROUND,
    });
    this.people.push(one);
    return one;
  }

  /** How the one knows the other: a hint for each pair. */
  peer(one: Person, other: Person): Peer {
    const pair = [one, other]
      .map(({ own }) => toHex(own.hostkey.identity))
      .sort()
      .join();
    const hint = sha256(utf8(pair)).slice(0, 8);
    return { ...peerOf(other.own, this.#kind), identity: other.own.hostkey.identity, hint };
  }

  connect(from: Person, to: Person, call: CallNumber | undefined): void {
    const legs = [2 * this.tunnels, 2 * this.tunnels + 1] as unknown as [LegNumber, LegNumber];
    this.tunnels++;
    this.#open.push({ from, to, legs, isUp: true });
    from.handle({ type: 'leg up', leg: legs[0], call });
    to.handle({ type: 'leg up', leg: legs[1], call: undefined });
  }

  /** All tunnels break. */
  cut(): void {
    const broken = this.#open;
    this.#open = [];
    for (const tunnel of broken) {
      tunnel.isUp = false;
      tunnel.to.handle({ type: 'leg down', leg: tunnel.legs[1] });
      tunnel.from.handle({ type: 'leg down', leg: tunnel.legs[0] });
    }
  }

  run(ms: number): void {
    const endMs = this.nowMs + ms;
    while (this.nowMs < endMs) this.slot();
  }

  slot(): void {
    this.nowMs += SLOT_MS;
    for (const one of this.people) {
      if (one.isAway) continue;
      if (one.calls.nextDeadlineMs() <= this.nowMs) one.handle({ type: 'tick' });
      for (const { number } of one.calls.calls) this.#pull(one, number);
    }
    const due = this.#flying.filter(({ atMs }) => atMs <= this.nowMs);
    this.#flying = this.#flying.filter(({ atMs }) => atMs > this.nowMs);
    for (const { to, leg, frame, tunnel } of due) {
      if (tunnel.isUp && !to.isAway) to.handle({ type: 'frame', leg, frame });
    }
  }

  #pull(one: Person, number: CallNumber): void {
    const frame = one.calls.pull(number, this.nowMs);
    if (frame === undefined) return;
    for (const own of one.calls.legsOf(number)) {
      const tunnel = this.#open.find(({ legs }) => legs.includes(own));
      if (tunnel === undefined) continue;
      one.framesSent++;
      this.#recorded?.push(frame);
      const isFirst = tunnel.legs[0] === own;
      this.#send(tunnel, isFirst ? tunnel.to : tunnel.from, tunnel.legs[isFirst ? 1 : 0], frame);
    }
  }

  #send(tunnel: Tunnel, to: Person, leg: LegNumber, frame: Uint8Array): void {
    const { loss, duplicates, delayMs, jitterMs } = this.#network;
    const copies = randomUnit(this.#dice) < duplicates ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const atMs = this.nowMs + delayMs + randomUnit(this.#dice) * jitterMs;
      if (randomUnit(this.#dice) >= loss) this.#flying.push({ atMs, to, leg, frame, tunnel });
    }
  }

  /** All frames from now on. */
  record(): Uint8Array[] {
    this.#recorded = [];
    return this.#recorded;
  }

  /** Through a tunnel of nobody's. */
  replay(frames: readonly Uint8Array[], to: Person): void {
    this.#recorded = undefined;
    const leg = 1_000_000 as LegNumber;
    to.handle({ type: 'leg up', leg, call: undefined });
    for (const frame of frames) to.handle({ type: 'frame', leg, frame });
  }

  /** Calls of which the two ends do not see the same. */
  disagreements(): string[] {
    const wrong: string[] = [];
    for (const one of this.people) {
      for (const { call } of one.calls.calls) {
        const other = this.people.find(({ own }) =>
          equalBytes(own.hostkey.identity, call.peer.identity),
        );
        const theirs = other?.calls.calls.find((found) =>
          equalBytes(found.call.callId, call.callId),
        );
        const seen = theirs?.call.state;
        if (AGREED[call.state] !== seen)
          wrong.push(`${one.name} ${call.state}, ${other?.name} ${seen}`);
      }
    }
    return wrong;
  }
}

const AGREED: Partial<Record<CallState, CallState>> = {
  active: 'active',
  holding: 'held',
  held: 'holding',
  'both holding': 'both holding',
};

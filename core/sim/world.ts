// A world: hosts, the network between them, and the time they share. One seed fixes everything that happens in it, as
// long as what runs in it takes time, randomness and sockets from its Runtime and waits for nothing real.

import { type Rng, SeededRng, type Timer } from '../runtime/index.ts';
import type { Block, Undo } from './barriers.ts';
import { Dice, Seeds } from './dice.ts';
import { Host, type HostOptions } from './host.ts';
import { Nat, type NatOptions } from './nat.ts';
import { type Interference, SimNetwork, type Tap } from './network.ts';
import type { Packet } from './packet.ts';
import type { ProfileChoice } from './path.ts';
import { LAN, type PathProfile } from './profiles.ts';
import { VirtualTime } from './virtual-time.ts';

export interface WorldOptions {
  readonly seed: number;
  /** The ways between hosts; LAN by default. */
  readonly profile?: ProfileChoice;
  /** Unix time at which the world begins. */
  readonly wallStartMs?: number;
}

/** 20.0.0.0 to 99.255.255.255: all of it ordinary public addresses (IANA special-purpose registry). */
const FIRST_OCTET = 20;
const NETGROUPS = 80 * 256;

/** How long `until` and `complete` let the world run by default. */
const PATIENCE_MS = 60_000;

export class World {
  readonly seed: number;
  readonly time: VirtualTime;
  readonly #hosts = new Map<string, Host>();
  readonly #seeds: Seeds;
  readonly #network: SimNetwork;
  #addressesGiven = 0;

  constructor({ seed, profile = LAN, wallStartMs }: WorldOptions) {
    this.seed = seed;
    this.time = new VirtualTime(wallStartMs);
    this.#seeds = new Seeds(seed);
    this.#network = new SimNetwork(this.time, new Dice(this.#seeds.next('network')), profile);
  }

  get hosts(): ReadonlyMap<string, Host> {
    return this.#hosts;
  }

  /** A new host, switched off until `start`. */
  host(name: string, options: HostOptions = {}): Host {
    if (this.#hosts.has(name)) throw new Error(`there is a host ${name} already`);
    const seed = (label: string): number => this.#seeds.next(label);
    const ips = options.nat ? [options.nat.freeIp()] : (options.ips ?? [this.#publicIp()]);
    const around = { time: this.time, network: this.#network, seed };
    const host = new Host(name, ips, around, options);
    if (options.nat) options.nat.join(host);
    else for (const ip of ips) this.#network.attach(ip, host);
    this.#hosts.set(name, host);
    return host;
  }

  /** A translator to put hosts behind. */
  nat(options: NatOptions = {}): Nat {
    const nat = new Nat(this.#publicIp(), options);
    this.#network.attach(nat.ip, nat);
    return nat;
  }

  /** Randomness for the test itself, of its own for each label. */
  rng(label: string): Rng {
    return new SeededRng(this.#seeds.next(`test ${label}`));
  }

  nowMs(): number {
    return this.time.nowMs();
  }

  /** Puts an act of the script into the world's future. */
  after(delayMs: number, run: () => void): Timer {
    return this.time.after(delayMs, run);
  }

  /** Runs until that time of the world. */
  async run(untilMs: number): Promise<void> {
    await this.time.runUntil(untilMs);
  }

  async runFor(ms: number): Promise<void> {
    await this.time.runFor(ms);
  }

  /** Runs the next event alone. False when there is none. */
  step(): Promise<boolean> {
    return this.time.step();
  }

  /** Runs until it is so, which is looked at after every event. Fails after `limitMs` of virtual time. */
  async until(isSo: () => boolean, limitMs = PATIENCE_MS): Promise<void> {
    if (await this.time.runUntil(this.time.nowMs() + limitMs, isSo)) return;
    throw new Error(`what was waited for did not happen in ${limitMs} ms of virtual time`);
  }

  /** Runs until the promise is settled, and passes on what came of it. */
  async complete<T>(promise: Promise<T>, limitMs = PATIENCE_MS): Promise<T> {
    let done = false;
    const settle = (): void => {
      done = true;
    };
    promise.then(settle, settle);
    await this.until(() => done, limitMs);
    return promise;
  }

  /** Shows `tap` every packet. It copies what it keeps. */
  tap(tap: Tap): Undo {
    this.#network.taps.add(tap);
    return () => void this.#network.taps.delete(tap);
  }

  /** Lets an attacker on the wire drop, change, repeat or replace every packet that leaves a host. */
  interfere(interference: Interference): Undo {
    this.#network.interferences.add(interference);
    return () => void this.#network.interferences.delete(interference);
  }

  /** Puts a packet, with whatever sender it claims, before the host it is addressed to. */
  inject(packet: Packet): void {
    this.#network.inject(packet);
  }

  /** Groups that cannot reach each other. Who is in none reaches everybody. */
  partition(...groups: readonly Iterable<Host>[]): Undo {
    return this.#network.barriers.partition(groups);
  }

  block(block: Block): Undo {
    return this.#network.barriers.block(block);
  }

  /** How packets travel from now on, but for pairs that have a profile of their own. */
  profile(profile: ProfileChoice): void {
    this.#network.paths.choose(profile);
  }

  /** How packets travel from one host to another, and not back. */
  path(from: Host, to: Host, profile: PathProfile): void {
    this.#network.paths.set(from, to, profile);
  }

  /** Public, and 20,480 of them in as many netgroups before one comes twice. */
  #publicIp(): string {
    const number = this.#addressesGiven++;
    const group = number % NETGROUPS;
    const within = Math.floor(number / NETGROUPS) + 1;
    return `${FIRST_OCTET + (group >> 8)}.${group & 0xff}.${within}.1`;
  }
}

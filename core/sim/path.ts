// The way packets take from one host to another: applies a PathProfile and remembers what the profile needs
// remembered: in a burst of losses or not, when the last packet arrives. A profile of single losses and free order needs
// nothing, which is best for a large world.

import type { Dice } from './dice.ts';
import type { Host } from './host.ts';
import type { Latency, PathProfile } from './profiles.ts';

export class Path {
  readonly profile: PathProfile;
  readonly #dice: Dice;
  #inBurst = false;
  #lastArrivalMs = 0;

  constructor(profile: PathProfile, dice: Dice) {
    this.profile = profile;
    this.#dice = dice;
  }

  /** Whether the next packet is lost. Asked once for each. */
  loses(): boolean {
    const { loss = 0 } = this.profile;
    if (typeof loss === 'number') return this.#dice.chance(loss);
    const changes = this.#dice.chance(this.#inBurst ? loss.leave : loss.enter);
    if (changes) this.#inBurst = !this.#inBurst;
    return this.#dice.chance(this.#inBurst ? loss.lossInside : loss.lossOutside);
  }

  /** How long a packet that leaves now is under way. */
  delayMs(nowMs: number): number {
    const latencyMs = draw(this.profile.latency, this.#dice);
    if (hasNoOrder(this.profile)) return latencyMs;
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, nowMs + latencyMs);
    return this.#lastArrivalMs - nowMs;
  }

  duplicates(): boolean {
    return this.#dice.chance(this.profile.duplicate ?? 0);
  }
}

function draw(latency: Latency, dice: Dice): number {
  switch (latency.type) {
    case 'constant':
      return latency.ms;
    case 'uniform':
      return dice.between(latency.minMs, latency.maxMs);
    case 'normal':
      return Math.max(latency.minMs, latency.meanMs + latency.deviationMs * dice.normal());
    case 'lognormal':
      return latency.minMs + latency.medianMs * Math.exp(latency.sigma * dice.normal());
  }
}

/** Packets of constant latency stay in order by themselves. */
function hasNoOrder({ order, latency }: PathProfile): boolean {
  return order === 'free' || latency.type === 'constant';
}

function hasMemory(profile: PathProfile): boolean {
  return typeof profile.loss === 'object' || !hasNoOrder(profile);
}

/** One for all, or one for each pair. */
export type ProfileChoice = PathProfile | ((from: Host, to: Host) => PathProfile);

/** All paths of a world. Those with a memory are kept once used. */
export class Paths {
  readonly #dice: Dice;
  readonly #special = new Pairs<PathProfile>();
  #usual: ProfileChoice;
  #kept = new Pairs<Path>();

  constructor(dice: Dice, usual: ProfileChoice) {
    this.#dice = dice;
    this.#usual = usual;
  }

  /** For all pairs that have no profile of their own. */
  choose(usual: ProfileChoice): void {
    this.#usual = usual;
    this.#kept = new Pairs();
  }

  /** For one pair and direction. */
  set(from: Host, to: Host, profile: PathProfile): void {
    this.#special.set(from, to, profile);
    this.#kept.set(from, to, new Path(profile, this.#dice));
  }

  between(from: Host, to: Host): Path {
    const kept = this.#kept.find(from, to);
    if (kept !== undefined) return kept;
    const usual = typeof this.#usual === 'function' ? this.#usual(from, to) : this.#usual;
    const path = new Path(this.#special.find(from, to) ?? usual, this.#dice);
    if (hasMemory(path.profile)) this.#kept.set(from, to, path);
    return path;
  }
}

class Pairs<Value> {
  readonly #rows = new Map<Host, Map<Host, Value>>();

  find(from: Host, to: Host): Value | undefined {
    return this.#rows.get(from)?.get(to);
  }

  set(from: Host, to: Host, value: Value): void {
    const row = this.#rows.get(from) ?? new Map<Host, Value>();
    this.#rows.set(from, row.set(to, value));
  }
}

// A flood without Gossip: everybody has some neighbours, and what is announced goes from one to the next as far as it is
// passed on. Nothing is lost. Who joins is given what its neighbours have passed on before, as by PULL.

import type { Flood, FloodListener, Opinion } from '../../module-api/index.ts';
import { type Rng, type Runtime, randomBetween, shuffled } from '../../runtime/index.ts';

const LATENCY_MIN_MS = 10;
const LATENCY_MAX_MS = 100;

export class Mesh {
  readonly #rng: Rng;
  readonly #degree: number;
  readonly #members: Member[] = [];
  announcements = 0;

  constructor(rng: Rng, degree: number) {
    this.#rng = rng;
    this.#degree = degree;
  }

  join({ timers }: Pick<Runtime, 'timers'>): Flood {
    const member = new Member({
      later: (run) =>
        void timers.after(randomBetween(this.#rng, LATENCY_MIN_MS, LATENCY_MAX_MS), run),
      onAnnounce: () => {
        this.announcements++;
      },
    });
    for (const other of shuffled(this.#rng, this.#members).slice(0, this.#degree)) {
      member.meet(other);
      other.meet(member);
    }
    this.#members.push(member);
    return member;
  }
}

interface Surroundings {
  /** Inert once the node is gone. */
  later(run: () => void): void;
  onAnnounce(): void;
}

class Member implements Flood {
  readonly #around: Surroundings;
  readonly #neighbours: Member[] = [];
  /** The arrays themselves: all nodes pass on the same ones. */
  readonly #seen = new Set<Uint8Array>();
  readonly #passedOn: Uint8Array[] = [];
  #listener: FloodListener | undefined;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  listen(_dataType: number, listener: FloodListener): void {
    this.#listener = listener;
    this.#around.later(() => listener.onUp());
  }

  announce(_dataType: number, data: Uint8Array): void {
    this.#around.onAnnounce();
    this.#seen.add(data);
    this.#spread(data);
  }

  meet(other: Member): void {
    this.#neighbours.push(other);
    for (const data of this.#passedOn) other.#receive(data);
  }

  #spread(data: Uint8Array): void {
    this.#passedOn.push(data);
    for (const neighbour of this.#neighbours) neighbour.#receive(data);
  }

  #receive(data: Uint8Array): void {
    this.#around.later(() => {
      if (this.#seen.has(data)) return;
      this.#seen.add(data);
      const answer = (opinion: Opinion): void => {
        if (opinion === 'pass on') this.#spread(data);
      };
      this.#listener?.onItem({ data, answer });
    });
  }
}

// Nodes whose lines are watched: pairs of whole nodes on loopback, each pair with a tunnel between the two, and each node
// a relay for others. Their tunnels stand all the time; whether a pair talks in them is what attackers are to find out.

import { createSocket, type Socket } from 'node:dgram';
import type { Worker } from 'node:worker_threads';
import { manyHostkeys } from '../core/identity/testing/many-keys.ts';
import type { StartPlane } from '../core/onion/index.ts';
import { startWorker } from '../core/runtime/index.ts';
import { freePorts, LOOPBACK, sleep } from './bed.ts';
import { type Member, RoundClock, Speaker } from './speaker.ts';
import type { NaivePlace } from './unobservable-naive-worker.ts';

/** Longer than a session, so that no switch falls into it. */
const ROUND_SECONDS = 700;
/** Before a boundary: the next round's tunnels are not begun yet … */
const BEFORE_BUILDING_MS = 70_000;
/** … or are begun at once, and built in time. */
const BUILDING_MS = 14_000;
/** After the boundary: the last round's tunnels are gone, and every slot has its phase. */
const DRAINING_MS = 18_000;

export interface Pair {
  readonly ports: readonly number[];
  speak(): void;
  hush(): void;
  /** How many messages its nodes have got so far. */
  heard(): number;
}

export class Pairs {
  readonly #speakers: readonly Speaker[];
  readonly pairs: readonly Pair[];

  static async start(count: number, startPlane: StartPlane): Promise<Pairs> {
    const hostkeys = manyHostkeys(2 * count);
    const ports = await freePorts(hostkeys.length);
    const members: Member[] = hostkeys.map((hostkey, i) => ({
      hostkey,
      address: { ip: LOOPBACK, port: ports[i] ?? 0 },
    }));
    const clock = new RoundClock(ROUND_SECONDS);
    clock.leave(BEFORE_BUILDING_MS);
    const speakers = await Promise.all(
      members.map((me) =>
        Speaker.start({ me, others: members.filter((one) => one !== me), clock, startPlane }),
      ),
    );
    const standing = speakers.map(async (speaker, i) => {
      const partner = members[i + 1];
      if (i % 2 === 0 && partner !== undefined) await speaker.build(partner);
      else await speaker.called();
    });
    clock.leave(BUILDING_MS);
    await Promise.all(standing);
    await sleep(DRAINING_MS);
    return new Pairs(speakers, ports);
  }

  private constructor(speakers: readonly Speaker[], ports: readonly number[]) {
    this.#speakers = speakers;
    this.pairs = Array.from({ length: speakers.length / 2 }, (_, i) => {
      const both = speakers.slice(2 * i, 2 * i + 2);
      return {
        ports: ports.slice(2 * i, 2 * i + 2),
        speak: () => both.forEach((speaker) => void speaker.speak()),
        hush: () => both.forEach((speaker) => void speaker.hush()),
        heard: () => both.reduce((sum, { heard }) => sum + heard.length, 0),
      };
    });
  }

  async stop(): Promise<void> {
    await Promise.all(this.#speakers.map((speaker) => speaker.stop()));
  }
}

/** Senders that do it wrong. */
export class NaiveSenders {
  readonly #workers: readonly Worker[];
  readonly #sink: Socket;
  readonly sink: number;
  readonly ports: readonly number[];

  static async start(count: number): Promise<NaiveSenders> {
    const sink = createSocket('udp4');
    await new Promise<void>((resolve) => sink.bind(0, LOOPBACK, resolve));
    return new NaiveSenders(sink, await freePorts(count));
  }

  private constructor(sink: Socket, ports: readonly number[]) {
    this.#sink = sink;
    this.sink = sink.address().port;
    this.ports = ports;
    this.#workers = ports.map((port) => {
      const place: NaivePlace = { ip: LOOPBACK, port, to: this.sink };
      return startWorker(import.meta.url, './unobservable-naive-worker', place);
    });
  }

  setBusy(index: number, isBusy: boolean): void {
    this.#workers[index]?.postMessage(isBusy);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
    this.#sink.close();
  }
}

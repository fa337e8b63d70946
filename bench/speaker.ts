// A whole node of the onion module and one client of it, on loopback: builds a tunnel to another, and says something in
// each slot of its tunnels, its own and those that others have built to it, whenever it is told to. What it says tells
// when, so whoever shares its clock can see how long it took.

import { performance } from 'node:perf_hooks';
import { chooseProvider } from '../core/crypto/index.ts';
import type { Hostkey } from '../core/identity/index.ts';
import { createLogger } from '../core/log/index.ts';
import {
  type ClientEvent,
  OnionNode,
  type OnionStatus,
  type Peer,
  type StartPlane,
  startPlaneThread,
  TICK_MS,
  toPeer,
} from '../core/onion/index.ts';
import {
  type Address,
  type Runtime,
  randomUnit,
  realRng,
  realRuntime,
  shuffled,
  type Timer,
} from '../core/runtime/index.ts';

export const NETWORK = 'bench';
const CLIENT = 1;
/** A slot's worth. */
const SAID_BYTES = 480;

export interface Member {
  readonly hostkey: Hostkey;
  readonly address: Address;
}

export interface SpeakerOptions {
  readonly me: Member;
  readonly others: readonly Member[];
  readonly clock: RoundClock;
  readonly startPlane?: StartPlane;
}

export interface Heard {
  readonly atMs: number;
  readonly tookMs: number;
}

export class Speaker {
  readonly #node: OnionNode;
  readonly #ready = Promise.withResolvers<void>();
  readonly #incoming = Promise.withResolvers<void>();
  readonly #tunnels = new Set<number>();
  #speaking: Timer | undefined;
  readonly heard: Heard[] = [];
  /** When, in Unix time. */
  readonly said: number[] = [];

  static async start({
    me,
    others,
    clock,
    startPlane = startPlaneThread,
  }: SpeakerOptions): Promise<Speaker> {
    const peers = others.map(peerOf);
    let speaker: Speaker | undefined;
    const node = await OnionNode.start(
      {
        runtime: clock.runtime,
        provider: chooseProvider(),
        log: createLogger({ sink: { write: () => {} }, clock: realRuntime.clock, level: 'error' }),
        hostkey: me.hostkey,
        network: NETWORK,
        roundSeconds: clock.roundSeconds,
        hops: 2,
        maxCircuits: 32,
        allowPrivate: true,
        listen: { udp: me.address, tcp: me.address },
        guards: { count: 0, saved: [], save: () => {} },
        startPlane,
        samplePeers: async (count) => shuffled(realRng, peers).slice(0, count),
        // Proofs of work are no part of what is measured.
        solve: async () => new Uint8Array(8),
        verify: () => true,
      },
      (event) => speaker?.onEvent(event),
    );
    node.request((onion) => onion.addClient(CLIENT));
    speaker = new Speaker(node);
    return speaker;
  }

  private constructor(node: OnionNode) {
    this.#node = node;
  }

  get status(): OnionStatus {
    return this.#node.status;
  }

  /** Resolves when it stands: with the next round. */
  async build(to: Member): Promise<void> {
    this.#node.request((onion, now) => onion.build(CLIENT, peerOf(to), now));
    await this.#ready.promise;
  }

  /** When somebody has built a tunnel to it. */
  called(): Promise<void> {
    return this.#incoming.promise;
  }

  /** Not in every slot, if so asked: then what waits after a lost slot gets shorter again. */
  speak(everyMs: number = TICK_MS): void {
    this.hush();
    // People do not begin with a slot.
    const startMs = performance.now() + everyMs * randomUnit(realRng);
    const next = (turn: number): void => {
      this.#speaking = realRuntime.timers.after(
        Math.max(0, startMs + turn * everyMs - performance.now()),
        () => {
          this.#say();
          next(turn + 1);
        },
      );
    };
    next(0);
  }

  hush(): void {
    this.#speaking?.cancel();
  }

  async stop(): Promise<void> {
    this.hush();
    await this.#node.stop();
  }

  onEvent(event: ClientEvent): void {
    if (event.type === 'data') this.#hear(event.data);
    else if (event.type === 'ready' || event.type === 'incoming') {
      this.#tunnels.add(event.tunnel);
      if (event.type === 'ready') this.#ready.resolve();
      else this.#incoming.resolve();
    } else if (event.type === 'error') this.#ready.reject(new Error(`${event.request} failed`));
  }

  #say(): void {
    for (const tunnel of this.#tunnels) {
      const data = new Uint8Array(SAID_BYTES);
      const saidMs = performance.timeOrigin + performance.now();
      new DataView(data.buffer).setFloat64(0, saidMs);
      this.#node.request((onion, now) => onion.data(CLIENT, tunnel, data, now));
      this.said.push(saidMs);
    }
  }

  #hear(data: Uint8Array): void {
    const atMs = performance.timeOrigin + performance.now();
    const saidMs = new DataView(data.buffer, data.byteOffset).getFloat64(0);
    this.heard.push({ atMs, tookMs: atMs - saidMs });
  }
}

function peerOf({ hostkey, address }: Member): Peer {
  return toPeer(hostkey.publicKey, address);
}

/** Nodes share one of these: their wall clock is set as it suits, and rounds follow it. */
export class RoundClock {
  readonly roundSeconds: number;
  /** Of the system's. */
  aheadMs: number;
  readonly runtime: Runtime = {
    ...realRuntime,
    clock: { ...realRuntime.clock, wallMs: () => Date.now() + this.aheadMs },
  };

  constructor(roundSeconds: number, aheadMs = 0) {
    this.roundSeconds = roundSeconds;
    this.aheadMs = aheadMs;
  }

  /** Moves forward to so long before the next boundary. */
  leave(leftMs: number): void {
    const roundMs = 1000 * this.roundSeconds;
    const wallMs = this.runtime.clock.wallMs();
    this.aheadMs += (2 * roundMs - leftMs - (wallMs % roundMs)) % roundMs;
  }
}

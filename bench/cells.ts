// What one cell costs a relay's data plane, time and memory: everything is real but sockets and clock. Packets are made
// beforehand, come from memory and go nowhere. What the figures are made of is in crypto.ts.

import { type CryptoProvider, chooseProvider } from '../core/crypto/index.ts';
import {
  COMMAND,
  cellBody,
  type NewSession,
  Session,
  writeCellHeader,
} from '../core/link/index.ts';
import { DataPacket } from '../core/link/wire.ts';
import { DataPlane } from '../core/onion/plane.ts';
import { onionTiming } from '../core/onion/timing.ts';
import { type Runtime, randomBytes, realRng, type UdpHandlers } from '../core/runtime/index.ts';
import type { Recorder } from './harness.ts';

const CIRCUITS = 100;
const TICK_MS = 20;
const TICKS_PER_RUN = 20;
const RUNS = 9;
const WARM_UP_RUNS = 25;
const NEIGHBOUR = { ip: '20.0.0.2', port: 4000 };

export async function benchCells(recorder: Recorder): Promise<void> {
  const provider = chooseProvider();
  const world = new StillWorld();
  const plane = new DataPlane({
    runtime: world.runtime,
    provider,
    timing: onionTiming(300),
    allowPrivate: true,
    post: () => {},
  });
  plane.handle({ type: 'listen', udp: { ip: '20.0.0.1', port: 4000 } });
  await Promise.resolve();
  const neighbours = [1, 2].map((link) => new Neighbour(provider, link));
  for (const { session } of neighbours) plane.handle({ type: 'add session', session });
  for (let circuit = 1; circuit <= CIRCUITS; circuit++) relayed(plane, circuit);
  const [times, bytes]: [number[], number[]] = [[], []];
  for (let run = 0; run < WARM_UP_RUNS + RUNS; run++) {
    const ticks = Array.from({ length: TICKS_PER_RUN }, () =>
      neighbours.flatMap((neighbour) => neighbour.packets()),
    );
    globalThis.gc?.();
    const [startMs, startBytes] = [performance.now(), process.memoryUsage().heapUsed];
    for (const packets of ticks) world.run(packets);
    const [endMs, endBytes] = [performance.now(), process.memoryUsage().heapUsed];
    const cells = 2 * CIRCUITS * TICKS_PER_RUN;
    if (run < WARM_UP_RUNS) continue;
    times.push(((endMs - startMs) * 1000) / cells);
    bytes.push((endBytes - startBytes) / cells);
  }
  recorder.add('relay: in and out', 'µs', times);
  recorder.add('relay: allocated', 'bytes', bytes);
  await plane.stop();
}

function relayed(plane: DataPlane, circuit: number): void {
  const place = { circuit, circId: circuit, cells: [] };
  plane.handle({ type: 'add relayed', link: 1, secret: randomBytes(realRng, 32), ...place });
  plane.handle({ type: 'connect next', link: 2, ...place });
  plane.handle({ type: 'relay', circuit });
}

/** The other end of a link: makes the packets that the plane gets. */
class Neighbour {
  readonly session: NewSession;
  readonly #sealing: Session;

  constructor(provider: CryptoProvider, link: number) {
    const [sendKey, receiveKey] = [randomBytes(realRng, 32), randomBytes(realRng, 32)];
    const keys = { sendKey, receiveKey, sendIndex: link, receiveIndex: link, sendsFirst: true };
    const route = { transport: 'udp', to: NEIGHBOUR } as const;
    this.session = { link, stage: 'open', route, keys };
    const theirs = { ...keys, sendKey: receiveKey, receiveKey: sendKey };
    this.#sealing = new Session({ provider, keys: theirs, nowMs: 0 });
  }

  /** One of each circuit. */
  packets(): Uint8Array[] {
    return Array.from({ length: CIRCUITS }, (_, i) => {
      const packet = new DataPacket();
      writeCellHeader(packet.cell, i + 1, COMMAND.relay);
      realRng.fill(cellBody(packet.cell));
      this.#sealing.seal(packet, 0);
      return packet.bytes;
    });
  }
}

interface Waiting {
  readonly atMs: number;
  readonly run: () => void;
}

/** A runtime whose time moves when it is told to, and whose network swallows everything. */
class StillWorld {
  #nowMs = 0;
  #handlers: UdpHandlers | undefined;
  readonly #timers = new Set<Waiting>();

  readonly runtime: Runtime = {
    rng: realRng,
    clock: { nowMs: () => this.#nowMs, wallMs: () => this.#nowMs },
    timers: {
      after: (delayMs, run) => {
        const timer = { atMs: this.#nowMs + delayMs, run };
        this.#timers.add(timer);
        return { cancel: () => void this.#timers.delete(timer) };
      },
    },
    network: {
      bindUdp: async (local, handlers) => {
        this.#handlers = handlers;
        return { local, sendErrors: 0, send: () => {}, close: async () => {} };
      },
      listenTcp: () => Promise.reject(new Error('no streams here')),
      dialTcp: () => Promise.reject(new Error('no streams here')),
      dialSocks: () => Promise.reject(new Error('no streams here')),
    },
  };

  /** One tick: these packets arrive, and all slots are served. */
  run(packets: readonly Uint8Array[]): void {
    for (const packet of packets) this.#handlers?.onPacket(packet, NEIGHBOUR);
    for (let i = 0; i < TICK_MS; i++) {
      this.#nowMs += 1;
      for (const timer of this.#timers) {
        if (timer.atMs > this.#nowMs || !this.#timers.delete(timer)) continue;
        timer.run();
      }
    }
  }
}

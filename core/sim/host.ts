// A simulated machine: addresses, an access line, a clock that is wrong in its own way, a disk, and the program that
// runs on it. `crash` is the plug pulled: nothing of that life happens any more, nobody is told, and only the disk
// is left. `stop` is an orderly end. A machine turns hostile by starting again with another program.

import type { Runtime } from '../runtime/index.ts';
import { Life, type Surroundings } from './life.ts';
import type { Nat } from './nat.ts';
import type { Packet } from './packet.ts';
import { Pipe } from './pipe.ts';
import { isLoopback } from './ports.ts';

export interface HostOptions {
  /** Instead of one public IPv4 address given by the world. */
  readonly ips?: readonly string[];
  /** Behind this translator, with a private address. */
  readonly nat?: Nat;
  /** How far its wall clock is ahead of the world's. */
  readonly offsetMs?: number;
  /** How much faster than the world's its clocks and timers run, in millionths. */
  readonly driftPpm?: number;
  readonly access?: AccessLine;
  /** Most bytes it puts into a TCP segment. With 1, others get what it writes byte by byte. */
  readonly segmentBytes?: number;
}

/** Unlimited where it names no rate. */
export interface AccessLine {
  readonly upBytesPerSecond?: number;
  readonly downBytesPerSecond?: number;
  /** How long a packet may wait in the queue of either direction; the one after it is dropped. */
  readonly queueMs?: number;
}

/** What a program hands back, so that it can be stopped in good order. */
export interface Running {
  stop?(): void | Promise<void>;
}

export interface ProgramEnvironment {
  readonly runtime: Runtime;
  /** Files by name. A write is whole and durable at once. */
  readonly disk: Map<string, Uint8Array>;
  readonly host: Host;
}

export type Program = (
  env: ProgramEnvironment,
) => undefined | Running | Promise<undefined | Running>;

/** A guess; home routers queue from tens of milliseconds to seconds. */
const QUEUE_MS = 200;

/** Fits what is left of an Ethernet frame in any tunnel. */
const SEGMENT_BYTES = 1400;

export class Host {
  readonly name: string;
  readonly ips: readonly string[];
  readonly nat: Nat | undefined;
  readonly disk = new Map<string, Uint8Array>();
  readonly uplink: Pipe | undefined;
  readonly downlink: Pipe | undefined;
  readonly segmentBytes: number;
  /** Local time per time of the world. */
  readonly rate: number;
  readonly #around: Surroundings;
  #offsetMs: number;
  #program: Program = () => undefined;
  #life: Life | undefined;
  #running: Promise<undefined | Running> | undefined;

  constructor(name: string, ips: readonly string[], around: Surroundings, options: HostOptions) {
    const { upBytesPerSecond, downBytesPerSecond, queueMs = QUEUE_MS } = options.access ?? {};
    this.name = name;
    this.ips = ips;
    this.nat = options.nat;
    this.uplink = upBytesPerSecond === undefined ? undefined : new Pipe(upBytesPerSecond, queueMs);
    this.downlink =
      downBytesPerSecond === undefined ? undefined : new Pipe(downBytesPerSecond, queueMs);
    this.segmentBytes = options.segmentBytes ?? SEGMENT_BYTES;
    this.rate = 1 + (options.driftPpm ?? 0) / 1e6;
    this.#around = around;
    this.#offsetMs = options.offsetMs ?? 0;
  }

  /** Its first address: private behind a translator. */
  get ip(): string {
    return this.ips[0] ?? '';
  }

  get up(): boolean {
    return this.#life !== undefined;
  }

  owns(ip: string): boolean {
    return isLoopback(ip) || this.ips.includes(ip);
  }

  wallMs(): number {
    const { time } = this.#around;
    return Math.floor(time.wallStartMs + this.#offsetMs + time.nowMs() * this.rate);
  }

  /** Somebody sets the wall clock. */
  stepWall(ms: number): void {
    this.#offsetMs += ms;
  }

  /** Switches on and runs `program`, or the one that ran before. What it throws stops the world. */
  start(program: Program = this.#program): Runtime {
    if (this.#life !== undefined) throw new Error(`${this.name} is running already`);
    const life = new Life(this, this.#around);
    this.#life = life;
    this.#program = program;
    this.#running = run(program, { runtime: life.runtime, disk: this.disk, host: this });
    this.#running.catch((error: unknown) => {
      life.after(0, () => {
        throw error;
      });
    });
    return life.runtime;
  }

  /** As if the power failed. */
  crash(): void {
    this.#life?.end();
    this.#life = undefined;
  }

  restart(program: Program = this.#program): Runtime {
    this.crash();
    return this.start(program);
  }

  /** Lets the program end, then closes what it left open, as a system does. Needs the world to run meanwhile. */
  async stop(): Promise<void> {
    const life = this.#life;
    const running = await this.#running;
    await running?.stop?.();
    if (life === undefined || life !== this.#life) return;
    life.exit();
    this.#life = undefined;
  }

  receive(packet: Packet): void {
    this.#life?.receive(packet);
  }
}

async function run(program: Program, env: ProgramEnvironment): Promise<undefined | Running> {
  return program(env);
}

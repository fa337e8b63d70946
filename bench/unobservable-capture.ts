// What somebody on the wire sees: every datagram between some ports on loopback, with the kernel's time of its sending,
// as tcpdump captures it. Contents are not looked at; they are random.

import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import type { Readable } from 'node:stream';

const MAGIC_NANOSECONDS = 0xa1b2_3c4d;
const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
/** Ethernet and IPv4 without options, as loopback has them. */
const UDP_AT = 14 + 20;
const UDP_HEADER_BYTES = 8;
const SNAP_BYTES = UDP_AT + UDP_HEADER_BYTES;

export interface Seen {
  /** Unix time. */
  readonly atMs: number;
  readonly from: number;
  readonly to: number;
  /** Of the datagram. */
  readonly bytes: number;
}

/** Whether there is a tcpdump, and we may use it. */
export function canCapture(): boolean {
  return spawnSync('tcpdump', ['-i', 'lo', '-L'], { stdio: 'ignore' }).status === 0;
}

export class Capture {
  readonly #tcpdump: ChildProcessByStdio<null, Readable, Readable>;
  readonly #ports: ReadonlySet<number>;
  readonly #onSeen: (seen: Seen) => void;
  #rest = Buffer.alloc(0);
  #isBegun = false;
  #said = '';

  static async start(ports: readonly number[], onSeen: (seen: Seen) => void): Promise<Capture> {
    const capture = new Capture(ports, onSeen);
    await capture.#begun();
    return capture;
  }

  private constructor(ports: readonly number[], onSeen: (seen: Seen) => void) {
    this.#ports = new Set(ports);
    this.#onSeen = onSeen;
    const [low, high] = [Math.min(...ports), Math.max(...ports)];
    const what = `udp portrange ${low}-${high}`;
    const options = `-i lo -n -s ${SNAP_BYTES} -B 16384 --nano -w -`.split(' ');
    const stdio = ['ignore', 'pipe', 'pipe'] as const;
    this.#tcpdump = spawn('tcpdump', [...options, what], { stdio: [...stdio] });
    this.#tcpdump.stdout.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#tcpdump.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text;
    });
  }

  /** Resolves when all that was captured has been told; throws if some was not. */
  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#tcpdump.once('close', resolve));
    this.#tcpdump.kill('SIGINT');
    await ended;
    const [, dropped = '?'] = /(\d+) packets? dropped by kernel/.exec(this.#said) ?? [];
    if (dropped !== '0') throw new Error(`the capture has lost ${dropped} packets`);
  }

  #begun(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#tcpdump.once('exit', () => reject(new Error(`tcpdump has ended: ${this.#said}`)));
      this.#tcpdump.stderr.on('data', () => {
        if (this.#said.includes('listening on')) resolve();
      });
    });
  }

  #read(chunk: Buffer): void {
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (!this.#isBegun && data.length >= FILE_HEADER_BYTES) {
      if (data.readUInt32LE(0) !== MAGIC_NANOSECONDS) throw new Error('no capture of this machine');
      data = data.subarray(FILE_HEADER_BYTES);
      this.#isBegun = true;
    }
    let at = 0;
    while (this.#isBegun && data.length - at >= RECORD_HEADER_BYTES) {
      const length = data.readUInt32LE(at + 8);
      if (data.length - at < RECORD_HEADER_BYTES + length) break;
      if (length >= SNAP_BYTES) this.#tell(data, at);
      at += RECORD_HEADER_BYTES + length;
    }
    this.#rest = Buffer.from(data.subarray(at));
  }

  #tell(data: Buffer, at: number): void {
    const udp = at + RECORD_HEADER_BYTES + UDP_AT;
    const [from, to] = [data.readUInt16BE(udp), data.readUInt16BE(udp + 2)];
    if (!this.#ports.has(from) || !this.#ports.has(to)) return;
    const atMs = data.readUInt32LE(at) * 1000 + data.readUInt32LE(at + 4) / 1e6;
    this.#onSeen({ atMs, from, to, bytes: data.readUInt16BE(udp + 4) - UDP_HEADER_BYTES });
  }
}

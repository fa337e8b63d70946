// The receiving half of a simulated TCP connection: puts segments in order, and holds them while the application has
// paused. What it holds counts against the window it announces.

import type { Segment } from './packet.ts';
import { RECEIVE_WINDOW_BYTES } from './tcp-sender.ts';

export interface Received {
  readonly kind: Segment['kind'];
  readonly bytes: Uint8Array;
}

export class TcpReceiver {
  readonly #deliver: (received: Received) => void;
  /** Beyond a gap. The sender keeps to the window, which bounds both. */
  readonly #early = new Map<number, Received>();
  #ready: Received[] = [];
  #heldBytes = 0;
  #next = 0;
  #paused = false;
  #delivering = false;

  constructor(deliver: (received: Received) => void) {
    this.#deliver = deliver;
  }

  /** The first number not received in order. */
  get next(): number {
    return this.#next;
  }

  get windowBytes(): number {
    return Math.max(0, RECEIVE_WINDOW_BYTES - this.#heldBytes);
  }

  take({ kind, number }: Segment, bytes: Uint8Array): void {
    if (number < this.#next || this.#early.has(number)) return;
    this.#early.set(number, { kind, bytes });
    this.#heldBytes += bytes.length;
    for (;;) {
      const received = this.#early.get(this.#next);
      if (received === undefined) return;
      this.#early.delete(this.#next++);
      this.#ready.push(received);
    }
  }

  /** Hands on what is in order, one segment at a time: the application may pause at any. */
  flush(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    while (!this.#paused) {
      const received = this.#ready.shift();
      if (received === undefined) break;
      this.#heldBytes -= received.bytes.length;
      this.#deliver(received);
    }
    this.#delivering = false;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
  }

  stop(): void {
    this.#paused = true;
    this.#ready = [];
  }
}

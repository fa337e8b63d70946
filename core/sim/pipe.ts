// One direction of a host's access line: so many bytes per second, a queue in front of it, and nothing for whoever
// comes when the queue is full (drop-tail).

export class Pipe {
  readonly #bytesPerMs: number;
  readonly #queueMs: number;
  #freeAtMs = 0;

  constructor(bytesPerSecond: number, queueMs: number) {
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.#queueMs = queueMs;
  }

  /** How long until a packet handed over now is through; undefined when the queue is full. */
  admit(bytes: number, nowMs: number): number | undefined {
    const waitMs = Math.max(0, this.#freeAtMs - nowMs);
    if (waitMs > this.#queueMs) return undefined;
    const throughMs = waitMs + bytes / this.#bytesPerMs;
    this.#freeAtMs = nowMs + throughMs;
    return throughMs;
  }
}

// The queue of everything that is going to happen in a simulated world: a binary heap ordered by time, and by the
// order of scheduling among events of one instant, so that a run never depends on how the heap is laid out.
// Cancelling takes an event out at once: a timer that is always re-armed leaves nothing behind. It runs no event
// and knows no clock; virtual-time.ts does that.

import type { Timer } from '../runtime/index.ts';

const OUT_OF_QUEUE = -1;

export class QueuedEvent implements Timer {
  readonly atMs: number;
  readonly sequence: number;
  readonly run: () => void;
  /** Whatever this event dies with (`cancelOwnedBy`). */
  readonly owner: object | undefined;
  /** Where it is in the heap. The queue's business alone. */
  position = OUT_OF_QUEUE;
  readonly #queue: EventQueue;

  constructor(queue: EventQueue, event: Pick<QueuedEvent, 'atMs' | 'sequence' | 'run' | 'owner'>) {
    this.#queue = queue;
    this.atMs = event.atMs;
    this.sequence = event.sequence;
    this.run = event.run;
    this.owner = event.owner;
  }

  cancel(): void {
    this.#queue.remove(this);
  }

  before(other: QueuedEvent): boolean {
    return this.atMs < other.atMs || (this.atMs === other.atMs && this.sequence < other.sequence);
  }
}

export class EventQueue {
  #heap: QueuedEvent[] = [];
  #sequence = 0;

  get size(): number {
    return this.#heap.length;
  }

  push(atMs: number, run: () => void, owner?: object): QueuedEvent {
    const event = new QueuedEvent(this, { atMs, sequence: this.#sequence++, run, owner });
    this.#heap.push(event);
    this.#up(event, this.#heap.length - 1);
    return event;
  }

  /** Takes out the next event, unless it is later than that. */
  popUntil(untilMs: number): QueuedEvent | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.atMs > untilMs) return undefined;
    this.remove(first);
    return first;
  }

  /** Harmless for an event that is not in the queue any more. */
  remove(event: QueuedEvent): void {
    const hole = event.position;
    if (hole === OUT_OF_QUEUE) return;
    event.position = OUT_OF_QUEUE;
    const last = this.#heap.pop();
    if (last === undefined || last === event) return;
    if (last.before(event)) this.#up(last, hole);
    else this.#down(last, hole);
  }

  cancelOwnedBy(owner: object): void {
    const kept = this.#heap.filter((event) => {
      if (event.owner === owner) event.position = OUT_OF_QUEUE;
      return event.owner !== owner;
    });
    this.#heap = kept;
    for (const [position, event] of kept.entries()) event.position = position;
    for (let at = (kept.length >> 1) - 1; at >= 0; at--) this.#down(kept[at] as QueuedEvent, at);
  }

  #up(event: QueuedEvent, from: number): void {
    const heap = this.#heap;
    let at = from;
    while (at > 0) {
      const parent = heap[(at - 1) >> 1] as QueuedEvent;
      if (!event.before(parent)) break;
      heap[at] = parent;
      parent.position = at;
      at = (at - 1) >> 1;
    }
    heap[at] = event;
    event.position = at;
  }

  #down(event: QueuedEvent, from: number): void {
    const heap = this.#heap;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      const right = heap[child + 1];
      if (right?.before(heap[child] as QueuedEvent)) child++;
      const earliest = heap[child];
      if (earliest === undefined || event.before(earliest)) break;
      heap[at] = earliest;
      earliest.position = at;
      at = child;
    }
    heap[at] = event;
    event.position = at;
  }
}

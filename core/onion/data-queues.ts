// What waits for slots in the data plane, by circuit (protocol 3.5, 3.7). Queues come and go with their circuits; but the
// one of a tunnel whose next circuit does not stand yet is kept, and more may join it, until it moves there.

import type { OutgoingQueue } from './outgoing.ts';
import type { CircuitCommand, CircuitId } from './plane-port.ts';

export type DataCommand = CircuitCommand & {
  readonly type: 'send inner' | 'move data' | 'keep data' | 'forget data';
};

export class DataQueues {
  /** As many as there are circuits. */
  readonly #queues = new Map<CircuitId, OutgoingQueue>();
  /** One for each tunnel of clients that is between two circuits; their number is the control plane's to bound. */
  readonly #kept = new Map<CircuitId, OutgoingQueue>();
  readonly #dropped: (circuit: CircuitId, messages: number) => void;

  /** `dropped`: so many messages had to go for others. */
  constructor(dropped: (circuit: CircuitId, messages: number) => void) {
    this.#dropped = dropped;
  }

  add(circuit: CircuitId, queue: OutgoingQueue): void {
    this.#queues.set(circuit, queue);
  }

  /** The circuit is gone. */
  remove(circuit: CircuitId): void {
    this.#kept.get(circuit)?.rewind();
    this.#queues.delete(circuit);
  }

  handle(command: DataCommand): void {
    const { circuit } = command;
    const queue = this.#kept.get(circuit) ?? this.#queues.get(circuit);
    if (queue === undefined) return;
    switch (command.type) {
      case 'send inner':
        this.#send(queue, command);
        break;
      case 'move data':
        this.#move(circuit, queue, command.to);
        break;
      case 'keep data':
        this.#kept.set(circuit, queue);
        break;
      default:
        this.#kept.delete(circuit);
    }
  }

  #send(queue: OutgoingQueue, { circuit, ...what }: DataCommand & { type: 'send inner' }): void {
    const { messages } = what;
    if (what.queue === 'control') queue.pushControl(messages);
    else if (what.queue === 'idle') queue.pushIdle(messages);
    else this.#count(circuit, queue.pushData(messages));
  }

  #move(from: CircuitId, queue: OutgoingQueue, to: CircuitId): void {
    const target = this.#queues.get(to);
    if (target === undefined) return;
    this.#kept.delete(from);
    this.#count(to, target.takeOver(queue));
  }

  #count(circuit: CircuitId, dropped: number): void {
    if (dropped > 0) this.#dropped(circuit, dropped);
  }
}

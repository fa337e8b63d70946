import { describe, expect, it } from 'vitest';
import { DataQueues } from './data-queues.ts';
import { encodeInner, INNER } from './inner.ts';
import { OutgoingQueue } from './outgoing.ts';

function pieces(tag: number, length: number = 10): Uint8Array[] {
  return encodeInner(INNER.data, new Uint8Array(length).fill(tag), tag);
}

/** Three circuits, and what is dropped. */
function queues() {
  const dropped: (readonly [circuit: number, messages: number])[] = [];
  const all = new DataQueues((circuit, messages) => void dropped.push([circuit, messages]));
  const of = [0, 1, 2].map(() => new OutgoingQueue());
  for (const [circuit, queue] of of.entries()) all.add(circuit, queue);
  const send = (circuit: number, tag: number, length?: number): void =>
    all.handle({ type: 'send inner', circuit, queue: 'data', messages: pieces(tag, length) });
  /** The last byte of all that leaves. */
  const left = (circuit: number): (number | undefined)[] => {
    const tags: (number | undefined)[] = [];
    for (;;) {
      const message = of[circuit]?.next();
      if (message === undefined) return tags;
      tags.push(message.at(-1));
    }
  };
  return { all, of, send, left, dropped };
}

describe('data that waits on a circuit', () => {
  it('goes with it', () => {
    const { all, send, left } = queues();
    send(0, 1);
    all.remove(0);
    send(0, 2);
    all.handle({ type: 'move data', circuit: 0, to: 1 });
    expect(left(1)).toEqual([]);
  });

  it('and is kept outlives it, with what joins it, and moves once', () => {
    const { all, of, send, left } = queues();
    send(0, 1, 1000);
    of[0]?.next();
    all.handle({ type: 'keep data', circuit: 0 });
    all.remove(0);
    send(0, 2);
    all.handle({ type: 'move data', circuit: 0, to: 1 });
    send(0, 3);
    all.handle({ type: 'move data', circuit: 0, to: 2 });
    expect([left(1), left(2)]).toEqual([[1, 1, 1, 2], []]);
  });

  it('and is kept goes on over it as long as it is there', () => {
    const { all, send, left } = queues();
    all.handle({ type: 'keep data', circuit: 0 });
    send(0, 1);
    expect(left(0)).toEqual([1]);
  });

  it('is not lost to a circuit that is not there', () => {
    const { all, send, left } = queues();
    send(0, 1);
    all.handle({ type: 'keep data', circuit: 0 });
    all.handle({ type: 'move data', circuit: 0, to: 9 });
    all.handle({ type: 'move data', circuit: 0, to: 1 });
    expect(left(1)).toEqual([1]);
  });

  it('is gone when it is forgotten', () => {
    const { all, send, left } = queues();
    send(0, 1);
    all.handle({ type: 'keep data', circuit: 0 });
    all.remove(0);
    all.handle({ type: 'forget data', circuit: 0 });
    all.handle({ type: 'move data', circuit: 0, to: 1 });
    expect(left(1)).toEqual([]);
  });

  it('is 64 KiB, kept or not, and it is told when some had to go', () => {
    const { all, send, dropped } = queues();
    all.handle({ type: 'keep data', circuit: 0 });
    all.remove(0);
    for (const circuit of [0, 1]) for (let i = 0; i < 3; i++) send(circuit, i, 30_000);
    all.handle({ type: 'move data', circuit: 0, to: 1 });
    expect(dropped).toEqual([
      [0, 1],
      [1, 1],
      [1, 2],
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import { INNER_DATA_MAX, INNER_PLAIN_BYTES, TUNNEL_DATA_MAX } from './geometry.ts';
import { encodeInner, INNER } from './inner.ts';
import { OutgoingQueue } from './outgoing.ts';

function data(tag: number, length: number = INNER_DATA_MAX): Uint8Array[] {
  return encodeInner(INNER.data, new Uint8Array(length).fill(tag), tag);
}

function control(tag: number): Uint8Array[] {
  return encodeInner(INNER.extendFail, Uint8Array.of(tag), 0);
}

function plaintext(tag: number): Uint8Array {
  return new Uint8Array(INNER_PLAIN_BYTES).fill(tag);
}

/** Type and last byte of all that leaves. */
function drained(queue: OutgoingQueue, most: number = 1000): [number, number][] {
  const left: [number, number][] = [];
  for (let i = 0; i < most; i++) {
    const message = queue.next();
    if (message === undefined) break;
    left.push([message[0] ?? 0, message.at(-1) ?? 0]);
  }
  return left;
}

describe('what waits for a slot', () => {
  it('leaves in order: control, data, what can wait, answers', () => {
    const queue = new OutgoingQueue();
    expect(queue.next()).toBeUndefined();
    queue.pushAnswer(plaintext(1), INNER.coverEcho);
    queue.pushIdle(control(7));
    queue.pushData(data(2));
    queue.pushControl(control(3));
    queue.pushAnswer(plaintext(4), INNER.probeAck);
    queue.pushData(data(5));
    queue.pushControl(control(6));
    expect(drained(queue)).toEqual([
      [INNER.extendFail, 3],
      [INNER.extendFail, 6],
      [INNER.data, 2],
      [INNER.data, 5],
      [INNER.extendFail, 7],
      [INNER.coverEcho, 1],
      [INNER.probeAck, 4],
    ]);
    expect(queue.next()).toBeUndefined();
  });

  it('is 64 KiB of data, and the oldest goes for what comes', () => {
    const queue = new OutgoingQueue();
    const fits = Math.floor(65_536 / INNER_DATA_MAX);
    const dropped = Array.from({ length: fits + 3 }, (_, i) => queue.pushData(data(i)));
    expect(dropped).toEqual([...Array(fits).fill(0), 1, 1, 1]);
    expect(drained(queue).map(([, tag]) => tag)).toEqual(
      Array.from({ length: fits }, (_, i) => i + 3),
    );
  });

  it('goes as whole messages', () => {
    const queue = new OutgoingQueue();
    queue.pushData(data(1, 30_000));
    queue.pushData(data(2, 30_000));
    expect(queue.pushData(data(3, 30_000))).toBe(1);
    const left = drained(queue).map(([, tag]) => tag);
    expect(left).toEqual([...Array(63).fill(2), ...Array(63).fill(3)]);
  });

  it('may be one message of the greatest length, and everything else goes for it', () => {
    const queue = new OutgoingQueue();
    for (let i = 0; i < 5; i++) queue.pushData(data(i));
    expect(queue.pushData(data(9, TUNNEL_DATA_MAX))).toBe(5);
    expect(drained(queue)).toHaveLength(137);
  });

  it('is finished once begun, whatever is offered', () => {
    const queue = new OutgoingQueue();
    let whole = 0;
    for (let second = 0; second < 60; second++) {
      queue.pushData(data(second, TUNNEL_DATA_MAX));
      // The last piece of the message is the one that is not full.
      for (let slot = 0; slot < 50; slot++) if ((queue.next()?.length ?? 488) < 488) whole++;
    }
    expect(whole).toBe(Math.floor((60 * 50) / 137));
  });

  it('is never more than a thousand pieces, however small', () => {
    const queue = new OutgoingQueue();
    for (let i = 0; i < 2000; i++) queue.pushData(data(1, 1));
    expect(drained(queue, 2000)).toHaveLength(1024);
  });

  it('is 32 pieces of control messages, and no half ones', () => {
    const queue = new OutgoingQueue();
    const four = [1, 2, 3, 4].flatMap(control);
    for (let i = 0; i < 7; i++) expect(queue.pushControl(four)).toBe(true);
    expect(queue.pushControl([...four, ...four])).toBe(false);
    expect(queue.pushControl(four)).toBe(true);
    expect(queue.pushControl(control(1))).toBe(false);
    expect(drained(queue)).toHaveLength(32);
  });

  it('goes over to another queue, but for what is begun', () => {
    const [from, to] = [new OutgoingQueue(), new OutgoingQueue()];
    for (const tag of [1, 2]) from.pushData(data(tag, 1000));
    from.next();
    expect(to.takeOver(from)).toBe(0);
    expect(drained(to).map(([, tag]) => tag)).toEqual([2, 2, 2]);
    expect(drained(from).map(([, tag]) => tag)).toEqual([1, 1]);
  });

  it('goes over whole when there are no more slots', () => {
    const [from, to] = [new OutgoingQueue(), new OutgoingQueue()];
    for (const tag of [1, 2]) from.pushData(data(tag, 1000));
    from.next();
    from.rewind();
    from.pushData(data(3));
    expect(to.takeOver(from)).toBe(0);
    expect(drained(to).map(([, tag]) => tag)).toEqual([1, 1, 1, 2, 2, 2, 3]);
    to.rewind();
    expect(drained(to)).toEqual([]);
  });

  it('for idle slots is 8 pieces, and no half messages', () => {
    const queue = new OutgoingQueue();
    for (let i = 0; i < 3; i++) queue.pushIdle([1, 2, 3].flatMap(control));
    expect(drained(queue)).toHaveLength(6);
  });

  it('is 32 answers, of the bytes that came', () => {
    const queue = new OutgoingQueue();
    const came = plaintext(0);
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 33; i++) queue.pushAnswer(came.fill(i), INNER.coverEcho);
      const echoes = Array.from({ length: 32 }, (_, i): [number, number] => [INNER.coverEcho, i]);
      expect(drained(queue)).toEqual(echoes);
    }
  });
});

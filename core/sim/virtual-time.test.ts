import { describe, expect, it } from 'vitest';
import { randomBelow, realRuntime, SeededRng } from '../runtime/index.ts';
import { EventQueue } from './events.ts';
import { settled, VirtualTime, WALL_START_MS } from './virtual-time.ts';

describe('EventQueue', () => {
  it('hands out by time, then in the order of scheduling, as sorting would', () => {
    const rng = new SeededRng(1);
    const queue = new EventQueue();
    const events = Array.from({ length: 500 }, () => queue.push(randomBelow(rng, 40), () => {}));
    const cancelled = events.filter(() => randomBelow(rng, 3) === 0);
    for (const event of cancelled) event.cancel();
    const expected = events
      .filter((event) => !cancelled.includes(event))
      .sort((a, b) => a.atMs - b.atMs || a.sequence - b.sequence);
    expect(drain(queue)).toEqual(expected);
  });

  it('forgets the events of one owner and keeps the rest in order', () => {
    const rng = new SeededRng(2);
    const queue = new EventQueue();
    const owners = [{}, {}];
    const events = Array.from({ length: 200 }, (_, i) =>
      queue.push(randomBelow(rng, 50), () => {}, owners[i % 2]),
    );
    queue.cancelOwnedBy(owners[0] ?? {});
    events[0]?.cancel();
    const kept = events.filter((_, i) => i % 2 === 1);
    expect(drain(queue)).toEqual(kept.sort((a, b) => a.atMs - b.atMs || a.sequence - b.sequence));
  });

  it('keeps nothing of a timer that is armed again and again', () => {
    const queue = new EventQueue();
    for (let i = 0; i < 1000; i++) queue.push(i, () => {}).cancel();
    expect(queue.size).toBe(0);
  });

  function drain(queue: EventQueue): unknown[] {
    const out: unknown[] = [];
    for (;;) {
      const event = queue.popUntil(Number.POSITIVE_INFINITY);
      if (event === undefined) return out;
      out.push(event);
    }
  }
});

describe('VirtualTime', () => {
  it('moves only when told to, and the wall clock with it', () => {
    const time = new VirtualTime();
    expect([time.nowMs(), time.wallMs()]).toEqual([0, WALL_START_MS]);
    time.advance(1500);
    expect([time.nowMs(), time.wallMs()]).toEqual([1500, WALL_START_MS + 1500]);
  });

  it('runs timers at their time, also those that timers start', () => {
    const time = new VirtualTime();
    const ran: [string, number][] = [];
    const note = (name: string) => ran.push([name, time.nowMs()]);
    time.after(20, () => note('second'));
    time.after(10, () => {
      note('first');
      time.after(5, () => note('between'));
      time.after(500, () => note('too late'));
    });
    time.after(15, () => note('cancelled')).cancel();
    time.advance(100);
    expect(ran).toEqual([
      ['first', 10],
      ['between', 15],
      ['second', 20],
    ]);
    expect(time.pending).toBe(1);
  });

  it('is never early, and always gets past a deadline', () => {
    const time = new VirtualTime();
    const deadlineMs = 0.1 + 0.2;
    let wakes = 0;
    const wait = (): void => {
      wakes++;
      if (time.nowMs() < deadlineMs) time.after(deadlineMs - time.nowMs(), wait);
    };
    time.after(0.1, wait);
    time.advance(1);
    expect(wakes).toBeLessThanOrEqual(3);
    expect(time.pending).toBe(0);
  });

  it('settles every promise before the next event', async () => {
    const time = new VirtualTime();
    const order: string[] = [];
    time.after(1, () => {
      order.push('timer at 1');
      void deepPromise(1000).then(() => order.push(`settled at ${time.nowMs()}`));
    });
    time.after(1.5, () => order.push('timer at 1.5'));
    await time.runFor(2);
    expect(order).toEqual(['timer at 1', 'settled at 1', 'timer at 1.5']);
  });

  it('lets an awaiting program sleep its way through', async () => {
    const time = new VirtualTime();
    const woken: number[] = [];
    const sleep = (ms: number): Promise<void> =>
      new Promise((resolve) => void time.after(ms, resolve));
    void (async () => {
      for (let i = 0; i < 3; i++) {
        await sleep(10);
        woken.push(time.nowMs());
      }
    })();
    await time.runFor(25);
    expect(woken).toEqual([10, 20]);
    expect(time.nowMs()).toBe(25);
  });

  it('stops as soon as what was waited for has come', async () => {
    const time = new VirtualTime();
    time.after(30, () => {});
    time.after(40, () => {});
    expect(await time.runUntil(100, () => time.nowMs() >= 30)).toBe(true);
    expect(time.nowMs()).toBe(30);
    expect(await time.runUntil(100, () => false)).toBe(false);
    expect(time.nowMs()).toBe(100);
  });

  it('steps through single events', async () => {
    const time = new VirtualTime();
    time.after(5, () => {});
    expect(await time.step()).toBe(true);
    expect(time.nowMs()).toBe(5);
    expect(await time.step()).toBe(false);
    expect(time.nowMs()).toBe(5);
  });

  it('passes on what an event throws, and can go on', async () => {
    const time = new VirtualTime();
    let later = false;
    time.after(1, () => {
      throw new Error('a bug');
    });
    time.after(2, () => {
      later = true;
    });
    await expect(time.runFor(10)).rejects.toThrow('a bug');
    await time.runFor(10);
    expect(later).toBe(true);
  });

  it('lets the real event loop turn in a long run', async () => {
    const time = new VirtualTime();
    let turned = false;
    realRuntime.timers.after(0, () => {
      turned = true;
    });
    const tick = (): void => void time.after(1, tick);
    tick();
    await time.runUntil(1_000_000, () => turned);
    expect(time.eventsRun).toBeLessThan(1_000_000);
  });

  it('refuses to be run twice at once', async () => {
    const time = new VirtualTime();
    const first = time.runFor(10);
    await expect(time.runFor(10)).rejects.toThrow('running already');
    expect(() => time.advance(1)).toThrow('inside a run');
    await first;
  });

  it('notices an endless loop in one instant', () => {
    const time = new VirtualTime();
    const again = (): void => void time.after(0, again);
    again();
    expect(() => time.advance(1)).toThrow('time stands still');
  });
});

describe('settled', () => {
  it('waits for the last link of a chain, from wherever it is called', async () => {
    let done = 0;
    void deepPromise(1000).then(() => done++);
    await settled();
    expect(done).toBe(1);
    await new Promise<void>((resolve) => {
      process.nextTick(() => {
        void deepPromise(1000).then(() => done++);
        void settled().then(resolve);
      });
    });
    expect(done).toBe(2);
  });
});

async function deepPromise(depth: number): Promise<void> {
  for (let i = 0; i < depth; i++) await undefined;
}

import { describe, expect, it } from 'vitest';
import { SeededRng, type Timer, type Timers } from '../runtime/index.ts';
import { VirtualTime } from '../sim/index.ts';
import { SlotStream } from './circuits.ts';
import { CELL_BYTES } from './geometry.ts';
import { SlotClock } from './slot-clock.ts';

const TICK_MS = 20;

/** Virtual time whose timers can all be held up, as by a busy event loop. */
class Stalling implements Timers {
  readonly time = new VirtualTime();
  readonly #waiting: (() => void)[] = [];
  #isStalled = false;

  after(delayMs: number, run: () => void): Timer {
    return this.time.after(delayMs, () => {
      if (this.#isStalled) this.#waiting.push(run);
      else run();
    });
  }

  stall(ms: number): void {
    this.#isStalled = true;
    this.time.advance(ms);
    this.#isStalled = false;
    for (const run of this.#waiting.splice(0)) run();
  }
}

interface Sent {
  readonly circId: number;
  readonly atMs: number;
}

/** A clock whose cells go nowhere but into `sent`; `links` are those that can send. */
function slotClock() {
  const timers = new Stalling();
  const sent: Sent[] = [];
  const links = new Set([1]);
  const cell = new Uint8Array(CELL_BYTES);
  const clock = new SlotClock({
    runtime: { clock: timers.time, timers, rng: new SeededRng(1) },
    tickMs: TICK_MS,
    send(stream) {
      if (!links.has(stream.link) || !stream.fill(cell)) return false;
      sent.push({ circId: stream.circId, atMs: timers.time.nowMs() });
      return true;
    },
  });
  const { time } = timers;
  return { clock, timers, time, sent, links };
}

function stream(circId: number, cells: readonly Uint8Array[] = []): SlotStream {
  return new SlotStream({ link: 1, circId }, cells, () => {});
}

function timesOf(sent: readonly Sent[], circId: number): number[] {
  return sent.filter((one) => one.circId === circId).map(({ atMs }) => atMs);
}

describe('slots', () => {
  it('come every tick, for each stream at a phase of its own', () => {
    const { clock, time, sent } = slotClock();
    for (let circId = 1; circId <= 8; circId++) clock.start(stream(circId));
    time.advance(1000);
    const phases = [1, 2, 3, 4, 5, 6, 7, 8].map((circId) => {
      const times = timesOf(sent, circId);
      expect(times.length).toBe(50);
      for (const [i, atMs] of times.slice(1).entries())
        expect(atMs - (times[i] ?? 0)).toBe(TICK_MS);
      return (times[0] ?? 0) % TICK_MS;
    });
    expect(new Set(phases).size).toBeGreaterThan(3);
  });

  it('move to another phase, and leave no more than a tick of a gap', () => {
    const { clock, time, sent } = slotClock();
    const moved = stream(1);
    clock.move(moved, 3);
    time.advance(100);
    clock.move(moved, 17);
    time.advance(100);
    const times = timesOf(sent, 1);
    expect(times).toEqual([3, 23, 43, 63, 83, 117, 137, 157, 177, 197]);
  });

  it('keep their schedule through a stall: two cells back to back, and the rest is lost', () => {
    const { clock, timers, time, sent } = slotClock();
    for (let circId = 1; circId <= 20; circId++) clock.move(stream(circId), circId - 1);
    time.advance(200);
    expect(clock.skipped).toBe(0);
    sent.splice(0);
    timers.stall(190);
    const late = sent.splice(0);
    for (let circId = 1; circId <= 20; circId++) {
      expect(timesOf(late, circId)).toEqual([390, 390]);
    }
    // Of 190 ms each stream had nine or ten slots.
    expect(clock.skipped + late.length).toBe(190);
    time.advance(210);
    for (let circId = 1; circId <= 20; circId++) {
      expect(timesOf(sent, circId).every((atMs) => atMs % TICK_MS === circId - 1)).toBe(true);
    }
    expect(sent.length).toBe(210);
  });

  it('lose nothing to a stall shorter than a tick', () => {
    const { clock, timers, time, sent } = slotClock();
    clock.move(stream(1), 10);
    time.advance(25);
    timers.stall(19);
    time.advance(16);
    expect(timesOf(sent, 1)).toEqual([10, 30 + 14, 50]);
    expect(clock.skipped).toBe(0);
  });
});

describe('a stream', () => {
  it('that ends sends the control cells it has, and is forgotten', () => {
    const { clock, time, sent } = slotClock();
    const ending = stream(1, [new Uint8Array(CELL_BYTES), new Uint8Array(CELL_BYTES)]);
    clock.start(ending);
    ending.end();
    time.advance(1000);
    expect(sent.length).toBe(2);
    expect(time.pending).toBe(0);
  });

  it('whose link cannot send loses its slots, not its place', () => {
    const { clock, time, sent, links } = slotClock();
    clock.move(stream(1), 5);
    time.advance(100);
    links.clear();
    time.advance(100);
    links.add(1);
    time.advance(100);
    expect(timesOf(sent, 1)).toEqual([5, 25, 45, 65, 85, 205, 225, 245, 265, 285]);
  });

  it('that ends when its link is gone is forgotten with what it still had', () => {
    const { clock, time, sent, links } = slotClock();
    const ending = stream(1, [new Uint8Array(CELL_BYTES)]);
    clock.start(ending);
    links.clear();
    ending.end();
    time.advance(1000);
    expect([sent.length, time.pending]).toEqual([0, 0]);
  });

  it('has no slots any more once the clock is stopped', () => {
    const { clock, time, sent } = slotClock();
    clock.start(stream(1));
    clock.stop();
    clock.start(stream(2));
    time.advance(100);
    expect([sent.length, time.pending]).toEqual([0, 0]);
  });
});

import { describe, expect, it } from 'vitest';
import { randomUnit, SeededRng } from '../runtime/index.ts';
import { BODY_BYTES } from './geometry.ts';
import { SlotQueue, slotPhase } from './slots.ts';
import { onionTiming } from './timing.ts';

const timing = onionTiming(300);

function body(tag: number): Uint8Array {
  return new Uint8Array(BODY_BYTES).fill(tag);
}

function pulled(queue: SlotQueue): number | undefined {
  const out = new Uint8Array(BODY_BYTES);
  return queue.pull(out) ? out[BODY_BYTES - 1] : undefined;
}

describe('the queue before a slot', () => {
  it('gives bodies in the order they were sent, not the order they came in', () => {
    const queue = new SlotQueue(timing);
    for (const counter of [7, 5, 6]) queue.push(body(counter), counter, 0);
    expect([pulled(queue), pulled(queue), pulled(queue), pulled(queue)]).toEqual([
      5,
      6,
      7,
      undefined,
    ]);
  });

  it('drops what comes after its successor has gone', () => {
    const queue = new SlotQueue(timing);
    queue.push(body(6), 6, 0);
    expect(pulled(queue)).toBe(6);
    queue.push(body(5), 5, 0);
    queue.push(body(6), 6, 0);
    expect(pulled(queue)).toBeUndefined();
  });

  it('drops the oldest beyond four, also when that is what came last', () => {
    const queue = new SlotQueue(timing);
    for (let counter = 2; counter <= 7; counter++) queue.push(body(counter), counter, 0);
    queue.push(body(1), 1, 0);
    expect(queue.length).toBe(4);
    expect(Array.from({ length: 5 }, () => pulled(queue))).toEqual([4, 5, 6, 7, undefined]);
  });

  it('sheds one cell when the other clock is faster: 50 slots in a row with two waiting', () => {
    const queue = new SlotQueue(timing);
    queue.push(body(0), 0, 0);
    const order: (number | undefined)[] = [];
    for (let counter = 1; counter <= 60; counter++) {
      queue.push(body(counter), counter, counter * 20);
      order.push(pulled(queue));
    }
    expect(order.slice(0, 49)).toEqual(Array.from({ length: 49 }, (_, i) => i));
    expect(order[49]).toBe(50);
    expect(queue.length).toBe(0);
  });

  it('answers the phase once, at the fiftieth arrival', () => {
    const queue = new SlotQueue(timing);
    const answers = Array.from({ length: 60 }, (_, i) => queue.push(body(i), i, 1000 + i * 20 + 5));
    expect(answers.filter((answer) => answer !== undefined)).toEqual([7]);
    expect(answers[49]).toBe(7);
  });
});

describe('the phase of a slot', () => {
  it('lies behind nearly every arrival by no more than it must', () => {
    const rng = new SeededRng(1);
    const arrivals = Array.from({ length: 500 }, (_, i) => i * 20 + 4 + 6 * randomUnit(rng));
    const phase = slotPhase(arrivals, timing);
    const late = arrivals.filter((ms) => ms % 20 > phase).length;
    expect(late / arrivals.length).toBeLessThanOrEqual(0.015);
    expect(phase).toBeLessThan(10.1);
  });

  it('works across the edge of the tick', () => {
    const arrivals = Array.from({ length: 50 }, (_, i) => i * 20 + (i % 2 === 0 ? 19.5 : 20.5));
    expect(slotPhase(arrivals, timing)).toBeCloseTo(2.5, 5);
  });

  it('keeps the margin between 2 and 10 ms', () => {
    const steady = Array.from({ length: 50 }, (_, i) => i * 20 + 3);
    expect(slotPhase(steady, timing)).toBeCloseTo(5, 9);
    const wild = steady.map((ms, i) => (i % 10 === 0 ? ms - 9 : i % 10 === 1 ? ms + 10.5 : ms));
    const phase = slotPhase(wild, timing);
    expect(phase).toBeLessThanOrEqual(13.0001);
  });
});

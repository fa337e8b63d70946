import { describe, expect, it } from 'vitest';
import type { ItemId } from './item.ts';
import { Outbox, type Urgency } from './outbox.ts';
import { Rate } from './rate.ts';

describe('a rate', () => {
  it('gives its burst at once, then so much per second', () => {
    const rate = new Rate({ perSecond: 2, burst: 3 });
    expect([0, 0, 0, 0, 400, 500, 999, 1000].map((ms) => rate.take(1, ms))).toEqual([
      true,
      true,
      true,
      false,
      false,
      true,
      false,
      true,
    ]);
  });

  it('never saves more than its burst, and takes nothing when there is too little', () => {
    const rate = new Rate({ perSecond: 1, burst: 5 });
    expect(rate.take(5, 0)).toBe(true);
    expect(rate.take(6, 3_600_000)).toBe(false);
    expect(rate.take(5, 3_600_000)).toBe(true);
  });
});

function id(number: number): ItemId {
  return String.fromCharCode(number).repeat(16) as ItemId;
}

function filled(items: readonly (readonly [number, Urgency])[]): Outbox {
  const outbox = new Outbox();
  for (const [number, urgency] of items) outbox.add(id(number), 'own', urgency);
  return outbox;
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

describe('an outbox', () => {
  const small = (): number => 100;

  it('sends the most urgent first, and each once', () => {
    const outbox = filled([
      [1, 'backlog'],
      [2, 'fresh'],
      [3, 'wanted'],
      [4, 'fresh'],
      [3, 'backlog'],
    ]);
    expect(outbox.take(small, 0)).toEqual([3, 2, 4, 1].map(id));
    expect(outbox.take(small, 0)).toEqual([]);
  });

  it('sends 40 items at once and then 16 a second', () => {
    const outbox = filled(numbers(0, 100).map((number) => [number, 'fresh']));
    expect(outbox.take(small, 0)).toHaveLength(40);
    expect(outbox.take(small, 0)).toHaveLength(0);
    expect(outbox.take(small, 1000)).toEqual(numbers(40, 56).map(id));
    expect(outbox.size).toBe(44);
  });

  it('sends 256 KiB at once and then 96 KiB a second', () => {
    const outbox = filled(numbers(0, 20).map((number) => [number, 'fresh']));
    const large = (): number => 64 << 10;
    expect(outbox.take(large, 0)).toHaveLength(4);
    expect(outbox.take(large, 1000)).toHaveLength(1);
    expect(outbox.take(large, 2000)).toHaveLength(2);
  });

  it('does not let many small items wait for a large one for ever', () => {
    const outbox = filled(numbers(0, 40).map((number) => [number, 'fresh']));
    expect(outbox.take(small, 0)).toHaveLength(40);
    outbox.add(id(200), 'own', 'wanted');
    expect(outbox.take(() => 65_546, 1000)).toEqual([id(200)]);
  });

  it('lets sources take turns, and drops the last of the longest queue', () => {
    const outbox = filled(numbers(0, 256).map((number) => [number, 'fresh']));
    outbox.add(id(300), 'tunnel', 'fresh');
    outbox.add(id(301), 'tunnel', 'fresh');
    expect([outbox.size, outbox.has(id(254)), outbox.has(id(253))]).toEqual([256, false, true]);
    expect(outbox.take(small, 0).slice(0, 5)).toEqual([0, 300, 1, 301, 2].map(id));
  });

  it('passes over what is not there any more', () => {
    const outbox = filled([
      [1, 'fresh'],
      [2, 'fresh'],
      [3, 'fresh'],
    ]);
    outbox.remove(id(3));
    expect(outbox.take((one) => (one === id(1) ? undefined : 1), 0)).toEqual([id(2)]);
    expect(outbox.size).toBe(0);
  });

  it('holds 256', () => {
    const outbox = filled(numbers(0, 300).map((number) => [number, 'fresh']));
    expect(outbox.size).toBe(256);
    expect(outbox.has(id(256))).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import type { IdentityKey } from '../identity/index.ts';
import { type Held, ItemCache } from './cache.ts';
import { SeenSet } from './seen.ts';
import { testHeld, testItem, WALL_MS } from './testing/fixtures.ts';

const [ALICE, BOB] = ['alice' as IdentityKey, 'bob' as IdentityKey];

function filled(cache: ItemCache, held: readonly Held[]): readonly number[] {
  for (const one of held) cache.add(one);
  return held.flatMap((one, i) => (cache.find(one.item.id) === one ? [i] : []));
}

function items(count: number, source: Held['source'] = 'own', from = 0): Held[] {
  return Array.from({ length: count }, (_, i) => testHeld(testItem(from + i), source));
}

describe('the cache', () => {
  it('keeps the newest of as many items as it may', () => {
    const cache = new ItemCache({ itemsMax: 3 });
    expect(filled(cache, items(5))).toEqual([2, 3, 4]);
    expect(cache.size).toBe(3);
  });

  it('keeps as many bytes as it may', () => {
    const cache = new ItemCache({ itemsMax: 100, bytesMax: 2.5 * (19 + 4) });
    expect(filled(cache, items(5))).toEqual([3, 4]);
    expect(cache.bytes).toBe(2 * (19 + 4));
  });

  it('lets a neighbour drive out only his own when he has a quarter of it', () => {
    const cache = new ItemCache({ itemsMax: 8 });
    const bobs = items(2, BOB, 100);
    filled(cache, bobs);
    expect(filled(cache, items(50, ALICE))).toEqual([48, 49]);
    expect(bobs.every(({ item }) => cache.find(item.id) !== undefined)).toBe(true);
  });

  it('has room for one item of a neighbour however small it is', () => {
    expect(filled(new ItemCache({ itemsMax: 1 }), items(3, ALICE))).toEqual([2]);
  });

  it('gives up what is over', () => {
    const cache = new ItemCache({ itemsMax: 10 });
    const [long, short] = [testItem(1, { lifetimeMin: 60 }), testItem(2, { lifetimeMin: 1 })];
    filled(cache, [testHeld(long), testHeld(short, ALICE)]);
    cache.expire(WALL_MS + 5 * 60_000);
    expect([...cache.values()].map(({ item }) => item)).toEqual([long]);
    expect(cache.bytes).toBe(long.encoded.length);
  });
});

describe('the seen set', () => {
  const ids = items(10).map(({ item }) => item.id);
  const seenOf = (seen: SeenSet): number[] => ids.flatMap((id, i) => (seen.has(id) ? [i] : []));

  it('remembers at least one generation and at most two', () => {
    const seen = new SeenSet(3);
    const sizes = ids.map((id) => {
      seen.add(id);
      return seen.size;
    });
    expect(sizes).toEqual([1, 2, 3, 4, 5, 3, 4, 5, 3, 4]);
    expect(seenOf(seen)).toEqual([6, 7, 8, 9]);
  });

  it('forgets one, or all', () => {
    const seen = new SeenSet(3);
    for (const id of ids.slice(0, 4)) seen.add(id);
    for (const id of [ids[0], ids[3]]) if (id !== undefined) seen.forget(id);
    expect(seenOf(seen)).toEqual([1, 2]);
    seen.clear();
    expect(seen.size).toBe(0);
  });
});

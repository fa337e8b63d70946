import { describe, expect, it } from 'vitest';
import type { Rng } from '../runtime/index.ts';
import { LinkTable } from './link-table.ts';

/** Draws these numbers, one after the other, and no more. */
function drawing(...numbers: number[]): Rng {
  return {
    fill: (target) => {
      const next = numbers.shift();
      if (next === undefined) throw new Error('nothing is left to draw');
      return target.fill(next);
    },
  };
}

describe('indices of links', () => {
  it('are never given twice, and free again when their link has gone', () => {
    const table = new LinkTable(drawing(1, 1, 1, 2, 1));
    const [a, b] = [table.newId(), table.newId()];
    const index = table.newIndex(a);
    expect(table.newIndex(b)).not.toBe(index);
    table.remove(a);
    expect(table.newIndex(b)).toBe(index);
  });

  it('of one link are few: the oldest is given up', () => {
    const table = new LinkTable(drawing(1, 2, 3, 4, 5, 6, 7, 8, 9, 1));
    const id = table.newId();
    const indices = Array.from({ length: 9 }, () => table.newIndex(id));
    expect(new Set(indices).size).toBe(9);
    expect(table.newIndex(id)).toBe(indices[0]);
  });
});

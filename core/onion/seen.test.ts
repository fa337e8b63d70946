import { describe, expect, it } from 'vitest';
import { randomBytes, SeededRng } from '../runtime/index.ts';
import { SeenTable } from './seen.ts';

const CELLS = 18_750;

describe('the table of seen bodies', () => {
  it('knows every body of a whole round again, and takes every new one', () => {
    const rng = new SeededRng(1);
    const table = new SeenTable(rng, CELLS);
    const bodies = Array.from({ length: CELLS }, () => randomBytes(rng, 512));
    expect(bodies.every((body) => table.add(body))).toBe(true);
    expect(bodies.some((body) => table.add(body))).toBe(false);
  });

  it('looks at the first 8 bytes only: that is what a replay must repeat', () => {
    const table = new SeenTable(new SeededRng(2), CELLS);
    const body = randomBytes(new SeededRng(3), 512);
    expect(table.add(body)).toBe(true);
    expect(table.add(body.slice().fill(0, 8))).toBe(false);
    body[7] = (body[7] ?? 0) ^ 1;
    expect(table.add(body)).toBe(true);
  });

  it('takes bodies that a stranger made alike as well as random ones', () => {
    for (const at of [0, 2, 4, 6]) {
      const table = new SeenTable(new SeededRng(at), CELLS);
      let taken = 0;
      for (let i = 0; i < CELLS; i++) {
        const body = new Uint8Array(512);
        body[at] = i & 0xff;
        body[at + 1] = i >> 8;
        if (table.add(body)) taken++;
      }
      expect(taken / CELLS).toBeGreaterThan(0.999);
    }
  });

  it('refuses everything once the circuit has carried more than its life allows', () => {
    const rng = new SeededRng(4);
    const table = new SeenTable(rng, 90);
    const taken = Array.from({ length: 1000 }, () => table.add(randomBytes(rng, 8)));
    expect(taken.filter(Boolean).length).toBeLessThanOrEqual(96);
    expect(taken.at(-1)).toBe(false);
  });
});

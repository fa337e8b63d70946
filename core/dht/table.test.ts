import { describe, expect, it } from 'vitest';
import { SeededRng } from '../runtime/index.ts';
import { compareDistance, idInBucket, sharedBits } from './distance.ts';
import { Table } from './table.ts';
import { contact } from './testing/records.ts';

const own = contact([]);

function table() {
  return new Table({ own: own.identity, rng: new SeededRng(1), allowPrivate: false });
}

/** In the bucket of no shared bits, each in a network of its own. */
const far = Array.from({ length: 40 }, (_, i) => contact([0x80 + i, i]));

describe('distances', () => {
  it('are XOR, read as a number', () => {
    const at = (...start: number[]) => contact(start).identity;
    expect(compareDistance(at(3), at(1), at(4))).toBeLessThan(0);
    expect(compareDistance(at(3), at(2), at(1))).toBeLessThan(0);
    expect(compareDistance(at(3), at(3), at(3))).toBe(0);
    expect(sharedBits(at(), at(0x80))).toBe(0);
    expect(sharedBits(at(), at(0, 1))).toBe(15);
    expect(sharedBits(at(), at())).toBe(256);
  });

  it.each([0, 1, 7, 8, 13, 255])('an id in bucket %i is there', (bits) => {
    const random = new SeededRng(bits).fill(new Uint8Array(32));
    const id = new SeededRng(99).fill(new Uint8Array(32));
    expect(sharedBits(id, idInBucket(id, bits, random))).toBe(bits);
  });
});

describe('the routing table', () => {
  it('tells the nearest, and prefers who answered last time', () => {
    const nodes = table();
    for (const one of far.slice(0, 10)) nodes.confirm(one, 0);
    const target = far[3]?.identity ?? own.identity;
    expect(nodes.closest(target, 1)).toEqual([far[3]]);
    const [third = own] = far.slice(3);
    nodes.failed(third);
    expect(nodes.closest(target, 10)).toHaveLength(10);
    expect(nodes.closest(target, 10).at(-1)).toEqual(third);
  });

  it('keeps 20 old ones in a bucket, and gives the place of a dead one to the newest spare', () => {
    const nodes = table();
    for (const one of far.slice(0, 22)) nodes.confirm(one, 0);
    expect(nodes.all()).toEqual(far.slice(0, 20));
    const [dead = own] = far;
    for (let i = 0; i < 2; i++) nodes.failed(dead);
    expect(nodes.has(dead)).toBe(true);
    nodes.failed(dead);
    expect(nodes.all()).toEqual([...far.slice(1, 20), far[21]]);
    // It is not forgotten: another time it may answer.
    const spares = Array.from({ length: 50 }, () => nodes.randomSpare()?.key);
    expect(new Set(spares)).toEqual(new Set([far[20]?.key, dead.key]));
  });

  it('takes two of a network into a bucket, and ten in all (attack 22: many ids at one place)', () => {
    const nodes = table();
    for (let bits = 0; bits < 8; bits++) {
      for (let i = 0; i < 3; i++)
        nodes.confirm(contact([0x80 >> bits, i], `20.0.0.${bits + 1}`), 0);
      expect(nodes.size).toBe(Math.min(2 * (bits + 1), 10));
    }
    expect(nodes.hasRoomFor(contact([0x40, 9], '20.0.0.77'))).toBe(false);
    expect(nodes.hasRoomFor(contact([0x40, 9], '20.0.1.77'))).toBe(true);
  });

  it('follows a node to another address once it has answered there', () => {
    const nodes = table();
    nodes.confirm(contact([0x80], '20.0.0.1'), 0);
    nodes.confirm(contact([0x80], '30.0.0.1'), 0);
    expect(nodes.all().map(({ address }) => address.ip)).toEqual(['30.0.0.1']);
  });

  it('knows who has been silent for long', () => {
    const nodes = table();
    const [a = own, b = own] = far;
    nodes.confirm(a, 0);
    nodes.confirm(b, 1000);
    expect(nodes.quiet(5000, 4999)).toBeUndefined();
    expect(nodes.quiet(5000, 5000)).toEqual(a);
    nodes.confirm(a, 5000);
    expect(nodes.quiet(5000, 6000)).toEqual(b);
  });
});

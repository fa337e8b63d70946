import { describe, expect, it } from 'vitest';
import { concatBytes } from '../bytes/index.ts';
import { SeededRng } from '../runtime/index.ts';
import { CoverEchoes } from './cover-echoes.ts';
import { INNER } from './inner.ts';
import { readInner } from './testing/read.ts';

function echoes(): CoverEchoes {
  return new CoverEchoes(new SeededRng(1));
}

/** The covers of a request, as an endpoint gets them. */
function covers(of: CoverEchoes, client: number, size: number): Uint8Array[] {
  return readInner(of.begin(client, size)).map(({ type, data }) => {
    expect(type).toBe(INNER.cover);
    return data;
  });
}

function bytesIn(pieces: readonly Uint8Array[]): Uint8Array {
  return concatBytes(...pieces.map((piece) => piece.subarray(6)));
}

describe('the echo of COVER', () => {
  it.each([0, 1, 478, 479, 5000, 65_535])('of %i bytes comes in one piece', (size) => {
    const all = echoes();
    const pieces = covers(all, 3, size);
    expect(pieces).toHaveLength(Math.max(1, Math.ceil(size / 478)));
    const data = bytesIn(pieces);
    expect(data).toHaveLength(size);
    const last = pieces.pop() ?? data;
    for (const piece of pieces) expect(all.collect(piece)).toBeUndefined();
    expect(all.collect(last)).toEqual({ client: 3, data });
  });

  it('may come in any order, between those of others', () => {
    const all = echoes();
    const [mine, theirs] = [covers(all, 1, 1000), covers(all, 2, 1000)];
    const [a, b, c] = mine as [Uint8Array, Uint8Array, Uint8Array];
    const [d, e, f] = theirs as [Uint8Array, Uint8Array, Uint8Array];
    for (const piece of [c, d, a, f]) expect(all.collect(piece)).toBeUndefined();
    expect(all.collect(e)).toEqual({ client: 2, data: bytesIn([d, e, f]) });
    expect(all.collect(b)).toEqual({ client: 1, data: bytesIn([a, b, c]) });
  });

  it('is random, and other bytes each time', () => {
    const all = echoes();
    expect(bytesIn(covers(all, 1, 100))).not.toEqual(bytesIn(covers(all, 1, 100)));
  });

  it('does not come from an endpoint that alters it, adds to it or makes it up (attack 31)', () => {
    const all = echoes();
    const [cover = new Uint8Array()] = covers(all, 1, 100);
    const lies = [
      cover.with(50, (cover[50] ?? 0) ^ 1),
      cover.with(3, 9),
      cover.with(5, 1),
      cover.slice(0, -1),
      concatBytes(cover, Uint8Array.of(0)),
      cover.slice(0, 6),
      cover.slice(0, 5),
      new Uint8Array(),
    ];
    for (const lie of lies) expect(all.collect(lie)).toBeUndefined();
    expect(all.collect(cover)).toEqual({ client: 1, data: bytesIn([cover]) });
  });

  it('counts once, however often it comes (attack 31)', () => {
    const all = echoes();
    const [a, b] = covers(all, 1, 600) as [Uint8Array, Uint8Array];
    for (let i = 0; i < 3; i++) expect(all.collect(a)).toBeUndefined();
    expect(all.collect(b)).toBeDefined();
    for (const again of [a, b]) expect(all.collect(again)).toBeUndefined();
  });

  it('is waited for of the last 64 requests, and of clients that are there', () => {
    const all = echoes();
    const requests = Array.from({ length: 65 }, (_, i) => covers(all, i % 2, 10)[0]);
    const [first, second, third] = requests as [Uint8Array, Uint8Array, Uint8Array];
    expect(all.collect(first)).toBeUndefined();
    expect(all.collect(second)).toBeDefined();
    all.forget(0);
    expect(all.collect(third)).toBeUndefined();
  });
});

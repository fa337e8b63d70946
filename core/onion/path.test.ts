import { describe, expect, it } from 'vitest';
import { choosePath, mayJoin, type PathRules } from './path.ts';
import { somePeer, somePeers } from './testing/peers.ts';

const us = somePeer(100);
const RULES: PathRules = { own: us.key, hops: 2, sameNetgroupAllowed: false };
const [a = us, b = us, c = us, d = us, e = us] = somePeers(5);
const besideA = somePeer(9, '20.1.255.9');

describe('a path', () => {
  it('has as many relays as it should, and an endpoint, in the order of the candidates', () => {
    expect(choosePath([a, b, c, d], {}, RULES)).toEqual([a, b, c]);
    expect(choosePath([a, b, c, d], {}, { ...RULES, hops: 3 })).toEqual([a, b, c, d]);
  });

  it('ends where a client wants it to, and begins at the guard', () => {
    expect(choosePath([a, b, c], { destination: d }, RULES)).toEqual([a, b, d]);
    expect(choosePath([a, b, c], { first: e }, RULES)).toEqual([e, a, b]);
    expect(choosePath([a, b, c], { first: e, destination: d }, RULES)).toEqual([e, a, d]);
  });

  it.each([
    ['of nobody', [], {}],
    ['of too few', [a, b], {}],
    ['of one peer twice', [a, b, b, a], {}],
    ['over us', [a, us, b], {}],
    ['over the destination', [a, d], { destination: d }],
    ['over the guard', [a, e], { first: e }],
    ['of two in one netgroup', [a, besideA, b], {}],
    ['of one in the netgroup of the destination', [besideA, b], { destination: a }],
    ['of one in the netgroup of the guard', [besideA, b], { first: a }],
  ])('is not made %s', (_, candidates, ends) => {
    expect(choosePath(candidates, ends, RULES)).toBeUndefined();
  });

  it('goes past those it cannot take', () => {
    expect(choosePath([a, a, us, besideA, b, d, c], { destination: d }, RULES)).toEqual([a, b, d]);
  });

  it('may stay in one netgroup in a test network', () => {
    const rules = { ...RULES, sameNetgroupAllowed: true };
    expect(choosePath([a, besideA, b], {}, rules)).toEqual([a, besideA, b]);
    expect(choosePath([a, a, besideA], {}, rules)).toBeUndefined();
  });
});

describe('who may join a path', () => {
  it('is anybody else, elsewhere', () => {
    expect([a, besideA, b, us].map((peer) => mayJoin(peer, [a], RULES))).toEqual([
      false,
      false,
      true,
      false,
    ]);
  });
});

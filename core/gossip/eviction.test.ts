import { describe, expect, it } from 'vitest';
import { chooseToEvict } from './eviction.ts';
import { Neighbour } from './neighbours.ts';
import { addressOf, testPeer } from './testing/fixtures.ts';

interface Trait {
  readonly group?: number;
  readonly pingMs?: number;
  readonly usefulMs?: number;
}

/** Ordered from the oldest to the youngest. */
function inbound(traits: readonly Trait[]): Neighbour[] {
  return traits.map(({ group = 1, pingMs = 100, usefulMs = 0 }, id) => {
    const address = addressOf(group);
    const neighbour = new Neighbour(
      { id, peer: testPeer(id), address, isOutbound: false },
      1000 * id,
    );
    neighbour.pingMs = pingMs;
    neighbour.usefulMs = usefulMs;
    return neighbour;
  });
}

function crowd(count: number, trait: Trait = {}): Trait[] {
  return new Array<Trait>(count).fill(trait);
}

const alike = (): number => 0;

function evicted(traits: readonly Trait[], rankOf: (group: string) => number = alike) {
  return chooseToEvict(inbound(traits), rankOf)?.id;
}

describe('eviction', () => {
  it('spares everybody as long as there are twelve or less', () => {
    expect(evicted(crowd(12))).toBeUndefined();
    expect(evicted([])).toBeUndefined();
  });

  it('takes the youngest of those who are nothing special', () => {
    expect(evicted(crowd(30))).toBe(29);
  });

  it('takes the youngest of the largest netgroup', () => {
    const villains = crowd(10, { group: 66 });
    const honest = Array.from({ length: 16 }, (_, i) => ({ group: 100 + i }));
    expect(evicted([...honest, ...villains])).toBe(25);
  });

  it.each([
    ['the shortest round trips', { pingMs: 5 }],
    ['recent good items', { usefulMs: 900 }],
  ])('spares four with %s', (_, trait) => {
    expect(evicted([...crowd(26), ...crowd(4, trait)])).toBe(25);
  });

  it('spares four of netgroups that nobody can foresee', () => {
    const traits = [...crowd(22), ...crowd(4, { group: 9 })];
    const rank = (group: string): number => (group === '20.9' ? 0 : 1);
    expect(evicted(traits, rank)).toBe(21);
  });

  it('spares the older half of the rest', () => {
    const young = crowd(9, { group: 2 });
    const old = crowd(9, { group: 3 });
    expect(evicted([...crowd(12, { pingMs: 1, usefulMs: 9 }), ...old, ...young])).toBe(29);
  });
});

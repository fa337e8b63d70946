import { describe, expect, it } from 'vitest';
import type { Contact } from './contact.ts';
import { compareDistance } from './distance.ts';
import { Lookup, type LookupOptions, type Sighting } from './lookup.ts';
import { contact, filled } from './testing/records.ts';
import type { Found } from './wire.ts';

const target = filled(0);
/** The nearer the lower. */
const nodes = Array.from({ length: 60 }, (_, i) => contact([i + 1, i]));

/** Calls are answered when the test says so. */
function lookup(seeds: readonly Contact[], changes: Partial<LookupOptions> = {}) {
  const asked: { readonly contact: Contact; readonly done: (found: Found | undefined) => void }[] =
    [];
  const ends: (readonly Sighting[])[] = [];
  const clock = { nowMs: 0 };
  const one = new Lookup({
    target,
    paths: 2,
    width: 3,
    seeds,
    untilMs: 10_000,
    ask: (to, done) => void asked.push({ contact: to, done }),
    nowMs: () => clock.nowMs,
    isUsable: () => true,
    onSighting: () => false,
    done: (sightings) => void ends.push(sightings),
    ...changes,
  });
  one.tick();
  const answer = (told: (to: Contact) => readonly Contact[] | undefined): void => {
    for (const { contact: to, done } of asked.splice(0)) {
      const found = told(to);
      done(found && { type: 'found', token: new Uint8Array(16), nodes: found, records: [] });
    }
  };
  const later = (ms: number): void => {
    clock.nowMs += ms;
    one.tick();
  };
  return { asked, ends, answer, later, one };
}

function near(to: Contact, known: readonly Contact[]): Contact[] {
  return known
    .filter(({ key }) => key !== to.key)
    .sort((a, b) => compareDistance(target, a.identity, b.identity))
    .slice(0, 20);
}

describe('a lookup', () => {
  it('ends at once when nobody is known', () => {
    expect(lookup([]).ends).toEqual([[]]);
  });

  it('asks no node on two paths, and ends with the nearest, in order', () => {
    const { asked, ends, answer } = lookup(nodes.slice(40));
    const seen: string[] = [];
    for (let i = 0; i < 100 && ends.length === 0; i++) {
      seen.push(...asked.map(({ contact: { key } }) => key));
      answer((to) => near(to, nodes));
    }
    expect(new Set(seen).size).toBe(seen.length);
    const [sightings = []] = ends;
    expect(sightings.slice(0, 6).map(({ contact: { key } }) => key)).toEqual(
      nodes.slice(0, 6).map(({ key }) => key),
    );
    for (const path of [0, 1]) {
      expect(sightings.filter((one) => one.path === path).length).toBeGreaterThanOrEqual(3);
    }
  });

  it('goes on without those who do not answer, and still takes their answers', () => {
    const { asked, ends, later, answer } = lookup(nodes.slice(0, 4));
    expect(asked).toHaveLength(2);
    later(399);
    expect(asked).toHaveLength(2);
    later(1);
    expect(asked).toHaveLength(4);
    answer(() => []);
    expect(ends[0]).toHaveLength(4);
  });

  it('ends when its time is over', () => {
    const { ends, later } = lookup(nodes.slice(0, 4));
    later(10_000);
    expect(ends).toEqual([[]]);
  });

  it('ends when it has seen enough', () => {
    const { ends, answer, asked } = lookup(nodes.slice(0, 10), { onSighting: () => true });
    answer(() => nodes);
    expect(ends).toHaveLength(1);
    expect(ends[0]).toHaveLength(1);
    expect(asked).toHaveLength(0);
  });

  it('believes nobody who tells of nodes that are nowhere (attack 22: fake closer nodes)', () => {
    const ghosts = Array.from({ length: 20 }, (_, i) => contact([0, i + 1]));
    const [liar = ghosts[0], honest] = nodes.slice(10);
    const { asked, ends, answer } = lookup([...(liar ? [liar] : []), ...(honest ? [honest] : [])], {
      paths: 1,
    });
    let wasted = 0;
    for (let i = 0; i < 100 && ends.length === 0; i++) {
      wasted += asked.filter(({ contact: { key } }) =>
        ghosts.some((one) => one.key === key),
      ).length;
      answer((to) => {
        if (to === liar) return ghosts;
        return nodes.includes(to) ? near(to, nodes) : undefined;
      });
    }
    expect(wasted).toBe(3);
    expect(ends[0]?.[0]?.contact).toEqual(nodes[0]);
  });

  it('asks a bounded number of nodes, however many there seem to be', () => {
    let made = 0;
    const endless = () =>
      Array.from({ length: 20 }, () => contact([0, 255 - (++made >> 8), made & 255]));
    const { asked, ends, answer } = lookup(nodes.slice(0, 2));
    let count = 0;
    for (let i = 0; i < 2000 && ends.length === 0; i++) {
      count += asked.length;
      answer(endless);
    }
    expect(ends).toHaveLength(1);
    expect(count).toBeLessThanOrEqual(200);
  });
});

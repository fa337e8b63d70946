import { describe, expect, it } from 'vitest';
import { equalBytes } from '../bytes/index.ts';
import type { NodeDescriptor } from '../identity/index.ts';
import { ALICE } from '../link/testing/nodes.ts';
import { SeededRng } from '../runtime/index.ts';
import { type Contact, contactAt } from './contact.ts';
import { HmacRanking } from './ranking.ts';
import { Samplers } from './samplers.ts';
import { contacts } from './testing/contacts.ts';

const DESCRIPTOR = ALICE.descriptor;
const HIDDEN: NodeDescriptor = { ...DESCRIPTOR, flags: { ...DESCRIPTOR.flags, relay: false } };

function samplersOf(count: number, seed = 1): Samplers {
  const rng = new SeededRng(seed);
  const samplers = new Samplers(rng, new HmacRanking(rng));
  samplers.resize(count);
  return samplers;
}

/** All that are due now answer, or do not. */
function probeAll(samplers: Samplers, nowMs: number, answers: (contact: Contact) => boolean): void {
  for (;;) {
    const due = samplers.takeDue(nowMs);
    if (due.length === 0) return;
    for (const contact of due) {
      if (answers(contact)) samplers.proven(contact.key, DESCRIPTOR, nowMs);
      else samplers.failed(contact.key, nowMs);
    }
  }
}

function names(samplers: Samplers): Set<string> {
  return new Set([...samplers.held].map(({ contact }) => contact.key));
}

describe('samplers', () => {
  it('hold a uniform choice of all that were offered, however often some are', () => {
    let quiet = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const samplers = samplersOf(32, seed);
      for (let i = 0; i < 50; i++) for (const loud of contacts(0, 20)) samplers.offer(loud, i);
      for (const one of contacts(20, 20)) samplers.offer(one, 0);
      for (const held of samplers.held) if (held.contact.address.ip >= '20.20') quiet += 1;
      for (const { slots } of samplers.held) expect(slots).toBeGreaterThan(0);
    }
    const perRun = quiet / 40;
    // Of 20 quiet and 20 loud ones, 32 draws find 11 of each on average.
    expect(perRun).toBeGreaterThan(8);
  });

  it('choose by seeds, so that the same ones choose the same', () => {
    const rng = new SeededRng(1);
    const first = new HmacRanking(rng);
    const before = new Samplers(rng, first);
    before.resize(20);
    for (const one of contacts(0, 50)) before.offer(one, 0);
    const after = new Samplers(rng, new HmacRanking(rng, first.seeds));
    after.resize(20);
    for (const one of contacts(0, 50).toReversed()) after.offer(one, 0);
    expect(names(after)).toEqual(names(before));
    expect(names(samplersOf(20))).not.toEqual(names(before));
  });

  it('tell of nobody who has not answered, or cannot be reached', () => {
    const samplers = samplersOf(32);
    const [hidden, ...others] = contacts(0, 3);
    for (const one of contacts(0, 3)) samplers.offer(one, 0);
    expect(samplers.live()).toEqual([]);
    for (const { key } of samplers.takeDue(2000)) {
      samplers.proven(key, key === hidden?.key ? HIDDEN : DESCRIPTOR, 2000);
    }
    expect(
      samplers
        .live()
        .map(({ contact }) => contact.key)
        .toSorted(),
    ).toEqual(others.map(({ key }) => key).toSorted());
    expect(samplers.draws().length).toBeGreaterThan(15);
  });

  it('probe each after 60 ± 20 s, and let go who fails three times', () => {
    const samplers = samplersOf(32);
    for (const one of contacts(0, 2)) samplers.offer(one, 0);
    const [dead] = contacts(0, 1);
    probeAll(samplers, 2000, () => true);
    expect(samplers.nextDeadlineMs()).toBeGreaterThanOrEqual(42_000);
    expect(samplers.nextDeadlineMs()).toBeLessThanOrEqual(82_000);
    probeAll(samplers, 82_000, ({ key }) => key !== dead?.key);
    expect(samplers.live()).toHaveLength(1);
    expect(names(samplers).size).toBe(2);
    for (const nowMs of [92_000, 102_000]) {
      probeAll(samplers, nowMs, ({ key }) => key !== dead?.key);
    }
    expect(names(samplers).size).toBe(1);
    for (const one of contacts(0, 2)) samplers.offer(one, 102_000);
    expect(names(samplers).size).toBe(2);
  });

  it('have 16 probes under way at most', () => {
    const samplers = samplersOf(128);
    for (const one of contacts(0, 60)) samplers.offer(one, 0);
    expect(samplers.takeDue(5000)).toHaveLength(16);
    expect(samplers.takeDue(5000)).toEqual([]);
    expect(samplers.nextDeadlineMs()).toBe(Number.POSITIVE_INFINITY);
  });

  it('try another address of who was not where we were told, and not of who was (attack 19)', () => {
    const samplers = samplersOf(8);
    const [{ identity } = ALICE.descriptor] = contacts(0, 1);
    const wrong = contactAt(identity, { ip: '66.6.6.6', port: 1 });
    const right = contactAt(identity, { ip: '20.0.1.1', port: 4000 });
    samplers.offer(wrong, 0);
    samplers.offer(right, 0);
    probeAll(samplers, 2000, () => false);
    samplers.offer(right, 3000);
    const [again] = samplers.takeDue(12_000);
    expect(again?.address).toEqual(right.address);
    samplers.proven(right.key, DESCRIPTOR, 12_000);
    samplers.offer(wrong, 13_000);
    expect(samplers.find(right.key)?.contact.address).toEqual(right.address);
    expect(equalBytes(samplers.live()[0]?.contact.identity ?? identity, identity)).toBe(true);
  });

  it('give places back when there are fewer', () => {
    const samplers = samplersOf(64);
    for (const one of contacts(0, 60)) samplers.offer(one, 0);
    samplers.resize(1);
    expect(names(samplers).size).toBe(1);
  });
});

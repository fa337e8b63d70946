import { describe, expect, it } from 'vitest';
import { SeededRng } from '../runtime/index.ts';
import { type Guard, Guards } from './guards.ts';
import type { Peer } from './peer.ts';
import { somePeer, somePeers } from './testing/peers.ts';

const DAY_MS = 24 * 3600 * 1000;
const START_MS = Date.UTC(2026, 10, 21);
const peers = somePeers(20);
const [a, b, c, d] = peers;

function all(): boolean {
  return true;
}

function except(...others: readonly (Peer | undefined)[]): (peer: Peer) => boolean {
  return (peer) => !others.includes(peer);
}

/** With what was saved, each time it was. */
function guardsOf(count: number, kept: readonly Guard[] = [], seed = 1) {
  const saved: (readonly Guard[])[] = [];
  const rng = new SeededRng(seed);
  const save = (set: readonly Guard[]): void => void saved.push(set);
  return { guards: new Guards({ rng, count, saved: kept, save }), saved };
}

describe('entry guards', () => {
  it('are none when none are wanted', () => {
    const { guards, saved } = guardsOf(0);
    expect(guards.areUsed).toBe(false);
    expect(guards.choose(peers, all, START_MS)).toBeUndefined();
    expect(saved).toEqual([]);
  });

  it('are none as long as there is nobody', () => {
    const { guards } = guardsOf(2);
    expect(guards.areUsed).toBe(true);
    expect(guards.choose([], all, START_MS)).toBeUndefined();
  });

  it('are the first that can be used, and always the same one', () => {
    const { guards } = guardsOf(2);
    expect(guards.choose(peers, except(a), START_MS)).toBe(b);
    for (let day = 0; day < 20; day++) {
      const others = [...peers].reverse();
      expect(guards.choose(others, all, START_MS + day * DAY_MS)).toBe(b);
    }
  });

  it('are saved whenever they change, and go on after a restart', () => {
    const { guards, saved } = guardsOf(2);
    guards.choose(peers, all, START_MS);
    guards.choose(peers, all, START_MS + 1);
    expect(saved).toHaveLength(1);
    expect(saved[0]?.map(({ peer, sinceMs }) => [peer, sinceMs])).toEqual([
      [a, START_MS],
      [b, START_MS],
    ]);
    const again = guardsOf(2, saved[0]);
    expect(again.guards.choose([...peers].reverse(), all, START_MS + DAY_MS)).toBe(a);
    expect(again.saved).toEqual([]);
  });

  it('live 20 to 40 days, each as chance will have it', () => {
    const lives = Array.from({ length: 40 }, (_, seed) => {
      const { guards, saved } = guardsOf(1, [], seed);
      guards.choose(peers, all, START_MS);
      return ((saved[0]?.[0]?.untilMs ?? 0) - START_MS) / DAY_MS;
    });
    expect(Math.min(...lives)).toBeGreaterThanOrEqual(20);
    expect(Math.min(...lives)).toBeLessThan(23);
    expect(Math.max(...lives)).toBeLessThan(40);
    expect(Math.max(...lives)).toBeGreaterThan(37);
  });

  it('are replaced when their time is over', () => {
    const { guards, saved } = guardsOf(1);
    guards.choose(peers, all, START_MS);
    const untilMs = saved[0]?.[0]?.untilMs ?? 0;
    expect(guards.choose([c, d].filter(defined), all, untilMs - 1)).toBe(a);
    expect(guards.choose([c, d].filter(defined), all, untilMs)).toBe(c);
  });

  it('are helped out by spares, in order, when none can be used, and only then', () => {
    const { guards } = guardsOf(2);
    guards.choose(peers, all, START_MS);
    expect(guards.choose(peers, except(a), START_MS)).toBe(b);
    expect(guards.choose(peers, except(a, b), START_MS)).toBe(c);
    expect(guards.choose([...peers].reverse(), except(a, b), START_MS)).toBe(c);
    expect(guards.choose(peers, all, START_MS)).toBe(a);
  });

  it('are never more than six in 30 days, whoever kills them', () => {
    const { guards, saved } = guardsOf(2);
    const killed = new Set<Peer>();
    for (let hour = 0; hour < 24 * 29; hour++) {
      const used = guards.choose(peers, (peer) => !killed.has(peer), START_MS + hour * 3_600_000);
      if (used !== undefined) killed.add(used);
    }
    expect([...killed]).toEqual(peers.slice(0, 6));
    expect(saved.at(-1)).toHaveLength(6);
    expect(guards.choose(peers, (peer) => !killed.has(peer), START_MS + 30 * DAY_MS)).toBe(
      peers[6],
    );
  });

  it('are never more than six at once, however old', () => {
    const saved = peers.slice(0, 6).map((peer) => ({
      peer,
      sinceMs: START_MS - 35 * DAY_MS,
      untilMs: START_MS + DAY_MS,
    }));
    const { guards } = guardsOf(2, saved);
    expect(guards.choose(peers.slice(6), except(...peers.slice(0, 6)), START_MS)).toBeUndefined();
    expect(guards.choose(peers.slice(6), all, START_MS + DAY_MS)).toBe(peers[6]);
  });

  it('are each another, though RPS gives one twice', () => {
    const { guards, saved } = guardsOf(2);
    guards.choose([a, a, b, c].filter(defined), all, START_MS);
    expect(saved.at(-1)?.map(({ peer }) => peer)).toEqual([a, b]);
  });

  it('that are over still count in those six', () => {
    const { guards } = guardsOf(6);
    guards.choose(peers, all, START_MS);
    const later = START_MS + 29.9 * DAY_MS;
    const known = peers.slice(0, 6);
    const used = guards.choose(peers.slice(6), (peer) => !known.includes(peer), later);
    expect(used).toBeUndefined();
  });

  it('are found again where they have moved to', () => {
    const { guards, saved } = guardsOf(1);
    guards.choose(peers, all, START_MS);
    const moved = somePeer(1, '99.9.0.1');
    expect(guards.choose([moved], all, START_MS)).toBe(a);
    expect(guards.choose([moved], (peer) => peer.address.ip === '99.9.0.1', START_MS)).toBe(moved);
    expect(saved.at(-1)?.map(({ peer }) => peer)).toEqual([moved]);
  });
});

function defined(peer: Peer | undefined): peer is Peer {
  return peer !== undefined;
}

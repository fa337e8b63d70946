import { describe, expect, it } from 'vitest';
import { SeededRng } from '../runtime/index.ts';
import { Guards } from './guards.ts';
import { PathChoice } from './path-choice.ts';
import type { Peer } from './peer.ts';
import { WALL_MS } from './testing/hops.ts';
import { somePeer, somePeers } from './testing/peers.ts';
import { onionTiming } from './timing.ts';

const us = somePeer(100);
const peers = somePeers(8);
const RANDOM_END = { destination: undefined, evenPaused: false };

function at(nowMs: number) {
  return { nowMs, wallMs: WALL_MS + nowMs };
}

function choiceOf({ guards = 0, roundSeconds = 300, seed = 1 } = {}): PathChoice {
  const rng = new SeededRng(seed);
  return new PathChoice({
    rng,
    rules: { own: us.key, hops: 2, sameNetgroupAllowed: false },
    guards: new Guards({ rng, count: guards, saved: [], save: () => {} }),
    timing: onionTiming(roundSeconds),
  });
}

function keysOf(path: readonly Peer[] | undefined): string[] {
  return (path ?? []).map(({ key }) => key);
}

describe('guards that fail', () => {
  it.each([
    [8, 3, 0],
    [6, 4, 1],
  ])('are poor when %i times well and %i times not: %i of them', (good, bad, poor) => {
    const choice = choiceOf({ guards: 1 });
    const [first = us] = choice.choose(peers, RANDOM_END, at(0)) ?? [];
    for (let i = 0; i < good; i++) choice.served([first], at(i));
    for (let i = 0; i < bad; i++) choice.failed(first.key, at(10 + i));
    // Nobody asks how others fare.
    for (let i = 0; i < 20; i++) choice.failed(us.key, at(i));
    expect(choice.poorGuards(at(20))).toEqual(poor === 0 ? [] : [first.key]);
    expect(choice.choose(peers, RANDOM_END, at(200_000))?.[0]).toBe(first);
  });
});

describe('the choice of a path', () => {
  it('is made in another order each time', () => {
    const choice = choiceOf();
    const paths = Array.from({ length: 20 }, () => choice.choose(peers, RANDOM_END, at(0)));
    expect(new Set(paths.map((path) => keysOf(path).join())).size).toBeGreaterThan(10);
    for (const path of paths) expect(new Set(keysOf(path)).size).toBe(3);
  });

  it('leaves out who failed, for a minute', () => {
    const choice = choiceOf();
    const four = peers.slice(0, 4);
    const [failed = us] = four;
    choice.failed(failed.key, at(0));
    for (let i = 0; i < 20; i++) {
      expect(keysOf(choice.choose(four, RANDOM_END, at(59_999)))).not.toContain(failed.key);
    }
    expect(choice.choose(four.slice(0, 3), RANDOM_END, at(59_999))).toBeUndefined();
    expect(choice.choose(four.slice(0, 3), RANDOM_END, at(60_000))).toHaveLength(3);
  });

  it('leaves out who failed for two rounds where they are short', () => {
    const choice = choiceOf({ roundSeconds: 5 });
    const three = peers.slice(0, 3);
    choice.failed(three[0]?.key ?? us.key, at(0));
    expect(choice.choose(three, RANDOM_END, at(9999))).toBeUndefined();
    expect(choice.choose(three, RANDOM_END, at(10_000))).toHaveLength(3);
  });

  it('takes who failed just now when there are no others, but never who always fails', () => {
    const choice = choiceOf();
    const three = peers.slice(0, 3);
    const evenPaused = { ...RANDOM_END, evenPaused: true };
    const [failed = us] = three;
    for (let i = 0; i < 9; i++) choice.failed(failed.key, at(i));
    expect(choice.choose(three, evenPaused, at(10))).toHaveLength(3);
    choice.failed(failed.key, at(10));
    expect(choice.choose(three, evenPaused, at(10))).toBeUndefined();
  });

  it('forgives whom served well', () => {
    const choice = choiceOf();
    const three = peers.slice(0, 3);
    const [failed = us] = three;
    for (let i = 0; i < 10; i++) choice.failed(failed.key, at(i));
    for (let i = 0; i < 10; i++) choice.served(three, at(20));
    expect(choice.choose(three, RANDOM_END, at(70_000))).toHaveLength(3);
  });

  it('prefers others to all that were there when a tunnel died, but the destination', () => {
    const choice = choiceOf();
    const [a = us, b = us, c = us, d = us] = peers;
    choice.suspected({ path: [a, b, c], destination: c }, 'silent', at(0));
    const paths = Array.from({ length: 30 }, () =>
      keysOf(choice.choose(peers, RANDOM_END, at(1))),
    ).flat();
    expect(paths).not.toContain(a.key);
    expect(paths).not.toContain(b.key);
    expect(paths).toContain(c.key);
    expect(keysOf(choice.choose([a, b, d], RANDOM_END, at(1)))[0]).toBe(d.key);
    choice.failed(a.key, at(1));
    expect(choice.choose([a, b, d], RANDOM_END, at(2))).toBeUndefined();
    for (let i = 0; i < 10; i++) {
      const path = choice.choose([a, b, d], { ...RANDOM_END, evenPaused: true }, at(2));
      expect(path).toEqual([d, b, a]);
    }
  });

  it('leaves out whom it has suspected too often', () => {
    const choice = choiceOf();
    const three = peers.slice(0, 3);
    for (let i = 0; i < 9; i++)
      choice.suspected({ path: three, destination: undefined }, 'lossy', at(i));
    expect(choice.choose(three, RANDOM_END, at(10))).toHaveLength(3);
    choice.suspected({ path: three, destination: undefined }, 'lossy', at(10));
    expect(choice.choose(three, RANDOM_END, at(600_000))).toBeUndefined();
  });
});

describe('the choice of a path with guards', () => {
  it('begins at the same guard, whatever is chosen behind it', () => {
    const choice = choiceOf({ guards: 1 });
    const paths = Array.from({ length: 20 }, () => choice.choose(peers, RANDOM_END, at(0)));
    expect(new Set(paths.map((path) => path?.[0]?.key)).size).toBe(1);
    expect(new Set(paths.map((path) => path?.[1]?.key)).size).toBeGreaterThan(3);
  });

  it('keeps the guard when a tunnel dies, and takes a spare when its link does', () => {
    const choice = choiceOf({ guards: 1 });
    const path = choice.choose(peers, RANDOM_END, at(0)) ?? [];
    const [guard = us] = path;
    choice.suspected({ path, destination: undefined }, 'silent', at(0));
    const after = choice.choose(peers, RANDOM_END, at(1));
    expect(after?.[0]).toBe(guard);
    expect(keysOf(after)).not.toContain(path[1]?.key);
    choice.failed(guard.key, at(2));
    expect(choice.choose(peers, RANDOM_END, at(3))?.[0]).not.toBe(guard);
    expect(choice.choose(peers, RANDOM_END, at(60_002))?.[0]).toBe(guard);
  });

  it('keeps the guard however many tunnels die (attack 9)', () => {
    const choice = choiceOf({ guards: 1 });
    const guard = choice.choose(peers, RANDOM_END, at(0))?.[0];
    for (let i = 1; i <= 30; i++) {
      const path = choice.choose(peers, RANDOM_END, at(i));
      expect(path?.[0]).toBe(guard);
      choice.suspected({ path: path?.slice(0, 1) ?? [], destination: undefined }, 'silent', at(i));
    }
  });

  it('never begins at another, nor without one', () => {
    const choice = choiceOf({ guards: 1 });
    const many = somePeers(14);
    const usable = new Set<string | undefined>();
    for (let i = 0; i < 20; i++) {
      const first = choice.choose(many, RANDOM_END, at(i))?.[0];
      usable.add(first?.key);
      if (first !== undefined) choice.failed(first.key, at(i));
    }
    expect(usable.size).toBe(6 + 1);
    expect(choice.choose(many, RANDOM_END, at(21))).toBeUndefined();
  });

  it('takes another guard when the destination is one, or beside one', () => {
    const choice = choiceOf({ guards: 1 });
    const guard = choice.choose(peers, RANDOM_END, at(0))?.[0] ?? us;
    const beside = somePeer(50, guard.address.ip.replace(/\.1$/, '.77'));
    for (const destination of [guard, beside]) {
      const path = choice.choose(peers, { destination, evenPaused: false }, at(1));
      expect(path).toHaveLength(3);
      expect(path?.[0]).not.toBe(guard);
      expect(path?.[2]).toBe(destination);
    }
    expect(choice.choose(peers, RANDOM_END, at(2))?.[0]).toBe(guard);
  });
});

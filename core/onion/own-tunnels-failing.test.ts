import { describe, expect, it } from 'vitest';
import { REASON, refusal } from './control-cells.ts';
import { ROUND } from './testing/hops.ts';
import { type Happening, OwnNetwork, standing, withoutTimes } from './testing/own-network.ts';

describe('a tunnel that cannot be built', () => {
  it('is tried twice again, after a while each time, and once more in the next round', () => {
    const network = new OwnNetwork({ startMs: 100_000 });
    for (const { peer } of network.peers)
      network.refusing.set(peer.key, refusal(REASON.resourceLimit));
    network.runToRound(1, -70_000);
    const tries = [1, 2, 3].flatMap((circuit): Happening[] => [
      { what: 'begun', circuit },
      { what: 'destroyed', circuit },
      { what: 'removed', circuit },
    ]);
    expect(withoutTimes(network)).toEqual([...tries, { what: 'no tunnel', round: ROUND }]);
    const [first = 0, second = 0, third = 0] = network.of('begun').map(({ atMs }) => atMs);
    for (const waitMs of [second - first, third - second]) {
      expect(waitMs).toBeGreaterThanOrEqual(500);
      expect(waitMs).toBeLessThanOrEqual(3000);
    }
    // For the next round too, in vain; of this one there is nothing new to say.
    network.runToRound(1, -5000);
    expect(network.of('no tunnel')).toHaveLength(1);
    network.refusing.clear();
    network.runToRound(1, 10_000);
    expect(network.own.current).toMatchObject({ circuit: 5, round: ROUND + 1 });
  });

  it('for the next round is tried again before the boundary and after it', () => {
    const network = standing();
    for (const { peer } of network.peers) network.dead.add(peer.key);
    network.runToRound(1, 100_000);
    // Dead from the start: no circuit is ever begun.
    expect(withoutTimes(network)).toEqual([
      { what: 'lost', round: ROUND },
      { what: 'destroyed', circuit: 1 },
      { what: 'removed', circuit: 1 },
      { what: 'no tunnel', round: ROUND + 1 },
    ]);
    expect(network.circuits).toBe(1 + 3 + 2);
    const lostMs = network.afterBoundary(network.of('lost')[0]?.atMs ?? 0);
    expect(lostMs).toBeGreaterThanOrEqual(4000);
    expect(lostMs).toBeLessThanOrEqual(15_000);
  });

  it('leaves out the hop that failed', () => {
    for (let seed = 0; seed < 4; seed++) {
      const network = new OwnNetwork({ seed, startMs: 100_000, peers: 6 });
      const [dead] = network.peers;
      network.dead.add(dead?.peer.key ?? '');
      network.runFor(60_000);
      expect(network.own.current?.path.map(({ key }) => key)).not.toContain(dead?.peer.key);
      expect(network.circuits).toBeLessThanOrEqual(2);
    }
  });

  it('takes who failed again when there are no others', () => {
    const network = new OwnNetwork({ startMs: 100_000, peers: 3 });
    const [dead] = network.peers;
    network.dead.add(dead?.peer.key ?? '');
    network.runFor(2000);
    network.dead.clear();
    network.runFor(20_000);
    expect(network.own.current?.path).toHaveLength(3);
  });
});

describe('a tunnel that fails', () => {
  it('is used until another stands, which the hops that may be to blame are not in', () => {
    const network = standing();
    const before = network.paths.get(1) ?? [];
    network.fail(1);
    expect(network.happenings).toEqual([]);
    expect(network.own.current?.circuit).toBe(1);
    expect(network.own.states).toEqual({ current: 'failing', next: 'none' });
    const failedMs = network.nowMs;
    network.runFor(30_000);
    expect(withoutTimes(network)).toEqual([
      { what: 'begun', circuit: 2 },
      { what: 'current', circuit: 2, round: ROUND },
      { what: 'destroyed', circuit: 1 },
      { what: 'removed', circuit: 1 },
    ]);
    const [begun, current, , removed] = network.happenings.map(({ atMs }) => atMs - failedMs);
    expect(begun).toBeGreaterThanOrEqual(500);
    expect(begun).toBeLessThanOrEqual(3000);
    const drainMs = (removed ?? 0) - (current ?? 0);
    expect(drainMs).toBeGreaterThanOrEqual(3000);
    expect(drainMs).toBeLessThanOrEqual(15_000);
    expect(before.filter((key) => network.paths.get(2)?.includes(key))).toEqual([]);
  });

  it('because its endpoint does not echo gets another endpoint (attack 31)', () => {
    for (let seed = 0; seed < 4; seed++) {
      const network = standing({ seed, peers: 5 });
      const liar = network.own.current?.path.at(-1);
      network.fail(1, 'unanswered');
      network.runFor(30_000);
      expect(network.own.current?.circuit).toBe(2);
      expect(network.own.current?.path.at(-1)?.key).not.toBe(liar?.key);
    }
  });

  it('is rebuilt twice in a round and then used as it is', () => {
    const network = standing({ peers: 12 });
    for (let circuit = 1; circuit <= 3; circuit++) {
      for (let i = 0; i < 5; i++) {
        network.fail(circuit);
        network.runFor(1000);
      }
      network.runFor(20_000);
    }
    expect(network.of('current').map(({ circuit }) => circuit)).toEqual([2, 3]);
    expect(network.own.states.current).toBe('failing');
    expect(network.of('no tunnel')).toEqual([]);
    network.runToRound(1, 10_000);
    expect(network.own.states.current).toBe('built');
    expect(network.own.current).toMatchObject({ circuit: 4, round: ROUND + 1 });
  });

  it('is rebuilt once and blamed once, however often it is told', () => {
    const network = standing({ peers: 3 });
    for (let i = 0; i < 100; i++) {
      network.fail(1);
      network.runFor(20);
    }
    network.runFor(20_000);
    expect(network.of('begun')).toHaveLength(1);
    expect(network.own.current?.circuit).toBe(2);
  });

  it('now and then does not make its hops bad, if they serve well in between', () => {
    const network = new OwnNetwork({ peers: 3, roundSeconds: 5 });
    for (let i = 0; i < 30; i++) {
      network.runFor(5000);
      if (i % 2 === 0) network.fail(network.own.current?.circuit ?? 0);
    }
    network.runFor(4000);
    expect(network.own.current?.round).toBe(network.own.round);
  });

  it('with its link is lost at once, and rebuilt', () => {
    const network = standing();
    network.cutLink(1);
    const lost = [
      { what: 'lost', round: ROUND },
      { what: 'destroyed', circuit: 1 },
      { what: 'removed', circuit: 1 },
    ];
    expect(withoutTimes(network)).toEqual(lost);
    expect(network.own.current).toBeUndefined();
    network.runFor(20_000);
    expect(withoutTimes(network).slice(3)).toEqual([
      { what: 'begun', circuit: 2 },
      { what: 'current', circuit: 2, round: ROUND },
    ]);
    expect(network.paths.get(2)).not.toContain(network.paths.get(1)?.[0]);
  });

  it('with a DESTROY is lost at once too', () => {
    const network = standing();
    network.do(network.own.onDestroy(1, new Uint8Array(512), network.now));
    expect(network.of('lost')).toMatchObject([{ round: ROUND }]);
  });

  it('keeps its guard, and changes it when the link is gone', () => {
    const network = standing({ guards: 1 });
    const guard = network.paths.get(1)?.[0];
    network.fail(1);
    network.runFor(30_000);
    expect(network.paths.get(2)?.[0]).toBe(guard);
    network.cutLink(2);
    network.runFor(20_000);
    expect(network.paths.get(3)?.[0]).not.toBe(guard);
    network.runToRound(1, 5000);
    expect(network.paths.get(4)?.[0]).toBe(guard);
  });

  it('again and again makes its guard a poor one, which is told once', () => {
    const network = standing({ guards: 1 });
    const guard = network.paths.get(1)?.[0];
    for (let i = 0; i < 20; i++) {
      network.fail(network.own.current?.circuit ?? 0);
      network.runFor(150_000);
      const poor = network.own.poorGuards(network.now);
      expect(network.of('poor guard')).toHaveLength(poor);
      if (i < 4) expect(poor).toBe(0);
    }
    expect(network.own.poorGuards(network.now)).toBe(1);
    expect(network.paths.get(network.own.current?.circuit ?? 0)?.[0]).toBe(guard);
  });

  it('for the next round is built again, as one of the two', () => {
    const network = standing();
    network.runToRound(1, -9000);
    const [next] = network.of('begun').slice(-1);
    network.happenings.length = 0;
    network.fail(next?.circuit ?? 0);
    network.runToRound(1, 5000);
    const circuit = next?.circuit ?? 0;
    expect(withoutTimes(network).slice(0, 5)).toEqual([
      { what: 'destroyed', circuit },
      { what: 'removed', circuit },
      { what: 'begun', circuit: circuit + 1 },
      { what: 'prepared', circuit: circuit + 1, round: ROUND + 1 },
      { what: 'current', circuit: circuit + 1, round: ROUND + 1 },
    ]);
  });

  it('while the next is built already is rebuilt all the same', () => {
    const network = standing();
    network.runToRound(1, -9500);
    network.happenings.length = 0;
    network.cutLink(1);
    network.runToRound(1, 0);
    expect(network.of('current')).toMatchObject([{ round: ROUND }]);
    network.runToRound(0, 2000);
    expect(network.of('current')).toMatchObject([{ round: ROUND }, { round: ROUND + 1 }]);
    expect(network.of('begun')).toHaveLength(1);
  });

  it('goes with the one it replaced, if both have to', () => {
    const network = standing();
    network.fail(1);
    while (network.own.current?.circuit === 1) network.runFor(100);
    network.setWall(3_600_000);
    network.nowMs += 20_000;
    network.tick();
    expect(network.of('removed').map(({ circuit }) => circuit)).toEqual([1, 2]);
  });

  it('while it drains is nobody’s loss', () => {
    const network = standing();
    network.runToRound(1, 2000);
    network.happenings.length = 0;
    network.cutLink(1);
    network.fail(1);
    const told = withoutTimes(network);
    const shared = network.paths.get(1)?.[0] === network.paths.get(2)?.[0];
    expect(shared).toBe(false);
    expect(told).toEqual([
      { what: 'destroyed', circuit: 1 },
      { what: 'removed', circuit: 1 },
    ]);
    network.runFor(100_000);
    expect(withoutTimes(network)).toEqual(told);
  });
});

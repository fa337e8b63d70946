import { describe, expect, it } from 'vitest';
import { REASON } from './control-cells.ts';
import { INNER } from './inner.ts';
import { ROUND } from './testing/hops.ts';
import { type Happening, OwnNetwork, standing, withoutTimes } from './testing/own-network.ts';

describe('our own tunnel', () => {
  it('is built as soon as we start, and sent on as soon as it stands', () => {
    const network = new OwnNetwork({ startMs: 100_000 });
    network.runFor(20_000);
    expect(withoutTimes(network)).toEqual([
      { what: 'begun', circuit: 1 },
      { what: 'current', circuit: 1, round: ROUND },
    ]);
    const [begun] = network.happenings;
    expect(begun?.atMs).toBe(0);
    const { current } = network.own;
    expect(current?.path.map(({ key }) => key)).toEqual(network.paths.get(1));
    expect(network.own.states).toEqual({ current: 'built', next: 'none' });
  });

  it.each([300, 20, 5])(
    'is another one each round of %i s, and nothing else happens',
    (seconds) => {
      // Behind the latest switch.
      const network = new OwnNetwork({ roundSeconds: seconds, startMs: 100 * seconds });
      const first = network.own.round;
      network.run((4 * seconds + seconds / 4) * 1000);
      const expected: Happening[] = [
        { what: 'begun', circuit: 1 },
        { what: 'current', circuit: 1, round: first },
      ];
      for (let i = 1; i <= 4; i++) {
        expected.push(
          { what: 'begun', circuit: i + 1 },
          { what: 'prepared', circuit: i + 1, round: first + i },
          { what: 'current', circuit: i + 1, round: first + i },
          { what: 'destroyed', circuit: i },
          { what: 'removed', circuit: i },
        );
      }
      expect(withoutTimes(network)).toEqual(expected);
      // For each tunnel: its beginning, three hops, its switch, its boundary, the teardown of the last.
      expect(network.ticks).toBeLessThan(5 * 8);
    },
  );

  it('has its moments at random, each in its window', () => {
    const seeds = Array.from({ length: 12 }, (_, seed) => seed);
    const networks = seeds.map((seed) => {
      const network = new OwnNetwork({ seed });
      network.runToRound(1, 20_000);
      return network;
    });
    const times = (what: Happening['what']) =>
      networks.map((network) => network.afterBoundary(network.of(what).at(-1)?.atMs ?? 0));
    const ranges: readonly (readonly [Happening['what'], number, number])[] = [
      ['begun', 240_000, 290_000],
      ['current', 0, 1000],
      ['removed', 3000, 15_000],
    ];
    for (const [what, fromMs, toMs] of ranges) {
      const [earliest, latest] = [Math.min(...times(what)), Math.max(...times(what))];
      const spread = (latest - earliest) / (toMs - fromMs);
      expect(earliest).toBeGreaterThanOrEqual(fromMs);
      expect(latest).toBeLessThanOrEqual(toMs);
      expect(spread).toBeGreaterThan(0.5);
    }
  });

  it('is begun at the same moment whether anybody wants it or not', () => {
    const moments = [false, true].map((isWanted) => {
      const network = standing();
      network.destination = isWanted ? network.peers[0]?.peer : undefined;
      network.runToRound(1, 0);
      return network.of('begun').map(({ atMs }) => atMs);
    });
    expect(moments[0]).toHaveLength(1);
    expect(moments[1]).toEqual(moments[0]);
  });

  it('ends where it is asked to', () => {
    const network = new OwnNetwork();
    const [destination] = network.peers;
    network.destination = destination?.peer;
    network.runFor(20_000);
    expect(network.own.current?.destination).toBe(destination?.peer);
    expect(network.paths.get(1)?.[2]).toBe(destination?.peer.key);
  });

  it('tells from when a wish can be granted', () => {
    const network = standing();
    expect(network.own.nextFreeRound).toBe(ROUND + 1);
    network.runToRound(1, -9000);
    expect(network.own.nextFreeRound).toBe(ROUND + 2);
    network.runToRound(1, 1);
    expect(network.own.nextFreeRound).toBe(ROUND + 2);
  });

  it('passes on what its endpoint says, also that of the last one while it drains', () => {
    const network = standing();
    const data = Uint8Array.of(1, 2, 3);
    const message = { type: INNER.data, data };
    network.runToRound(1, 1500);
    expect(network.own.current?.circuit).toBe(2);
    network.hear(1, INNER.data, data);
    network.hear(2, INNER.data, data);
    expect(network.messages).toEqual([
      { type: 'message', circuit: 1, message },
      { type: 'message', circuit: 2, message },
    ]);
    network.runFor(15_000);
    network.hear(1, INNER.data, data);
    network.hear(3, INNER.data, data);
    expect(network.messages).toHaveLength(2);
  });

  it('asks for peers every second until there are enough', () => {
    const network = new OwnNetwork();
    network.hasPeers = false;
    network.run(30_500);
    expect(network.asks).toBe(31);
    expect(network.happenings).toEqual([]);
    expect(network.own.states).toEqual({ current: 'peers', next: 'none' });
    network.hasPeers = true;
    network.runFor(20_000);
    expect(network.own.current).toMatchObject({ round: ROUND });
  });

  it('does the work a hop wants, and goes on', () => {
    const network = new OwnNetwork();
    for (const { peer } of network.peers) {
      network.refusing.set(peer.key, {
        reason: REASON.proofRequired,
        powBits: 9,
        powSeed: new Uint8Array(16),
      });
    }
    network.run(1000);
    const challenge = expect.any(Uint8Array);
    expect(network.solving).toEqual([{ type: 'solve', circuit: 1, challenge, bits: 9 }]);
    network.refusing.clear();
    const outputs = network.own.onProof(1, new Uint8Array(8), network.now);
    expect(outputs).toMatchObject([{ type: 'plane', command: { type: 'send cells' } }]);
    expect(network.own.onProof(2, new Uint8Array(8), network.now)).toEqual([]);
  });
});

describe('rounds and the wall clock (attack 24)', () => {
  it('go through a boundary once when the clock is set back by a little', () => {
    const network = standing();
    network.runToRound(1, 2000);
    expect(network.own.round).toBe(ROUND + 1);
    network.happenings.length = 0;
    network.setWall(-9000);
    network.tick();
    expect(network.own.round).toBe(ROUND + 1);
    network.runFor(60_000);
    expect(withoutTimes(network)).toEqual([
      { what: 'destroyed', circuit: 1 },
      { what: 'removed', circuit: 1 },
    ]);
  });

  it.each([-3_600_000, -301_000, 301_000, 3_600_000])('follow it by %i ms', (jumpMs) => {
    const network = standing();
    network.setWall(jumpMs);
    network.tick();
    const round = Math.floor((120_000 + jumpMs) / 300_000) + ROUND;
    expect(network.own.round).toBe(round);
    network.runFor(30_000);
    expect(network.own.current).toMatchObject({ round });
    network.runToRound(1, 20_000);
    expect(network.own.current).toMatchObject({ round: round + 1 });
    expect(network.own.states).toEqual({ current: 'built', next: 'none' });
    expect(network.of('current')).toHaveLength(2);
  });

  it('drop what was begun for a round that never came', () => {
    const network = standing();
    network.runToRound(1, -9000);
    const next = network.of('begun').at(-1)?.circuit;
    network.setWall(3_600_000);
    network.tick();
    expect(network.of('removed').map(({ circuit }) => circuit)).toContain(next);
    network.runFor(30_000);
    expect(network.own.current?.round).toBe(network.own.round);
  });

  it('are caught up with after the machine has slept', () => {
    for (const clocksRan of [true, false]) {
      const network = standing();
      if (clocksRan) network.nowMs += 8 * 3_600_000;
      else network.setWall(8 * 3_600_000);
      network.tick();
      network.cutLink(1);
      network.runFor(30_000);
      expect(network.own.current?.round).toBe(network.own.round);
      expect(network.ticks).toBeLessThan(40);
    }
  });

  it('keep a machine with a jumping clock from spinning', () => {
    const network = standing();
    for (let i = 0; i < 50; i++) {
      network.setWall(i % 2 === 0 ? 7_000_000 : -6_800_000);
      network.tick();
      network.runFor(1000);
    }
    expect(network.ticks).toBeLessThan(400);
    network.runFor(20_000);
    expect(network.own.current?.round).toBe(network.own.round);
  });
});

// Statistics here are over fixed seeds, so they never fail by chance; the margins are about four standard deviations.

import { describe, expect, it } from 'vitest';
import { Dice } from './dice.ts';
import { Path } from './path.ts';
import { bursts, EU, LAN, type Latency, type PathProfile, WAN } from './profiles.ts';
import { twoMailboxes } from './testing/mailbox.ts';
import { World } from './world.ts';

const DRAWS = 20_000;

function delays(latency: Latency): number[] {
  const path = new Path({ latency, order: 'free' }, new Dice(1));
  return Array.from({ length: DRAWS }, () => path.delayMs(0)).sort((a, b) => a - b);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function deviation(values: readonly number[]): number {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
}

function losses(loss: PathProfile['loss'] & {}): boolean[] {
  const path = new Path({ ...LAN, loss }, new Dice(2));
  return Array.from({ length: DRAWS }, () => path.loses());
}

function share(flags: readonly boolean[]): number {
  return flags.filter(Boolean).length / flags.length;
}

/** Lengths of the runs of true. */
function runs(flags: readonly boolean[]): number[] {
  const lengths: number[] = [];
  flags.forEach((flag, i) => {
    if (flag && flags[i - 1] === true) lengths.push((lengths.pop() ?? 0) + 1);
    else if (flag) lengths.push(1);
  });
  return lengths;
}

describe('latency', () => {
  it('is constant', () => {
    expect(new Set(delays({ type: 'constant', ms: 7 }))).toEqual(new Set([7]));
  });

  it('is uniform between its bounds', () => {
    const drawn = delays({ type: 'uniform', minMs: 12, maxMs: 18 });
    expect(drawn[0]).toBeGreaterThanOrEqual(12);
    expect(drawn.at(-1)).toBeLessThan(18);
    expect(mean(drawn)).toBeCloseTo(15, 1);
    expect(deviation(drawn)).toBeCloseTo(6 / Math.sqrt(12), 1);
  });

  it('is normal, cut off below', () => {
    const drawn = delays({ type: 'normal', meanMs: 50, deviationMs: 10, minMs: 0 });
    expect(mean(drawn)).toBeCloseTo(50, 0);
    expect(deviation(drawn)).toBeCloseTo(10, 0);
    expect(delays({ type: 'normal', meanMs: 5, deviationMs: 10, minMs: 2 })[0]).toBe(2);
  });

  it('is lognormal above its floor', () => {
    const drawn = delays({ type: 'lognormal', minMs: 20, medianMs: 10, sigma: 0.5 });
    expect(drawn[0]).toBeGreaterThan(20);
    expect(drawn[DRAWS / 2]).toBeCloseTo(30, 0);
    expect(deviation(drawn.map((ms) => Math.log(ms - 20)))).toBeCloseTo(0.5, 1);
  });
});

describe('loss', () => {
  it('is of single packets, by its rate', () => {
    const lost = losses(0.1);
    expect(share(lost)).toBeCloseTo(0.1, 2);
    expect(mean(runs(lost))).toBeCloseTo(1 / 0.9, 1);
  });

  it('comes in bursts of the mean length asked for, at the same rate', () => {
    const lost = losses(bursts(0.1, 4));
    expect(Math.abs(share(lost) - 0.1)).toBeLessThan(0.02);
    expect(Math.abs(mean(runs(lost)) - 4)).toBeLessThan(0.4);
  });

  it('follows all four chances of Gilbert and Elliott', () => {
    const lost = losses({ enter: 0.1, leave: 0.3, lossInside: 0.5, lossOutside: 0.02 });
    // Inside a quarter of the time: 0.25 · 0.5 + 0.75 · 0.02.
    expect(Math.abs(share(lost) - 0.14)).toBeLessThan(0.015);
    expect(share(losses(0))).toBe(0);
  });
});

describe('packets between two hosts', () => {
  async function sent(profile: PathProfile, count: number): Promise<string[]> {
    const world = new World({ seed: 3, profile });
    const [alice, bob] = await twoMailboxes(world);
    for (let i = 0; i < count; i++) {
      world.after(i, () => alice.send(`${i}`, bob.host));
    }
    await world.runFor(count + 1000);
    return bob.texts;
  }

  it('stay in order under jitter, unless the profile lets them overtake', async () => {
    const latency = { type: 'uniform', minMs: 10, maxMs: 30 } as const;
    const inOrder = Array.from({ length: 200 }, (_, i) => `${i}`);
    expect(await sent({ latency }, 200)).toEqual(inOrder);
    const free = await sent({ latency, order: 'free' }, 200);
    expect(free).not.toEqual(inOrder);
    expect(free.sort((a, b) => Number(a) - Number(b))).toEqual(inOrder);
  });

  it('arrive twice as often as the profile says, whole both times', async () => {
    const texts = await sent({ ...LAN, duplicate: 0.25 }, 1000);
    expect(new Set(texts).size).toBe(1000);
    expect(Math.abs(texts.length - 1250)).toBeLessThan(55);
  });

  it('are lost when larger than the path takes', async () => {
    const world = new World({ seed: 1, profile: { ...LAN, mtuBytes: 28 + 5 } });
    const [alice, bob] = await twoMailboxes(world);
    alice.send('five.', bob.host);
    alice.send('sixsix', bob.host);
    await world.runFor(1);
    expect(bob.texts).toEqual(['five.']);
  });

  it.each([
    ['LAN', LAN, 0.1, 0],
    ['EU', EU, 15, 0.01],
    ['WAN', WAN, 40, 0.02],
  ] as const)('in %s take and lose what performance.md says', async (_, profile, ms, loss) => {
    const world = new World({ seed: 5, profile });
    const [alice, bob] = await twoMailboxes(world);
    const times: number[] = [];
    for (let i = 0; i < 5000; i++) {
      world.after(i * 100, () => alice.send(`${world.nowMs()}`, bob.host));
    }
    await world.runFor(600_000);
    for (const { text, atMs } of bob.mail) times.push(atMs - Number(text));
    expect(Math.abs(mean(times) - ms)).toBeLessThan(0.5);
    expect(Math.abs(1 - times.length / 5000 - loss)).toBeLessThan(0.008);
  });

  it('may have a way of their own, each direction, and for all pairs by a function', async () => {
    const ways = { latency: { type: 'constant', ms: 1 } } as const;
    const world = new World({ seed: 1, profile: ways });
    const [alice, bob] = await twoMailboxes(world);
    world.path(alice.host, bob.host, { latency: { type: 'constant', ms: 100 } });
    alice.send('slow', bob.host);
    bob.send('fast', alice.host);
    await world.runFor(500);
    expect([bob.times, alice.times]).toEqual([[100], [1]]);
    world.profile((from) => ({
      latency: { type: 'constant', ms: from === bob.host ? 20 : 30 },
    }));
    alice.send('its own still', bob.host);
    bob.send('new', alice.host);
    await world.runFor(500);
    expect([bob.times[1], alice.times[1]]).toEqual([600, 520]);
  });

  it('travel by the new profile after a change, whatever the old one had to remember', async () => {
    const world = new World({ seed: 1, profile: { ...WAN, loss: 0 } });
    const [alice, bob] = await twoMailboxes(world);
    alice.send('old', bob.host);
    await world.run(1000);
    world.profile(LAN);
    alice.send('new', bob.host);
    await world.run(1001);
    expect(bob.texts).toEqual(['old', 'new']);
  });
});

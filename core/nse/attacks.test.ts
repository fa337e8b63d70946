// Attacks 23 and 24 of protocol 12, on one machine. What grinding and suppression do to the estimate is in estimator.test.ts,
// and what they do to a network in nse.sim.test.ts.

import { describe, expect, it } from 'vitest';
import type { Fault, Mishap } from './claims.ts';
import type { NseOutput } from './nse.ts';
import { floodMessage, periodS } from './testing/messages.ts';
import { BAD, furthest, nearest, nearestTo, ROUND, Solo } from './testing/solo.ts';
import { decodeFloodMessage } from './wire.ts';

const passedOn: NseOutput = { type: 'pass on', item: 1 };

function refused(why: Fault): NseOutput {
  return { type: 'refuse', item: 1, why };
}

function ignored(why: Mishap): NseOutput {
  return { type: 'ignore', item: 1, why };
}

interface Case {
  readonly what: string;
  readonly data: Uint8Array;
  readonly output: NseOutput;
  /** How many signatures, and how many proofs of work. */
  readonly lookedAt?: readonly [number, number];
}

const said = (round: number, given: Parameters<typeof floodMessage>[2] = {}) =>
  floodMessage(nearest, round, given);

const CASES: readonly Case[] = [
  { what: 'cut short', data: said(ROUND).subarray(1), output: refused('malformed') },
  { what: 'with too many bits', data: said(ROUND, { bits: 40 }), output: refused('bits') },
  { what: 'with too few bits', data: said(ROUND, { bits: 0 }), output: refused('bits') },
  {
    what: 'with the time of another round',
    data: said(ROUND, { timeS: (ROUND + 1) * periodS }),
    output: refused('malformed'),
  },
  { what: 'of the round after the next', data: said(ROUND + 2), output: ignored('round') },
  { what: 'of the end of time', data: said(0xffff_ffff), output: ignored('round') },
  { what: 'of the round before the last', data: said(ROUND - 2), output: ignored('round') },
  { what: 'that is worse', data: floodMessage(furthest, ROUND), output: ignored('not better') },
  {
    what: 'of another network',
    data: said(ROUND, { network: new Uint8Array(16) }),
    output: refused('signature'),
    lookedAt: [1, 0],
  },
  {
    what: 'without the work',
    data: said(ROUND, { powNonce: BAD }),
    output: refused('proof'),
    lookedAt: [1, 1],
  },
  { what: 'that is true', data: said(ROUND), output: passedOn, lookedAt: [1, 1] },
  { what: 'of a clock ahead', data: said(ROUND + 1), output: passedOn, lookedAt: [1, 1] },
];

describe('attack 23: of the messages', () => {
  it.each(CASES)('$what', ({ data, output, lookedAt = [0, 0] }) => {
    const solo = new Solo().begin();
    expect(solo.item(1, data)).toEqual([output]);
    expect([solo.signaturesLookedAt, solo.proofsLookedAt.length]).toEqual(lookedAt);
    solo.pass(periodS * 1000);
    expect(solo.nse.counted).toBe(output === passedOn ? 1 : 0);
  });

  it('with any byte changed, none is believed', () => {
    const solo = new Solo({ signer: furthest });
    solo.tick();
    const data = said(ROUND);
    for (let at = 0; at < data.length; at++) {
      const changed = new Uint8Array(data);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const types = solo.item(at, changed).map(({ type }) => type);
      expect(types).toEqual([expect.stringMatching('refuse|ignore')]);
      solo.pass(10);
    }
    expect(solo.nse.counted).toBe(0);
  });

  it('200 in a second have their signature looked at, however many come', () => {
    const solo = new Solo({ signer: furthest });
    solo.tick();
    const forged = said(ROUND);
    forged[600] = 1;
    const whys = Array.from({ length: 300 }, () => solo.item(1, forged)).flat();
    expect(whys.filter((output) => output.type === 'refuse')).toHaveLength(200);
    expect(whys.slice(200)).toEqual(Array(100).fill(ignored('busy')));
    expect(solo.signaturesLookedAt).toBe(200);
  });
});

describe('attack 24: a clock', () => {
  it('set forward by an hour costs the rounds between and nothing else', () => {
    const solo = new Solo().begin();
    solo.item(1, said(ROUND));
    solo.stepWall(3_600_000);
    const data = floodMessage(nearestTo(ROUND + 12), ROUND + 12);
    expect(solo.item(1, data)).toEqual([passedOn]);
    expect(solo.nse.counted).toBe(2);
  });

  it('set back by an hour forgets what is in the future then, and goes on', () => {
    const solo = new Solo().begin();
    solo.item(1, said(ROUND));
    solo.stepWall(-3_600_000);
    expect(solo.nse.counted).toBe(0);
    solo.nextAnnouncement();
    expect(solo.round).toBe(ROUND - 12);
  });

  it('that trembles at the end of a round begins the next one once', () => {
    const solo = new Solo().begin();
    solo.item(1, said(ROUND));
    solo.pass(290_000);
    for (const stepMs of [-20, 15, -30, 40]) expect(solo.stepWall(stepMs)).toEqual([]);
    expect(decodeFloodMessage(solo.nextAnnouncement()).round).toBe(ROUND + 1);
  });

  it('set back by a round does not make the driver spin', () => {
    const solo = new Solo().begin();
    solo.stepWall(-periodS * 1000);
    expect(solo.nse.nextDeadlineMs(solo.now)).toBeGreaterThan(solo.now.nowMs);
  });
});

import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import { identityPowTask, POW_EPOCH_S, verifySigned } from '../identity/index.ts';
import { testHostkey } from '../identity/testing/keys.ts';
import { SeededRng } from '../runtime/index.ts';
import { sampleDeviation } from './estimator.ts';
import type { NseInput, NseOutput, Signer } from './nse.ts';
import { floodMessage, networkId, periodS } from './testing/messages.ts';
import {
  BAD,
  byDistance,
  EPOCH,
  furthest,
  GOOD,
  keys,
  middle,
  nearest,
  nearestTo,
  ROUND,
  Solo,
} from './testing/solo.ts';
import { decodeFloodMessage } from './wire.ts';

const periodMs = periodS * 1000;
const solved: NseInput = { type: 'solved', epoch: EPOCH, nonce: GOOD };
const up: NseInput = { type: 'flood', isUp: true };
const down: NseInput = { type: 'flood', isUp: false };

function solve(signer: Signer, epoch: number): NseOutput {
  return { type: 'solve', epoch, task: identityPowTask(networkId, signer.identity, epoch) };
}

function passOn(...items: readonly number[]): NseOutput[] {
  return items.map((item) => ({ type: 'pass on', item }));
}

function known(item: number): NseOutput[] {
  return [{ type: 'ignore', item, why: 'not better' }];
}

describe('a node that knows of nobody nearer', () => {
  it('asks for its proof of work, and announces itself when its time has come', () => {
    const solo = new Solo();
    expect(solo.tick()).toEqual([solve(middle, EPOCH)]);
    solo.begin();
    const data = solo.nextAnnouncement();
    expect(solo.round).toBe(ROUND);
    const expected = floodMessage(middle, ROUND, { timeS: ROUND * periodS + 10, powNonce: GOOD });
    expect(toHex(data)).toBe(toHex(expected));
    expect(decodeFloodMessage(solo.nextAnnouncement()).round).toBe(ROUND + 1);
    expect(solo.round).toBe(ROUND + 1);
  });

  it('signs that so that anybody can verify it', () => {
    const data = new Solo({ signer: testHostkey('alice') }).begin().nextAnnouncement();
    const { publicKey, body, signature } = decodeFloodMessage(data);
    const signed = { purpose: 'nse', networkId, body, signature } as const;
    expect(verifySigned(publicKey, signed)).toBe(true);
    const other = new Solo({ verifySigned, signer: furthest });
    other.tick();
    expect(other.item(1, data)).toEqual(passOn(1));
  });

  it.each([
    ['Gossip', [solved, up]],
    ['its proof of work', [up, solved]],
  ] as const)('waits for %s, into the next round', (_, [early, late]) => {
    const solo = new Solo();
    solo.tick();
    solo.handle(early);
    expect(solo.next(periodMs)).toEqual([]);
    const [output] = solo.handle(late);
    if (output?.type !== 'announce') throw new Error('no announcement');
    expect([decodeFloodMessage(output.data).round, solo.round]).toEqual([ROUND, ROUND + 1]);
  });

  it('says nothing while Gossip is away, and then what is due', () => {
    const solo = new Solo().begin();
    solo.handle(down);
    expect(solo.next(0.9 * periodMs)).toEqual([]);
    expect(solo.handle(up)).toMatchObject([{ type: 'announce' }]);
  });

  it('speaks within the round or right after it, wherever it is', () => {
    const whenMs = keys.map((signer, i) => {
      const solo = new Solo({ signer, rng: new SeededRng(i) }).begin();
      solo.item(1, floodMessage(nearest, ROUND));
      if (signer === nearest) solo.pass(periodMs);
      expect(decodeFloodMessage(solo.nextAnnouncement()).round).toBe(ROUND + 1);
      return solo.now.wallMs - (ROUND + 1) * periodMs;
    });
    expect(Math.max(...whenMs)).toBeLessThanOrEqual(periodMs + 50);
    expect(whenMs.filter((ms) => ms > periodMs).length).toBeGreaterThan(10);
    expect(new Set(whenMs).size).toBe(keys.length);
  });

  it('passes on its own announcement once, if Gossip asks', () => {
    const solo = new Solo().begin();
    const data = solo.nextAnnouncement();
    expect(solo.item(1, data)).toEqual(passOn(1));
    expect(solo.item(2, data)).toEqual(known(2));
    expect(solo.signaturesLookedAt).toBe(0);
  });

  it('asks for the next month’s proof of work a round ahead, and uses each for its month', () => {
    const lastRound = ((EPOCH + 1) * POW_EPOCH_S) / periodS - 1;
    const solo = new Solo();
    solo.now = { nowMs: 0, wallMs: (lastRound - 1) * periodMs };
    expect(solo.tick()).toEqual([solve(middle, EPOCH)]);
    solo.begin();
    expect(solo.pass(periodMs)).toContainEqual(solve(middle, EPOCH + 1));
    solo.handle({ type: 'solved', epoch: EPOCH + 1, nonce: new Uint8Array(8).fill(2) });
    const said = Array.from({ length: 3 }, () => decodeFloodMessage(solo.nextAnnouncement()));
    expect(said.map(({ round, powNonce }) => [round - lastRound, powNonce[0]])).toEqual([
      [0, 1],
      [1, 2],
      [2, 2],
    ]);
  });
});

describe('a node that hears of somebody nearer', () => {
  it('passes that on and stays silent', () => {
    const solo = new Solo().begin();
    expect(solo.item(1, floodMessage(nearest, ROUND))).toEqual(passOn(1));
    expect(solo.next(280_000)).toEqual([]);
    expect(solo.nse.counted).toBe(1);
  });

  it('passes nothing on twice, and nothing that is worse', () => {
    const solo = new Solo().begin();
    const data = floodMessage(nearest, ROUND);
    solo.item(1, data);
    expect(solo.item(2, data)).toEqual(known(2));
    expect(solo.item(3, floodMessage(furthest, ROUND))).toEqual(known(3));
    expect([solo.signaturesLookedAt, solo.proofsLookedAt.length]).toEqual([1, 1]);
  });

  it('passes on what is better still', () => {
    const solo = new Solo();
    solo.tick();
    byDistance(ROUND)
      .slice(-3)
      .forEach((signer, i) => {
        expect(solo.item(i, floodMessage(signer, ROUND))).toEqual(passOn(i));
      });
    expect(solo.nse.counted).toBe(1);
  });

  it('passes on what concerns the round before within 50 ms', () => {
    const solo = new Solo();
    solo.tick();
    expect(solo.item(1, floodMessage(nearest, ROUND - 1))).toEqual([]);
    const fromMs = solo.now.nowMs;
    expect(solo.next()).toEqual(passOn(1));
    expect(solo.now.nowMs - fromMs).toBeGreaterThan(0);
    expect(solo.now.nowMs - fromMs).toBeLessThan(50);
  });

  it('counts what concerns the next round from its beginning on', () => {
    const solo = new Solo().begin();
    const early = floodMessage(nearestTo(ROUND + 1), ROUND + 1);
    expect(solo.item(1, early)).toEqual(passOn(1));
    expect(solo.nse.counted).toBe(0);
    solo.nextAnnouncement();
    expect(solo.next(periodMs)).toEqual([]);
    expect([solo.round, solo.nse.counted]).toEqual([ROUND + 1, 1]);
  });
});

describe('proofs of work of others', () => {
  const overtaken = byDistance(ROUND).slice(1);

  it('are looked at five at once and five in a second, in their order', () => {
    const solo = new Solo({ signer: furthest });
    solo.tick();
    const messages = overtaken.slice(0, 8).map((signer) => floodMessage(signer, ROUND));
    expect(messages.flatMap((data, item) => solo.item(item, data))).toEqual(passOn(0, 1, 2, 3, 4));
    const laterMs = [5, 6, 7].map((item) => {
      expect(solo.next()).toEqual(passOn(item));
      return solo.now.nowMs;
    });
    expect(laterMs).toEqual([1200, 1400, 1600]);
  });

  it('wait for no longer than Gossip does, 25 at most', () => {
    const solo = new Solo({ signer: furthest });
    solo.tick();
    const messages = overtaken.slice(0, 32).map((signer) => floodMessage(signer, ROUND));
    const outputs = messages.map((data, item) => solo.item(item, data));
    expect(outputs.slice(5, 30).flat()).toEqual([]);
    expect(outputs.slice(30).flat()).toEqual([
      { type: 'ignore', item: 30, why: 'busy' },
      { type: 'ignore', item: 31, why: 'busy' },
    ]);
    for (let item = 5; item < 30; item++) expect(solo.next()).toEqual(passOn(item));
    expect(solo.now.nowMs).toBe(6000);
    expect(solo.signaturesLookedAt).toBe(30);
  });

  it('are not looked at when somebody nearer was believed meanwhile', () => {
    const solo = new Solo({ signer: furthest });
    solo.tick();
    const [signers, last] = [overtaken.slice(0, 5), overtaken.slice(-2)];
    for (const [item, signer] of signers.entries()) solo.item(item, floodMessage(signer, ROUND));
    const messages = last.toReversed().map((signer) => floodMessage(signer, ROUND));
    for (const [i, data] of messages.entries()) expect(solo.item(5 + i, data)).toEqual([]);
    expect(solo.next()).toEqual([...passOn(5), ...known(6)]);
    expect(solo.proofsLookedAt).toHaveLength(6);
  });

  it('are remembered', () => {
    const solo = new Solo({ signer: furthest });
    for (let round = ROUND; round < ROUND + 10; round++) {
      solo.tick();
      solo.item(round, floodMessage(nearest, round, { powNonce: GOOD }));
      solo.pass(periodMs);
    }
    expect(solo.nse.counted).toBeGreaterThan(5);
    const { challenge } = identityPowTask(networkId, nearest.identity, EPOCH);
    expect(solo.proofsLookedAt).toEqual([toHex(challenge)]);
  });

  it('are looked at again when the same identity comes with another one', () => {
    const solo = new Solo({ signer: furthest });
    solo.tick();
    solo.item(1, floodMessage(nearest, ROUND, { powNonce: GOOD }));
    const false_ = floodMessage(nearest, ROUND + 1, { powNonce: BAD });
    expect(solo.item(2, false_)).toEqual([{ type: 'refuse', item: 2, why: 'proof' }]);
  });
});

describe('the estimate', () => {
  it('is those we are connected to and ourselves, from the first moment on', () => {
    const { nse } = new Solo();
    expect(nse.estimate(0)).toEqual({ peers: 1, deviation: 0 });
    expect(nse.estimate(6)).toEqual({ peers: 7, deviation: 0 });
    expect(nse.estimate(2 ** 40).peers).toBe(0xffff_ffff);
  });

  it('is there with the first message of a neighbour', () => {
    const solo = new Solo();
    solo.tick();
    const data = floodMessage(nearestTo(ROUND - 1), ROUND - 1);
    solo.item(1, data);
    const peers = Math.round(2 ** (decodeFloodMessage(data).bits - 0.332747));
    expect(peers).toBeGreaterThan(10);
    expect(solo.nse.estimate(0)).toEqual({ peers, deviation: 0 });
    expect(solo.nse.estimate(5000)).toEqual({ peers: 5001, deviation: 0 });
  });

  it('stays 1 for a node that is alone, however long', () => {
    const solo = new Solo().begin();
    for (let i = 0; i < 200; i++) solo.next();
    expect(solo.round).toBeGreaterThan(ROUND + 100);
    expect(solo.nse.estimate(0)).toEqual({ peers: 1, deviation: 0 });
  });

  it('has the deviation of the estimates with which the last rounds began', () => {
    const solo = new Solo({ history: 8, signer: furthest });
    const sizes: number[] = [];
    for (let round = ROUND; round < ROUND + 30; round++) {
      solo.tick();
      sizes.push(solo.nse.estimate(0).peers);
      solo.item(round, floodMessage(nearestTo(round), round));
      expect(solo.nse.counted).toBe(Math.min(8, sizes.length));
      solo.pass(periodMs);
    }
    sizes.push(solo.nse.estimate(0).peers);
    const { deviation } = solo.nse.estimate(0);
    expect(Math.abs(deviation - sampleDeviation(sizes.slice(-8)))).toBeLessThan(1.5);
  });
});

import { describe, expect, it } from 'vitest';
import { REASON } from './control-cells.ts';
import type { Extend } from './extend.ts';
import { ExtendRules } from './extend-rules.ts';
import { HopInitiator } from './hop.ts';
import { parametersOf, ROUND, testHop } from './testing/hops.ts';
import { onionTiming } from './timing.ts';

const bob = testHop('bob');
const carol = testHop('carol');
const FROM = { circuit: 1, link: 5, budget: 5 };

const CREATES = new Map(
  [1, 3, 4, 5, 12].map((budget) => {
    const asked = { hop: carol.peer.publicKey, round: ROUND, budget };
    return [budget, new HopInitiator(parametersOf(budget), asked).create()];
  }),
);

function rulesOf({ allowPrivate = false, roundSeconds = 300, scale = 1 } = {}): ExtendRules {
  return new ExtendRules({
    identity: bob.peer.identity,
    ownIps: ['20.98.0.1', '2600:1::98'],
    allowPrivate,
    timing: onionTiming(roundSeconds),
    admission: { scale },
  });
}

function extendTo(ip: string, { identity = carol.peer.identity, budget = 4 } = {}): Extend {
  const create = CREATES.get(budget) ?? new Uint8Array();
  return { address: { ip, port: 4000 }, identity, create };
}

/** How many of these in a row are carried out. */
function carriedOut(
  rules: ExtendRules,
  asks: readonly { circuit: number; link: number; nowMs: number }[],
): number {
  return asks.filter(({ circuit, link, nowMs }) => {
    const fault = rules.fault({ ...FROM, circuit, link }, extendTo('20.9.0.1'), nowMs);
    if (fault !== undefined) expect(fault).toBe(REASON.resourceLimit);
    return fault === undefined;
  }).length;
}

describe('where a relay may be led (attack 11)', () => {
  it.each([
    ['20.9.0.1', true],
    ['2600:1::1', true],
    ['127.0.0.1', false],
    ['10.0.0.1', false],
    ['172.16.5.5', false],
    ['192.168.1.1', false],
    ['100.64.0.1', false],
    ['169.254.1.1', false],
    ['0.0.0.0', false],
    ['224.0.0.1', false],
    ['255.255.255.255', false],
    ['::1', false],
    ['fe80::1', false],
    ['fd00::1', false],
    ['ff02::1', false],
    ['64:ff9b::a00:1', false],
    ['20.98.0.1', false],
    ['2600:1::98', false],
  ])('%s: %s, but in a test network anywhere', (ip, expected) => {
    const fault = rulesOf().fault(FROM, extendTo(ip), 0);
    expect(fault).toBe(expected ? undefined : REASON.connectFailed);
    expect(rulesOf({ allowPrivate: true }).fault(FROM, extendTo(ip), 0)).toBeUndefined();
  });

  it.each([false, true])('is never itself: allow_private %s', (allowPrivate) => {
    const own = extendTo('20.9.0.1', { identity: bob.peer.identity });
    expect(rulesOf({ allowPrivate }).fault(FROM, own, 0)).toBe(REASON.connectFailed);
  });
});

describe('the budget of an EXTEND (attack 10)', () => {
  it.each([
    [3, REASON.connectFailed],
    [4, undefined],
    [5, REASON.connectFailed],
    [12, REASON.connectFailed],
  ])('of %i to a relay with 5: %s', (budget, fault) => {
    expect(rulesOf().fault(FROM, extendTo('20.9.0.1', { budget }), 0)).toBe(fault);
  });

  it('is spent at a relay with 1', () => {
    const last = extendTo('20.9.0.1', { budget: 1 });
    expect(rulesOf().fault({ ...FROM, budget: 1 }, last, 0)).toBe(REASON.connectFailed);
    expect(rulesOf().fault({ ...FROM, budget: 2 }, last, 0)).toBeUndefined();
  });

  it('is not there in what is no CREATE', () => {
    const { address, identity } = extendTo('20.9.0.1');
    const create = new Uint8Array(10);
    expect(rulesOf().fault(FROM, { address, identity, create }, 0)).toBe(REASON.connectFailed);
  });
});

describe('how often a relay is led on', () => {
  it('is 3 times a minute by one circuit', () => {
    const rules = rulesOf();
    const asks = (nowMs: number, count: number) =>
      Array.from({ length: count }, () => ({ circuit: 1, link: 5, nowMs }));
    expect(carriedOut(rules, asks(0, 5))).toBe(3);
    expect(carriedOut(rules, asks(19_000, 5))).toBe(0);
    expect(carriedOut(rules, asks(20_000, 5))).toBe(1);
    expect(carriedOut(rules, asks(200_000, 5))).toBe(3);
  });

  it('is 10 times a minute over one link', () => {
    const rules = rulesOf();
    const asks = (link: number) =>
      Array.from({ length: 12 }, (_, i) => ({ circuit: 100 * link + i, link, nowMs: 0 }));
    expect(carriedOut(rules, asks(5))).toBe(10);
    expect(carriedOut(rules, asks(6))).toBe(10);
  });

  it('is more often over one link where rounds are shorter', () => {
    const asks = Array.from({ length: 200 }, (_, i) => ({ circuit: i, link: 5, nowMs: 0 }));
    expect(carriedOut(rulesOf({ roundSeconds: 30 }), asks)).toBe(100);
    expect(carriedOut(rulesOf({ roundSeconds: 3600 }), asks)).toBe(10);
  });

  it('counts what fails for another reason', () => {
    const rules = rulesOf();
    for (let i = 0; i < 3; i++) rules.fault(FROM, extendTo('127.0.0.1'), 0);
    expect(rules.fault(FROM, extendTo('20.9.0.1'), 0)).toBe(REASON.resourceLimit);
  });
});

// Small versions of the benchmark (bench/gossip.ts): how far and fast items spread, while nodes come and go, clocks are wrong
// and networks part (protocol 12, attacks 19 and 24).

import { describe, expect, it } from 'vitest';
import { Writer } from '../bytes/index.ts';
import { churnFigure } from './testing/churn.ts';
import { eclipseFigure } from './testing/eclipse.ts';
import { informed, spreadFigure } from './testing/figure.ts';
import { FREE_TYPE } from './testing/fixtures.ts';
import { Net } from './testing/net.ts';

describe('items', () => {
  it('attack 24: reach all honest nodes in 10 rounds at 10 % loss, 20 % silent nodes and clocks 15 s off', () => {
    const options = { seed: 1, nodes: 100, loss: 0.1, silent: 0.2, items: 2, skewMs: 15_000 };
    const { rounds, pushesPerItem } = spreadFigure(options);
    expect(rounds).toBeLessThanOrEqual(10);
    expect(pushesPerItem).toBeLessThan(6);
  });

  it('reach whoever is there while a tenth of the nodes comes and goes each minute', () => {
    const options = { seed: 1, nodes: 40, perMinute: 0.1, minutes: 3, itemsMs: 20_000 };
    const { reached, lonely, peaks } = churnFigure(options);
    expect(reached).toBeGreaterThanOrEqual(0.999);
    expect(lonely).toBe(0);
    expect(peaks.neighbours).toBeLessThanOrEqual(38);
  });

  it('reach the other half after a partition of five minutes', () => {
    const net = new Net({ seed: 1, latencyMs: { min: 20, max: 120 } });
    for (let number = 0; number < 40; number++) {
      net.add(number, { options: informed(net, 40) }).notify(FREE_TYPE);
    }
    net.time.advance(30_000);
    net.part((a, b) => a.number % 2 !== b.number % 2);
    net.time.advance(150_000);
    for (const number of [0, 1])
      net.nodes[number]?.announce(FREE_TYPE, new Writer(1).u8(number).end());
    net.time.advance(150_000);
    const counts = (): Set<number> =>
      new Set(net.nodes.slice(2).map((node) => node.received.length));
    expect(counts()).toEqual(new Set([1]));
    net.part(() => false);
    net.time.advance(120_000);
    expect(counts()).toEqual(new Set([2]));
  });

  it('leave nothing behind: an hour of them, with nodes that come and go', () => {
    const options = { seed: 2, nodes: 8, perMinute: 0.1, minutes: 60, itemsMs: 10_000 };
    const { reached, peaks } = churnFigure(options);
    expect(reached).toBeGreaterThanOrEqual(0.999);
    // What lives an hour here lives a quarter of one there.
    expect(peaks.items).toBeLessThanOrEqual(6 * 17);
    expect(peaks.knownNodes).toBeLessThanOrEqual(8);
    expect(peaks.waiting).toBe(0);
  });
});

describe('attackers', () => {
  it('attack 19: that tell of nobody but each other are not all neighbours of anybody, nor after a restart', () => {
    const { before, after, eclipsed } = eclipseFigure({
      seed: 1,
      nodes: 40,
      hostile: 0.2,
      livingMs: 300_000,
    });
    expect(eclipsed).toBe(0);
    expect(before).toBeLessThan(0.35);
    expect(after).toBeLessThan(0.4);
  });
});

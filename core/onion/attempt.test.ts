import { describe, expect, it } from 'vitest';
import { Attempt, type AttemptOptions } from './attempt.ts';
import { decodeCreate } from './hop.ts';
import type { RelayLink } from './next-hop.ts';
import { parametersOf, ROUND, testHop, WALL_MS } from './testing/hops.ts';
import { somePeer, somePeers } from './testing/peers.ts';
import { readCells } from './testing/read.ts';
import { onionTiming } from './timing.ts';

const hops = [testHop('bob').peer, testHop('carol').peer, testHop('dave').peer];
const [bob = somePeer(1)] = hops;
const LINK: RelayLink = { link: 9, address: bob.address, isInitiator: true };

function at(nowMs: number) {
  return { nowMs, wallMs: WALL_MS + nowMs };
}

function attemptOf(changes: Partial<AttemptOptions> = {}, seed = 1): Attempt {
  return new Attempt({
    parameters: parametersOf(seed),
    timing: onionTiming(300),
    circuit: 3,
    round: ROUND,
    hops: 2,
    destination: undefined,
    choosePath: () => hops,
    ...changes,
  });
}

/** The budget that the first hop is told. */
function budgetOf(path: AttemptOptions['choosePath'], seed: number): number {
  const attempt = attemptOf({ choosePath: path }, seed);
  attempt.onPeers([], at(0));
  const [output] = attempt.onLinkUp(bob.key, LINK, at(0));
  const command = output?.type === 'plane' ? output.command : undefined;
  const [cell] = command?.type === 'add own' ? readCells(command.cells) : [];
  return decodeCreate(cell && 'create' in cell ? cell.create : new Uint8Array()).budget;
}

describe('an attempt at a tunnel', () => {
  it('asks for a few peers more than it needs, until a path can be made of them', () => {
    const asked: [number, boolean][] = [];
    const attempt = attemptOf({
      choosePath: (candidates, evenPaused) => {
        asked.push([candidates.length, evenPaused]);
        return candidates.length < 12 ? undefined : hops;
      },
    });
    const wanted = [{ type: 'want peers', count: 7 }];
    expect(attempt.start(at(0))).toEqual(wanted);
    expect(attempt.onPeers(somePeers(3), at(10))).toEqual([]);
    expect(attempt.onTimer(at(999))).toEqual([]);
    for (const [i, count] of [3, 6, 9].entries()) {
      expect(attempt.onTimer(at(1000 * (i + 1)))).toEqual(wanted);
      expect(attempt.onPeers(somePeers(count), at(1000 * (i + 1)))).toEqual([]);
    }
    expect(attempt.onPeers(somePeers(12), at(3010))).toEqual([{ type: 'open link', peer: bob }]);
    expect(asked).toEqual([
      [3, false],
      [3, false],
      [6, false],
      [9, true],
      [12, true],
    ]);
    expect(attempt.onPeers(somePeers(12), at(3020))).toEqual([]);
  });

  it('remembers the last 64 peers, if they never fit', () => {
    let last: readonly number[] = [];
    const attempt = attemptOf({
      choosePath: (candidates) => {
        last = candidates.map(({ identity }) => identity[0] ?? 0);
        return undefined;
      },
    });
    for (let i = 0; i < 100; i++) attempt.onPeers([somePeer(i)], at(i));
    expect(last).toEqual(Array.from({ length: 64 }, (_, i) => 36 + i));
  });

  it('gives up a link that does not come in 8 s, and only then', () => {
    const attempt = attemptOf();
    attempt.onPeers([], at(0));
    expect(attempt.nextDeadlineMs()).toBe(8000);
    expect(attempt.onTimer(at(7999))).toEqual([]);
    expect(attempt.onTimer(at(8000))).toEqual([{ type: 'failed', culprit: bob.key }]);
    expect(attempt.end()).toEqual([]);
    expect(attempt.onLinkUp(bob.key, LINK, at(8001))).toEqual([]);
  });

  it('fails with the call to its first hop, not with somebody else’s', () => {
    const attempt = attemptOf();
    attempt.onPeers([], at(0));
    const { identity, address } = bob;
    const elsewhere = { identity, address: { ...address, port: 1 } };
    expect(attempt.onLinkFailed(elsewhere)).toEqual([]);
    expect(attempt.onLinkFailed({ identity, address })).toEqual([
      { type: 'failed', culprit: bob.key },
    ]);
    expect(attempt.onLinkFailed({ identity, address })).toEqual([]);
  });

  it('tells its first hop a budget that says little about where it stands (attack 8)', () => {
    const seeds = Array.from({ length: 60 }, (_, seed) => seed);
    const budgets = seeds.map((seed) => budgetOf(() => hops, seed));
    expect(new Set(budgets)).toEqual(new Set([4, 5, 6, 7, 8, 9, 10, 11, 12]));
    const long = [bob, ...somePeers(10)];
    const longBudgets = seeds.map((seed) => budgetOf(() => long, seed));
    expect(new Set(longBudgets)).toEqual(new Set([11, 12]));
  });

  it('lets go of what it has begun when it is ended', () => {
    const attempt = attemptOf();
    attempt.onPeers([], at(0));
    attempt.onLinkUp(bob.key, LINK, at(0));
    expect(attempt.end()).toMatchObject([
      { type: 'send cells', circuit: 3, side: 'next' },
      { type: 'remove', circuit: 3 },
    ]);
    expect(attempt.onTimer(at(60_000))).toEqual([]);
    expect(attempt.onLinkDown(LINK.link)).toEqual([]);
    expect(attempt.nextDeadlineMs()).toBe(Number.POSITIVE_INFINITY);
  });
});

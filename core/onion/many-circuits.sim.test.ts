// Protocol 11, a relay with many circuits. 60 of them here; `npm run bench -- circuits` does the same with 500.

import { expect, it } from 'vitest';
import { simulate } from '../sim/index.ts';
import { crowd } from './testing/crowd.ts';

const EACH = 30;

it('a relay carries what it is configured for, refuses more without harm, and forgets all', () =>
  simulate({ seed: 1 }, async (world) => {
    const { relay, end, neighbours, build, run } = await crowd(world, 4 * EACH);
    await build(EACH, 200);
    await run(40_000);
    expect(neighbours.map(({ built }) => built.size)).toEqual([EACH, EACH]);
    expect([relay.status.relayed, end.status.relayed]).toEqual([2 * EACH, 2 * EACH]);

    await build(5, 0);
    await run(5000);
    expect(neighbours.map(({ failed }) => failed.size)).toEqual([5, 5]);
    expect([relay.status.relayed, relay.node.status.links.links.length]).toEqual([2 * EACH, 3]);
    // Slots are still finding their phases: one cell may be late for its own.
    for (let i = 0; i < 3; i++) {
      for (const neighbour of neighbours) neighbour.cover();
      await run(3000);
    }
    await run(6000);
    expect(neighbours.map(({ echoed }) => echoed.size)).toEqual([EACH, EACH]);

    for (const neighbour of neighbours) neighbour.end();
    await run(5000);
    expect([relay.status.relayed, end.status.relayed]).toEqual([0, 0]);
  }));

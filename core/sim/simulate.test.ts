import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LAN } from './profiles.ts';
import { simulate } from './simulate.ts';
import type { World } from './world.ts';

const FILE = 'core/sim/simulate.test.ts';

describe('simulate', () => {
  let before: string | undefined;

  beforeEach(() => {
    before = process.env['SIM_SEED'];
    delete process.env['SIM_SEED'];
  });

  afterEach(() => {
    if (before === undefined) delete process.env['SIM_SEED'];
    else process.env['SIM_SEED'] = before;
  });

  async function seedsOf(seed: number | readonly number[]): Promise<number[]> {
    const seeds: number[] = [];
    await simulate({ seed, profile: LAN }, (world) => void seeds.push(world.seed));
    return seeds;
  }

  it('runs a world for each seed', async () => {
    expect(await seedsOf(7)).toEqual([7]);
    expect(await seedsOf([7, 8, 9])).toEqual([7, 8, 9]);
  });

  it('runs the one seed that SIM_SEED names', async () => {
    process.env['SIM_SEED'] = '42';
    expect(await seedsOf([7, 8, 9])).toEqual([42]);
    process.env['SIM_SEED'] = 'all';
    await expect(seedsOf(7)).rejects.toThrow('SIM_SEED is a whole number');
  });

  async function failure(test: (world: World) => void | Promise<void>): Promise<unknown> {
    return simulate({ seed: [1, 123] }, (world) =>
      world.seed === 1 ? undefined : test(world),
    ).then(
      () => undefined,
      (error: unknown) => error,
    );
  }

  const replay = `seed 123; replay with SIM_SEED=123 npm test -- ${FILE}`;

  it('says how to replay a failure, and keeps the error as it is', async () => {
    const error = await failure(() => expect(1).toBe(2));
    expect(error).toMatchObject({ name: 'AssertionError', actual: 1, expected: 2 });
    expect(String(error)).toContain(`${replay}\nexpected 1 to be 2`);
  });

  it('says so too of what a program throws, or anything else', async () => {
    const thrown = failure(async (world) => {
      world.host('a').start(async () => {
        throw new TypeError('a bug');
      });
      await world.runFor(1);
    });
    expect(String(await thrown)).toBe(`TypeError: ${replay}\na bug`);
    const odd = failure(() => Promise.reject('no error'));
    expect(String(await odd)).toBe(`Error: ${replay}\nno error`);
  });

  it('fails by a promise that nobody waits for', async () => {
    // The test runner would count the rejection as a failure of its own.
    const others = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    const error = await failure((world) => {
      world.after(1, () => void Promise.reject(new Error('unseen')));
      return world.runFor(1);
    });
    for (const other of others) process.on('unhandledRejection', other);
    expect(String(error)).toBe(`Error: ${replay}\nunseen`);
  });
});

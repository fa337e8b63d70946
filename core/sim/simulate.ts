// Runs a test in a world of each given seed, and says in every failure how to have exactly that world again.

import { realRuntime } from '../runtime/index.ts';
import { World, type WorldOptions } from './world.ts';

export interface SimulateOptions extends Omit<WorldOptions, 'seed'> {
  /** One, or several to be tried in turn. SIM_SEED in the environment replaces them all. */
  readonly seed: number | readonly number[];
}

export async function simulate(
  { seed, ...options }: SimulateOptions,
  test: (world: World) => void | Promise<void>,
): Promise<void> {
  const file = callingTest();
  for (const each of chosen(seed)) {
    try {
      await failingOnRejections(async () => test(new World({ ...options, seed: each })));
    } catch (error) {
      throw withReplay(error, `seed ${each}; replay with SIM_SEED=${each} npm test -- ${file}`);
    }
  }
}

function chosen(seed: number | readonly number[]): readonly number[] {
  const replayed = process.env['SIM_SEED'];
  if (replayed === undefined) return [seed].flat();
  if (!/^\d+$/.test(replayed)) throw new RangeError('SIM_SEED is a whole number');
  return [Number(replayed)];
}

/** A promise that nobody waits for fails unseen, long after; here it fails the test it belongs to. */
async function failingOnRejections(run: () => Promise<void>): Promise<void> {
  const rejections: unknown[] = [];
  const note = (reason: unknown): void => void rejections.push(reason);
  process.on('unhandledRejection', note);
  try {
    await run();
    // Node tells of rejections when the event loop turns.
    await new Promise<void>((resolve) => void realRuntime.timers.after(0, resolve));
  } finally {
    process.off('unhandledRejection', note);
  }
  if (rejections.length > 0) throw rejections[0];
}

/** Keeps the error itself: its type, its stack and what the test runner shows of it. */
function withReplay(error: unknown, replay: string): unknown {
  if (!(error instanceof Error)) return new Error(`${replay}\n${String(error)}`);
  error.message = `${replay}\n${error.message}`;
  return error;
}

/** The test file on the stack of this call, from the folder tests are started in. */
function callingTest(): string {
  const [, path] = /([^\s()]+\.test\.ts)/.exec(new Error().stack ?? '') ?? [];
  return path?.replace('file://', '').replace(`${process.cwd()}/`, '') ?? '<file>';
}

import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fromHex } from '../bytes/index.ts';
import { type PowTask, solvePow, verifyPow } from './pow.ts';
import { solveSmallPow } from './small-pow.ts';

const challenge = Uint8Array.from({ length: 32 }, (_, i) => i);

/** The first nonces from 0 that hold for `challenge`, found with Python's hashlib. */
const KNOWN: readonly { kind: PowTask['kind']; bits: number; nonce: string }[] = [
  { kind: 'fast', bits: 12, nonce: '00000000000006db' }, // 000ebf07b77c7e1d…
  { kind: 'fast', bits: 16, nonce: '000000000000345a' }, // 0000ea7bda2ca52a…
  { kind: 'id', bits: 4, nonce: '0000000000000014' }, // 0cb0b391543c633e…
  { kind: 'id', bits: 5, nonce: '0000000000000016' }, // 04d620195ba298fc…
];

function task(kind: PowTask['kind'], bits: number): PowTask {
  return { kind, bits, challenge };
}

const threads: Worker[] = [];

function remember(thread: Worker): void {
  threads.push(thread);
}

/** How many threads were started since the test's start, and how many of them run. A thread that ended has no id. */
function threadCounts(): { started: number; running: number } {
  return {
    started: threads.length,
    running: threads.filter(({ threadId }) => threadId !== -1).length,
  };
}

beforeEach(() => {
  threads.length = 0;
  process.on('worker', remember);
});

afterEach(() => {
  process.off('worker', remember);
});

describe('verifying a proof of work', () => {
  it.each(KNOWN)('accepts a known $kind proof of $bits bits and not of one more', (known) => {
    const nonce = fromHex(known.nonce);
    expect(verifyPow(task(known.kind, known.bits), nonce)).toBe(true);
    expect(verifyPow(task(known.kind, known.bits + 1), nonce)).toBe(false);
  });

  it.each(KNOWN)('refuses a $kind proof of $bits bits under other inputs', (known) => {
    const nonce = fromHex(known.nonce);
    const other = known.kind === 'fast' ? 'id' : 'fast';
    const otherChallenge = challenge.with(31, 99);
    expect(verifyPow(task(known.kind, known.bits), nonce.with(7, 1))).toBe(false);
    expect(verifyPow(task(other, known.bits), nonce)).toBe(false);
    expect(verifyPow({ ...task(known.kind, known.bits), challenge: otherChallenge }, nonce)).toBe(
      false,
    );
  });

  it('takes any nonce for a proof of no bits', () => {
    expect(verifyPow(task('fast', 0), fromHex('ffffffffffffffff'))).toBe(true);
  });

  it.each([
    [{ ...task('fast', 1), challenge: challenge.subarray(1) }, 8],
    [task('fast', 33), 8],
    [task('fast', -1), 8],
    [task('fast', 1.5), 8],
    [task('fast', 1), 7],
    [task('fast', 1), 9],
  ])('calls wrong sizes a bug', (wrong, nonceBytes) => {
    expect(() => verifyPow(wrong, new Uint8Array(nonceBytes))).toThrow(RangeError);
  });
});

describe('solving a proof of work', () => {
  it.each(KNOWN)('finds the first nonce for $bits bits of $kind', async ({ kind, bits, nonce }) => {
    expect(await solvePow(task(kind, bits))).toEqual(fromHex(nonce));
  });

  it('tells now and then how far it should be', async () => {
    const fractions: number[] = [];
    const onProgress = (fraction: number): void => void fractions.push(fraction);
    expect(await solvePow(task('id', 5), { onProgress })).toEqual(fromHex('0000000000000016'));
    expect(fractions).toEqual([8 / 32, 16 / 32]);
  });

  it('works on two at once, and leaves no thread behind', async () => {
    const both = [solvePow(task('fast', 16)), solvePow(task('id', 4))];
    const nonces = [fromHex('000000000000345a'), fromHex('0000000000000014')];
    expect(await Promise.all(both)).toEqual(nonces);
    expect(threadCounts()).toEqual({ started: 2, running: 0 });
  });

  it('stops when told to, and leaves no thread behind', async () => {
    const abort = new AbortController();
    const solving = solvePow(task('fast', 32), {
      signal: abort.signal,
      onProgress: () => abort.abort(),
    });
    await expect(solving).rejects.toMatchObject({ name: 'AbortError' });
    expect(threadCounts()).toEqual({ started: 1, running: 0 });
  });

  it.each([
    ['AbortError', task('fast', 0), AbortSignal.abort()],
    ['RangeError', task('fast', 33), undefined],
  ])('starts no thread for what fails with %s at once', async (name, wrong, signal) => {
    await expect(solvePow(wrong, { signal })).rejects.toMatchObject({ name });
    expect(threadCounts()).toEqual({ started: 0, running: 0 });
  });
});

describe('small proofs of work', () => {
  it('are found in the order asked, by one thread that stays', async () => {
    const asked = [16, 12, 0].map((bits) => solveSmallPow(task('fast', bits)));
    const order: number[] = [];
    for (const [i, solving] of asked.entries()) void solving.then(() => order.push(i));
    const nonces = ['000000000000345a', '00000000000006db', '0000000000000000'].map(fromHex);
    expect(await Promise.all(asked)).toEqual(nonces);
    expect(order).toEqual([0, 1, 2]);
    expect(await solveSmallPow(task('fast', 12))).toEqual(nonces[1]);
    expect(threadCounts()).toEqual({ started: 1, running: 1 });
  });

  it('are no large ones', async () => {
    for (const large of [task('fast', 17), task('id', 1), task('fast', -1)]) {
      await expect(solveSmallPow(large)).rejects.toThrow(RangeError);
    }
  });
});

// Rpc without links keeps to the same rules as the real one, or simulations with it would prove nothing.

import { describe, expect, it } from 'vitest';
import { ALICE, BOB } from '../link/testing/nodes.ts';
import { type Rng, SeededRng } from '../runtime/index.ts';
import { VirtualTime } from '../sim/index.ts';
import type { Outcome } from './rpc.ts';
import { MemoryNetwork } from './testing/memory.ts';

const RNG: Rng = new SeededRng(1);
const QUESTION = { service: 9, request: Uint8Array.of(1, 2) };

function playground({ loss = 0, isReachable = true } = {}) {
  const time = new VirtualTime();
  const latencyMs = { min: 20, max: 40 };
  const network = new MemoryNetwork({ timers: time, clock: time, rng: RNG, latencyMs, loss });
  const [a, b] = [ALICE, BOB].map(({ descriptor }, i) => {
    const address = { ip: `20.0.0.${i + 1}`, port: 4000 };
    const peer = { identity: descriptor.identity, address, descriptor };
    return network.join(peer, { isReachable: i === 0 || isReachable });
  });
  if (a === undefined || b === undefined) throw new Error('two nodes');
  const asked: Uint8Array[] = [];
  b.serve(9, (from, bytes, answer) => {
    asked.push(from.identity);
    answer(bytes.toReversed());
  });
  const outcomes: Outcome[] = [];
  const call = (question = QUESTION): void => {
    a.call(b.peer, question, (outcome) => outcomes.push(outcome));
  };
  return { time, a, b, asked, outcomes, call };
}

describe('Rpc in memory', () => {
  it('answers after the way there and back', async () => {
    const { time, a, b, asked, outcomes, call } = playground();
    call();
    expect(outcomes).toEqual([]);
    await time.runFor(39);
    expect(outcomes).toEqual([]);
    await time.runFor(41);
    expect(outcomes).toEqual([{ type: 'answer', bytes: Uint8Array.of(2, 1), from: b.peer }]);
    expect(asked).toEqual([a.peer.identity]);
    await time.runFor(10_000);
    expect(outcomes).toHaveLength(1);
  });

  it('fails after 3 s with who is away, hidden or says nothing', async () => {
    const hidden = playground({ isReachable: false });
    const away = playground();
    const silent = playground({ loss: 1 });
    await away.b.stop();
    for (const { time, call, outcomes } of [hidden, away, silent]) {
      call();
      await time.runFor(2990);
      expect(outcomes).toEqual([]);
      await time.runFor(20);
    }
    expect([hidden, away, silent].map(({ outcomes }) => outcomes)).toEqual([
      [{ type: 'failed', why: 'unreachable' }],
      [{ type: 'failed', why: 'unreachable' }],
      [{ type: 'failed', why: 'timeout' }],
    ]);
  });

  it('says everything twice where it may be lost, and asks in earnest once', async () => {
    const { time, asked, outcomes, call } = playground({ loss: 0.2 });
    for (let i = 0; i < 200; i++) {
      call();
      await time.runFor(4000);
    }
    const right = outcomes.filter(({ type }) => type === 'answer').length;
    expect(right / 200).toBeCloseTo(1 - (1 - 0.8 ** 2) ** 2, 1);
    expect(asked.length).toBeGreaterThanOrEqual(right);
    expect(asked.length).toBeLessThanOrEqual(200);
  });

  it('refuses what nobody serves, and whom asks too much', async () => {
    const { time, outcomes, call } = playground();
    call({ ...QUESTION, service: 8 });
    await time.runFor(100);
    expect(outcomes).toEqual([{ type: 'failed', why: 'no service' }]);
    for (let i = 0; i < 100; i++) call();
    await time.runFor(100);
    const busy = outcomes.filter((one) => one.type === 'failed' && one.why === 'busy');
    expect(busy).toHaveLength(60);
  });
});

import { describe, expect, it } from 'vitest';
import { DecodeError } from '../bytes/index.ts';
import { SeededRng } from '../runtime/index.ts';
import { PING } from './control.ts';
import { UPKEEP_MS, Upkeep } from './upkeep.ts';

function upkeep(): Upkeep {
  return new Upkeep(new SeededRng(1), 0);
}

describe('upkeep', () => {
  it('says PING and LOAD at once and every 30 s, whatever there is to say', () => {
    const one = upkeep();
    expect(one.due(0, 0).map(({ type }) => type)).toEqual(['ping', 'load']);
    expect(one.due(3, UPKEEP_MS - 1)).toEqual([]);
    expect(one.due(3, UPKEEP_MS)[1]).toEqual({ type: 'load', data: Uint8Array.of(3) });
    expect(one.nextMs).toBe(2 * UPKEEP_MS);
  });

  it('measures the round trip by its own PING only, once', () => {
    const one = upkeep();
    const [ping] = one.due(0, 0);
    const answer = { type: 'pong', data: ping?.data ?? PING } as const;
    one.handle({ type: 'pong', data: PING }, 10);
    expect(one.rttMs).toBeUndefined();
    one.handle(answer, 80);
    expect(one.rttMs).toBe(80);
    one.handle(answer, 5000);
    expect(one.rttMs).toBe(80);
    const [again] = one.due(0, UPKEEP_MS);
    one.handle({ type: 'pong', data: again?.data ?? PING }, UPKEEP_MS + 160);
    expect(one.rttMs).toBe(90);
  });

  it('answers PING with its own bytes', () => {
    const data = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    expect(upkeep().handle({ type: 'ping', data }, 0)).toEqual([{ type: 'pong', data }]);
  });

  it.each(['ping', 'pong', 'load'] as const)('refuses a %s of another length', (type) => {
    for (const length of [0, 2, 7, 9, 508]) {
      const message = { type, data: new Uint8Array(length) };
      expect(() => upkeep().handle(message, 0)).toThrow(DecodeError);
    }
  });
});

import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import { chooseProvider, type NoiseRole } from '../crypto/index.ts';
import { SeededRng } from '../runtime/index.ts';
import { KeyChain, type TrafficKeys } from './keys.ts';
import { REKEY_GAP_MIN_MS, Rekeying, type RekeyingInput, type RekeyingOutput } from './rekeying.ts';

const provider = chooseProvider();
const DUE: RekeyingInput = { type: 'due' };
const TICK: RekeyingInput = { type: 'tick' };
const CONFIRMED: RekeyingInput = { type: 'confirmed' };
/** When the link's first session is due. */
const T = 240_000;

function side(role: NoiseRole, seed: number): Rekeying {
  let index = 100 * seed;
  return new Rekeying({
    provider,
    rng: new SeededRng(seed),
    role,
    chain: new KeyChain(role, new Uint8Array(32).fill(7)),
    newIndex: () => ++index,
    nowMs: 0,
  });
}

function pair() {
  return { a: side('initiator', 1), b: side('responder', 2) };
}

/** What one said, as the other's inputs. */
function carried(said: readonly RekeyingOutput[], to: Rekeying, nowMs: number): RekeyingOutput[] {
  const messages = said.filter((output) => output.type === 'control');
  return messages.flatMap((message) => [...to.handle(message, nowMs)]);
}

function names(said: readonly RekeyingOutput[]): string[] {
  return said.map((output) => (output.type === 'control' ? output.message.type : output.type));
}

function keysIn(said: readonly RekeyingOutput[]): TrafficKeys {
  const [session] = said.filter((output) => output.type === 'session');
  if (session === undefined) throw new Error('no session');
  return session.keys;
}

/** One whole renewal; the initiator's new keys. */
function renew({ a, b }: ReturnType<typeof pair>, nowMs: number): TrafficKeys {
  const done = carried(carried(a.handle(DUE, nowMs), b, nowMs), a, nowMs);
  b.handle(CONFIRMED, nowMs);
  a.handle(CONFIRMED, nowMs);
  return keysIn(done);
}

describe('rekeying', () => {
  it('gives both the same fresh keys, which the initiator uses first', () => {
    const { a, b } = pair();
    const asked = a.handle(DUE, T);
    const answered = carried(asked, b, T);
    const done = carried(answered, a, T);
    expect([asked, answered, done].map(names)).toEqual([
      ['rekey'],
      ['session', 'rekey ack'],
      ['session', 'ping'],
    ]);
    const [ours, theirs] = [keysIn(done), keysIn(answered)];
    expect([ours.sendKey, ours.receiveKey]).toEqual([theirs.receiveKey, theirs.sendKey]);
    expect([ours.sendIndex, ours.receiveIndex]).toEqual([201, 101]);
    expect([theirs.sendIndex, theirs.receiveIndex]).toEqual([101, 201]);
    expect([ours.sendsFirst, theirs.sendsFirst]).toEqual([true, false]);
    expect([b.handle(CONFIRMED, T), a.handle(CONFIRMED, T)]).toEqual([[], []]);
    expect([a.nextDeadlineMs(), b.nextDeadlineMs()]).toEqual([
      ...[Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    ]);
  });

  it('goes on and on, and never repeats a key', () => {
    const both = pair();
    const all = [1, 2, 3, 4].flatMap((n) => {
      const { sendKey, receiveKey } = renew(both, n * T);
      return [toHex(sendKey), toHex(receiveKey)];
    });
    expect(new Set(all).size).toBe(8);
  });

  it('is asked for every 0.4 s until it is answered, and again until it is in use', () => {
    const { a, b } = pair();
    const asked = a.handle(DUE, T);
    expect(a.handle(DUE, T + 100)).toEqual([]);
    expect([a.handle(TICK, T + 399), a.handle(TICK, T + 400)]).toEqual([[], asked]);
    const done = carried(carried(asked, b, T + 500), a, T + 500);
    expect(names(done)).toEqual(['session', 'ping']);
    expect(names(a.handle(TICK, T + 900))).toEqual(['ping']);
    a.handle(CONFIRMED, T + 950);
    expect(a.handle(TICK, T + 2000)).toEqual([]);
  });

  it('is answered from a cache when it is asked for again', () => {
    const { a, b } = pair();
    const asked = a.handle(DUE, T);
    const [, ack] = carried(asked, b, T);
    expect(carried(asked, b, T + 400)).toEqual([ack]);
    b.handle(CONFIRMED, T + 500);
    expect(carried(asked, b, T + 600)).toEqual([ack]);
    expect(names(carried([ack, ack] as RekeyingOutput[], a, T + 700))).toEqual(['session', 'ping']);
  });

  it('starts over from the same chain when an answer was never used', () => {
    const { a, b } = pair();
    carried(a.handle(DUE, T), b, T);
    const afresh = side('initiator', 3);
    const later = T + REKEY_GAP_MIN_MS;
    const answered = carried(afresh.handle(DUE, later), b, later);
    const done = carried(answered, afresh, later);
    expect(keysIn(done).sendKey).toEqual(keysIn(answered).receiveKey);
  });

  it('cannot be forced more often than once a minute', () => {
    const { b } = pair();
    const again = (seed: number, nowMs: number) =>
      names(carried(side('initiator', seed).handle(DUE, nowMs), b, nowMs));
    expect(again(3, REKEY_GAP_MIN_MS - 1)).toEqual(['drop']);
    expect(again(4, REKEY_GAP_MIN_MS)).toEqual(['session', 'rekey ack']);
    expect(again(5, 2 * REKEY_GAP_MIN_MS - 1)).toEqual(['drop']);
  });

  it('is begun by the initiator only', () => {
    const { a, b } = pair();
    expect(b.handle(DUE, T)).toEqual([]);
    const rekey = side('initiator', 3).handle(DUE, T);
    expect(names(carried(rekey, a, T))).toEqual(['violation']);
    const ack = carried(rekey, b, T).slice(1);
    expect(names(carried(ack, side('responder', 4), T))).toEqual(['violation']);
  });

  it('takes no answer that was not asked for', () => {
    const ack = carried(side('initiator', 3).handle(DUE, T), side('responder', 4), T).slice(1);
    expect(carried(ack, side('initiator', 5), T)).toEqual([]);
  });

  it.each<[string, Uint8Array]>([
    ['a length that is wrong', new Uint8Array(35).fill(9)],
    ['a key of small order (attack 16)', new Uint8Array(36)],
  ])('takes %s for a violation', (_, data) => {
    const { a, b } = pair();
    a.handle(DUE, T);
    for (const [to, type] of [
      [a, 'rekey ack'],
      [b, 'rekey'],
    ] as const) {
      expect(names(to.handle({ type: 'control', message: { type, data } }, T))).toEqual([
        'violation',
      ]);
    }
  });

  it('stops when it is wiped', () => {
    const { a } = pair();
    a.handle(DUE, T);
    a.wipe();
    expect(a.nextDeadlineMs()).toBe(Number.POSITIVE_INFINITY);
  });
});

import { describe, expect, it } from 'vitest';
import { DecodeError } from '../bytes/index.ts';
import { survivesHostileBytes } from '../bytes/testing/hostile.ts';
import { toIdentity } from '../identity/index.ts';
import { randomUnit, SeededRng } from '../runtime/index.ts';
import { type ControlMessage, decodeControl, encodeControl, PartsOf, partsOf } from './control.ts';
import { QUEUE_MAX, SIGNALLING_TIMEOUT_MS, Signalling } from './signalling.ts';

const HOLD: ControlMessage = { type: 'hold' };
const MESSAGES: readonly ControlMessage[] = [
  { type: 'ringing' },
  { type: 'answer' },
  { type: 'reject', reason: 'declined' },
  { type: 'busy' },
  { type: 'waiting' },
  { type: 'cancel', reason: 'unanswered' },
  HOLD,
  { type: 'resume' },
  { type: 'bye', reason: 'completed' },
  { type: 'bye ack' },
  { type: 'media', parameters: { codec: 1, bitrate: 24_000, distances: [1, 3, 6] } },
  {
    type: 'next meeting point',
    point: {
      round: 77,
      identity: toIdentity(new Uint8Array(32).fill(1)),
      ip: new Uint8Array(16).fill(2),
      port: 6000,
      cookieSalt: new Uint8Array(16).fill(3),
    },
  },
  { type: 'session resume', callId: new Uint8Array(16).fill(4), epoch: 9 },
  { type: 'confirm', random: new Uint8Array(16).fill(5) },
  { type: 'key', epoch: 2, publicKey: new Uint8Array(32).fill(6) },
  { type: 'part', of: 'card', index: 1, length: 300, bytes: new Uint8Array(44).fill(7) },
];

describe('control messages', () => {
  it('come back as they were, in these bytes', () => {
    for (const message of MESSAGES) {
      expect(decodeControl(encodeControl(message))).toEqual(message);
    }
    expect(MESSAGES.map((message) => encodeControl(message)[0])).toEqual(
      MESSAGES.map((_, i) => i + 1),
    );
    expect([...encodeControl({ type: 'bye', reason: 'held too long' })]).toEqual([9, 8]);
  });

  it('are refused cut off, with a byte too many, and with unknown numbers', () => {
    for (const message of MESSAGES) {
      const bytes = encodeControl(message);
      for (let length = 0; length < bytes.length; length++) {
        expect(() => decodeControl(bytes.subarray(0, length))).toThrow(DecodeError);
      }
      expect(() => decodeControl(Uint8Array.of(...bytes, 0))).toThrow(DecodeError);
    }
    const wrong = [
      [0],
      [17],
      [3, 11],
      [16, 3, 0, 0, 1, 0],
      [16, 1, 1, 1, 0],
      [11, 1, 0, 0, 0, 0, 5],
    ];
    for (const bytes of wrong)
      expect(() => decodeControl(Uint8Array.from(bytes))).toThrow(DecodeError);
  });

  it('survive hostile bytes', () => {
    survivesHostileBytes(decodeControl, MESSAGES.map(encodeControl));
  });

  it('carry longer texts in parts', () => {
    const text = Uint8Array.from({ length: 1193 }, (_, i) => i % 251);
    const parts = partsOf('card', text);
    const whole = new PartsOf(text.length);
    const results = parts.map((part) => whole.push(part));
    expect(results.map((result) => result !== undefined)).toEqual([
      false,
      false,
      false,
      false,
      true,
    ]);
    expect(results[4]).toEqual(text);
    const again = new PartsOf(text.length);
    expect(() => parts[1] && again.push(parts[1])).toThrow(DecodeError);
    expect(() => new PartsOf(1192).push(parts[0] as (typeof parts)[0])).toThrow(DecodeError);
  });
});

/** One field each way per 20 ms, through a network that loses, repeats and reorders. */
class Talk {
  readonly ends = [new Signalling(), new Signalling()] as const;
  readonly read: ControlMessage[][] = [[], []];
  readonly acknowledged: ControlMessage[][] = [[], []];
  readonly fields: Uint8Array[][] = [[], []];
  nowMs = 0;
  readonly #dice: SeededRng;
  #flying: { atMs: number; to: 0 | 1; data: Uint8Array }[] = [];

  constructor(seed: number) {
    this.#dice = new SeededRng(seed);
  }

  slots(count: number, loss: number): void {
    for (let i = 0; i < count; i++) {
      this.nowMs += 20;
      for (const from of [0, 1] as const) this.#pull(from, loss);
      const due = this.#flying.filter(({ atMs }) => atMs <= this.nowMs);
      this.#flying = this.#flying.filter(({ atMs }) => atMs > this.nowMs);
      for (const { to, data } of due) {
        const { messages, acknowledged } = this.ends[to].receive(data, this.nowMs);
        this.read[to]?.push(...messages);
        this.acknowledged[to]?.push(...acknowledged);
      }
    }
  }

  #pull(from: 0 | 1, loss: number): void {
    for (const { data } of this.ends[from].fields(this.nowMs, 300)) {
      this.fields[from]?.push(data);
      for (let copy = 0; copy < 2; copy++) {
        if (randomUnit(this.#dice) < loss || (copy > 0 && loss === 0)) continue;
        const atMs = this.nowMs + 50 + randomUnit(this.#dice) * 300 * Math.sign(loss);
        this.#flying.push({ atMs, to: from === 0 ? 1 : 0, data });
      }
    }
  }
}

function numbered(count: number): ControlMessage[] {
  return Array.from({ length: count }, (_, i) => ({
    type: 'session resume',
    callId: new Uint8Array(16),
    epoch: i,
  }));
}

describe('signalling', () => {
  it('delivers each message once and in order, whatever is lost, doubled or overtaken', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const talk = new Talk(seed);
      for (const message of numbered(60)) talk.ends[0].send(message);
      for (const message of numbered(20)) talk.ends[1].send(message);
      talk.slots(1500, 0.5);
      expect(talk.read).toEqual([numbered(20), numbered(60)]);
      expect(talk.acknowledged).toEqual([numbered(60), numbered(20)]);
      expect(talk.ends.map((end) => end.isStuck(talk.nowMs))).toEqual([false, false]);
    }
  });

  it('acknowledges in every frame, and says nothing twice without need', () => {
    const talk = new Talk(1);
    talk.ends[0].send(HOLD);
    talk.slots(100, 0);
    expect(talk.read[1]).toEqual([HOLD]);
    const [ours = [], theirs = []] = talk.fields;
    expect(ours.filter((data) => data.length > 8)).toHaveLength(1);
    expect(theirs.slice(10).every((data) => data[3] === 1)).toBe(true);
  });

  it('sends again after twice the round trip, half as long again each time, at most a second', () => {
    const alone = new Signalling();
    alone.learnRtt(150);
    alone.send(HOLD);
    const at: number[] = [];
    for (let ms = 0; ms < 5000; ms += 10) {
      if (alone.fields(ms, 300).some(({ data }) => data.length > 8)) at.push(ms);
    }
    expect(at).toEqual([0, 300, 750, 1430, 2430, 3430, 4430]);
  });

  it('tells that a message was read only when all before it were', () => {
    const [ours, theirs] = [new Signalling(), new Signalling()];
    for (const message of numbered(2)) ours.send(message);
    const [first, second] = ours.fields(0, 300).map(({ data }) => data);
    theirs.receive(second as Uint8Array, 0);
    const early = theirs.fields(0, 300)[0]?.data as Uint8Array;
    expect(ours.receive(early, 10).acknowledged).toEqual([]);
    expect(ours.fields(2000, 300).map(({ data }) => data[1])).toEqual([1]);
    theirs.receive(first as Uint8Array, 20);
    const both = theirs.fields(20, 300)[0]?.data as Uint8Array;
    expect(ours.receive(both, 30).acknowledged).toEqual(numbered(2));
  });

  it('is stuck after 10 s without an answer, until it is begun anew', () => {
    const alone = new Signalling();
    alone.send(HOLD);
    alone.fields(100, 300);
    expect(alone.nextDeadlineMs()).toBe(100 + SIGNALLING_TIMEOUT_MS);
    expect([10_099, 10_100].map((ms) => alone.isStuck(ms))).toEqual([false, true]);
    alone.restart();
    expect(alone.isStuck(20_000)).toBe(false);
    expect(alone.fields(20_000, 300)[0]?.data.length).toBe(9);
  });

  it('is stuck for good when more is said than a peer could have missed', () => {
    const alone = new Signalling();
    for (let i = 0; i < QUEUE_MAX; i++) alone.send(HOLD);
    expect(alone.isStuck(0)).toBe(false);
    alone.send(HOLD);
    expect(alone.isStuck(0)).toBe(true);
  });

  it('goes on after a message that it cannot read', () => {
    const theirs = new Signalling();
    const unknown = Uint8Array.from([0, 1, 0, 0, 0, 0, 0, 0, 99, 1, 2]);
    expect(theirs.receive(unknown, 0)).toEqual({ messages: [], acknowledged: [], unread: 1 });
    const hold = Uint8Array.from([0, 2, 0, 0, 0, 0, 0, 0, 7]);
    expect(theirs.receive(hold, 0).messages).toEqual([HOLD]);
    expect([...(theirs.fields(0, 300)[0]?.data ?? [])]).toEqual([0, 0, 0, 2, 0, 0, 0, 0]);
  });

  it('refuses fields that make no sense', () => {
    const theirs = new Signalling();
    const wrong = [
      [0, 1, 0, 0, 0, 0, 0],
      [0, 1, 0, 0, 0, 0, 0, 0],
      [0, 0, 0, 0, 0, 0, 0, 0, 7],
      [0, 0, 0, 1, 0, 0, 0, 0],
    ];
    for (const data of wrong) {
      expect(() => theirs.receive(Uint8Array.from(data), 0)).toThrow(DecodeError);
    }
  });
});

import { describe, expect, it } from 'vitest';
import type { IdentityKey } from '../identity/index.ts';
import type { Opinion } from '../module-api/index.ts';
import { SeededRng } from '../runtime/index.ts';
import type { Held, Source } from './cache.ts';
import { type ClientId, Clients } from './clients.ts';
import { FREE_TYPE, testHeld, testItem } from './testing/fixtures.ts';
import { Validation, type ValidationCase } from './validation.ts';

const [ALICE, BOB] = ['alice' as IdentityKey, 'bob' as IdentityKey];
const CLIENT: ClientId = 1;

class Bench {
  readonly clients = new Clients<ValidationCase>(new SeededRng(3));
  readonly said: string[] = [];
  readonly asked: { readonly client: ClientId; readonly messageId: number }[] = [];
  readonly validation: Validation;
  readonly #names = new Map<Held, string>();
  #items = 0;

  constructor(...clients: readonly ClientId[]) {
    for (const client of clients) this.clients.notify(client, FREE_TYPE);
    this.validation = new Validation({
      clients: this.clients,
      notify: (client, messageId, held) => {
        this.asked.push({ client, messageId });
        this.said.push(`${client}? ${this.#names.get(held)}`);
      },
      onVerdict: (held, verdict) => void this.said.push(`${this.#names.get(held)} ${verdict}`),
      onOverflow: (held) => void this.said.push(`${this.#names.get(held)} dropped`),
    });
  }

  /** What it says to so many items. */
  submit(source: Source, names: readonly string[], { announcer, nowMs = 0 }: Submission = {}) {
    for (const name of names) {
      const held = testHeld(testItem(this.#items++), source);
      this.#names.set(held, name);
      this.validation.submit(held, announcer, nowMs);
    }
    return this.said.splice(0);
  }

  /** What it says to the answer to the notification with that place. */
  answer(place: number, opinion: Opinion = 'pass on', by?: ClientId): readonly string[] {
    const { client, messageId } = this.asked[place] ?? { client: 0, messageId: 0 };
    const known = this.validation.answer(by ?? client, messageId, opinion, 0);
    return known ? this.said.splice(0) : ['unknown'];
  }

  go(client: ClientId): readonly string[] {
    this.validation.clientGone(client, this.clients.remove(client), 0);
    return this.said.splice(0);
  }

  tick(nowMs: number): readonly string[] {
    this.validation.onTick(nowMs);
    return this.said.splice(0);
  }
}

interface Submission {
  readonly announcer?: ClientId;
  readonly nowMs?: number;
}

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}

describe('validation', () => {
  it('asks every subscriber, and waits for all', () => {
    const bench = new Bench(1, 2);
    expect(bench.submit(ALICE, ['a'])).toEqual(['1? a', '2? a']);
    expect(bench.answer(1)).toEqual([]);
    expect(bench.answer(0)).toEqual(['a valid']);
  });

  it('ends with the first objection', () => {
    const bench = new Bench(1, 2);
    bench.submit(ALICE, ['a']);
    expect(bench.answer(1, 'refuse')).toEqual(['a invalid']);
    expect(bench.answer(0)).toEqual(['unknown']);
  });

  it('ends at once, and badly for nobody, when somebody has no opinion and nobody objects', () => {
    const bench = new Bench(1, 2);
    bench.submit(ALICE, ['a', 'b']);
    expect(bench.answer(0, 'ignore')).toEqual([]);
    expect(bench.answer(1)).toEqual(['a unanswered']);
    bench.answer(2, 'ignore');
    expect(bench.answer(3, 'refuse')).toEqual(['b invalid']);
  });

  it('ends after 5 s without an answer, and what comes then is unknown', () => {
    const bench = new Bench(1, 2);
    bench.submit(ALICE, ['a'], { nowMs: 100 });
    bench.answer(0);
    expect(bench.validation.nextDeadlineMs()).toBe(5100);
    expect(bench.tick(5099)).toEqual([]);
    expect(bench.tick(5100)).toEqual(['a unanswered']);
    expect(bench.answer(1)).toEqual(['unknown']);
    expect(bench.validation.nextDeadlineMs()).toBe(Number.POSITIVE_INFINITY);
  });

  it('does without a subscriber that has gone, if another one approved', () => {
    const bench = new Bench(1, 2);
    bench.submit(ALICE, ['a', 'b']);
    bench.answer(0);
    expect(bench.go(2)).toEqual(['a valid']);
    expect(bench.go(1)).toEqual(['b unanswered']);
  });

  it('asks nobody about his own announcement', () => {
    const bench = new Bench(1, 2);
    expect(bench.submit('own', ['a'], { announcer: 1 })).toEqual(['2? a']);
    expect(bench.go(2)).toEqual(['a unanswered']);
    expect(bench.submit('own', ['b'], { announcer: 1 })).toEqual(['b unanswered']);
  });

  it('attack 21: takes no wrong, repeated or foreign message ID', () => {
    const bench = new Bench(1, 2);
    bench.submit(ALICE, ['a']);
    expect(bench.answer(0, 'pass on', 2)).toEqual(['unknown']);
    expect(bench.answer(7)).toEqual(['unknown']);
    expect(bench.answer(0)).toEqual([]);
    expect(bench.answer(0)).toEqual(['unknown']);
    expect(bench.answer(1)).toEqual(['a valid']);
  });

  it('asks four items of each source at a time', () => {
    const bench = new Bench(CLIENT);
    expect(bench.submit(ALICE, names('a', 6))).toEqual(['1? a0', '1? a1', '1? a2', '1? a3']);
    expect(bench.submit(BOB, ['b'])).toEqual(['1? b']);
    expect(bench.answer(2)).toEqual(['a2 valid', '1? a4']);
    expect(bench.validation.size).toBe(6);
  });

  it('drops the newest of a source of which 32 wait', () => {
    const bench = new Bench(CLIENT);
    bench.submit(ALICE, names('a', 36));
    expect(bench.submit(ALICE, ['late'])).toEqual(['late dropped']);
    expect(bench.submit(BOB, ['b'])).toEqual(['1? b']);
  });

  it('drops the newest of the busiest neighbour when 512 wait', () => {
    const bench = new Bench(CLIENT);
    bench.submit('own', names('own', 4 + 100));
    for (let source = 0; source < 16; source++) {
      bench.submit(`${source}` as IdentityKey, names(`${source}-`, 4 + (source === 5 ? 32 : 31)));
    }
    expect(bench.submit(ALICE, names('a', 4 + 15))).toHaveLength(4);
    expect(bench.submit(ALICE, ['last'])).toEqual(['5-35 dropped']);
  });

  it('drops what our own modules announce only when 256 of them wait', () => {
    const bench = new Bench(CLIENT);
    expect(bench.submit('own', names('own', 4 + 256))).toHaveLength(4);
    expect(bench.submit('own', ['late'])).toEqual(['late dropped']);
  });

  it('lets sources take turns', () => {
    const bench = new Bench(CLIENT);
    bench.submit(ALICE, names('a', 20));
    bench.submit(BOB, names('b', 6));
    const order: string[] = [];
    for (let place = 0; place < 14; place++) order.push(...bench.answer(place));
    const asked = order.filter((said) => said.startsWith('1?')).join('');
    expect(asked).toContain('b4');
    expect(asked).toContain('b5');
  });

  it('asks 2 MiB at a time', () => {
    const bench = new Bench(CLIENT);
    for (let source = 0; source < 20; source++) {
      for (let i = 0; i < 4; i++) {
        const item = { ...testItem(i), data: new Uint8Array(60_000) };
        bench.validation.submit(testHeld(item, `${source}` as IdentityKey), undefined, 0);
      }
    }
    expect(bench.asked).toHaveLength(Math.floor((2 << 20) / 60_000));
  });
});

describe('clients', () => {
  it('have a message ID for each notification that is open, and no other', () => {
    const clients = new Clients<string>(new SeededRng(1));
    const opened = new Set(Array.from({ length: 65_536 }, (_, i) => clients.open(CLIENT, `${i}`)));
    expect(opened.size).toBe(65_536);
    expect(clients.close(CLIENT, 77)).toBeDefined();
    expect(clients.open(CLIENT, 'again')).toBe(77);
  });

  it('want each type once, and nothing when they are gone', () => {
    const clients = new Clients<string>(new SeededRng(1));
    expect([clients.notify(1, 7), clients.notify(1, 7), clients.notify(2, 7)]).toEqual([
      true,
      false,
      true,
    ]);
    clients.notify(2, 5);
    expect(clients.dataTypes()).toEqual([7, 5]);
    expect(clients.subscribers(7)).toEqual([1, 2]);
    clients.remove(2);
    expect([clients.wants(7), clients.wants(5)]).toEqual([true, false]);
  });
});

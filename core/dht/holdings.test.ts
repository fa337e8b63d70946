import { describe, expect, it } from 'vitest';
import { sha256 } from '../crypto/index.ts';
import { SeededRng } from '../runtime/index.ts';
import { type Held, Holdings, wholeValue } from './holdings.ts';
import { BYTES_PER_HOUR, Quotas, VALUES_PER_SOURCE } from './quotas.ts';
import { workOf } from './record.ts';
import { contact, filled, parted, record, WALL_MS } from './testing/records.ts';
import { Tokens } from './tokens.ts';

const networkId = new Uint8Array(16);
const NOW = { nowMs: 0, wallMs: WALL_MS };

function at(ms: number) {
  return { nowMs: ms, wallMs: WALL_MS + ms };
}

function holdings(bytesMax?: number) {
  const kept: Held[] = [];
  const gone: Held[] = [];
  const options = {
    own: contact([]).identity,
    networkId,
    rng: new SeededRng(1),
    onKept: (held: Held) => void kept.push(held),
    onGone: (held: Held) => void gone.push(held),
  };
  return {
    kept,
    gone,
    holdings: new Holdings(bytesMax === undefined ? options : { ...options, bytesMax }),
  };
}

function opaque(byte: number) {
  return record(Uint8Array.of(byte));
}

describe('values that are kept', () => {
  it('are told until they run out', () => {
    const { holdings: values, kept, gone } = holdings();
    const offer = { key: filled(1), record: opaque(1), source: 'bob' };
    expect(values.offer(offer, NOW)).toEqual({ type: 'stored', status: 'stored', missing: [] });
    expect(values.under(filled(1), NOW).map(wholeValue)).toEqual([Uint8Array.of(1)]);
    expect(kept).toHaveLength(1);
    expect(values.under(filled(1), at(3_600_000))).toEqual([]);
    values.expire(at(3_600_000));
    expect([values.size, values.bytes, gone.length]).toEqual([0, 0, 1]);
  });

  it('live no longer because somebody else passes them on, but when their owner pays again', () => {
    const { holdings: values } = holdings();
    const longer = record(Uint8Array.of(1), { createdS: WALL_MS / 1000 + 1800 });
    const offer = (one: typeof longer) =>
      values.offer({ key: filled(1), record: one, source: 'bob' }, NOW);
    offer(opaque(1));
    expect(offer(opaque(1)).status).toBe('known');
    expect(values.under(filled(1), at(3_600_000))).toHaveLength(0);
    expect(offer(longer).status).toBe('known');
    expect(values.under(filled(1), at(3_600_000))).toHaveLength(1);
    offer(opaque(1));
    expect(values.under(filled(1), at(3_600_000))).toHaveLength(1);
  });

  it('are told when all parts are there, each of which must be what the manifest says', () => {
    const { holdings: values, kept } = holdings();
    const value = Uint8Array.from({ length: 2500 }, (_, i) => i >> 4);
    const { record: long, parts } = parted(value, { form: 'content' });
    const key = sha256(value);
    const all = parts.map((bytes, index) => ({ index, bytes }));
    expect(values.offer({ key, record: long, source: 'bob' }, NOW).missing).toEqual([0, 1, 2]);
    expect(values.offerParts(key, long.variant, all.slice(1)).missing).toEqual([0]);
    expect(values.under(key, NOW)).toEqual([]);
    const [first] = all;
    const wrong = { index: 0, bytes: parts[1] ?? value };
    expect(values.offerParts(key, long.variant, [wrong]).status).toBe('refused');
    expect(kept).toEqual([]);
    if (first !== undefined) values.offerParts(key, long.variant, [first]);
    expect(values.under(key, NOW).map(wholeValue)).toEqual([value]);
    expect(values.parts(key, long.variant, [2, 5])).toEqual([all[2]]);
    expect(kept).toHaveLength(1);
  });

  it('that claim another key go when they are complete (attack 22: wrong value)', () => {
    const { holdings: values, kept } = holdings();
    const { record: long, parts } = parted(new Uint8Array(2500), { form: 'content' });
    values.offer({ key: filled(1), record: long, source: 'eve' }, NOW);
    const all = parts.map((bytes, index) => ({ index, bytes }));
    expect(values.offerParts(filled(1), long.variant, all).status).toBe('refused');
    expect([values.size, kept.length]).toEqual([0, 0]);
  });

  it('go when their parts do not come', () => {
    const { holdings: values } = holdings();
    values.offer(
      { key: filled(1), record: parted(new Uint8Array(2500)).record, source: 'eve' },
      NOW,
    );
    values.expire(at(59_999));
    expect(values.size).toBe(1);
    values.expire(at(60_000));
    expect([values.size, values.bytes]).toEqual([0, 0]);
  });

  it('are eight under a key, and only more work gets in among them (attack 22: spam)', () => {
    const { holdings: values } = holdings();
    const key = filled(1);
    const offer = (byte: number) =>
      values.offer({ key, record: opaque(byte), source: `${byte}` }, NOW).status;
    const work = (byte: number) => workOf(networkId, key, opaque(byte));
    const order = Array.from({ length: 200 }, (_, i) => i).sort((a, b) => work(a) - work(b));
    const middle = order.slice(100, 108);
    for (const byte of middle) expect(offer(byte)).toBe('stored');
    expect(offer(order[0] ?? 0)).toBe('full');
    expect(offer(order.at(-1) ?? 0)).toBe('stored');
    const told = values.under(key, NOW).map((held) => wholeValue(held)[0]);
    expect(told).toHaveLength(8);
    expect(told[0]).toBe(order.at(-1));
    expect(told).not.toContain(middle[0]);
  });

  it('of our own clients stay, whatever others store under the key', () => {
    const { holdings: values } = holdings();
    const key = filled(1);
    values.offer({ key, record: opaque(255), source: undefined }, NOW);
    for (let i = 0; i < 200; i++) values.offer({ key, record: opaque(i), source: `${i}` }, NOW);
    expect(values.under(key, NOW).map((held) => wholeValue(held)[0])).toContain(255);
  });

  it('go to the nearest when there is no room for all', () => {
    const { holdings: values, gone } = holdings(3 * 600);
    const put = (key: number) =>
      values.offer({ key: filled(key), record: opaque(key), source: 'bob' }, NOW).status;
    expect([put(3), put(7), put(5)]).toEqual(['stored', 'stored', 'stored']);
    expect(put(9)).toBe('full');
    expect(put(1)).toBe('stored');
    expect(gone.map(({ key }) => key[0])).toEqual([9, 7]);
  });

  it('are brought to others once an hour, unless somebody else does it', () => {
    const { holdings: values } = holdings();
    const offer = { key: filled(1), record: opaque(1), source: 'bob' };
    values.offer(offer, NOW);
    expect(values.takeDue(at(2_999_999), 9)).toEqual([]);
    values.offer(offer, at(2_000_000));
    expect(values.takeDue(at(4_900_000), 9)).toEqual([]);
    expect(values.takeDue(at(6_200_000), 9)).toHaveLength(1);
    expect(values.takeDue(at(6_200_001), 9)).toEqual([]);
  });

  it('under a signature follow one another', () => {
    const { holdings: values } = holdings();
    const signer = (seq: number) => ({
      publicKey: new Uint8Array() as never,
      salt: filled(1),
      seq,
      signature: new Uint8Array(512),
    });
    const offer = (seq: number) => {
      const one = {
        ...opaque(seq),
        form: 'signed' as const,
        signer: signer(seq),
        variant: `${seq}`,
      };
      return values.offer({ key: filled(1), record: one, source: 'bob' }, NOW).status;
    };
    expect([offer(5), offer(4), offer(6)]).toEqual(['stored', 'full', 'stored']);
    expect(values.under(filled(1), NOW).map(({ record: one }) => one.signer?.seq)).toEqual([6]);
  });
});

describe('quotas', () => {
  it('are so many values of one source at a time (attack 22: spam)', () => {
    const quotas = new Quotas();
    for (let i = 0; i < VALUES_PER_SOURCE; i++) expect(quotas.take('eve', 1, 0)).toBe(true);
    expect(quotas.take('eve', 1, 0)).toBe(false);
    expect(quotas.take('bob', 1, 0)).toBe(true);
    quotas.release('eve');
    expect(quotas.take('eve', 1, 0)).toBe(true);
  });

  it('are so many bytes in an hour', () => {
    const quotas = new Quotas();
    expect(quotas.take('eve', BYTES_PER_HOUR, 0)).toBe(true);
    quotas.release('eve');
    expect(quotas.take('eve', BYTES_PER_HOUR / 2, 1_799_000)).toBe(false);
    expect(quotas.take('eve', BYTES_PER_HOUR / 2, 1_801_000)).toBe(true);
  });

  it('are remembered of a bounded number of sources', () => {
    const quotas = new Quotas();
    for (let i = 0; i < 4096; i++) quotas.take(`${i}`, 1, 0);
    expect(quotas.take('one more', 1, 0)).toBe(false);
    quotas.release('7');
    expect(quotas.take('one more', 1, 3_600_000)).toBe(true);
  });
});

describe('a write token', () => {
  const [alice, eve] = [contact([1]).identity, contact([2]).identity];

  it('is good for its owner at its address only (attack 22: token theft)', () => {
    const tokens = new Tokens(new SeededRng(1));
    const token = tokens.issue(alice, '20.0.0.1', 0);
    expect(tokens.holds(token, alice, '20.0.0.1', 0)).toBe(true);
    expect(tokens.holds(token, eve, '20.0.0.1', 0)).toBe(false);
    expect(tokens.holds(token, alice, '20.0.0.2', 0)).toBe(false);
  });

  it('is good for 10 to 20 minutes', () => {
    const tokens = new Tokens(new SeededRng(1));
    const token = tokens.issue(alice, '20.0.0.1', 1);
    expect(tokens.holds(token, alice, '20.0.0.1', 1_199_999)).toBe(true);
    expect(tokens.holds(token, alice, '20.0.0.1', 1_200_000)).toBe(false);
    const other = tokens.issue(alice, '20.0.0.1', 1_200_000);
    expect(tokens.holds(other, alice, '20.0.0.1', 9_000_000)).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import { compareBytes, equalBytes, toHex, utf8 } from '../bytes/index.ts';
import { sha256 } from './hash.ts';
import { bareLabel, label, networkId, PURPOSES, signedPrefix } from './labels.ts';

const MAIN = { name: 'main', roundLengthS: 300, tickMs: 20, linkDatagramBytes: 552 };

describe('labels', () => {
  it('spells them as the registry does', () => {
    expect(label('hop fwd lioness')).toEqual(utf8('VPv1/hop fwd lioness\0'));
    expect(bareLabel('hop fwd lioness')).toEqual(utf8('VPv1/hop fwd lioness'));
  });

  it('has none that is the beginning of another, or there twice', () => {
    const labels = PURPOSES.map(label);
    for (const [i, one] of labels.entries()) {
      for (const other of labels.slice(i + 1)) {
        const length = Math.min(one.length, other.length);
        expect(equalBytes(one.subarray(0, length), other.subarray(0, length))).toBe(false);
      }
    }
  });

  it('has none that equals another without its terminator', () => {
    const all = [...PURPOSES.map(label), ...PURPOSES.map(bareLabel)].sort(compareBytes);
    for (const [i, one] of all.entries()) {
      expect(equalBytes(one, all[i + 1] ?? new Uint8Array())).toBe(false);
    }
  });

  it('needs no more than letters, digits, hyphens and single blanks', () => {
    for (const purpose of PURPOSES) expect(purpose).toMatch(/^[a-z\d]+([ -][a-z\d]+)*$/);
  });

  it('starts signed strings with label and network', () => {
    const id = new Uint8Array(16).fill(7);
    expect(signedPrefix('desc', id)).toEqual(Uint8Array.of(...utf8('VPv1/desc\0'), ...id));
    expect(() => signedPrefix('desc', id.subarray(1))).toThrow(RangeError);
  });
});

describe("the network's id", () => {
  it('hashes the fields as documented', () => {
    const fields = Uint8Array.of(
      ...utf8('VPv1/net\0'),
      ...[4, ...utf8('main')],
      ...[0, 0, 300 >> 8, 300 & 0xff],
      ...[0, 20],
      ...[552 >> 8, 552 & 0xff],
      ...[0, 1],
    );
    expect(networkId(MAIN)).toEqual(sha256(fields).slice(0, 16));
  });

  it('differs when any parameter does', () => {
    const others = [
      { ...MAIN, name: 'test' },
      { ...MAIN, roundLengthS: 60 },
      { ...MAIN, tickMs: 40 },
      { ...MAIN, linkDatagramBytes: 1072 },
    ];
    expect(new Set([MAIN, ...others].map((one) => toHex(networkId(one)))).size).toBe(5);
  });

  it('refuses a name that does not fit', () => {
    expect(networkId({ ...MAIN, name: 'n'.repeat(255) })).toHaveLength(16);
    expect(() => networkId({ ...MAIN, name: 'n'.repeat(256) })).toThrow(RangeError);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../bytes/index.ts';
import { ALICE, BOB } from '../link/testing/nodes.ts';
import { SeededRng } from '../runtime/index.ts';
import { contactAt } from './contact.ts';
import { KNOWN_MAX, type Known, KnownNodes } from './known.ts';
import { decodeState, encodeState, type SavedState } from './state.ts';
import { contactOfNumber } from './testing/contacts.ts';

const KNOWN: readonly Known[] = [ALICE, BOB].map(({ descriptor }, i) => ({
  contact: contactAt(descriptor.identity, { ip: `20.1.1.${i + 1}`, port: 4000 + i }),
  descriptor,
  firstMs: 1000 + i,
  lastMs: 2000 + i,
  successes: 3,
  failures: i,
  source: i === 0 ? '20.7' : '',
}));
const STATE: SavedState = { seeds: [new Uint8Array(32).fill(5)], known: KNOWN };

describe('what is kept', () => {
  it('is read as it was written, and refused at every other length', () => {
    const bytes = encodeState(STATE);
    expect(decodeState(bytes)).toEqual(STATE);
    for (let length = 0; length < bytes.length; length += 13) {
      expect(() => decodeState(bytes.subarray(0, length))).toThrow(DecodeError);
    }
    expect(() => decodeState(Uint8Array.of(...bytes, 0))).toThrow(DecodeError);
  });

  it('throws nothing but DecodeError, whatever the disk says', () => {
    const bytes = encodeState(STATE);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
        const damaged = new Uint8Array(bytes);
        damaged[at] = value;
        try {
          decodeState(damaged);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});

describe('known nodes', () => {
  it('are those that answered last, with since when and how often', () => {
    const known = new KnownNodes(new SeededRng(1), KNOWN);
    const [alice] = KNOWN;
    if (alice === undefined) throw new Error('nobody is known');
    known.answered(alice.contact, alice.descriptor, 'elsewhere', 5000);
    known.failed(alice.contact.key);
    expect(known.all.at(-1)).toEqual({ ...alice, lastMs: 5000, successes: 4, failures: 1 });
    for (let i = 0; i < KNOWN_MAX; i++) {
      known.answered(contactOfNumber(i), ALICE.descriptor, '', 6000 + i);
    }
    expect(known.all).toHaveLength(KNOWN_MAX);
    expect(known.all.some(({ contact }) => contact.key === alice.contact.key)).toBe(false);
  });
});

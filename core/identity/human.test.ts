import { describe, expect, it } from 'vitest';
import { DecodeError } from '../bytes/index.ts';
import { randomBytes, SeededRng } from '../runtime/index.ts';
import { formatIdentity, formatShortIdentity, parseIdentity } from './human.ts';
import { type Identity, toIdentity } from './identity.ts';

const COUNTING = toIdentity(Uint8Array.from({ length: 32 }, (_, i) => i));

function randomIdentity(seed: number): Identity {
  return toIdentity(randomBytes(new SeededRng(seed), 32));
}

function refusal(text: string): string {
  try {
    parseIdentity(text);
  } catch (error) {
    if (error instanceof DecodeError) return error.message;
    throw error;
  }
  return 'accepted';
}

describe('an identity for people', () => {
  // Computed with a separate program from the description in human.ts.
  it.each([
    [COUNTING, '000g-40r4-0m30-e209-185g-r38e-1w81-24gk-2gah-c5rr-34d1-p70x-3rfp-63ed'],
    [
      toIdentity(new Uint8Array(32)),
      '0000-0000-0000-0000-0000-0000-0000-0000-0000-0000-0000-0000-0006-ct3t',
    ],
    [
      toIdentity(new Uint8Array(32).fill(255)),
      'zzzz-zzzz-zzzz-zzzz-zzzz-zzzz-zzzz-zzzz-zzzz-zzzz-zzzz-zzzz-zzzt-z5gk',
    ],
  ])('looks as described', (identity, text) => {
    expect(formatIdentity(identity)).toBe(text);
    expect(parseIdentity(text)).toEqual(identity);
  });

  it('comes back from what people make of it', () => {
    const text = formatIdentity(COUNTING);
    for (const variant of [
      text.toUpperCase(),
      text.replaceAll('-', ''),
      text.replaceAll('-', ' '),
      text.replaceAll('-', '\u2013'),
      ` ${text.replaceAll('-', ' -\n')}\n`,
      text.replaceAll('0', 'O'),
      text.replaceAll('1', 'l'),
      text.replaceAll('1', 'I'),
    ]) {
      expect(parseIdentity(variant)).toEqual(COUNTING);
    }
  });

  it('comes back for any 32 bytes', () => {
    for (let seed = 0; seed < 200; seed++) {
      const identity = randomIdentity(seed);
      expect(parseIdentity(formatIdentity(identity))).toEqual(identity);
    }
  });

  it('begins with its short form', () => {
    for (let seed = 0; seed < 20; seed++) {
      const identity = randomIdentity(seed);
      const short = formatShortIdentity(identity);
      expect(short).toMatch(/^([0-9a-hjkmnp-tv-z]{4}-){4}[0-9a-hjkmnp-tv-z]{4}$/);
      expect(formatIdentity(identity).startsWith(short)).toBe(true);
    }
  });

  it('names the group in which one character is wrong, wherever it is', () => {
    const groups = formatIdentity(COUNTING).split('-');
    groups.forEach((group, i) => {
      const wrong = (group.startsWith('x') ? 'y' : 'x') + group.slice(1);
      expect(refusal(groups.with(i, wrong).join('-'))).toBe(
        `there is a mistake, probably in group ${i + 1}`,
      );
    });
  });

  it('is refused when groups are exchanged', () => {
    const groups = formatIdentity(randomIdentity(1)).split('-');
    const [first = '', second = '', ...others] = groups;
    expect(refusal([second, first, ...others].join('-'))).toBe('there is a mistake in it');
  });

  it.each([
    [
      formatShortIdentity(COUNTING),
      'this is the short form, which is for comparing only: the full one has 14 groups',
    ],
    ['', 'an identity has 56 letters and digits, and here are 0'],
    [
      formatIdentity(COUNTING).slice(0, -1),
      'an identity has 56 letters and digits, and here are 55',
    ],
    [`${formatIdentity(COUNTING)}0`, 'an identity has 56 letters and digits, and here are 57'],
    [
      formatIdentity(COUNTING).replace(/.$/, 'u'),
      'an identity has only digits and letters, and no u',
    ],
    [
      formatIdentity(COUNTING).replace(/.$/, '!'),
      'an identity has only digits and letters, and no u',
    ],
  ])('is refused with a reason: %s', (text, reason) => {
    expect(refusal(text)).toBe(reason);
  });
});

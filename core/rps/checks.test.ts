import { describe, expect, it } from 'vitest';
import { randomBelow, SeededRng } from '../runtime/index.ts';
import { CHECK_MS, Checks } from './checks.ts';
import { contactAt } from './contact.ts';
import { contactOfNumber, contacts } from './testing/contacts.ts';

function checks(countsNetgroups = true): Checks {
  return new Checks({ countsNetgroups }, 0);
}

describe('answers', () => {
  const keys = contacts(0, 20).map(({ key }) => key);
  const rng = new SeededRng(1);

  it('that are uniform give no warning', () => {
    const uniform = checks();
    for (let i = 0; i < 3000; i++)
      uniform.onAnswer(keys[randomBelow(rng, 20)] ?? ('x' as never), keys);
    expect(uniform.warnings).toEqual([]);
  });

  it('that are not give one, until a thousand are uniform again', () => {
    const skewed = checks();
    for (let i = 0; i < 1000; i++)
      skewed.onAnswer(keys[randomBelow(rng, 13)] ?? ('x' as never), keys);
    expect(skewed.warnings).toEqual(['answers not uniform']);
    for (let i = 0; i < 1000; i++)
      skewed.onAnswer(keys[randomBelow(rng, 20)] ?? ('x' as never), keys);
    expect(skewed.warnings).toEqual([]);
  });
});

describe('draws of the samplers', () => {
  const rng = new SeededRng(2);

  function drawsFrom(size: number, count = 128) {
    return Array.from({ length: count }, () => contactOfNumber(randomBelow(rng, size)));
  }

  it.each([
    ['as many as NSE says', 100, 100, []],
    ['far fewer than NSE says', 20, 1000, ['size disagrees']],
    ['far more than NSE says', 1e9, 20, ['size disagrees']],
    ['a few times as many', 300, 100, []],
  ])('from %s, three times', (_, real, estimate, warnings) => {
    const one = checks(false);
    for (let i = 1; i <= 3; i++) one.onTimer(drawsFrom(real), estimate, i * CHECK_MS);
    expect(one.warnings).toEqual(warnings);
  });

  it('that disagree once or twice mean nothing yet', () => {
    const one = checks(false);
    for (const [i, size] of [1000, 1000, 20, 1000, 1000].entries()) {
      one.onTimer(drawsFrom(20), size, (i + 1) * CHECK_MS);
      expect(one.warnings).toEqual([]);
    }
  });

  it('mean nothing without NSE', () => {
    const one = checks(false);
    for (let i = 1; i <= 5; i++) one.onTimer(drawsFrom(3), undefined, i * CHECK_MS);
    expect(one.warnings).toEqual([]);
  });

  it('of which a fifth is in one netgroup give a warning (attack 19)', () => {
    const one = checks();
    const near = contacts(1000, 10).map(({ identity }, i) =>
      contactAt(identity, { ip: `66.6.${i}.1`, port: 1 }),
    );
    one.onTimer([...contacts(0, 30), ...near.slice(0, 7)], undefined, CHECK_MS);
    expect(one.warnings).toEqual([]);
    one.onTimer([...contacts(0, 30), ...near], undefined, 2 * CHECK_MS);
    expect(one.warnings).toEqual(['one netgroup prevails']);
    const test = checks(false);
    test.onTimer(near, undefined, CHECK_MS);
    expect(test.warnings).toEqual([]);
  });
});

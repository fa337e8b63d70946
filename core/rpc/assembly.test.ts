import { describe, expect, it } from 'vitest';
import { DecodeError } from '../bytes/index.ts';
import { Assembly } from './assembly.ts';
import { decodeCell, encodeCells, type Fragment } from './wire.ts';

const LONG = Uint8Array.from({ length: 1200 }, (_, i) => i);
const [FIRST, SECOND, THIRD] = fragments(1) as [Fragment, Fragment, Fragment];

function fragments(number: number, message = LONG): Fragment[] {
  return encodeCells('request', number, message).map((cell) => decodeCell(cell));
}

describe('Assembly', () => {
  it('gives a message with its last fragment, in whatever order and however often they come', () => {
    const assembly = new Assembly();
    const given = [THIRD, FIRST, FIRST, SECOND].map((one) => assembly.push(1, one, 0));
    expect(given).toEqual([undefined, undefined, undefined, LONG]);
    expect(assembly.bytes).toBe(0);
  });

  it('keeps links and calls apart', () => {
    const assembly = new Assembly();
    for (const one of [FIRST, SECOND]) assembly.push(1, one, 0);
    expect(assembly.push(2, THIRD, 0)).toBeUndefined();
    const [, , otherThird] = fragments(2) as [Fragment, Fragment, Fragment];
    expect(assembly.push(1, otherThird, 0)).toBeUndefined();
    expect(assembly.push(1, { ...THIRD, kind: 'answer' }, 0)).toBeUndefined();
    expect(assembly.push(1, THIRD, 0)).toEqual(LONG);
  });

  it('refuses fragments that contradict each other', () => {
    const assembly = new Assembly();
    assembly.push(1, FIRST, 0);
    expect(() => assembly.push(1, { ...SECOND, count: 4 }, 0)).toThrow(DecodeError);
  });

  it('keeps what is incomplete until it has been said again, and no longer', () => {
    const assembly = new Assembly();
    for (const one of [FIRST, SECOND]) assembly.push(1, one, 0);
    assembly.expire(3000);
    expect(assembly.bytes).toBeGreaterThan(0);
    assembly.expire(5000);
    expect(assembly.bytes).toBe(0);
    expect(assembly.push(1, THIRD, 5000)).toBeUndefined();
  });

  it('lets no link have many incomplete messages', () => {
    const assembly = new Assembly();
    const firsts = Array.from({ length: 17 }, (_, i) => fragments(i + 1)[0] ?? FIRST);
    for (const one of firsts.slice(0, 16)) assembly.push(1, one, 0);
    expect(() => assembly.push(1, firsts[16] ?? FIRST, 0)).toThrow(DecodeError);
    expect(assembly.push(2, firsts[16] ?? FIRST, 0)).toBeUndefined();
    assembly.forget(1);
    expect(assembly.push(1, firsts[16] ?? FIRST, 0)).toBeUndefined();
  });

  it('takes 8 MiB in all, and gives up the oldest', () => {
    const assembly = new Assembly();
    const longest = new Uint8Array(16_384);
    for (let link = 1; link <= 100; link++) {
      for (let number = 1; number <= 16; number++) {
        assembly.push(link, fragments(number, longest)[0] ?? FIRST, link);
      }
    }
    expect(assembly.bytes).toBeLessThanOrEqual(8 << 20);
    expect(assembly.bytes).toBeGreaterThan(7 << 20);
  });
});

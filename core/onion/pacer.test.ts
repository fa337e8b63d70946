import { describe, expect, it } from 'vitest';
import { Pacer } from './pacer.ts';

function sentBy(pacer: Pacer<string>, nowMs: number): string[] {
  const sent: string[] = [];
  pacer.run(nowMs, (stream) => sent.push(stream));
  return sent;
}

describe('the pacer', () => {
  it('serves each stream once per tick at its own phase', () => {
    const pacer = new Pacer<string>(20);
    pacer.place('a', 3, 0);
    pacer.place('b', 17, 0);
    const sent: string[] = [];
    for (let ms = 0; ms < 100; ms++) pacer.run(ms, (stream) => sent.push(`${stream}${ms}`));
    expect(sent).toEqual(['a3', 'b17', 'a23', 'b37', 'a43', 'b57', 'a63', 'b77', 'a83', 'b97']);
  });

  it('keeps the schedule when a turn comes late', () => {
    const pacer = new Pacer<string>(20);
    pacer.place('a', 0, 0);
    expect(sentBy(pacer, 33)).toEqual(['a']);
    expect(pacer.nextDeadlineMs()).toBe(40);
    expect(sentBy(pacer, 39)).toEqual([]);
    expect(sentBy(pacer, 40)).toEqual(['a']);
  });

  it('makes up for one missed slot and skips the rest', () => {
    const pacer = new Pacer<string>(20);
    pacer.place('a', 0, 0);
    expect(sentBy(pacer, 40)).toEqual(['a', 'a']);
    expect(pacer.skipped).toBe(0);
    expect(sentBy(pacer, 140)).toEqual(['a', 'a']);
    expect(pacer.skipped).toBe(3);
  });

  it('says when it is needed next', () => {
    const pacer = new Pacer<string>(20);
    expect(pacer.nextDeadlineMs()).toBe(Number.POSITIVE_INFINITY);
    pacer.place('a', 9.7, 100);
    pacer.place('b', 4.2, 100);
    expect(pacer.nextDeadlineMs()).toBe(105);
    expect(sentBy(pacer, 105)).toEqual(['b']);
    expect(pacer.nextDeadlineMs()).toBe(110);
  });

  it('moves and removes streams without touching the others', () => {
    const pacer = new Pacer<string>(20);
    for (const stream of ['a', 'b', 'c']) pacer.place(stream, 5, 0);
    pacer.remove('a');
    pacer.remove('unknown');
    pacer.place('b', 6, 0);
    expect(sentBy(pacer, 5)).toEqual(['c']);
    expect(sentBy(pacer, 6)).toEqual(['b']);
  });
});

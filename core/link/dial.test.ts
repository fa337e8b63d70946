import { describe, expect, it } from 'vitest';
import { Backoff, Dial, dialKey, FALLBACK_MS } from './dial.ts';
import { ALICE, BOB } from './testing/nodes.ts';

const { identity } = ALICE.descriptor;
const address = { ip: '20.0.0.1', port: 4000 };

function dial(): Dial {
  return new Dial({ identity, address }, { ways: ['udp', 'stream'], onBehalf: false, nowMs: 0 });
}

describe('a dial', () => {
  it('tries UDP at once and a stream 1.2 s later', () => {
    const one = dial();
    expect(one.nextWay(0)).toBe('udp');
    expect(one.nextWay(FALLBACK_MS - 1)).toBeUndefined();
    expect(one.nextDeadlineMs()).toBe(FALLBACK_MS);
    expect(one.nextWay(FALLBACK_MS)).toBe('stream');
    expect(one.nextDeadlineMs()).toBe(Number.POSITIVE_INFINITY);
    expect(one.isOver).toBe(true);
  });

  it('waits for who has answered, and goes on at once when that fails', () => {
    const one = dial();
    one.nextWay(0);
    one.answered();
    expect(one.nextWay(5000)).toBeUndefined();
    one.goOn(5000);
    expect(one.isOver).toBe(false);
    expect(one.nextWay(5000)).toBe('stream');
  });

  it('is of a node at an address, so that nobody else s failure there counts', () => {
    const other = { identity: BOB.descriptor.identity, address };
    expect(dialKey({ identity, address })).not.toBe(dialKey(other));
    expect(dialKey({ identity, address })).toBe(
      dialKey({ identity, address: { host: address.ip, port: address.port } }),
    );
  });
});

describe('backing off', () => {
  it('forgets a node that was reached, or left in peace for long enough', () => {
    const backoff = new Backoff();
    backoff.failed('a', 0);
    backoff.failed('a', 12_000);
    expect(backoff.isWaiting('a', 12_000 + 23_999)).toBe(true);
    expect(backoff.isWaiting('a', 12_000 + 24_000)).toBe(false);
    backoff.failed('a', 700_000);
    expect(backoff.isWaiting('a', 712_000)).toBe(false);
    backoff.failed('b', 0);
    backoff.reached('b');
    expect(backoff.isWaiting('b', 1)).toBe(false);
  });

  it('is bounded', () => {
    const backoff = new Backoff();
    for (let i = 0; i < 3000; i++) backoff.failed(`${i}`, i);
    expect(backoff.size).toBe(1024);
    expect(backoff.isWaiting('2999', 3000)).toBe(true);
    expect(backoff.isWaiting('0', 3000)).toBe(false);
  });
});

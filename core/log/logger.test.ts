import { describe, expect, it } from 'vitest';
import { type Clock, NetworkError } from '../runtime/index.ts';
import { createLogger, errorField, type Logger, sensitive } from './index.ts';
import { type MemorySink, memorySink } from './testing/index.ts';

const WALL_MS = Date.UTC(2026, 10, 21, 12, 34, 56, 789);

class TestClock implements Clock {
  elapsedMs = 0;
  nowMs(): number {
    return 5_000 + this.elapsedMs;
  }
  wallMs(): number {
    return WALL_MS + this.elapsedMs;
  }
}

function start(): { log: Logger; sink: MemorySink; clock: TestClock } {
  const sink = memorySink();
  const clock = new TestClock();
  return { log: createLogger({ sink, clock, level: 'info' }), sink, clock };
}

describe('a logger', () => {
  it('hands on what is urgent enough, with its time, level, area and fields', () => {
    const { log, sink, clock } = start();
    log.debug('left out');
    log.info('started', { version: 1 });
    clock.elapsedMs = 10;
    log.child('onion').child('link').error('lost', { via: 'udp', closed: true });
    expect(sink.records).toEqual([
      { wallMs: WALL_MS, level: 'info', area: '', message: 'started', fields: { version: 1 } },
      {
        wallMs: WALL_MS + 10,
        level: 'error',
        area: 'onion.link',
        message: 'lost',
        fields: { via: 'udp', closed: true },
      },
    ]);
  });

  it('takes literals, numbers, booleans, names of errors and what is marked as sensitive', () => {
    const { log, sink } = start();
    const fault = new NetworkError('refused').fault;
    const tcp = sink.records.length > 0;
    log.warn(tcp ? 'stream' : 'datagram', { fault, via: tcp ? 'tcp' : 'udp', tcp });
    log.warn('failed', { error: errorField(new RangeError('x')), peer: sensitive('a'), at: 1 });
    expect(sink.records).toHaveLength(2);
  });

  /** Each line is checked by the compiler: it fails when one of them begins to compile. */
  it('takes no other text, which could be an address, an identity or a key', () => {
    const { log } = start();
    const text = String(log);
    const record: Record<string, number> = {};
    const branded = text as string & { readonly brand: 'IdentityKey' };
    const pattern = text as `a${string}`;
    const mixed = text as 'x' | `b${string}`;
    // @ts-expect-error A message is a literal.
    log.info(text);
    // @ts-expect-error A message with something in it is none.
    log.info(`peer ${text}`);
    // @ts-expect-error So is an area.
    log.child(text);
    // @ts-expect-error A field is no plain string,
    log.info('x', { text });
    // @ts-expect-error no template,
    log.info('x', { field: `peer ${text}` });
    // @ts-expect-error no type of strings,
    log.info('x', { pattern });
    // @ts-expect-error not even one with literals in it,
    log.info('x', { mixed });
    // @ts-expect-error no branded string,
    log.info('x', { branded });
    // @ts-expect-error no message of an error,
    log.info('x', { error: new Error(text).message });
    // @ts-expect-error no bytes,
    log.info('x', { key: new Uint8Array(32) });
    // @ts-expect-error no list,
    log.info('x', { path: [text] });
    // @ts-expect-error no object,
    log.info('x', { peer: { text } });
    // @ts-expect-error nothing of unknown type,
    log.info('x', { value: text as unknown });
    // @ts-expect-error and nothing the compiler does not look at.
    log.info('x', { value: JSON.parse('1') });
    // @ts-expect-error A field's name is a literal too,
    log.info('x', { [text]: 1 });
    // @ts-expect-error so nobody knows what is in a record,
    log.info('x', record);
    // @ts-expect-error or in an error.
    log.info('x', new Error(text));
  });
});

describe('the limit on repeats', () => {
  it('lets 20 of a message through in a minute, and then says how many more there were', () => {
    const { log, sink, clock } = start();
    for (let i = 0; i < 500; i++) log.warn('packet dropped', { size: i });
    expect(sink.records).toHaveLength(20);
    clock.elapsedMs = 59_999;
    log.info('another');
    expect(sink.records).toHaveLength(21);
    clock.elapsedMs = 60_000;
    log.info('another');
    expect(sink.records.slice(21)).toMatchObject([
      {
        wallMs: WALL_MS + 60_000,
        level: 'warn',
        message: 'packet dropped',
        fields: { suppressed: 480 },
      },
      { message: 'another' },
    ]);
  });

  it('begins anew after a minute, and has nothing to say about a message that was rare', () => {
    const { log, sink, clock } = start();
    log.info('rare');
    clock.elapsedMs = 60_000;
    for (let i = 0; i < 21; i++) log.info('rare');
    expect(sink.records).toHaveLength(21);
  });

  it('counts areas and levels for themselves, and a logger with its children', () => {
    const { log, sink } = start();
    const write = (logger: Logger): void => {
      for (let i = 0; i < 25; i++) logger.info('same');
    };
    write(log);
    write(log.child('a'));
    write(log.child('a'));
    for (let i = 0; i < 25; i++) log.error('same');
    expect(sink.records).toHaveLength(60);
  });

  it('forgets the oldest message when there are too many, and says what it left out of it', () => {
    const { log, sink } = start();
    const literal = (i: number) => `message ${i}` as 'message';
    for (let i = 0; i < 25; i++) log.info('first');
    for (let i = 0; i < 1024; i++) log.info(literal(i));
    expect(sink.records).toHaveLength(20 + 1024 + 1);
    expect(sink.records[20 + 1023]).toMatchObject({ message: 'first', fields: { suppressed: 5 } });
  });
});

describe('what is logged of an error', () => {
  it.each([
    [new NetworkError('refused'), 'NetworkError'],
    [Object.assign(new Error('connect 192.0.2.1'), { code: 'ECONNREFUSED' }), 'Error ECONNREFUSED'],
    [Object.assign(new Error(''), { name: '192.0.2.1', code: '192.0.2.1' }), 'Error'],
    [Object.assign(new Error(''), { code: 5 }), 'Error'],
    ['192.0.2.1', 'no Error'],
    [undefined, 'no Error'],
  ])('is never its message: %j', (error, expected) => {
    expect(errorField(error)).toBe(expected);
  });
});

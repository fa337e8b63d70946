import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { fromHex } from '../bytes/index.ts';
import { SeededRng } from '../runtime/index.ts';
import {
  jsonSink,
  type LogRecord,
  lineSink,
  type Show,
  saltedTags,
  sensitive,
  unsafeShowSensitive,
} from './index.ts';

const RECORD: LogRecord = {
  wallMs: Date.UTC(2026, 10, 21, 12, 34, 56, 789),
  level: 'info',
  area: 'onion.link',
  message: 'peer connected',
  fields: { peer: sensitive('[2001:db8::1]:6001'), fault: 'timed out', hops: 3, tcp: false },
};

const hidden: Show = () => '~0a1b2c3d';

function lines(sink: typeof lineSink, show: Show, ...records: readonly LogRecord[]): string[] {
  const printed: string[] = [];
  const made = sink({ print: (line) => printed.push(line), show });
  for (const record of records) made.write(record);
  return printed;
}

describe('a line', () => {
  it('is one that people read', () => {
    expect(lines(lineSink, hidden, RECORD, { ...RECORD, area: '', fields: {} })).toEqual([
      '2026-11-21T12:34:56.789Z info  onion.link peer connected peer=~0a1b2c3d fault="timed out" hops=3 tcp=false',
      '2026-11-21T12:34:56.789Z info  peer connected',
    ]);
  });

  it('is JSON that programs read', () => {
    expect(lines(jsonSink, hidden, RECORD).map((line) => JSON.parse(line))).toEqual([
      {
        time: '2026-11-21T12:34:56.789Z',
        level: 'info',
        area: 'onion.link',
        message: 'peer connected',
        fields: { peer: '~0a1b2c3d', fault: 'timed out', hops: 3, tcp: false },
      },
    ]);
  });

  it('stays one line, and leaves the cursor alone, whatever a peer calls itself', () => {
    const record = { ...RECORD, fields: { name: sensitive('a\n\x1b[2J\x9b\u202e\u2028"=') } };
    const [, line = ''] = lines(lineSink, unsafeShowSensitive, record);
    expect(line).toContain('name="a\\n\\u001b[2J\\u{9b}\\u{202e}\\u{2028}\\"="');
  });
});

describe('a sensitive value', () => {
  const show = saltedTags(new SeededRng(1));

  it('has a short tag that tells it from others', () => {
    expect(show(sensitive('a'))).toMatch(/^~[0-9a-f]{8}$/);
    expect(show(sensitive('a'))).toBe(show(sensitive('a')));
    expect(show(sensitive('a'))).not.toBe(show(sensitive('b')));
  });

  it('has the same tag as bytes and as their hexadecimal', () => {
    expect(show(sensitive(fromHex('c0ffee')))).toBe(show(sensitive('c0ffee')));
  });

  it('has another tag in another process', () => {
    expect(saltedTags(new SeededRng(2))(sensitive('a'))).not.toBe(show(sensitive('a')));
  });

  it('shows itself neither as text nor as JSON nor when inspected', () => {
    const value = sensitive('192.0.2.1');
    const shown = [`${value}`, JSON.stringify({ value }), inspect(value, { showHidden: true })];
    expect(shown).toEqual(['[redacted]', '{"value":"[redacted]"}', 'Sensitive {}']);
  });

  it.each([lineSink, jsonSink])('is shown in full to who asks for it, after a warning', (sink) => {
    const printed = lines(sink, unsafeShowSensitive, RECORD, RECORD);
    expect(printed).toHaveLength(3);
    expect(printed[0]).toContain('do not share this log');
    expect(printed[0]).not.toContain('2001:db8::1');
    expect(printed[2]).toContain('[2001:db8::1]:6001');
  });
});

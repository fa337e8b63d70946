// How records look: a line for people, or a line of JSON for programs.

import { printable } from '../bytes/index.ts';
import type { LogRecord, Sink } from './logger.ts';
import { Sensitive, type Show, unsafeShowSensitive } from './sensitive.ts';

export interface SinkOptions {
  /** Gets one line at a time, without its end. */
  readonly print: (line: string) => void;
  readonly show: Show;
}

type Values = Readonly<Record<string, string | number | boolean>>;

const UNSAFE = 'addresses, identities and keys follow in full: do not share this log';

/** `2026-11-21T12:34:56.789Z info  onion.link peer connected peer=~1f2e3d4c via=udp hops=3` */
export function lineSink(options: SinkOptions): Sink {
  return sink(options, ({ level, area, message }, time, values) => {
    const fields = Object.entries(values).map(([name, value]) => `${name}=${plain(String(value))}`);
    return [time, level.padEnd(5), area, message, ...fields]
      .filter((part) => part !== '')
      .join(' ');
  });
}

/** `{"time":…,"level":…,"area":…,"message":…,"fields":{…}}` */
export function jsonSink(options: SinkOptions): Sink {
  return sink(options, ({ level, area, message }, time, fields) =>
    JSON.stringify({ time, level, area, message, fields }),
  );
}

function sink(
  { print, show }: SinkOptions,
  format: (record: LogRecord, time: string, values: Values) => string,
): Sink {
  let warn = show === unsafeShowSensitive;
  const write = (record: LogRecord): void => {
    const values = Object.entries(record.fields).map(([name, value]) => [
      name,
      value instanceof Sensitive ? show(value) : value,
    ]);
    print(format(record, new Date(record.wallMs).toISOString(), Object.fromEntries(values)));
  };
  return {
    write(record) {
      if (warn) write({ ...record, level: 'warn', area: 'log', message: UNSAFE, fields: {} });
      warn = false;
      write(record);
    },
  };
}

/** A value that could be taken for something else stands in quotes; none breaks the line or moves the cursor. */
function plain(value: string): string {
  return /^[\w.:/~[\]+-]+$/.test(value) ? value : printable(JSON.stringify(value));
}

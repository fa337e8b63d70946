// Loggers: what the rest of the program calls. A call below the level does nothing; every other becomes a record,
// passes the limit on repeats and goes to the sink. How a record looks is the sink's business.

import type { Clock } from '../runtime/index.ts';
import type { Fields, Literal } from './fields.ts';
import { RepeatLimit } from './repeats.ts';
import type { Sensitive } from './sensitive.ts';

/** From the most urgent to the least. */
export const LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type Level = (typeof LEVELS)[number];

export interface LogRecord {
  readonly wallMs: number;
  readonly level: Level;
  /** Where it happened: `onion`, `onion.link`; empty at the root. */
  readonly area: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, string | number | boolean | Sensitive>>;
}

export interface Sink {
  write(record: LogRecord): void;
}

/** `log.info('peer connected', { peer: sensitive(identity), via: 'udp', hops: 3 })` */
export type Log = <const M extends string, const F extends Readonly<Record<string, unknown>>>(
  message: Literal<M>,
  fields?: F & Fields<F>,
) => void;

export interface Logger extends Readonly<Record<Level, Log>> {
  /** A logger for an area within this one's. */
  child<const A extends string>(area: Literal<A>): Logger;
}

export interface LoggerOptions {
  readonly sink: Sink;
  readonly clock: Clock;
  /** What is less urgent is left out. */
  readonly level: Level;
}

export function createLogger({ sink, clock, level: least }: LoggerOptions): Logger {
  const limit = new RepeatLimit();
  const written = LEVELS.slice(0, LEVELS.indexOf(least) + 1);

  function log(level: Level, area: string): Log {
    if (!written.includes(level)) return () => {};
    return (message, fields) => {
      const record = { wallMs: clock.wallMs(), level, area, message, fields: { ...fields } };
      for (const admitted of limit.admit(record, clock.nowMs())) sink.write(admitted);
    };
  }

  function logger(area: string): Logger {
    return {
      error: log('error', area),
      warn: log('warn', area),
      info: log('info', area),
      debug: log('debug', area),
      child: (inner) => logger(area === '' ? inner : `${area}.${inner}`),
    };
  }
  return logger('');
}

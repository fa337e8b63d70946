// What the value of an option may be: how it is read from text, and the words for what is accepted. The words stand
// in error messages and in docs/configuration.md, so they are written once. Values arrive trimmed and unquoted.
// An empty value is accepted by lists only.

import { type HostPort, parseHostPort, pathBeside } from '../runtime/index.ts';

export interface Kind<T> {
  /** Completes "wanted …". */
  readonly accepts: string;
  /** Undefined when `text` is not accepted. `file` is the configuration file it stands in. */
  parse(text: string, file: string): T | undefined;
}

/** Names of networks are hashed into network_id (protocol 2.1); the limit is a guess. */
const NAME_CHARS_MAX = 64;
const YES: readonly string[] = ['yes', 'true', 'on', '1'];
const NO: readonly string[] = ['no', 'false', 'off', '0'];

export const flag: Kind<boolean> = {
  accepts: 'yes or no (also true, false, on, off, 1, 0)',
  parse(text) {
    const word = text.toLowerCase();
    if (YES.includes(word)) return true;
    return NO.includes(word) ? false : undefined;
  },
};

export const name: Kind<string> = {
  accepts: `1 to ${NAME_CHARS_MAX} letters, digits, dots, dashes and underscores`,
  parse: (text) => (/^[\w.-]+$/.test(text) && text.length <= NAME_CHARS_MAX ? text : undefined),
};

export const path: Kind<string> = {
  accepts: "a path; a relative one starts at this file's folder",
  parse: (text, file) => (text === '' ? undefined : pathBeside(file, text)),
};

export const host: Kind<string> = {
  accepts: 'a host name or an IP address, without a port',
  parse(text) {
    const parsed = parseHostPort(text.includes(':') ? `[${text}]:1` : `${text}:1`);
    return 'ok' in parsed ? parsed.ok.host : undefined;
  },
};

/** Nobody can be told about port 0, so no option accepts it. */
export const hostPort: Kind<HostPort> = {
  accepts: 'HOST:PORT with a port from 1 to 65535; IPv6 stands in brackets: [2001:db8::1]:6001',
  parse(text) {
    const parsed = parseHostPort(text);
    return 'ok' in parsed && parsed.ok.port > 0 ? parsed.ok : undefined;
  },
};

const SOCKS5 = /^socks5:\/\//i;

export const socks5: Kind<HostPort> = {
  accepts: 'socks5://HOST:PORT; IPv6 stands in brackets',
  parse: (text, file) =>
    SOCKS5.test(text) ? hostPort.parse(text.replace(SOCKS5, ''), file) : undefined,
};

/** A whole number; `unit` completes "a whole number of …". */
export function integer(min: number, max: number, unit?: string): Kind<number> {
  const number = unit === undefined ? 'a whole number' : `a whole number of ${unit}`;
  return {
    accepts: `${number} from ${min} to ${max}`,
    parse(text) {
      const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      return value >= min && value <= max ? value : undefined;
    },
  };
}

export function oneOf<const T extends string>(...values: readonly T[]): Kind<T> {
  return {
    accepts: values.join(' or '),
    parse: (text) => values.find((value) => value === text.toLowerCase()),
  };
}

/** Values separated by commas; may be empty. */
export function list<T>(item: Kind<T>, countMax: number): Kind<readonly T[]> {
  return {
    accepts: `at most ${countMax} of these, separated by commas: ${item.accepts}`,
    parse(text, file) {
      if (text === '') return [];
      const items = text.split(',').map((part) => item.parse(part.trim(), file));
      const accepted = items.filter((value) => value !== undefined);
      return accepted.length === items.length && items.length <= countMax ? accepted : undefined;
    },
  };
}

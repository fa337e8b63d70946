// Looks for what a log must not contain: IP addresses, identities, keys. For tests that run traffic or whole calls and
// then read every line that was logged. Knows forms, not values: it finds what was never meant to be there.
//
// It prefers a false alarm to a leak: version numbers with four parts, paths with digits and long names with digits are
// reported too. It does not know host names and nicknames.

import { isIPv4, isIPv6 } from 'node:net';

export interface Leak {
  /** Counted from 1. */
  readonly line: number;
  readonly what: string;
  readonly text: string;
}

interface Form {
  readonly what: string;
  readonly pattern: RegExp;
  /** Whether what the pattern found is one. */
  is(text: string): boolean;
}

const CROCKFORD = '[0-9a-hjkmnp-tv-z]';

const FORMS: readonly Form[] = [
  {
    what: 'IPv4 address',
    pattern: /(?<!\d|\d\.)\d{1,3}(?:\.\d{1,3}){3}(?!\d|\.\d)/g,
    is: isIPv4,
  },
  { what: 'IPv6 address', pattern: /[\da-f.:]*:[\da-f.:]*/gi, is: containsIPv6 },
  // 16 bytes and more: a cookie, an item of gossip, an identity, a key. Also as `aa:bb:…`.
  { what: 'hexadecimal', pattern: /(?:[\da-f]{2}[ :-]?){16,}/gi, is: always },
  // 26 digits of base 32 are 16 bytes; 43 of base 64 are 32.
  { what: 'base 32 or base 64', pattern: /[\w+/-]{26,}={0,2}/g, is: hasDigitAndLetter },
  // The short form of an identity has 5 groups.
  {
    what: 'identity',
    pattern: new RegExp(`(?:${CROCKFORD}{4}-){4,}${CROCKFORD}{4}`, 'gi'),
    is: hasDigitAndLetter,
  },
  // What util.inspect, String and JSON.stringify make of a Uint8Array.
  { what: 'bytes', pattern: /(?:\d{1,3}, ?){15,}\d{1,3}/g, is: always },
  { what: 'bytes', pattern: /"0":\d{1,3},"1":\d{1,3},"2":\d{1,3}/g, is: always },
  { what: 'PEM', pattern: /-----BEGIN [A-Z ]+-----/g, is: always },
];

export function findLeaks(lines: readonly string[]): Leak[] {
  return lines.flatMap((line, index) =>
    FORMS.flatMap(({ what, pattern, is }) =>
      [...line.matchAll(pattern)]
        .filter(([text]) => is(text))
        .map(([text]) => ({ line: index + 1, what, text })),
    ),
  );
}

/** Also with punctuation around it, and with a port behind it that nobody put brackets before. */
function containsIPv6(text: string): boolean {
  const bare = text.replace(/^\.+|^:(?!:)|\.+$|(?<!:):$/g, '');
  return /[\da-f]/i.test(bare) && (isIPv6(bare) || isIPv6(bare.replace(/:\d+$/, '')));
}

function hasDigitAndLetter(text: string): boolean {
  return /\d/.test(text) && /[a-z]/i.test(text);
}

function always(): boolean {
  return true;
}

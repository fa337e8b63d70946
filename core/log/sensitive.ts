// Values that must not be read from a log: addresses, identities, keys, paths of tunnels. A Sensitive gives its value
// to nobody but the Show of a sink, which is one of two: salted tags, or the value itself in debug builds.

import { blake2s } from '@noble/hashes/blake2.js';
import { toHex, utf8 } from '../bytes/index.ts';
import { type Rng, randomBytes } from '../runtime/index.ts';

/** BLAKE2s takes no longer key, and nobody guesses one. */
const SALT_BYTES = 32;
/** Two of the 1,000 peers of a long run share a tag with probability 2^-13; longer ones make lines hard to read. */
const TAG_BYTES = 4;

export class Sensitive {
  readonly #value: string | Uint8Array;

  constructor(value: string | Uint8Array) {
    this.#value = value;
  }

  /** For a Show only. */
  static reveal(sensitive: Sensitive): string {
    const value = sensitive.#value;
    return typeof value === 'string' ? value : toHex(value);
  }

  /** What template strings and JSON.stringify find. */
  toString(): string {
    return '[redacted]';
  }

  toJSON(): string {
    return '[redacted]';
  }
}

/** Text, or bytes that are read when the line is written and would stand there in hexadecimal. */
export function sensitive(value: string | Uint8Array): Sensitive {
  return new Sensitive(value);
}

/** What stands in a line for a sensitive value. Sinks of one process share one, so that their lines can be compared. */
export type Show = (sensitive: Sensitive) => string;

/**
 * A short tag, the same for the same value as long as the process runs. The salt never leaves this function, so a tag
 * can be neither reversed nor found again by trying all addresses. (crypto is a sibling of log: hence noble.)
 */
export function saltedTags(rng: Rng): Show {
  const salt = randomBytes(rng, SALT_BYTES);
  return (value) =>
    `~${toHex(blake2s(utf8(Sensitive.reveal(value)), { key: salt, dkLen: TAG_BYTES }))}`;
}

/** For debug builds: logs written so belong to nobody but their owner. Sinks begin with a warning. */
export const unsafeShowSensitive: Show = (value) => Sensitive.reveal(value);

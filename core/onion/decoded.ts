// Bytes from strangers, in the machines of this folder: what cannot be right is no news, and nobody is told.

import { DecodeError } from '../bytes/index.ts';

/** What `decode` makes of them; undefined when it throws a DecodeError. */
export function decoded<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

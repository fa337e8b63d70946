// The short authentication string (protocol 10.1): twenty bits that two people read to each other once, to be sure that
// nobody swapped their cards. The caller was bound to r_c before he saw r_s, so somebody in the middle has one try in a
// million and cannot search for a match.

import { label, sha256 } from '../crypto/index.ts';

/** Crockford's, as identities have it: no i, l, o, u. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

export interface Sas {
  /** Four characters. */
  readonly text: string;
  /** The same twenty bits as the numbers, 0 to 31, of four pictures. */
  readonly pictures: readonly number[];
}

export function sasOf(transcript: Uint8Array, rCaller: Uint8Array, rCallee: Uint8Array): Sas {
  const [a = 0, b = 0, c = 0] = sha256(label('sas'), transcript, rCaller, rCallee);
  const bits = (a << 16) | (b << 8) | c;
  const pictures = [19, 14, 9, 4].map((shift) => (bits >>> shift) & 31);
  return { text: pictures.map((picture) => ALPHABET[picture]).join(''), pictures };
}

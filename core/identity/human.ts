// Identities for people: to read aloud, to type, to compare. Not in the protocol; programs use the 32 bytes.
//
//   full    k7qd-93mf-…   14 groups of 4: 256 bits of identity, 24 bits of check. Reading it back gives the identity,
//                         which is what the DHT needs to find the hostkey.
//   short   k7qd-93mf-2xaz-0b1c-9d8e   the first 5 groups, for showing and comparing only. 100 bits, because whoever
//                         wants to look like a certain person must try 2^100 keys (2^80 to look like any of a
//                         million), and trying costs little: primes can be combined anew without new ones.
//
// The alphabet is Crockford's base 32: no i, l, o, u; when read, o counts as 0, and i and l as 1. The check is the
// start of the identity's SHA-256: 2^-24 of all mistakes pass, and a single wrong character is found again by trying.

import { concatBytes, DecodeError, equalBytes, fromHex, toHex } from '../bytes/index.ts';
import { sha256 } from '../crypto/index.ts';
import { IDENTITY_BYTES, type Identity, toIdentity } from './identity.ts';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const GROUP_CHARS = 4;
const CHECK_BYTES = 3;
const FULL_BYTES = IDENTITY_BYTES + CHECK_BYTES;
const FULL_CHARS = (FULL_BYTES * 8) / 5;
const SHORT_CHARS = 20;

export function formatIdentity(identity: Identity): string {
  return inGroups(allCharacters(identity));
}

export function formatShortIdentity(identity: Identity): string {
  return inGroups(allCharacters(identity).slice(0, SHORT_CHARS));
}

function allCharacters(identity: Identity): string {
  return toBase32(concatBytes(identity, check(identity)));
}

/** Reads the full form, whatever its case and spacing. The DecodeError's message is for the person. */
export function parseIdentity(text: string): Identity {
  const characters = text
    .toLowerCase()
    .replace(/[\s\p{Dash}]/gu, '')
    .replaceAll('o', '0')
    .replace(/[il]/g, '1');
  if (characters.length !== FULL_CHARS) throw new DecodeError(lengthError(characters.length));
  if ([...characters].some((character) => !ALPHABET.includes(character))) {
    throw new DecodeError('an identity has only digits and letters, and no u');
  }
  const identity = checked(characters);
  if (identity === undefined) throw new DecodeError(mistake(characters));
  return identity;
}

function lengthError(length: number): string {
  if (length === SHORT_CHARS) {
    return 'this is the short form, which is for comparing only: the full one has 14 groups';
  }
  return `an identity has ${FULL_CHARS} letters and digits, and here are ${length}`;
}

/** Names the group, if changing one character would make the check come out right. */
function mistake(characters: string): string {
  const wrong = [...characters].findIndex((_, at) =>
    [...ALPHABET].some((other) =>
      checked(characters.slice(0, at) + other + characters.slice(at + 1)),
    ),
  );
  if (wrong < 0) return 'there is a mistake in it';
  return `there is a mistake, probably in group ${1 + Math.floor(wrong / GROUP_CHARS)}`;
}

function checked(characters: string): Identity | undefined {
  const bytes = fromBase32(characters);
  const identity = toIdentity(bytes.slice(0, IDENTITY_BYTES));
  return equalBytes(bytes.subarray(IDENTITY_BYTES), check(identity)) ? identity : undefined;
}

function check(identity: Identity): Uint8Array {
  return sha256(identity).subarray(0, CHECK_BYTES);
}

function inGroups(characters: string): string {
  return (characters.match(/.{4}/g) ?? []).join('-');
}

/** Both forms are one large number: 35 bytes are exactly 56 digits of base 32. */
function toBase32(bytes: Uint8Array): string {
  const digits = BigInt(`0x${toHex(bytes)}`)
    .toString(32)
    .padStart(FULL_CHARS, '0');
  return [...digits].map((digit) => ALPHABET.charAt(Number.parseInt(digit, 32))).join('');
}

function fromBase32(characters: string): Uint8Array {
  let number = 0n;
  for (const character of characters) number = 32n * number + BigInt(ALPHABET.indexOf(character));
  return fromHex(number.toString(16).padStart(2 * FULL_BYTES, '0'));
}

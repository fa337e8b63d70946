// Many RSA-4096 hostkeys for simulated networks, in no time: every two primes of the test hostkeys make another key. They
// are as public as those, and anybody who has two of them finds their primes.

import { createPrivateKey } from 'node:crypto';
import { decodeHostkey, type Hostkey } from '../hostkey.ts';
import { TEST_HOSTKEY_PEMS } from './keys.ts';

const EXPONENT = 65_537n;

/** 66 at the most; the first are the test hostkeys, in the order of their names. */
export function manyHostkeys(count: number): Hostkey[] {
  const pairs = primePairs();
  if (count > pairs.length) throw new RangeError(`${count} of ${pairs.length} hostkeys`);
  return pairs.slice(0, count).map(([p, q]) => hostkeyOf(p, q));
}

/** Those that make the test hostkeys come first. */
function primePairs(): (readonly [bigint, bigint])[] {
  const own = Object.values(TEST_HOSTKEY_PEMS).map((pem) => {
    const { p = '', q = '' } = createPrivateKey(pem).export({ format: 'jwk' });
    return [decodeNumber(p), decodeNumber(q)] as const;
  });
  const primes = own.flat();
  const mixed = primes.flatMap((p, i) => primes.slice(i + 1).map((q) => [p, q] as const));
  const others = mixed.filter(
    (pair) => !own.some(([p, q]) => pair.includes(p) && pair.includes(q)),
  );
  return [...own, ...others];
}

function hostkeyOf(p: bigint, q: bigint): Hostkey {
  const d = inverse(EXPONENT, (p - 1n) * (q - 1n));
  const numbers = { n: p * q, e: EXPONENT, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n) };
  const encoded = Object.entries({ ...numbers, qi: inverse(q, p) }).map(
    ([name, number]) => [name, encodeNumber(number)] as const,
  );
  const key = createPrivateKey({
    format: 'jwk',
    key: { kty: 'RSA', ...Object.fromEntries(encoded) },
  });
  const pem = key.export({ format: 'pem', type: 'pkcs8' });
  return decodeHostkey(Buffer.from(pem));
}

function decodeNumber(base64url: string): bigint {
  return BigInt(`0x${Buffer.from(base64url, 'base64url').toString('hex')}`);
}

function encodeNumber(number: bigint): string {
  const hex = number.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('base64url');
}

/** Extended Euclid. */
function inverse(number: bigint, modulus: bigint): bigint {
  let [r, nextR, t, nextT] = [modulus, number % modulus, 0n, 1n];
  while (nextR !== 0n) {
    const quotient = r / nextR;
    [r, nextR, t, nextT] = [nextR, r - quotient * nextR, nextT, t - quotient * nextT];
  }
  return ((t % modulus) + modulus) % modulus;
}

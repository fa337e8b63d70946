// Many RSA-4096 hostkeys for simulated networks, in no time: every two primes of the test hostkeys make another key, and
// for large networks a few more primes many more. They are as public as those, and anybody who has two of them finds
// their primes.

import { checkPrimeSync, createPrivateKey } from 'node:crypto';
import { randomBytes, SeededRng } from '../../runtime/index.ts';
import { decodeHostkey, type Hostkey } from '../hostkey.ts';
import { TEST_HOSTKEY_PEMS } from './keys.ts';

const EXPONENT = 65_537n;
const PRIME_BYTES = 256;
/** Set in the primes of every RSA key, so that the product of two is never a bit short. */
const TOP_BITS = 0xc0;
/** Trying these first leaves one candidate in ten to the real test. */
const SMALL_PRIMES = primesBelow(4000);

/** The first are the test hostkeys, in the order of their names. From the 67th on it takes seconds, not milliseconds. */
export function manyHostkeys(count: number): Hostkey[] {
  const pairs = primePairs();
  const primes = [...new Set(pairs.flat())];
  const rng = new SeededRng(4096);
  while (pairs.length < count) {
    const prime = primeFrom(randomBytes(rng, PRIME_BYTES));
    pairs.push(...primes.map((other) => [prime, other] as const));
    primes.push(prime);
  }
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

/** The first from there on. */
function primeFrom(bytes: Uint8Array): bigint {
  const [first = 0, ...rest] = bytes;
  const start = BigInt(`0x${Buffer.from([first | TOP_BITS, ...rest]).toString('hex')}`);
  for (let candidate = start | 1n; ; candidate += 2n) {
    const isLikely = SMALL_PRIMES.every((small) => candidate % small !== 0n);
    if (isLikely && candidate % EXPONENT !== 1n && checkPrimeSync(candidate)) return candidate;
  }
}

function primesBelow(limit: number): readonly bigint[] {
  const odd = Array.from({ length: limit / 2 - 1 }, (_, i) => 2 * i + 3);
  const isPrime = (n: number): boolean => odd.every((d) => d * d > n || n % d !== 0);
  return odd.filter(isPrime).map(BigInt);
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

// The proof of work of ENROLL REGISTER (voidphone-api.md, "Enrolment"): SHA-256 over everything after the header starts
// with 24 zero bits. No other part of the protocol uses it; its own proofs are in core/crypto.

import { sha256 } from '../crypto/index.ts';
import { HEADER_BYTES } from './codec.ts';
import { ENROLL_NONCE_AT, type EnrollRegister } from './enroll.ts';
import { encodeMessage } from './message.ts';

export function enrollPowHolds(register: EnrollRegister): boolean {
  return holds(bodyOf(register));
}

export interface NonceRange {
  readonly from: bigint;
  /** About 500,000 a second; one in 2^24 holds. */
  readonly count: number;
}

/**
 * The first nonce of a range that holds, or undefined. Blocks for the whole range: callers search in steps, from a
 * random nonce on, and do other things in between.
 */
export function solveEnrollPow(
  register: Omit<EnrollRegister, 'nonce'>,
  { from, count }: NonceRange,
): bigint | undefined {
  const body = bodyOf({ ...register, nonce: from });
  const view = new DataView(body.buffer, body.byteOffset + ENROLL_NONCE_AT);
  for (let i = 0n; i < count; i++) {
    const nonce = BigInt.asUintN(64, from + i);
    view.setBigUint64(0, nonce);
    if (holds(body)) return nonce;
  }
  return undefined;
}

function bodyOf(register: EnrollRegister): Uint8Array {
  return encodeMessage(register).subarray(HEADER_BYTES);
}

function holds(body: Uint8Array): boolean {
  const [a, b, c] = sha256(body);
  return a === 0 && b === 0 && c === 0;
}

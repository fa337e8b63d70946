import { describe, expect, it } from 'vitest';
import type { EnrollRegister } from './enroll.ts';
import { enrollPowHolds, solveEnrollPow } from './enroll-pow.ts';

/**
 * The first nonce that holds, found by a loop around Python's hashlib. The hash is
 * 0000009b1028be57f86b03e681c6cb325fd87b39de3c71157e0c69a3feac1151.
 */
const REGISTER: EnrollRegister = {
  type: 'enroll register',
  challenge: 0x0123456789abcdefn,
  team: 7,
  project: 39_943,
  nonce: 34_779_640n,
  email: 'ada@example.org',
  firstName: 'Ada',
  lastName: 'Lovelace',
  userName: 'ga42hax',
};

/** Found likewise, with one zero bit too few: 00000187207d107a23133e9397572067d401bd1a2f7ddee9b3a1037003d3f623. */
const ALMOST = 17_109_164n;

describe('the proof of work of ENROLL REGISTER', () => {
  it('holds for the nonce that was found, and for no other register', () => {
    expect(enrollPowHolds(REGISTER)).toBe(true);
    expect(enrollPowHolds({ ...REGISTER, nonce: REGISTER.nonce - 1n })).toBe(false);
    expect(enrollPowHolds({ ...REGISTER, nonce: ALMOST })).toBe(false);
    expect(enrollPowHolds({ ...REGISTER, challenge: REGISTER.challenge + 1n })).toBe(false);
    expect(enrollPowHolds({ ...REGISTER, userName: 'ga42haX' })).toBe(false);
  });

  it('is found in the range that has it', () => {
    const from = REGISTER.nonce - 100n;
    expect(solveEnrollPow(REGISTER, { from, count: 101 })).toBe(REGISTER.nonce);
    expect(solveEnrollPow(REGISTER, { from, count: 100 })).toBeUndefined();
    expect(solveEnrollPow(REGISTER, { from: REGISTER.nonce + 1n, count: 100 })).toBeUndefined();
  });

  it('is looked for beyond the largest nonce from 0 on', () => {
    expect(solveEnrollPow(REGISTER, { from: 2n ** 64n - 2n, count: 4 })).toBeUndefined();
  });
});

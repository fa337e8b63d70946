import { describe, expect, it } from 'vitest';
import { DecodeError, fromHex, toHex } from '../bytes/index.ts';
import { identityKey, toIdentity } from './identity.ts';
import { identityPowTask, POW_ID_BITS, powEpochAt } from './identity-pow.ts';

const COUNTING = toIdentity(Uint8Array.from({ length: 32 }, (_, i) => i));

describe('an identity', () => {
  it('has 32 bytes', () => {
    for (const length of [0, 31, 33]) {
      expect(() => toIdentity(new Uint8Array(length))).toThrow(DecodeError);
    }
  });

  it('has a key for maps that gives its bytes back', () => {
    expect(fromHex(identityKey(COUNTING))).toEqual(COUNTING);
  });
});

describe('the proof of work of an identity', () => {
  // SHA-256 of "VPv1/pow-id" 0x00, 16 zero bytes, 00..1f, 02b3, computed with a separate program.
  it('is bound to network, identity and month', () => {
    const task = identityPowTask(new Uint8Array(16), COUNTING, 691);
    expect(task).toMatchObject({ kind: 'id', bits: POW_ID_BITS });
    expect(toHex(task.challenge)).toBe(
      '51b14f69bbe85d9a1465a80cb9b2c443eed36b8051aa1cbbe6c9bb84e0b153da',
    );
  });

  it('changes every 30 days', () => {
    expect(powEpochAt(0)).toBe(0);
    expect(powEpochAt(30 * 86_400 - 1)).toBe(0);
    expect(powEpochAt(30 * 86_400)).toBe(1);
    expect(powEpochAt(Date.UTC(2026, 10, 21) / 1000)).toBe(692);
  });
});

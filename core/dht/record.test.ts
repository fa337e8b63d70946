import { describe, expect, it } from 'vitest';
import { DecodeError, toHex } from '../bytes/index.ts';
import { survivesHostileBytes } from '../bytes/testing/hostile.ts';
import { sha256, solvePow, verifyPow } from '../crypto/index.ts';
import { verifySigned } from '../identity/index.ts';
import { testHostkey } from '../identity/testing/keys.ts';
import { cut, decodeManifest, isPart, joinParts } from './manifest.ts';
import {
  decodeRecord,
  recordFault,
  recordTask,
  signedBody,
  signedKey,
  withNonce,
  workOf,
} from './record.ts';
import { filled, parted, record, WALL_MS } from './testing/records.ts';

const networkId = new Uint8Array(16).fill(0x4e);
const rules = { networkId, verifyPow: () => true, verifySigned };
const value = Uint8Array.of(1, 2, 3);

function changed(bytes: Uint8Array, at: number, byte: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  copy[at] = byte;
  return copy;
}

function signedRecord(payload = value) {
  const alice = testHostkey('alice');
  const salt = filled(5);
  const key = signedKey(alice.publicKey, salt);
  const signature = alice.sign('dht-sig', networkId, signedBody(key, 7, payload));
  const signer = { publicKey: alice.publicKey, salt, seq: 7, signature };
  return { key, record: record(payload, { form: 'signed', signer }) };
}

describe('a record', () => {
  it('has the layout that is written above it', () => {
    expect(toHex(record(value).encoded)).toBe(
      ['03', '00', '08', '70dbd880', '00000e10', '01'.repeat(8), '0003', '010203'].join(''),
    );
    expect(signedRecord().record.encoded).toHaveLength(21 + 1102 + 3);
  });

  it('is decoded as it was encoded', () => {
    const { record: long } = parted(new Uint8Array(60_000));
    for (const one of [record(value), signedRecord().record, long]) {
      expect(decodeRecord(one.encoded)).toEqual(one);
    }
  });

  it.each<[string, number, number]>([
    ['of an unknown form', 0, 4],
    ['neither whole nor parted', 1, 2],
    ['for no copies', 2, 0],
    ['for 21 copies', 2, 21],
    ['that lives more than a day', 7, 1],
    ['of another length', 20, 4],
  ])('%s is refused', (_, at, byte) => {
    expect(() => decodeRecord(changed(record(value).encoded, at, byte))).toThrow(DecodeError);
  });

  it('without a value, or with one that needs parts, is refused', () => {
    expect(() => record(new Uint8Array())).toThrow(DecodeError);
    expect(() => record(new Uint8Array(1025))).toThrow(DecodeError);
  });

  it('survives hostile bytes', () => {
    const samples = [record(value), signedRecord().record, parted(new Uint8Array(3000)).record];
    survivesHostileBytes(
      decodeRecord,
      samples.map(({ encoded }) => encoded),
    );
    survivesHostileBytes(decodeManifest, [cut(new Uint8Array(3000)).manifest]);
  });
});

describe('whether a record may stand under its key', () => {
  const content = record(value, { form: 'content' });

  it.each<[string, string | undefined, Parameters<typeof recordFault>]>([
    ['content under its hash', undefined, [sha256(value), content, WALL_MS, rules]],
    ['content elsewhere', 'another key', [filled(1), content, WALL_MS, rules]],
    ['anything opaque', undefined, [filled(1), record(value), WALL_MS, rules]],
    ['what has run out', 'run out', [filled(1), record(value), WALL_MS + 3_600_000, rules]],
    [
      'what is not made yet',
      'from the future',
      [filled(1), record(value), WALL_MS - 61_000, rules],
    ],
    [
      'what nobody has worked for',
      'no proof of work',
      [filled(1), record(value), WALL_MS, { ...rules, verifyPow: () => false }],
    ],
    ['something signed', undefined, [signedRecord().key, signedRecord().record, WALL_MS, rules]],
    [
      'something signed elsewhere',
      'another key',
      [filled(1), signedRecord().record, WALL_MS, rules],
    ],
    [
      'something signed for another network',
      'signature',
      [
        signedRecord().key,
        signedRecord().record,
        WALL_MS,
        { ...rules, networkId: filled(1).subarray(16) },
      ],
    ],
  ])('%s: %s', (_, fault, parameters) => {
    expect(recordFault(...parameters)).toBe(fault);
  });

  it('depends on work for exactly this key, value and time', async () => {
    const key = filled(1);
    const small = record(value, { lifetimeS: 10 });
    const nonce = await solvePow(recordTask(networkId, key, small));
    const worked = withNonce(small, nonce);
    const strict = { ...rules, verifyPow };
    expect(recordFault(key, worked, WALL_MS, strict)).toBeUndefined();
    expect(workOf(networkId, key, worked)).toBeGreaterThanOrEqual(14);
    for (const at of [3 + 3, 10, worked.encoded.length - 1]) {
      const [byte = 0] = worked.encoded.subarray(at);
      const other = decodeRecord(changed(worked.encoded, at, byte ^ 1));
      expect(recordFault(key, other, WALL_MS, strict)).toBe('no proof of work');
    }
    expect(recordFault(filled(2), worked, WALL_MS, strict)).toBe('no proof of work');
  });

  it('costs more the larger it is and the longer it lives', () => {
    const bits = (bytes: number, lifetimeS: number) => {
      const of = bytes > 1024 ? parted(new Uint8Array(bytes), { lifetimeS }).record : undefined;
      const task = recordTask(networkId, filled(1), of ?? record(value, { lifetimeS }));
      return task.bits;
    };
    expect(bits(3, 10)).toBe(15);
    expect(bits(65_495, 3600)).toBe(14 + 7);
    expect(bits(65_495, 24 * 3600)).toBe(14 + 11);
  });
});

describe('a value of more than 1 KiB', () => {
  it.each([1025, 2048, 60_000, 65_495])('of %i bytes is cut and joined', (bytes) => {
    const long = Uint8Array.from({ length: bytes }, (_, i) => i % 251);
    const { manifest, parts } = cut(long);
    const decoded = decodeManifest(manifest);
    expect(parts.every((part, i) => isPart(decoded, i, part))).toBe(true);
    expect(joinParts(decoded, new Map(parts.map((part, i) => [i, part])))).toEqual(long);
  });

  it('takes no part for another, and none of another length', () => {
    const { manifest, parts } = cut(Uint8Array.from({ length: 3000 }, (_, i) => i >> 8));
    const decoded = decodeManifest(manifest);
    const [first = new Uint8Array()] = parts;
    expect(isPart(decoded, 1, first)).toBe(false);
    expect(isPart(decoded, 0, first.subarray(1))).toBe(false);
    expect(isPart(decoded, 3, first)).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import { DecodeError, fromHex, toHex } from '../bytes/index.ts';
import { chooseProvider } from '../crypto/index.ts';
import { testHostkey } from '../identity/testing/keys.ts';
import { SeededRng } from '../runtime/index.ts';
import { presenceEpochKey, presenceLabel } from './friend-keys.ts';
import {
  decodeSealedPresence,
  dummyPresence,
  openPresence,
  PRESENCE_ITEM_BYTES,
  type Presence,
  sealPresence,
} from './item.ts';

const ROUND = 5_900_000;
const alice = testHostkey('alice');
const bob = testHostkey('bob');
const secret = new Uint8Array(32).fill(5);
const sealing = {
  provider: chooseProvider(),
  rng: new SeededRng(1),
  networkId: new Uint8Array(16).fill(7),
};
const point = { identity: bob.identity, address: { ip: '198.51.100.7', port: 6301 } };
const presence: Presence = {
  seq: 12,
  status: 'away',
  secretVersion: 2,
  callKey: new Uint8Array(32).fill(3),
  meetingPoint: point,
  nextMeetingPoint: { identity: alice.identity, address: { ip: '2001:db8::1', port: 1 } },
  directAddress: { ip: '192.0.2.4', port: 65_535 },
  mailboxes: [{ ...point, box: new Uint8Array(16).fill(8) }],
  text: 'back at five ☕',
};

function sealed(changes: Partial<Presence> = {}, by = alice): Uint8Array {
  return sealPresence(sealing, by, secret, ROUND, { ...presence, ...changes });
}

function opened(bytes: Uint8Array, presenceSecret: Uint8Array = secret): Presence {
  return openPresence(sealing, alice.publicKey, presenceSecret, decodeSealedPresence(bytes));
}

describe('a presence item', () => {
  it('tells friends all of it', () => {
    expect(sealed()).toHaveLength(PRESENCE_ITEM_BYTES);
    expect(opened(sealed())).toEqual(presence);
    const little: Presence = {
      ...presence,
      meetingPoint: undefined,
      nextMeetingPoint: undefined,
      directAddress: undefined,
      mailboxes: [],
      text: '',
    };
    expect(opened(sealed(little))).toEqual(little);
  });

  it('is found by its label, without trying', () => {
    const { label, round } = decodeSealedPresence(sealed());
    expect(round).toBe(ROUND);
    expect(label).toEqual(presenceLabel(presenceEpochKey(secret, ROUND)));
    expect(label).not.toEqual(presenceLabel(presenceEpochKey(secret, ROUND + 1)));
  });

  it('cannot be read or linked by strangers: no part of two of them is the same (attack 25)', () => {
    const other = new Uint8Array(32).fill(6);
    expect(() => opened(sealed(), other)).toThrow('under another key');
    const [a, b] = [sealed(), sealPresence(sealing, alice, secret, ROUND + 1, presence)];
    const dummies = [dummyPresence(sealing.rng, ROUND), dummyPresence(sealing.rng, ROUND)];
    for (const [one, another] of [[a, b], [a, dummies[0]], dummies]) {
      expect(sharedRuns(one ?? a, another ?? a, 8)).toEqual([]);
    }
  });

  it('cannot be forged, not even by a friend who has the secret (attack 25)', () => {
    expect(() => opened(sealed({}, bob))).toThrow('the signature of a presence item is wrong');
  });

  it('is refused when any byte of it was changed', () => {
    const item = sealed();
    for (let at = 0; at < item.length; at += 11) {
      const changed = new Uint8Array(item);
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      expect(() => opened(changed), `byte ${at}`).toThrow(DecodeError);
    }
  });

  it('of a secret that was replaced is of no use with the new one', () => {
    const replaced = fromHex(toHex(secret).replace('05', '06'));
    expect(() => opened(sealed(), replaced)).toThrow(DecodeError);
  });

  it('is refused unopened when its length, version or reserved bytes are wrong', () => {
    const item = sealed();
    expect(() => decodeSealedPresence(item.subarray(1))).toThrow('of 1079 bytes');
    for (const [at, message] of [
      [0, 'of version'],
      [2, 'reserved'],
    ] as const) {
      const changed = new Uint8Array(item);
      changed[at] = 9;
      expect(() => decodeSealedPresence(changed)).toThrow(message);
    }
  });
});

/** Where both have the same bytes at the same place, behind the fields that are the same for everybody. */
function sharedRuns(a: Uint8Array, b: Uint8Array, length: number): number[] {
  return [...a.keys()]
    .filter((at) => at >= 8 && at + length <= a.length)
    .filter((at) => toHex(a.subarray(at, at + length)) === toHex(b.subarray(at, at + length)));
}

import { beforeEach, describe, expect, it } from 'vitest';
import { chooseProvider } from '../crypto/index.ts';
import { identityKey } from '../identity/index.ts';
import { testHostkey } from '../identity/testing/keys.ts';
import { SeededRng } from '../runtime/index.ts';
import type { Contact } from './contacts.ts';
import { publicPresenceSecret } from './friend-keys.ts';
import { dummyPresence, type Presence, sealPresence } from './item.ts';
import { PresenceReading } from './reading.ts';

const ROUND = 100;
const alice = testHostkey('alice');
const bob = testHostkey('bob');
const secret = new Uint8Array(32).fill(5);
const sealing = {
  provider: chooseProvider(),
  rng: new SeededRng(1),
  networkId: new Uint8Array(16).fill(7),
};

function contactOf({ identity, publicKey }: typeof alice, changes: Partial<Contact> = {}): Contact {
  const card = { contactDh: new Uint8Array(32), presenceSecret: secret, presenceVersion: 0 };
  const choices = { nickname: 'A', notes: '', ring: 'ring', isVerified: false } as const;
  return { identity, publicKey, card, ...choices, isBlocked: false, addedMs: 0, ...changes };
}

interface Made {
  readonly by?: typeof alice;
  readonly under?: Uint8Array;
  readonly round?: number;
}

function item(seq: number, { by = alice, under = secret, round = ROUND }: Made = {}): Uint8Array {
  const presence: Presence = {
    seq,
    status: 'online',
    secretVersion: 0,
    callKey: new Uint8Array(32),
    meetingPoint: undefined,
    nextMeetingPoint: undefined,
    directAddress: undefined,
    mailboxes: [],
    text: '',
  };
  return sealPresence(sealing, by, under, round, presence);
}

const key = identityKey(alice.identity);
let reading: PresenceReading;

beforeEach(() => {
  reading = new PresenceReading(sealing);
  reading.setContacts([contactOf(alice)]);
});

describe('presence of friends', () => {
  it('is read from their items, the newest of them', () => {
    expect(reading.presenceOf(key, ROUND)).toBeUndefined();
    for (const [seq, changed] of [
      [3, key],
      [2, undefined],
      [3, undefined],
      [4, key],
    ] as const) {
      expect(reading.onItem(item(seq), ROUND)).toEqual({ opinion: 'pass on', changed });
    }
    expect(reading.presenceOf(key, ROUND)?.seq).toBe(4);
  });

  it('of the next round does not replace that of this one before its time', () => {
    reading.onItem(item(9), ROUND);
    reading.onItem(item(1, { round: ROUND + 1 }), ROUND);
    expect(reading.presenceOf(key, ROUND)?.seq).toBe(9);
    expect(reading.presenceOf(key, ROUND + 1)?.seq).toBe(1);
  });

  it('ends one round after the last item', () => {
    reading.onItem(item(1), ROUND);
    expect(reading.presenceOf(key, ROUND + 1)?.seq).toBe(1);
    expect(reading.presenceOf(key, ROUND + 2)).toBeUndefined();
  });

  it('is not moved by replays of old rounds, nor by items of rounds to come (attack 25)', () => {
    for (const round of [ROUND - 2, ROUND + 2]) {
      expect(reading.onItem(item(5, { round }), ROUND).opinion).toBe('refuse');
    }
    const old = item(5);
    reading.onItem(item(6), ROUND);
    expect(reading.onItem(old, ROUND).changed).toBeUndefined();
    expect(reading.onItem(old, ROUND + 5).opinion).toBe('refuse');
  });

  it('cannot be forged or hidden by a friend who squats the label (attack 25)', () => {
    for (let seq = 100; seq < 150; seq++) {
      const judged = reading.onItem(item(seq, { by: bob }), ROUND);
      expect(judged).toEqual({ opinion: 'pass on', changed: undefined });
    }
    expect(reading.onItem(item(1), ROUND).changed).toBe(key);
  });

  it('is judged the same whoever it is of', () => {
    const strangers = [item(1, { under: new Uint8Array(32) }), dummyPresence(sealing.rng, ROUND)];
    for (const data of strangers) {
      expect(reading.onItem(data, ROUND)).toEqual({ opinion: 'pass on', changed: undefined });
    }
    for (const data of [item(1).subarray(1), new Uint8Array(1080), new Uint8Array()]) {
      expect(reading.onItem(data, ROUND)).toEqual({ opinion: 'refuse', changed: undefined });
    }
  });

  it('of whom only the hostkey is known is read as everybody can read it', () => {
    reading.setContacts([contactOf(alice, { card: undefined })]);
    const open = item(1, { under: publicPresenceSecret(alice.publicKey) });
    expect(reading.onItem(open, ROUND).changed).toBe(key);
    expect(reading.onItem(item(2), ROUND).changed).toBeUndefined();
  });

  it('is kept when contacts change, but not of who is blocked, removed, or has a new secret', () => {
    reading.onItem(item(1), ROUND);
    reading.setContacts([contactOf(bob), contactOf(alice, { nickname: 'B' })]);
    expect(reading.presenceOf(key, ROUND)?.seq).toBe(1);
    const card = { contactDh: secret, presenceSecret: new Uint8Array(32), presenceVersion: 1 };
    for (const contacts of [
      [contactOf(alice, { isBlocked: true })],
      [contactOf(bob)],
      [contactOf(alice, { card })],
    ]) {
      reading.setContacts([contactOf(alice)]);
      reading.onItem(item(1), ROUND);
      expect(reading.presenceOf(key, ROUND)).toBeDefined();
      reading.setContacts(contacts);
      expect(reading.presenceOf(key, ROUND)).toBeUndefined();
    }
  });
});

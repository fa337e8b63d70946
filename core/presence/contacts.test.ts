import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { testHostkey } from '../identity/testing/keys.ts';
import { openStore } from '../store/index.ts';
import { optionsFor } from '../store/testing/options.ts';
import type { Card } from './card.ts';
import { type Contact, ContactError, Contacts, contactsSchema } from './contacts.ts';

const [own, alice, bob] = (['carol', 'alice', 'bob'] as const).map(testHostkey) as [Key, Key, Key];
type Key = ReturnType<typeof testHostkey>;

const folder = mkdtempSync(join(tmpdir(), 'contacts-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let profiles = 0;

async function contactsIn(profile = join(folder, `${profiles++}`)) {
  const store = await openStore(optionsFor(profile, { schemas: [contactsSchema] }));
  const changes: (Contact | undefined)[] = [];
  const contacts = new Contacts({
    sql: store.sql,
    own: own.identity,
    onChange: (_identity, contact) => changes.push(contact),
  });
  return { contacts, changes, store, profile };
}

function cardOf({ publicKey, identity }: Key, presenceVersion: number, name = ''): Card {
  const presenceSecret = new Uint8Array(32).fill(presenceVersion);
  return {
    publicKey,
    identity,
    contactDh: new Uint8Array(32).fill(1),
    presenceSecret,
    presenceVersion,
    name,
  };
}

const now = { nickname: undefined, nowMs: 1_800_000_000_123 };

describe('contacts', () => {
  it('are there after a restart as they were', async () => {
    const { contacts, store, profile } = await contactsIn();
    contacts.add(alice, { ...now, nickname: ' Alice ' });
    const card = cardOf(bob, 3, 'Bob');
    contacts.add(card, { ...now, nowMs: now.nowMs + 1 });
    contacts.change(bob.identity, { notes: 'met at sea', ring: 'notify', isVerified: true });
    const before = contacts.all;
    store.close();
    const again = await contactsIn(profile);
    expect(again.contacts.all).toEqual(before);
    expect(again.contacts.of(alice.identity)).toMatchObject({ nickname: 'Alice', card: undefined });
    expect(again.contacts.named('Bob')).toMatchObject({
      notes: 'met at sea',
      ring: 'notify',
      isVerified: true,
      isBlocked: false,
      card: { presenceVersion: 3, contactDh: card.contactDh },
    });
  });

  it('are never oneself', async () => {
    const { contacts, changes } = await contactsIn();
    expect(() => contacts.add(own, now)).toThrow('this is your own hostkey');
    expect(changes).toEqual([]);
  });

  it('are one for one hostkey, which learns what is new and forgets nothing', async () => {
    const { contacts } = await contactsIn();
    contacts.add(bob, { ...now, nickname: 'Bobby' });
    contacts.add(cardOf(bob, 2, 'Bob'), now);
    contacts.add(bob, now);
    contacts.add(cardOf(bob, 1), now);
    expect(contacts.all).toHaveLength(1);
    expect(contacts.of(bob.identity)).toMatchObject({
      nickname: 'Bobby',
      card: { presenceVersion: 2 },
    });
    contacts.learnCard(bob.identity, cardOf(bob, 3));
    expect(contacts.of(bob.identity)?.card?.presenceVersion).toBe(3);
    contacts.learnCard(alice.identity, cardOf(alice, 1));
    expect(contacts.of(alice.identity)).toBeUndefined();
  });

  it('have nicknames of their own', async () => {
    const { contacts } = await contactsIn();
    const long = 'ä'.repeat(32);
    contacts.add(cardOf(alice, 0, long), now);
    contacts.add(cardOf(bob, 0, long), now);
    expect(contacts.all.map(({ nickname }) => nickname)).toEqual([long, `${'ä'.repeat(14)} 2`]);
    expect(() => contacts.change(bob.identity, { nickname: long })).toThrow('has this nickname');
    contacts.change(bob.identity, { nickname: 'Bob' });
    contacts.change(bob.identity, { nickname: 'Bob' });
    for (const nickname of ['', '  ', 'x'.repeat(65), 'a\u202eb']) {
      expect(() => contacts.change(bob.identity, { nickname }), nickname).toThrow(ContactError);
    }
    expect(contacts.of(bob.identity)?.nickname).toBe('Bob');
  });

  it('without a name get one that is not empty', async () => {
    const { contacts } = await contactsIn();
    expect(contacts.add(alice, now).nickname).toMatch(/^[0-9a-f]{8}$/);
  });

  it('that are removed are gone for good, and their name is free', async () => {
    const { contacts, changes, store, profile } = await contactsIn();
    contacts.add(alice, { ...now, nickname: 'A' });
    contacts.remove(alice.identity);
    contacts.remove(alice.identity);
    expect(changes.map((contact) => contact?.nickname)).toEqual(['A', undefined]);
    expect(contacts.named('A')).toBeUndefined();
    store.close();
    const again = await contactsIn(profile);
    expect(again.contacts.all).toEqual([]);
  });
});

// The contacts of a profile, kept in its store: who they are, what is known of their cards, and how their calls are to be
// treated. Identity is the key: the same hostkey twice is one contact. A contact of whom a card is known never falls back to
// a bare hostkey.
//
// What changes tells `onChange`; what it means for presence and calls is theirs.

import { toHex } from '../bytes/index.ts';
import type { RsaPublicKey } from '../crypto/index.ts';
import {
  type Identity,
  type IdentityKey,
  identityKey,
  identityOf,
  toIdentity,
} from '../identity/index.ts';
import type { Query, Schema, Sql } from '../store/index.ts';
import { type Card, NAME_BYTES_MAX } from './card.ts';
import { textFault } from './padded-text.ts';

/** Whether a call of theirs rings, is only shown, or is as if nobody were there. */
export const RING_POLICIES = ['ring', 'notify', 'never'] as const;
export type RingPolicy = (typeof RING_POLICIES)[number];

/** A guess: far more than anybody knows, and each costs three labels and a cookie a round (64 are registered). */
export const CONTACTS_MAX = 1000;
export const NOTES_CHARS_MAX = 4096;
/** With the longest characters and a number it still fits. */
const NUMBERED_CHARS_MAX = 14;

/** What a card adds to a hostkey. */
export interface CardSecrets {
  readonly contactDh: Uint8Array;
  readonly presenceSecret: Uint8Array;
  readonly presenceVersion: number;
}

/** What its user may change. */
export interface ContactChoices {
  readonly nickname: string;
  readonly notes: string;
  readonly ring: RingPolicy;
  readonly isVerified: boolean;
  readonly isBlocked: boolean;
}

export interface Contact extends ContactChoices {
  readonly identity: Identity;
  readonly publicKey: RsaPublicKey;
  /** Undefined: only the hostkey is known, and everybody who knows it can see what this contact publishes. */
  readonly card: CardSecrets | undefined;
  readonly addedMs: number;
}

export type ContactFault = 'own hostkey' | 'too many contacts' | 'nickname in use' | 'bad text';

const FAULTS: Readonly<Record<ContactFault, string>> = {
  'own hostkey': 'this is your own hostkey: give it to friends, and paste theirs here',
  'too many contacts': `there are ${CONTACTS_MAX} contacts already`,
  'nickname in use': 'another contact has this nickname',
  'bad text': 'this text cannot be kept',
};

/** The message is for people. */
export class ContactError extends Error {
  override readonly name = 'ContactError';
  readonly fault: ContactFault;

  constructor(fault: ContactFault, detail = FAULTS[fault]) {
    super(detail);
    this.fault = fault;
  }
}

export const contactsSchema: Schema = {
  module: 'contacts',
  steps: [
    `create table contacts (
      identity blob primary key,
      public_key blob not null,
      contact_dh blob,
      presence_secret blob,
      presence_version integer,
      nickname text not null,
      notes text not null,
      ring text not null,
      is_verified integer not null,
      is_blocked integer not null,
      added_ms integer not null
    ) strict, without rowid`,
  ],
};

type Row = {
  readonly identity: Uint8Array;
  readonly public_key: Uint8Array;
  readonly contact_dh: Uint8Array | undefined;
  readonly presence_secret: Uint8Array | undefined;
  readonly presence_version: number | undefined;
  readonly nickname: string;
  readonly notes: string;
  readonly ring: RingPolicy;
  readonly is_verified: number;
  readonly is_blocked: number;
  readonly added_ms: number;
};

export interface ContactsOptions {
  readonly sql: Sql;
  readonly own: Identity;
  /** The contact as it is now; undefined when it was removed. */
  onChange(identity: Identity, contact: Contact | undefined, before: Contact | undefined): void;
}

export class Contacts {
  readonly #options: ContactsOptions;
  /** All of them, in the order they were added; at most CONTACTS_MAX. */
  readonly #contacts: Map<IdentityKey, Contact>;
  readonly #upsert: Query<[Row], never>;
  readonly #delete: Query<[Uint8Array], never>;

  constructor(options: ContactsOptions) {
    const { sql } = options;
    this.#options = options;
    const rows = sql.prepare<[], Row>('select * from contacts order by added_ms, nickname').all();
    const contacts = rows.map(contactOf);
    this.#contacts = new Map(contacts.map((contact) => [identityKey(contact.identity), contact]));
    this.#upsert = sql.prepare(`insert or replace into contacts values ($identity, $public_key,
      $contact_dh, $presence_secret, $presence_version, $nickname, $notes, $ring, $is_verified,
      $is_blocked, $added_ms)`);
    this.#delete = sql.prepare('delete from contacts where identity = ?');
  }

  get all(): readonly Contact[] {
    return [...this.#contacts.values()];
  }

  of(identity: Identity): Contact | undefined {
    return this.#contacts.get(identityKey(identity));
  }

  named(nickname: string): Contact | undefined {
    return this.all.find((contact) => contact.nickname === nickname);
  }

  /** Adds him, or adds to what is known of him. Throws ContactError. */
  add(
    from: { readonly publicKey: RsaPublicKey } | Card,
    { nickname, nowMs }: { readonly nickname: string | undefined; readonly nowMs: number },
  ): Contact {
    const identity = identityOf(from.publicKey);
    if (identityKey(identity) === identityKey(this.#options.own)) {
      throw new ContactError('own hostkey');
    }
    const known = this.of(identity);
    const card = 'contactDh' in from ? newer(known?.card, from) : known?.card;
    if (known !== undefined) return this.#keep({ ...known, card }, nickname);
    if (this.#contacts.size >= CONTACTS_MAX) throw new ContactError('too many contacts');
    const { publicKey } = from;
    const suggested = 'name' in from && from.name !== '' ? from.name : undefined;
    const choices = { notes: '', ring: 'ring', isVerified: false, isBlocked: false } as const;
    const name = nickname ?? this.#unused(suggested ?? toHex(identity).slice(0, 8));
    return this.#keep({ identity, publicKey, card, ...choices, nickname: name, addedMs: nowMs });
  }

  /** Throws ContactError; RangeError for somebody who is no contact. */
  change(identity: Identity, changes: Partial<ContactChoices>): Contact {
    const contact = this.of(identity);
    if (contact === undefined) throw new RangeError('no such contact');
    return this.#keep({ ...contact, ...changes });
  }

  /** What came from himself, over a channel that proved it. */
  learnCard(identity: Identity, card: CardSecrets): void {
    const contact = this.of(identity);
    if (contact !== undefined) this.#keep({ ...contact, card: newer(contact.card, card) });
  }

  remove(identity: Identity): void {
    const before = this.of(identity);
    if (before === undefined) return;
    this.#delete.run(identity);
    this.#contacts.delete(identityKey(identity));
    this.#options.onChange(identity, undefined, before);
  }

  #keep(contact: Contact, nickname = contact.nickname): Contact {
    const before = this.of(contact.identity);
    const after = { ...contact, nickname: nickname.trim() };
    this.#check(after);
    this.#upsert.run(rowOf(after));
    this.#contacts.set(identityKey(after.identity), after);
    this.#options.onChange(after.identity, after, before);
    return after;
  }

  #check({ identity, nickname, notes }: Contact): void {
    if (nickname === '') throw new ContactError('bad text', 'a nickname has at least one letter');
    const fault = textFault(nickname, NAME_BYTES_MAX);
    if (fault !== undefined) throw new ContactError('bad text', `the nickname ${fault}`);
    if (notes.length > NOTES_CHARS_MAX) {
      throw new ContactError('bad text', `notes have at most ${NOTES_CHARS_MAX} characters`);
    }
    const other = this.named(nickname);
    if (other !== undefined && identityKey(other.identity) !== identityKey(identity)) {
      throw new ContactError('nickname in use');
    }
  }

  /** People who have the same name get numbers. */
  #unused(name: string): string {
    const base = name.trim();
    if (this.named(base) === undefined) return base;
    const short = [...base].slice(0, NUMBERED_CHARS_MAX).join('');
    for (let i = 2; ; i++) {
      if (this.named(`${short} ${i}`) === undefined) return `${short} ${i}`;
    }
  }
}

/** A card with an older presence secret was replaced by its owner, for everybody. */
function newer(known: CardSecrets | undefined, told: CardSecrets): CardSecrets {
  if (known !== undefined && known.presenceVersion > told.presenceVersion) return known;
  const { contactDh, presenceSecret, presenceVersion } = told;
  return { contactDh, presenceSecret, presenceVersion };
}

function contactOf(row: Row): Contact {
  const { contact_dh: contactDh, presence_secret: presenceSecret } = row;
  const { presence_version: presenceVersion } = row;
  const isWithCard = contactDh !== undefined && presenceSecret !== undefined;
  return {
    identity: toIdentity(row.identity),
    publicKey: row.public_key as RsaPublicKey,
    card: isWithCard
      ? { contactDh, presenceSecret, presenceVersion: presenceVersion ?? 0 }
      : undefined,
    nickname: row.nickname,
    notes: row.notes,
    ring: row.ring,
    isVerified: row.is_verified !== 0,
    isBlocked: row.is_blocked !== 0,
    addedMs: row.added_ms,
  };
}

function rowOf(contact: Contact): Row {
  const { identity, publicKey, card, nickname, notes, ring, addedMs } = contact;
  return {
    identity,
    public_key: publicKey,
    contact_dh: card?.contactDh,
    presence_secret: card?.presenceSecret,
    presence_version: card?.presenceVersion,
    nickname,
    notes,
    ring,
    is_verified: Number(contact.isVerified),
    is_blocked: Number(contact.isBlocked),
    added_ms: addedMs,
  };
}

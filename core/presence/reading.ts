// What friends say of themselves (protocol 8): finds their items among everybody's by label, opens them, and keeps the newest
// of each friend and round. A machine without time of its own: the round comes with every question.
//
// Nothing here tells a stranger anything: an item is judged by what everybody can see of it, and passed on or refused for
// that alone, whether it is a friend's or not. Of items with one label all are tried, where the document stops at four: a
// friend could otherwise spend four proofs of work to hide another, while looking costs us 0.1 ms against his 0.3 s.

import { DecodeError, toHex } from '../bytes/index.ts';
import type { CryptoProvider, RsaPublicKey } from '../crypto/index.ts';
import { type IdentityKey, identityKey } from '../identity/index.ts';
import type { Contact } from './contacts.ts';
import { presenceEpochKey, presenceLabel, publicPresenceSecret } from './friend-keys.ts';
import { decodeSealedPresence, openPresence, type Presence, type SealedPresence } from './item.ts';

/** Protocol 8, "replay": items of these rounds from now are looked at. */
const ROUNDS = [-1, 0, 1];

interface Friend {
  readonly key: IdentityKey;
  readonly publicKey: RsaPublicKey;
  readonly secret: Uint8Array;
  /** By round, of ROUNDS only. */
  readonly seen: Map<number, Presence>;
}

export interface ReadingOptions {
  readonly provider: CryptoProvider;
  readonly networkId: Uint8Array;
}

/** What to answer Gossip, and whose presence has changed. */
export interface Judgement {
  readonly opinion: 'pass on' | 'refuse';
  readonly changed: IdentityKey | undefined;
}

export class PresenceReading {
  readonly #options: ReadingOptions;
  #friends: ReadonlyMap<IdentityKey, Friend> = new Map();
  /** By label in hexadecimal: of each friend as many as ROUNDS. */
  #expected: ReadonlyMap<string, Friend> = new Map();
  #expectedRound: number | undefined;

  constructor(options: ReadingOptions) {
    this.#options = options;
  }

  /** From now on these, and nobody else. Who is blocked is not looked for. */
  setContacts(contacts: readonly Contact[]): void {
    const friends = contacts.filter(({ isBlocked }) => !isBlocked).map((one) => this.#friend(one));
    this.#friends = new Map(friends.map((friend) => [friend.key, friend]));
    this.#expectedRound = undefined;
  }

  onItem(data: Uint8Array, round: number): Judgement {
    try {
      const sealed = decodeSealedPresence(data);
      if (!ROUNDS.includes(sealed.round - round)) return { opinion: 'refuse', changed: undefined };
      return { opinion: 'pass on', changed: this.#read(sealed, round) };
    } catch (error) {
      if (error instanceof DecodeError) return { opinion: 'refuse', changed: undefined };
      throw error;
    }
  }

  /** Of this round, or of the one before as long as nothing of this one has come. Undefined: offline, or hidden. */
  presenceOf(key: IdentityKey, round: number): Presence | undefined {
    const seen = this.#friends.get(key)?.seen;
    return seen?.get(round) ?? seen?.get(round - 1);
  }

  /** What was seen of him stays, unless his secret is another now. */
  #friend({ identity, publicKey, card }: Contact): Friend {
    const key = identityKey(identity);
    const secret = card?.presenceSecret ?? publicPresenceSecret(publicKey);
    const before = this.#friends.get(key);
    const isSame = before !== undefined && toHex(before.secret) === toHex(secret);
    return { key, publicKey, secret, seen: isSame ? before.seen : new Map() };
  }

  #read(sealed: SealedPresence, round: number): IdentityKey | undefined {
    this.#expect(round);
    const friend = this.#expected.get(toHex(sealed.label));
    if (friend === undefined) return undefined;
    const presence = this.#open(friend, sealed);
    const known = friend.seen.get(sealed.round);
    if (presence === undefined || presence.seq <= (known?.seq ?? -1)) return undefined;
    friend.seen.set(sealed.round, presence);
    return friend.key;
  }

  /** Undefined: somebody else who has the secret has made it, which is nobody's fault on the way. */
  #open({ publicKey, secret }: Friend, sealed: SealedPresence): Presence | undefined {
    try {
      return openPresence(this.#options, publicKey, secret, sealed);
    } catch (error) {
      if (error instanceof DecodeError) return undefined;
      throw error;
    }
  }

  #expect(round: number): void {
    if (round === this.#expectedRound) return;
    this.#expectedRound = round;
    const expected = new Map<string, Friend>();
    for (const friend of this.#friends.values()) {
      for (const step of ROUNDS) {
        const epochKey = presenceEpochKey(friend.secret, round + step);
        expected.set(toHex(presenceLabel(epochKey)), friend);
      }
      for (const seen of friend.seen.keys()) {
        if (!ROUNDS.includes(seen - round)) friend.seen.delete(seen);
      }
    }
    this.#expected = expected;
  }
}

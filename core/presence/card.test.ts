import { describe, expect, it } from 'vitest';
import { DecodeError, fromBase64Url } from '../bytes/index.ts';
import { chooseProvider } from '../crypto/index.ts';
import { decodePem } from '../identity/index.ts';
import { testHostkey } from '../identity/testing/keys.ts';
import { SeededRng } from '../runtime/index.ts';
import {
  CARD_BYTES,
  CARD_LINK,
  type CardFields,
  encodeCardLink,
  encodeCardPem,
  openCard,
  signCard,
} from './card.ts';

const NETWORK = new Uint8Array(16).fill(7);
const alice = testHostkey('alice');
const fields: CardFields = {
  contactDh: chooseProvider().x25519KeyPair(new SeededRng(1)).publicKey,
  presenceSecret: new Uint8Array(32).fill(9),
  presenceVersion: 3,
  name: 'Alice 🌻',
};
const card = signCard(alice, NETWORK, fields);

describe('a friend card', () => {
  it('says who somebody is and how to see and call him', () => {
    expect(card).toHaveLength(CARD_BYTES);
    expect(openCard(card, NETWORK)).toEqual({
      ...fields,
      publicKey: alice.publicKey,
      identity: alice.identity,
    });
  });

  it('is refused when any byte of it was changed, and in another network', () => {
    for (let at = 0; at < CARD_BYTES; at += 13) {
      const changed = new Uint8Array(card);
      changed[at] = (changed[at] ?? 0) ^ 0x04;
      expect(() => openCard(changed, NETWORK), `byte ${at}`).toThrow(DecodeError);
    }
    expect(() => openCard(card, new Uint8Array(16))).toThrow('of another network');
  });

  it('is refused when it is longer or shorter, or newer than this program', () => {
    expect(() => openCard(card.subarray(1), NETWORK)).toThrow('has 1192 bytes instead of 1193');
    const newer = new Uint8Array(card);
    newer[0] = 2;
    expect(() => openCard(newer, NETWORK)).toThrow('of version 2, newer than this program');
  });

  it('has a name that fits and that no terminal obeys', () => {
    const named = (name: string) => signCard(alice, NETWORK, { ...fields, name });
    expect(openCard(named(''), NETWORK).name).toBe('');
    expect(openCard(named('x'.repeat(64)), NETWORK).name).toBe('x'.repeat(64));
    expect(() => named('ä'.repeat(33))).toThrow('more than 64 bytes');
    expect(() => named('a\x1b[31m')).toThrow('control characters');
  });

  it('goes into text as a PEM block and as a link', () => {
    const [block] = decodePem(encodeCardPem(card));
    expect(block?.label).toBe('VOIDPHONE CARD');
    expect(block?.decode()).toEqual(card);
    const link = encodeCardLink(card);
    expect(link.startsWith(CARD_LINK)).toBe(true);
    expect(fromBase64Url(link.slice(CARD_LINK.length))).toEqual(card);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError, toHex } from '../bytes/index.ts';
import { CONTACT_BYTES, decodeContact } from './contact.ts';
import { contactOfNumber, contacts } from './testing/contacts.ts';
import {
  CONTACTS_MAX,
  decodeContacts,
  decodeMessage,
  decodeSeen,
  encodeContacts,
  encodeMessage,
  encodeSeen,
  type RpsMessage,
} from './wire.ts';

const NONCE = new Uint8Array(16).fill(0xcc);
const CONTACT = contactOfNumber(7);

const MESSAGES: readonly [RpsMessage, string][] = [
  [{ type: 'push', round: 0x0102_0304, nonce: NONCE.slice(8) }, `0101020304${'cc'.repeat(8)}`],
  [{ type: 'pull' }, '02'],
  [{ type: 'probe' }, '03'],
  [{ type: 'ask', port: 0x0a0b, nonce: NONCE }, `040a0b${'cc'.repeat(16)}`],
  [
    { type: 'call', contact: CONTACT, nonce: NONCE },
    `0500000007${'11'.repeat(28)}${'00'.repeat(10)}ffff140701010fa0${'cc'.repeat(16)}`,
  ],
  [{ type: 'called', nonce: NONCE }, `06${'cc'.repeat(16)}`],
];

describe('messages of peer sampling', () => {
  it.each(MESSAGES)('are laid out as documented: $type', (message, hex) => {
    expect(toHex(encodeMessage(message))).toBe(hex);
    expect(decodeMessage(encodeMessage(message))).toEqual(message);
  });

  it.each(MESSAGES)('are refused at every other length: $type', (message) => {
    const bytes = encodeMessage(message);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeMessage(bytes.subarray(0, length))).toThrow(DecodeError);
    }
    expect(() => decodeMessage(Uint8Array.of(...bytes, 0))).toThrow(DecodeError);
  });

  it('throw nothing but DecodeError, whatever is in them (attack 28)', () => {
    const decoders = [decodeMessage, decodeContacts, decodeContact, decodeSeen];
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 120 }),
        fc.constantFrom(...decoders),
        (bytes, decode) => {
          try {
            decode(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(DecodeError);
          }
        },
      ),
      { seed: 1, numRuns: 2000 },
    );
  });
});

describe('contacts', () => {
  it('are passed on as they came, at most 100 of them', () => {
    const all = contacts(0, CONTACTS_MAX);
    expect(decodeContacts(encodeContacts(all))).toEqual(all);
    expect(() => decodeContacts(encodeContacts(contacts(0, CONTACTS_MAX + 1)))).toThrow(
      DecodeError,
    );
    expect(decodeContacts(new Uint8Array())).toEqual([]);
  });

  it('have a port', () => {
    const bytes = new Uint8Array(CONTACT.encoded);
    bytes.fill(0, CONTACT_BYTES - 2);
    expect(() => decodeContact(bytes)).toThrow(DecodeError);
  });
});

describe('where somebody sees us', () => {
  it('is an address or nothing', () => {
    expect(decodeSeen(encodeSeen('20.1.2.3'))).toBe('20.1.2.3');
    expect(decodeSeen(encodeSeen('2a00::1'))).toBe('2a00::1');
    expect(decodeSeen(new Uint8Array())).toBeUndefined();
    expect(() => decodeSeen(new Uint8Array(4))).toThrow(DecodeError);
  });
});

import { describe, expect, it } from 'vitest';
import { DecodeError } from '../bytes/index.ts';
import { encodePublicKeyPem, formatIdentity, formatShortIdentity } from '../identity/index.ts';
import { TEST_HOSTKEY_PEMS, testHostkey } from '../identity/testing/keys.ts';
import { encodeCardLink, encodeCardPem, signCard } from './card.ts';
import { PASTED_MAX, readPasted } from './pasted.ts';

const { publicKey, identity } = testHostkey('alice');
const pem = encodePublicKeyPem(publicKey);
const base64 = pem.replace(/-----.*?-----|\n/g, '');
const card = signCard(testHostkey('bob'), new Uint8Array(16), {
  contactDh: new Uint8Array(32).fill(1),
  presenceSecret: new Uint8Array(32).fill(2),
  presenceVersion: 0,
  name: 'Bob',
});
const cardPem = encodeCardPem(card);
const link = encodeCardLink(card);

function lines(text: string, length: number, separator: string): string {
  return text.match(new RegExp(`.{1,${length}}`, 'g'))?.join(separator) ?? '';
}

describe('what is pasted', () => {
  it.each([
    ['as it is', pem],
    ['in quotation marks', `"${pem}"`],
    ['in typographic ones', `„${pem}“`],
    ['quoted in a mail', pem.replaceAll(/^/gm, '> ')],
    ['twice quoted, with spaces', pem.replaceAll(/^/gm, ' >> ')],
    ['with its line breaks eaten', pem.replaceAll('\n', '')],
    ['with spaces for line breaks', pem.replaceAll('\n', ' ')],
    ['with dashes made long by a word processor', pem.replaceAll('-----', '—–—')],
    ['with invisible characters', pem.replaceAll('\n', '\u200b\n').replace(/^/, '\ufeff')],
    ['with hard spaces', pem.replaceAll('\n', '\u00a0\n')],
    ['within a mail', `Hello,\nthis is my key:\n\n${pem}\nBye, "Alice"`],
    ['without its frame', base64],
    ['without its frame, in lines', lines(base64, 60, '\n')],
    ['without its frame and without the padding', base64.replaceAll('=', '')],
  ])('may be a hostkey %s', (_, text) => {
    expect(readPasted(text)).toEqual({ kind: 'hostkey', publicKey });
  });

  it.each([
    ['as text', cardPem],
    ['as quoted text', cardPem.replaceAll(/^/gm, '> ')],
    ['as text in one line', cardPem.replaceAll('\n', '')],
    ['as a link', link],
    ['as a link within a sentence', `Call me: ${link} (Bob)`],
    ['as a link in angle brackets', `<${link}>`],
    ['as a link broken into lines', lines(link, 76, '\r\n')],
    ['as a link in a quoted mail', lines(link, 72, '\n> ')],
  ])('may be a card %s', (_, text) => {
    expect(readPasted(text)).toEqual({ kind: 'card', card });
  });

  it.each([
    ['as it is', formatIdentity(identity)],
    ['in capitals', formatIdentity(identity).toUpperCase()],
    ['with spaces', formatIdentity(identity).replaceAll('-', ' ')],
    ['as a link', `voidphone:${formatIdentity(identity)}`],
    ['behind a word', `My identity is ${formatIdentity(identity)}.`],
  ])('may be an identity %s', (_, text) => {
    expect(readPasted(text)).toEqual({ kind: 'identity', identity });
  });

  it.each([
    ['alone', TEST_HOSTKEY_PEMS.alice],
    ['quoted', TEST_HOSTKEY_PEMS.alice.replaceAll(/^/gm, '> ')],
    ['with other dashes', TEST_HOSTKEY_PEMS.alice.replaceAll('-----', '—')],
    ['behind a public one', pem + TEST_HOSTKEY_PEMS.alice],
    ['behind a card', cardPem + TEST_HOSTKEY_PEMS.alice],
    ['cut off', TEST_HOSTKEY_PEMS.alice.slice(0, 200)],
  ])('is refused loudly when a private key is in it: %s', (_, text) => {
    expect(() => readPasted(text)).toThrow('a PRIVATE key: never paste');
  });

  it.each([
    ['nothing', ' \n', 'there is nothing in it'],
    ['far too much', 'x'.repeat(PASTED_MAX + 1), 'too long'],
    ['two keys', pem + pem, 'more than one key'],
    ['two cards', cardPem + link, 'more than one card'],
    ['a part of a link', link.slice(0, 900), 'the link of the card is cut off'],
    ['a part of a card', cardPem.slice(0, 900), 'the "-----END" of the key is missing'],
    ['a part of a key', pem.slice(0, 300), 'the "-----END" of the key is missing'],
    ['a short identity', formatShortIdentity(identity), 'this is the short form'],
    ['an identity with a mistake', swapped(formatIdentity(identity)), 'there is a mistake'],
    ['a word', 'hello', 'an identity has 56 letters and digits, and here are 5'],
  ])('is refused with a reason when it is %s', (_, text, message) => {
    expect(() => readPasted(text)).toThrow(message);
    expect(() => readPasted(text)).toThrow(DecodeError);
  });
});

function swapped(text: string): string {
  return `${text.startsWith('0') ? '1' : '0'}${text.slice(1)}`;
}

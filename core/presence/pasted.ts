// What people paste when they add a friend: a hostkey in PEM, a friend card, or an identity, with whatever a mail program or
// a chat has done to it. The DecodeErrors' messages are for the person who pasted.
//
// Only the text is judged here. Whether a card's signature holds is card.ts's business, and the hostkey of an identity has
// to be looked up.

import { DecodeError, fromBase64Url } from '../bytes/index.ts';
import type { RsaPublicKey } from '../crypto/index.ts';
import { decodePem, decodePublicKeyPem, type Identity, parseIdentity } from '../identity/index.ts';
import { CARD_BYTES, CARD_LINK, CARD_PEM_LABEL } from './card.ts';

/** A card is 1.6 KiB of text; the rest is for a mail around it. */
export const PASTED_MAX = 32_768;

export type Pasted =
  | { readonly kind: 'hostkey'; readonly publicKey: RsaPublicKey }
  /** Not verified yet. */
  | { readonly kind: 'card'; readonly card: Uint8Array }
  | { readonly kind: 'identity'; readonly identity: Identity };

export function readPasted(text: string): Pasted {
  if (text.length > PASTED_MAX) throw new DecodeError('it is too long for a key or a card');
  const source = cleaned(text);
  if (source === '') throw new DecodeError('there is nothing in it');
  // First of all: a private key beside anything else is refused as well.
  if (/PRIVATE KEY/.test(source)) return hostkey(source);
  const card = cardIn(source);
  if (card !== undefined) return { kind: 'card', card };
  if (source.includes('-----BEGIN ')) return hostkey(source);
  const bare = BARE_KEY.exec(source.replace(/\s/g, ''))?.[0];
  if (bare !== undefined) return hostkey(inPem(bare));
  return { kind: 'identity', identity: identityIn(source) };
}

/** The base64 that every SPKI of an RSA-4096 key begins with, as long as one is: a key that has lost its frame. */
const BARE_KEY = /MIICIjANBgkqhkiG9w0BAQEFAAOCAg8A[A-Za-z0-9+/]{702}(==)?/;

/** What quoting, word processors and chats add to text, and what they do to the dashes of PEM. */
function cleaned(text: string): string {
  return text
    .replace(/[\u200b-\u200f\u2060\ufeff]/g, '')
    .replace(/[>"'`“”„‟«»‘’‚]/g, '')
    .replace(/\p{Dash}+\s*(BEGIN|END)\s+([A-Z0-9 ]+?)\s*\p{Dash}+/gu, '-----$1 $2-----')
    .trim();
}

function hostkey(source: string): Pasted {
  return { kind: 'hostkey', publicKey: decodePublicKeyPem(source) };
}

function inPem(base64: string): string {
  const padded = base64.padEnd(Math.ceil(base64.length / 4) * 4, '=');
  return `-----BEGIN PUBLIC KEY-----\n${padded}\n-----END PUBLIC KEY-----`;
}

function cardIn(source: string): Uint8Array | undefined {
  const blocks = decodePem(source).filter(({ label }) => label === CARD_PEM_LABEL);
  const links = source.split(CARD_LINK).slice(1);
  if (blocks.length + links.length > 1) throw new DecodeError('there is more than one card in it');
  const [block] = blocks;
  if (block !== undefined) return block.decode();
  const [link] = links;
  return link === undefined ? undefined : cardOfLink(link);
}

/** A link that was broken into lines goes on until it is as long as a card. */
function cardOfLink(rest: string): Uint8Array {
  const [text = ''] = /^[A-Za-z0-9_-]*/.exec(rest.replace(/\s/g, '')) ?? [];
  const complete = text.slice(0, LINK_CHARS);
  if (complete.length < LINK_CHARS) throw new DecodeError('the link of the card is cut off');
  return fromBase64Url(complete);
}

const LINK_CHARS = Math.ceil((CARD_BYTES * 4) / 3);

/** Identities are read aloud and typed, but pasted with a word before them as well. */
function identityIn(source: string): Identity {
  const grouped = /[0-9a-z]{4}([-\s][0-9a-z]{4}){13}/i.exec(source)?.[0];
  return parseIdentity((grouped ?? source).replace(/^voidphone:/, ''));
}

// PEM (RFC 7468), as people store and paste it: text around the blocks, other line breaks or none at all, and the
// headers of the old encrypted form are put up with. What is inside is for others to judge.

import { DecodeError } from '../bytes/index.ts';

export interface PemBlock {
  /** What stands after BEGIN: 'PUBLIC KEY', 'RSA PRIVATE KEY', … */
  readonly label: string;
  readonly isEncrypted: boolean;
  /** Throws DecodeError when the base64 is damaged. */
  decode(): Uint8Array;
}

const BEGIN = '-----BEGIN ';
const DASHES = '-----';

/** PEM is ASCII; what stands around it may be anything. */
const anyEncoding = new TextDecoder('latin1');

export function encodePem(label: string, der: Uint8Array): string {
  const base64 = btoa(String.fromCharCode(...der));
  const lines = base64.match(/.{1,64}/g) ?? [];
  return [`${BEGIN}${label}${DASHES}`, ...lines, `-----END ${label}${DASHES}`, ''].join('\n');
}

/** Every key in DER is a SEQUENCE, whose tag is the character 0. */
export function isDer(bytes: Uint8Array): boolean {
  return bytes[0] === 0x30;
}

/** All blocks, in order; also one whose end is missing, which fails to decode. */
export function decodePem(source: string | Uint8Array): PemBlock[] {
  const text = typeof source === 'string' ? source : anyEncoding.decode(source);
  return text.split(BEGIN).slice(1).flatMap(blockIn);
}

function blockIn(text: string): PemBlock[] {
  const [start, label] = /^([A-Z\d ]{1,40})-----/.exec(text) ?? [];
  if (start === undefined || label === undefined) return [];
  const end = text.indexOf(`-----END ${label}${DASHES}`);
  const body = text.slice(start.length, end);
  const isEncrypted = label.startsWith('ENCRYPTED') || body.includes('Proc-Type: 4,ENCRYPTED');
  return [{ label, isEncrypted, decode: () => decodeBase64(end < 0 ? undefined : body) }];
}

function decodeBase64(text: string | undefined): Uint8Array {
  if (text === undefined) throw new DecodeError('the "-----END" of the key is missing');
  const base64 = text.replace(/\s/g, '');
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) {
    throw new DecodeError('the base64 of the key is damaged');
  }
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

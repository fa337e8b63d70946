// Which RSA public keys are accepted (protocol 2.1, rule 3): a modulus of exactly 4096 bits, exponent 65537, in the
// one canonical DER encoding. An encoding is judged by rebuilding it from its modulus and comparing byte for byte,
// so a key has one identity only. The lenient reading below that happens to refused keys only, to say what is wrong.
//
//   SPKI, 550 bytes      SEQUENCE { SEQUENCE { OID rsaEncryption, NULL }, BIT STRING { PKCS#1 } }
//   PKCS#1, 526 bytes    SEQUENCE { INTEGER modulus, INTEGER 65537 }
//
// Weak but well-formed moduli (common factors, ROCA) are not detected.

import { concatBytes, DecodeError, equalBytes, fromHex, Reader } from '../bytes/index.ts';

declare const accepted: unique symbol;

/** The canonical SPKI DER of an RSA key that has passed `decodeRsaSpki` or `decodeRsaPublicKey`. */
export type RsaPublicKey = Uint8Array & { readonly [accepted]: 'RsaPublicKey' };

export const RSA_BITS = 4096;
export const RSA_EXPONENT = 65_537;
export const RSA_SPKI_BYTES = 550;
export const RSA_PKCS1_BYTES = 526;

const MODULUS_BYTES = RSA_BITS / 8;
const SPKI_HEAD = fromHex('30820222300d06092a864886f70d01010105000382020f00');
const PKCS1_HEAD = fromHex('3082020a0282020100');
const EXPONENT = fromHex('0203010001');

/** Canonical SPKI DER: the only form between peers. */
export function decodeRsaSpki(der: Uint8Array): RsaPublicKey {
  const modulus = modulusBehind(der, SPKI_HEAD.length + PKCS1_HEAD.length);
  const canonical = concatBytes(SPKI_HEAD, PKCS1_HEAD, modulus, EXPONENT);
  return accept(der, canonical, modulus);
}

/** SPKI or PKCS#1 DER, as the module APIs and people hand keys over. */
export function decodeRsaPublicKey(der: Uint8Array): RsaPublicKey {
  if (der.length !== RSA_PKCS1_BYTES) return decodeRsaSpki(der);
  const modulus = modulusBehind(der, PKCS1_HEAD.length);
  accept(der, concatBytes(PKCS1_HEAD, modulus, EXPONENT), modulus);
  return concatBytes(SPKI_HEAD, der) as RsaPublicKey;
}

function modulusBehind(der: Uint8Array, headBytes: number): Uint8Array {
  return der.subarray(headBytes, headBytes + MODULUS_BYTES);
}

/** An even modulus is no product of two odd primes. OpenSSL parses such a key and BoringSSL refuses it. */
function accept(der: Uint8Array, canonical: Uint8Array, modulus: Uint8Array): RsaPublicKey {
  const [first = 0] = modulus;
  if (!equalBytes(der, canonical) || first < 0x80) throw new DecodeError(reasonToRefuse(der));
  if (((modulus.at(-1) ?? 0) & 1) === 0) throw new DecodeError('the RSA modulus is even');
  return canonical as RsaPublicKey;
}

const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const SEQUENCE = 0x30;
const RSA_ENCRYPTION = fromHex('06092a864886f70d010101');

function reasonToRefuse(der: Uint8Array): string {
  try {
    return diagnose(der);
  } catch (error) {
    if (error instanceof DecodeError) return 'not a public key in DER encoding';
    throw error;
  }
}

function diagnose(der: Uint8Array): string {
  const outer = new Reader(der);
  const body = new Reader(element(outer, SEQUENCE));
  const [tag, first] = anyElement(body);
  if (tag === INTEGER) {
    const isVersion = first.length <= 1;
    return isVersion ? PRIVATE_KEY : diagnoseNumbers(first, body, outer.remaining);
  }
  const [secondTag, second] = anyElement(body);
  if (tag === SEQUENCE && secondTag === OCTET_STRING) return PRIVATE_KEY;
  if (tag !== SEQUENCE || secondTag !== BIT_STRING) throw new DecodeError('no public key');
  if (!equalBytes(first.subarray(0, RSA_ENCRYPTION.length), RSA_ENCRYPTION)) {
    return 'not an RSA key: its algorithm is not rsaEncryption';
  }
  const numbers = new Reader(element(new Reader(second.subarray(1)), SEQUENCE));
  return diagnoseNumbers(element(numbers, INTEGER), numbers, outer.remaining);
}

/** PKCS#1 and PKCS#8 private keys begin with a version number, encrypted ones hold an OCTET STRING. */
const PRIVATE_KEY = 'a private key where a public key belongs';

function diagnoseNumbers(modulus: Uint8Array, rest: Reader, trailing: number): string {
  const [first = 0, second = 0] = modulus;
  if (first >= 0x80) return 'not canonical DER: the RSA modulus is negative';
  const bits = bitLength(modulus);
  if (bits !== RSA_BITS) return `an RSA key of ${bits} bits, not ${RSA_BITS}`;
  if (first === 0 && second < 0x80)
    return 'not canonical DER: the RSA modulus is padded with zeros';
  if (!isExponent(element(rest, INTEGER))) return `an RSA exponent other than ${RSA_EXPONENT}`;
  if (trailing > 0) return `not canonical DER: ${trailing} bytes after the key`;
  return 'not canonical DER: a length or a field is not as it must be';
}

function isExponent(bytes: Uint8Array): boolean {
  const start = bytes.findIndex((byte) => byte !== 0);
  return start >= 0 && equalBytes(bytes.subarray(start), EXPONENT.subarray(2));
}

function bitLength(bytes: Uint8Array): number {
  const start = bytes.findIndex((byte) => byte !== 0);
  if (start < 0) return 0;
  return 8 * (bytes.length - start) - (Math.clz32(bytes[start] ?? 0) - 24);
}

function element(reader: Reader, wanted: number): Uint8Array {
  const [tag, content] = anyElement(reader);
  if (tag !== wanted) throw new DecodeError('another kind of DER element');
  return content;
}

/** Tag and content, also where the length is longer than it needs to be. */
function anyElement(reader: Reader): readonly [number, Uint8Array] {
  const tag = reader.u8();
  const short = reader.u8();
  if (short < 0x80) return [tag, reader.view(short)];
  const digits = reader.view(short & 0x7f);
  if (digits.length === 0 || digits.length > 4) throw new DecodeError('a length out of bounds');
  return [tag, reader.view(digits.reduce((length, digit) => 256 * length + digit, 0))];
}

// Cookies (protocol 3.1): what a node under load sends instead of an answer, so that it spends no Diffie-Hellman on
// who cannot receive at the address he sends from. A cookie is a MAC of the address under a secret that changes, so
// nothing is kept for anybody. COOKIE carries it sealed, bound by mac1 to the INIT it answers: only who sent or saw
// that INIT and knows our identity can open it. When cookies are asked for is decided in gate.ts.

import { concatBytes } from '../bytes/index.ts';
import {
  type CryptoProvider,
  hmac,
  NONCE_BYTES,
  sha256,
  signedPrefix,
  TAG_BYTES,
} from '../crypto/index.ts';
import { type Address, ipToBytes, type Rng, randomBytes } from '../runtime/index.ts';
import { claimsMac2, hasMac2, mac1Of } from './macs.ts';
import {
  COOKIE_BYTES,
  COOKIE_FILL_BYTES,
  encodeHandshakePacket,
  type HandshakePacket,
} from './wire.ts';

/** How long one secret makes cookies; the one before is accepted meanwhile. */
export const COOKIE_SECRET_MS = 120_000;

const SECRET_BYTES = 32;

export class CookieSecrets {
  readonly #rng: Rng;
  #current: Uint8Array;
  #previous: Uint8Array | undefined;
  #bornMs: number;

  constructor(rng: Rng, nowMs: number) {
    this.#rng = rng;
    this.#current = randomBytes(rng, SECRET_BYTES);
    this.#bornMs = nowMs;
  }

  cookieFor(address: Address, nowMs: number): Uint8Array {
    this.#renew(nowMs);
    return cookieOf(this.#current, address);
  }

  /** Whether the INIT's mac2 is by a cookie that we gave to this address. */
  admits(init: Uint8Array, address: Address, nowMs: number): boolean {
    if (!claimsMac2(init)) return false;
    this.#renew(nowMs);
    return [this.#current, this.#previous].some(
      (secret) => secret !== undefined && hasMac2(init, cookieOf(secret, address)),
    );
  }

  #renew(nowMs: number): void {
    const ageMs = nowMs - this.#bornMs;
    if (ageMs < COOKIE_SECRET_MS) return;
    this.#previous = ageMs < 2 * COOKIE_SECRET_MS ? this.#current : undefined;
    this.#current = randomBytes(this.#rng, SECRET_BYTES);
    this.#bornMs = nowMs;
  }
}

function cookieOf(secret: Uint8Array, { ip, port }: Address): Uint8Array {
  const address = concatBytes(ipToBytes(ip), Uint8Array.of(port >> 8, port & 0xff));
  return hmac(secret, address).subarray(0, COOKIE_BYTES);
}

/** `identity`: the responder's, whose COOKIE it is. */
export function cookieKey(networkId: Uint8Array, identity: Uint8Array): Uint8Array {
  return sha256(signedPrefix('cookie', networkId), identity);
}

export interface CookieReply {
  readonly cookie: Uint8Array;
  /** The INIT that is answered, and the index in it. */
  readonly init: Uint8Array;
  readonly index: number;
}

/** As long as the INIT it answers. */
export function sealCookie(
  reply: CookieReply,
  key: Uint8Array,
  { provider, rng }: { readonly provider: CryptoProvider; readonly rng: Rng },
): Uint8Array {
  const nonce = randomBytes(rng, NONCE_BYTES);
  const sealed = concatBytes(reply.cookie, new Uint8Array(TAG_BYTES));
  provider.seal(sealed, nonce, mac1Of(reply.init), key);
  const fill = randomBytes(rng, COOKIE_FILL_BYTES);
  return encodeHandshakePacket({ type: 'cookie', index: reply.index, nonce, sealed, fill });
}

/** Undefined when it does not answer the INIT with this mac1. */
export function openCookie(
  packet: HandshakePacket & { readonly type: 'cookie' },
  key: Uint8Array,
  mac1: Uint8Array,
  provider: CryptoProvider,
): Uint8Array | undefined {
  const buffer = new Uint8Array(packet.sealed);
  const authentic = provider.open(buffer, packet.nonce, mac1, key);
  return authentic ? buffer.subarray(0, COOKIE_BYTES) : undefined;
}

// Write tokens (protocol 7, after BitTorrent's): who stores here has asked here before, from the same address, in the last
// 10 to 20 minutes. A token is worth nothing to anybody else.

import { utf8 } from '../bytes/index.ts';
import { equalSecrets, hmac, label } from '../crypto/index.ts';
import type { Identity } from '../identity/index.ts';
import { type Rng, randomBytes } from '../runtime/index.ts';
import { TOKEN_BYTES } from './wire.ts';

/** Protocol 7. */
const SECRET_MS = 600_000;
const SECRET_BYTES = 32;

export class Tokens {
  readonly #rng: Rng;
  #period = Number.NaN;
  #current: Uint8Array;
  #previous: Uint8Array;

  constructor(rng: Rng) {
    this.#rng = rng;
    this.#current = randomBytes(rng, SECRET_BYTES);
    this.#previous = randomBytes(rng, SECRET_BYTES);
  }

  issue(identity: Identity, ip: string, nowMs: number): Uint8Array {
    this.#turn(nowMs);
    return token(this.#current, identity, ip);
  }

  holds(given: Uint8Array, identity: Identity, ip: string, nowMs: number): boolean {
    this.#turn(nowMs);
    return [this.#current, this.#previous].some((secret) =>
      equalSecrets(given, token(secret, identity, ip)),
    );
  }

  #turn(nowMs: number): void {
    const period = Math.floor(nowMs / SECRET_MS);
    if (period === this.#period) return;
    const isNext = period === this.#period + 1;
    this.#previous = isNext ? this.#current : randomBytes(this.#rng, SECRET_BYTES);
    this.#current = randomBytes(this.#rng, SECRET_BYTES);
    this.#period = period;
  }
}

function token(secret: Uint8Array, identity: Identity, ip: string): Uint8Array {
  return hmac(secret, label('dht-token'), identity, utf8(ip)).slice(0, TOKEN_BYTES);
}

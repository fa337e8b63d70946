// LIONESS-512, the wide-block cipher of one hop over one cell's body (protocol 2.3): a changed bit anywhere makes all
// 512 bytes random, so a hop cannot mark a cell for another one behind an honest hop. It hides and shuffles; whether a
// body is authentic shows only in the AEAD inside.
//
// Once per cell and hop: with libsodium's provider a call allocates nothing. The body is worked on in a copy with its
// views ready made, because copying 512 bytes twice is cheaper than making two views.

import { hkdf } from './hash.ts';
import { bareLabel } from './labels.ts';
import { expectLength } from './lengths.ts';
import { type CryptoProvider, KEY_BYTES } from './provider.ts';

export const BODY_BYTES = 512;

/** The block's left part, as long as PRF's output. */
const LEFT_BYTES = 32;
/**
 * As much as libsodium's vector code enciphers at once. The right part has 480 bytes, which it takes in five pieces and
 * 1.6 times the time; so what enciphers it goes on over spare bytes behind it.
 */
const STREAM_BYTES = 512;

const EMPTY = new Uint8Array();

/** Seen from the tunnel's initiator: what it sends is 'fwd', what it receives 'bwd'. */
export type HopDirection = 'fwd' | 'bwd';

export interface LionessKeys {
  readonly k1: Uint8Array;
  readonly k2: Uint8Array;
  readonly k3: Uint8Array;
  readonly k4: Uint8Array;
}

export function lionessKeys(secret: Uint8Array, direction: HopDirection): LionessKeys {
  const keys = hkdf(secret, EMPTY, bareLabel(`hop ${direction} lioness`), 4 * KEY_BYTES);
  const key = (i: number): Uint8Array => keys.subarray(i * KEY_BYTES, (i + 1) * KEY_BYTES);
  return { k1: key(0), k2: key(1), k3: key(2), k4: key(3) };
}

export class Lioness {
  readonly #provider: CryptoProvider;
  readonly #work = new Uint8Array(LEFT_BYTES + STREAM_BYTES);
  readonly #block = this.#work.subarray(0, BODY_BYTES);
  readonly #left = this.#block.subarray(0, LEFT_BYTES);
  readonly #right = this.#block.subarray(LEFT_BYTES);
  readonly #rightAndSpare = this.#work.subarray(LEFT_BYTES);
  readonly #prf = new Uint8Array(LEFT_BYTES);

  constructor(provider: CryptoProvider) {
    this.#provider = provider;
  }

  /** In place. */
  encrypt(body: Uint8Array, keys: LionessKeys): void {
    expectLength(body, BODY_BYTES, 'body');
    this.#block.set(body);
    this.#turnRight(keys.k1);
    this.#turnLeft(keys.k2);
    this.#turnRight(keys.k3);
    this.#turnLeft(keys.k4);
    body.set(this.#block);
  }

  /** In place. */
  decrypt(body: Uint8Array, keys: LionessKeys): void {
    expectLength(body, BODY_BYTES, 'body');
    this.#block.set(body);
    this.#turnLeft(keys.k4);
    this.#turnRight(keys.k3);
    this.#turnLeft(keys.k2);
    this.#turnRight(keys.k1);
    body.set(this.#block);
  }

  /** R ^= STREAM(PRF(k, L)) */
  #turnRight(key: Uint8Array): void {
    this.#provider.prf(this.#prf, key, this.#left);
    this.#provider.stream(this.#rightAndSpare, this.#prf);
  }

  /** L ^= PRF(k, R) */
  #turnLeft(key: Uint8Array): void {
    this.#provider.prf(this.#prf, key, this.#right);
    for (let i = 0; i < LEFT_BYTES; i++) {
      this.#left[i] = (this.#left[i] ?? 0) ^ (this.#prf[i] ?? 0);
    }
  }
}

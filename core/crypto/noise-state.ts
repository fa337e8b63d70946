// CipherState and SymmetricState of the Noise specification, revision 34, sections 5.1 and 5.2: a key with its
// counting nonce, and the chaining key and transcript hash that a handshake feeds. Which bytes are fed, and in which
// order, is noise.ts's business.

import { DecodeError, utf8 } from '../bytes/index.ts';
import { hkdf, sha256 } from './hash.ts';
import { COUNTER_MAX, writeNonce } from './nonce.ts';
import { type CryptoProvider, KEY_BYTES, NONCE_BYTES, TAG_BYTES } from './provider.ts';

const EMPTY = new Uint8Array();

/** An AEAD key whose nonces count up: for channels that neither lose nor reorder. */
export class CipherState {
  readonly #provider: CryptoProvider;
  readonly #key: Uint8Array;
  readonly #nonce = new Uint8Array(NONCE_BYTES);
  #counter = 0;

  /** Copies the key. */
  constructor(provider: CryptoProvider, key: Uint8Array) {
    this.#provider = provider;
    this.#key = new Uint8Array(key);
  }

  /** In place: `buffer` is the plaintext and TAG_BYTES of room. */
  seal(buffer: Uint8Array, aad: Uint8Array = EMPTY): void {
    this.#provider.seal(buffer, this.#currentNonce(), aad, this.#key);
    this.#counter++;
  }

  /** In place. False when it is not authentic: the buffer is then spoilt, and the same nonce is expected again. */
  open(buffer: Uint8Array, aad: Uint8Array = EMPTY): boolean {
    const authentic = this.#provider.open(buffer, this.#currentNonce(), aad, this.#key);
    if (authentic) this.#counter++;
    return authentic;
  }

  clone(): CipherState {
    const copy = new CipherState(this.#provider, this.#key);
    copy.#counter = this.#counter;
    return copy;
  }

  wipe(): void {
    this.#key.fill(0);
    this.#counter = COUNTER_MAX;
  }

  #currentNonce(): Uint8Array {
    if (this.#counter >= COUNTER_MAX) throw new RangeError('the key is used up or wiped');
    writeNonce(this.#nonce, this.#counter);
    return this.#nonce;
  }
}

export class SymmetricState {
  readonly #provider: CryptoProvider;
  readonly #chainingKey: Uint8Array;
  #hash: Uint8Array;
  #cipher: CipherState | undefined;

  /** `hash` is the transcript so far; at the start, what `initialHash` makes of the protocol's name. */
  constructor(provider: CryptoProvider, hash: Uint8Array) {
    this.#provider = provider;
    this.#hash = hash;
    this.#chainingKey = new Uint8Array(hash);
  }

  /** What everything exchanged so far hashes to. */
  get hash(): Uint8Array {
    return this.#hash;
  }

  /** By how much `encryptAndHash` lengthens. */
  get tagBytes(): number {
    return this.#cipher === undefined ? 0 : TAG_BYTES;
  }

  mixHash(data: Uint8Array): void {
    this.#hash = sha256(this.#hash, data);
  }

  mixKey(secret: Uint8Array): void {
    this.#advance(secret, 2).fill(0);
  }

  mixKeyAndHash(secret: Uint8Array): void {
    const outputs = this.#advance(secret, 3);
    this.mixHash(outputs.subarray(KEY_BYTES, 2 * KEY_BYTES));
    outputs.fill(0);
  }

  /** As long as there is no key, the plaintext itself. */
  encryptAndHash(plaintext: Uint8Array): Uint8Array {
    const sent = new Uint8Array(plaintext.length + this.tagBytes);
    sent.set(plaintext);
    this.#cipher?.seal(sent, this.#hash);
    this.mixHash(sent);
    return sent;
  }

  decryptAndHash(received: Uint8Array): Uint8Array {
    const buffer = new Uint8Array(received);
    if (this.#cipher?.open(buffer, this.#hash) === false) {
      throw new DecodeError('a handshake message is not authentic');
    }
    this.mixHash(received);
    return buffer.subarray(0, buffer.length - this.tagBytes);
  }

  /** HKDF from the chaining key. The specification's Split() is 64 bytes of it with no info. */
  derive(info: Uint8Array, bytes: number): Uint8Array {
    return hkdf(EMPTY, this.#chainingKey, info, bytes);
  }

  clone(): SymmetricState {
    const copy = new SymmetricState(this.#provider, this.#hash);
    copy.#chainingKey.set(this.#chainingKey);
    copy.#cipher = this.#cipher?.clone();
    return copy;
  }

  wipe(): void {
    this.#chainingKey.fill(0);
    this.#cipher?.wipe();
  }

  /** The specification's HKDF of two or three outputs: the first is the next chaining key, the last the cipher's. */
  #advance(secret: Uint8Array, outputs: 2 | 3): Uint8Array {
    const derived = hkdf(secret, this.#chainingKey, EMPTY, outputs * KEY_BYTES);
    this.#chainingKey.set(derived.subarray(0, KEY_BYTES));
    this.#cipher?.wipe();
    this.#cipher = new CipherState(this.#provider, derived.subarray(-KEY_BYTES));
    return derived;
  }
}

/** The protocol's name, padded with zeros or hashed to 32 bytes. */
export function initialHash(protocolName: string): Uint8Array {
  const name = utf8(protocolName);
  if (name.length > KEY_BYTES) return sha256(name);
  const padded = new Uint8Array(KEY_BYTES);
  padded.set(name);
  return padded;
}

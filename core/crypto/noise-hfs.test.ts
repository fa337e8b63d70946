// The patterns with KEM tokens have no published vectors. Here each is written out as one straight line of the
// specification's operations, over node's HMAC and the provider alone, and the engine must make the same bytes.

import { createHash, createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { concatBytes, utf8 } from '../bytes/index.ts';
import { nobleProvider } from './noble.ts';
import type { NoiseOptions } from './noise.ts';
import type { NoisePattern } from './noise-patterns.ts';
import type { KeyPair } from './provider.ts';
import { type PairOptions, pairOf, pairOptions, payload, turn } from './testing/noise-pair.ts';

const STRAIGHT_LINES: readonly [NoisePattern, (line: Line, options: PairOptions) => void][] = [
  [
    'NXhfs',
    (line, { initiator, responder }) => {
      const e = line.ephemeral(initiator);
      const e1 = nobleProvider.kemKeyPair(initiator.rng);
      line.send(e1.publicKey);
      line.endMessage();
      const f = line.ephemeral(responder);
      line.mixDh(f, e);
      line.encapsulate(responder, e1);
      line.send(own(responder).publicKey);
      line.mixDh(own(responder), e);
      line.endMessage();
    },
  ],
  [
    'NKhfs',
    (line, { initiator, responder }) => {
      line.mixHash(own(responder).publicKey);
      const e = line.ephemeral(initiator);
      line.mixDh(e, own(responder));
      const e1 = nobleProvider.kemKeyPair(initiator.rng);
      line.send(e1.publicKey);
      line.endMessage();
      const f = line.ephemeral(responder);
      line.mixDh(f, e);
      line.encapsulate(responder, e1);
      line.endMessage();
    },
  ],
  [
    'KKhfs+psk0',
    (line, { initiator, responder }) => {
      line.mixHash(own(initiator).publicKey);
      line.mixHash(own(responder).publicKey);
      line.mixKeyAndHash(new Uint8Array(32).fill(7));
      const e = line.ephemeral(initiator);
      line.mixKey(e.publicKey);
      const e1 = nobleProvider.kemKeyPair(initiator.rng);
      line.send(e1.publicKey);
      line.mixDh(e, own(responder));
      line.mixDh(own(initiator), own(responder));
      line.endMessage();
      const f = line.ephemeral(responder);
      line.mixKey(f.publicKey);
      line.mixDh(f, e);
      line.encapsulate(responder, e1);
      line.mixDh(own(initiator), f);
      line.endMessage();
    },
  ],
];

it.each(STRAIGHT_LINES)('%s is the line of operations it stands for', (pattern, operations) => {
  const line = new Line(`Noise_${pattern}_25519+MLKEM768_ChaChaPoly_SHA256`);
  operations(line, pairOptions(pattern, nobleProvider));

  const pair = pairOf(pairOptions(pattern, nobleProvider));
  line.messages.forEach((expected, i) => {
    const { writer, reader } = turn(pair, i);
    const message = writer.writeMessage(payload(i));
    expect(message).toEqual(expected);
    reader.readMessage(message);
  });
  expect(pair.initiator.handshakeHash).toEqual(line.hash);
  expect(pair.initiator.split()).toEqual({
    send: line.output(Uint8Array.of(1)),
    receive: line.output(line.output(Uint8Array.of(1)), Uint8Array.of(2)),
  });
  expect(pair.initiator.exportSecret('hop keys')).toEqual(
    line.output(utf8('VPv1/hop keys'), Uint8Array.of(1)),
  );
});

/** The symmetric state, and the messages it has made. */
class Line {
  readonly messages: Uint8Array[] = [];
  hash: Uint8Array;
  #chainingKey: Uint8Array;
  #key: Uint8Array | undefined;
  #nonce = 0;
  #message: Uint8Array = new Uint8Array();

  /** All the names are longer than 32 bytes. */
  constructor(name: string) {
    this.hash = sha256(utf8(name));
    this.#chainingKey = this.hash;
    this.mixHash(utf8('prologue'));
  }

  mixHash(data: Uint8Array): void {
    this.hash = sha256(this.hash, data);
  }

  mixKey(secret: Uint8Array): void {
    const temporary = hmac(this.#chainingKey, secret);
    this.#chainingKey = hmac(temporary, Uint8Array.of(1));
    this.#key = hmac(temporary, this.#chainingKey, Uint8Array.of(2));
    this.#nonce = 0;
  }

  mixKeyAndHash(secret: Uint8Array): void {
    const temporary = hmac(this.#chainingKey, secret);
    this.#chainingKey = hmac(temporary, Uint8Array.of(1));
    const second = hmac(temporary, this.#chainingKey, Uint8Array.of(2));
    this.#key = hmac(temporary, second, Uint8Array.of(3));
    this.#nonce = 0;
    this.mixHash(second);
  }

  mixDh(secret: KeyPair, other: KeyPair): void {
    this.mixKey(nobleProvider.x25519(secret.secretKey, other.publicKey) ?? new Uint8Array());
  }

  ephemeral({ rng }: NoiseOptions): KeyPair {
    const e = nobleProvider.x25519KeyPair(rng);
    this.#message = concatBytes(this.#message, e.publicKey);
    this.mixHash(e.publicKey);
    return e;
  }

  encapsulate({ rng }: NoiseOptions, { publicKey }: KeyPair): void {
    const made = nobleProvider.kemEncapsulate(rng, publicKey);
    if (made === undefined) throw new Error('a good key is refused');
    this.send(made.ciphertext);
    this.mixKey(made.shared);
  }

  send(plaintext: Uint8Array): void {
    let sent: Uint8Array = plaintext;
    if (this.#key) {
      sent = concatBytes(plaintext, new Uint8Array(16));
      const nonce = new Uint8Array(12).with(4, this.#nonce++);
      nobleProvider.seal(sent, nonce, this.hash, this.#key);
    }
    this.#message = concatBytes(this.#message, sent);
    this.mixHash(sent);
  }

  endMessage(): void {
    this.send(payload(this.messages.length));
    this.messages.push(this.#message);
    this.#message = new Uint8Array();
  }

  /** HKDF-Expand's HMAC, after extracting from nothing with the chaining key as salt. */
  output(...input: Uint8Array[]): Uint8Array {
    return hmac(hmac(this.#chainingKey), ...input);
  }
}

function own({ staticKey }: NoiseOptions): KeyPair {
  if (staticKey === undefined) throw new Error('this side has no static key');
  return staticKey;
}

function sha256(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(
    createHash('sha256')
      .update(concatBytes(...parts))
      .digest(),
  );
}

function hmac(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(
    createHmac('sha256', key)
      .update(concatBytes(...parts))
      .digest(),
  );
}

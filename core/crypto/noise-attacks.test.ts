import { describe, expect, it } from 'vitest';
import { DecodeError, fromHex, utf8 } from '../bytes/index.ts';
import { SeededRng } from '../runtime/index.ts';
import { nobleProvider } from './noble.ts';
import { NOISE_MESSAGE_BYTES_MAX, NoiseHandshake, type NoiseOptions } from './noise.ts';
import {
  hasStaticKey,
  hasToken,
  type NoisePattern,
  type NoiseRole,
  otherRole,
  PATTERNS,
} from './noise-patterns.ts';
import {
  type CryptoProvider,
  KEM_CIPHERTEXT_BYTES,
  KEM_PUBLIC_BYTES,
  KEY_BYTES,
  TAG_BYTES,
} from './provider.ts';
import {
  ALL_PATTERNS,
  type Pair,
  type PairOptions,
  pairOf,
  pairOptions,
  payload,
  run,
  turn,
} from './testing/noise-pair.ts';
import { BOTH } from './testing/providers.ts';

const MESSAGES = ALL_PATTERNS.flatMap((pattern) =>
  PATTERNS[pattern].messages.map((_, number) => ({ pattern, number })),
);
const PEERS = ALL_PATTERNS.flatMap((pattern) =>
  (['initiator', 'responder'] as const).map((role) => ({ pattern, role })),
);
const WITH_STATIC = PEERS.filter(({ pattern, role }) => hasStaticKey(pattern, role));
const WITH_KNOWN = PEERS.filter(({ pattern, role }) => PATTERNS[pattern].known.includes(role));
const WITH_PSK = PEERS.filter(({ pattern }) => hasToken(pattern, 'psk'));
const WITH_KEM = ALL_PATTERNS.filter((pattern) => hasToken(pattern, 'e1'));

/** Their first message has no key yet: anybody can make one, and only the answer can betray a change. */
const CLEAR_AT_FIRST: readonly NoisePattern[] = ['XX', 'NX', 'NXhfs'];

/** Of order 8 on Curve25519: as a key it gives zero with every secret. */
const SMALL_ORDER = fromHex('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800');

describe.each(BOTH)('whoever stands between the sides of Noise with $name', (provider) => {
  // Coprime to 8, so that bits in all positions are met. noble needs milliseconds for what libsodium does in 50 µs.
  const step = provider.name === 'noble' ? 37 : 1;

  it.each(MESSAGES)('cannot change message $number of $pattern', ({ pattern, number }) => {
    const wire = new Wire(pairOptions(pattern, withoutKem(provider)), number);
    for (let at = 0; at < wire.message.length; at += step) {
      wire.expectRefused(flipped(wire.message, at));
    }
    wire.expectFinish();
  });

  it.each(MESSAGES)('cannot cut or lengthen message $number of $pattern', ({ pattern, number }) => {
    const wire = new Wire(pairOptions(pattern, provider), number);
    for (let length = 0; length < wire.message.length; length += step) {
      wire.expectRefused(wire.message.slice(0, length));
    }
    for (const more of [1, TAG_BYTES, NOISE_MESSAGE_BYTES_MAX]) {
      const longer = new Uint8Array(wire.message.length + more);
      longer.set(wire.message);
      wire.expectRefused(longer);
    }
    wire.expectFinish();
  });

  it.each(MESSAGES)('cannot replay message $number of $pattern', ({ pattern, number }) => {
    const options = pairOptions(pattern, provider);
    const earlier = new Wire(options, number);
    const wire = new Wire(options, number);
    expect(() => wire.deliver(earlier.message)).toThrow(DecodeError);
    wire.expectFinish();
  });
});

describe.each(BOTH)('a peer in Noise with $name is refused', (provider) => {
  it.each(PEERS)('for another prologue, as $role of $pattern', ({ pattern, role }) => {
    expectRefused(changed(pairOptions(pattern, provider), role, { prologue: utf8('other') }));
  });

  it.each(WITH_PSK)('for another psk, as $role of $pattern', ({ pattern, role }) => {
    const psk = new Uint8Array(KEY_BYTES).fill(8);
    expectRefused(changed(pairOptions(pattern, provider), role, { psk }));
  });

  it.each(WITH_KNOWN)('for another static key, as $role of $pattern', ({ pattern, role }) => {
    const staticKey = provider.x25519KeyPair(new SeededRng(2));
    expectRefused(changed(pairOptions(pattern, provider), role, { staticKey }));
  });

  it.each(WITH_STATIC)("for somebody else's static key, as $role of $pattern", (peer) => {
    const options = pairOptions(peer.pattern, provider);
    const { secretKey } = provider.x25519KeyPair(new SeededRng(2));
    const staticKey = options[peer.role].staticKey;
    if (staticKey === undefined) throw new Error('this side has no static key');
    expectRefused(changed(options, peer.role, { staticKey: { ...staticKey, secretKey } }));
  });

  it.each(PEERS)(
    'for an ephemeral key of small order, as $role of $pattern (attack 16)',
    (peer) => {
      const options = pairOptions(peer.pattern, provider);
      const lying = {
        ...knowingAllSecretsAreZero(provider),
        x25519KeyPair: () => ({ publicKey: SMALL_ORDER, secretKey: ZERO }),
      };
      expectRefused(changed(options, peer.role, { provider: lying }), 'small order');
    },
  );

  it.each(WITH_STATIC)(
    'for a static key of small order, as $role of $pattern (attack 16)',
    (peer) => {
      const options = pairOptions(peer.pattern, provider);
      const other = otherRole(peer.role);
      const lying = changed(options, peer.role, {
        provider: knowingAllSecretsAreZero(provider),
        staticKey: { publicKey: SMALL_ORDER, secretKey: ZERO },
      });
      const remoteStatic = options[other].remoteStatic && SMALL_ORDER;
      expectRefused(changed(lying, other, { remoteStatic }), 'small order');
    },
  );

  it.each(WITH_KEM)('for a KEM key that is none, in %s', (pattern) => {
    const publicKey = new Uint8Array(KEM_PUBLIC_BYTES).fill(0xff);
    const lying = {
      ...provider,
      kemKeyPair: () => ({ publicKey, secretKey: new Uint8Array() }),
    };
    const options = pairOptions(pattern, provider);
    expectRefused(changed(options, 'initiator', { provider: lying }), 'malformed KEM');
  });

  it.each(WITH_KEM)('for a KEM ciphertext that is made up, in %s', (pattern) => {
    const lying: CryptoProvider = {
      ...provider,
      kemEncapsulate(rng, publicKey) {
        const made = provider.kemEncapsulate(rng, publicKey);
        return made && { ...made, ciphertext: flipped(made.ciphertext, 0) };
      },
    };
    expectRefused(changed(pairOptions(pattern, provider), 'responder', { provider: lying }));
  });
});

describe('a callee', () => {
  it('spends no Diffie-Hellman on who does not know the psk', () => {
    let spent = 0;
    const counting: CryptoProvider = {
      ...nobleProvider,
      x25519(...keys) {
        spent++;
        return nobleProvider.x25519(...keys);
      },
    };
    const options = changed(pairOptions('KKhfs+psk0', nobleProvider), 'responder', {
      provider: counting,
    });
    const stranger = changed(options, 'initiator', { psk: new Uint8Array(KEY_BYTES) });
    expectRefused(stranger);
    expect(spent).toBe(0);
    run(pairOf(options));
    expect(spent).toBe(4);
  });
});

const ZERO = new Uint8Array(KEY_BYTES);

/** A KEM that adds nothing: what protects its key and ciphertext on the way must do so without it, and faster. */
function withoutKem(provider: CryptoProvider): CryptoProvider {
  return {
    ...provider,
    kemEncapsulate: () => ({
      ciphertext: new Uint8Array(KEM_CIPHERTEXT_BYTES),
      shared: new Uint8Array(KEY_BYTES),
    }),
    kemDecapsulate: () => new Uint8Array(KEY_BYTES),
  };
}

/** With this a liar goes on as if a zero secret were fine: only the honest side's check can end it. */
function knowingAllSecretsAreZero(provider: CryptoProvider): CryptoProvider {
  return {
    ...provider,
    x25519: (secretKey, publicKey) =>
      secretKey === ZERO ? new Uint8Array(KEY_BYTES) : provider.x25519(secretKey, publicKey),
  };
}

function changed(
  options: PairOptions,
  role: NoiseRole,
  change: Partial<NoiseOptions>,
): PairOptions {
  return { ...options, [role]: { ...options[role], ...change } };
}

function expectRefused(options: PairOptions, reason: string = ''): void {
  const pair = pairOf(options);
  expect(() => run(pair)).toThrow(DecodeError);
  expect(() => run(pairOf(options))).toThrow(reason);
  expect(pair.initiator.finished && pair.responder.finished).toBe(false);
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.with(at, (bytes[at] ?? 0) ^ (1 << (at % 8)));
}

/** An honest handshake up to one message, which is in the test's hands instead of on its way. */
class Wire {
  readonly message: Uint8Array;
  readonly #options: PairOptions;
  readonly #number: number;
  #pair: Pair;

  constructor(options: PairOptions, number: number) {
    this.#options = options;
    this.#number = number;
    this.#pair = run(pairOf(options), number);
    this.message = turn(this.#pair, number).writer.writeMessage(payload(number));
  }

  /** Gives these bytes to the reader, and a first message's answer to the writer. */
  deliver(bytes: Uint8Array): void {
    const { writer, reader } = turn(this.#pair, this.#number);
    reader.readMessage(bytes);
    if (this.#number > 0) return;
    this.#pair = { ...this.#pair, responder: new NoiseHandshake(this.#options.responder) };
    writer.readMessage(reader.writeMessage());
  }

  expectRefused(bytes: Uint8Array): void {
    const { reader } = turn(this.#pair, this.#number);
    const clear = this.#number === 0 && CLEAR_AT_FIRST.includes(this.#options.responder.pattern);
    expect(() => (clear ? this.deliver(bytes) : reader.readMessage(bytes))).toThrow(DecodeError);
  }

  /** After all that was refused, the real message still brings both to the end. */
  expectFinish(): void {
    turn(this.#pair, this.#number).reader.readMessage(this.message);
    const { initiator, responder } = run(this.#pair, undefined, this.#number + 1);
    expect(initiator.handshakeHash).toEqual(responder.handshakeHash);
    expect(initiator.split().send).toEqual(responder.split().receive);
  }
}

import { describe, expect, it } from 'vitest';
import { DecodeError, fromHex, toHex, utf8 } from '../bytes/index.ts';
import { type Rng, SeededRng } from '../runtime/index.ts';
import { nobleProvider } from './noble.ts';
import { NOISE_MESSAGE_BYTES_MAX, NoiseHandshake, type NoiseOptions } from './noise.ts';
import { noiseOverheads, otherRole, PATTERNS } from './noise-patterns.ts';
import { CipherState } from './noise-state.ts';
import { type CryptoProvider, type KeyPair, TAG_BYTES } from './provider.ts';
import {
  ALL_PATTERNS,
  type Pair,
  pairOf,
  pairOptions,
  payload,
  run,
  turn,
} from './testing/noise-pair.ts';
import {
  EPHEMERAL,
  NOISE_VECTORS,
  type NoiseVector,
  PAYLOADS,
  PROLOGUE,
  PSK,
  STATIC,
} from './testing/noise-vectors.ts';
import { BOTH } from './testing/providers.ts';

describe.each(BOTH)('Noise with $name', (provider) => {
  it.each(NOISE_VECTORS)('speaks $pattern as published', (vector) => {
    const pair = vectorPair(vector, provider);
    const sent = PAYLOADS.slice(0, PATTERNS[vector.pattern].messages.length).map((hex, i) => {
      const { writer, reader } = turn(pair, i);
      const message = writer.writeMessage(fromHex(hex));
      expect(toHex(reader.readMessage(message))).toBe(hex);
      return toHex(message);
    });
    expect(toHex(pair.initiator.handshakeHash)).toBe(vector.handshakeHash);
    expect(toHex(pair.responder.handshakeHash)).toBe(vector.handshakeHash);
    const sealed = sealAfter(pair, provider, sent.length);
    expect([...sent, ...sealed]).toEqual(vector.messages);
  });

  it.each(ALL_PATTERNS)('ends %s with the same secrets on both sides', (pattern) => {
    const { initiator, responder } = run(pairOf(pairOptions(pattern, provider)));
    expect([initiator.finished, responder.finished]).toEqual([true, true]);
    expect(initiator.handshakeHash).toEqual(responder.handshakeHash);
    const [ours, theirs] = [initiator.split(), responder.split()];
    expect(ours).toEqual({ send: theirs.receive, receive: theirs.send });
    expect(initiator.exportSecret('hop keys')).toEqual(responder.exportSecret('hop keys'));
    const secrets = [
      ours.send,
      ours.receive,
      initiator.exportSecret('hop keys'),
      initiator.exportSecret('call'),
      initiator.handshakeHash,
    ];
    expect(new Set(secrets.map(toHex)).size).toBe(secrets.length);
  });

  it.each(ALL_PATTERNS)('says before how long the messages of %s are', (pattern) => {
    const pair = pairOf(pairOptions(pattern, provider));
    const lengths = PATTERNS[pattern].messages.map((_, i) => {
      const { writer, reader } = turn(pair, i);
      const message = writer.writeMessage(payload(i));
      expect(reader.readMessage(message)).toEqual(payload(i));
      return message.length - payload(i).length;
    });
    expect(lengths).toEqual(noiseOverheads(pattern));
  });

  it.each(ALL_PATTERNS)('makes other secrets of %s each time', (pattern) => {
    const options = pairOptions(pattern, provider);
    const first = run(pairOf(options)).initiator;
    const second = run(pairOf(options)).initiator;
    expect(second.handshakeHash).not.toEqual(first.handshakeHash);
    expect(second.split()).not.toEqual(first.split());
  });
});

describe('a Noise handshake', () => {
  it.each(ALL_PATTERNS)('is the same %s with both providers', (pattern) => {
    const [a, b] = BOTH.map((provider) => run(pairOf(pairOptions(pattern, provider))));
    expect(a?.initiator.handshakeHash).toEqual(b?.responder.handshakeHash);
    expect(a?.initiator.split().send).toEqual(b?.responder.split().receive);
  });

  it('has the sizes that the protocol counts with', () => {
    expect(noiseOverheads('XX')).toEqual([32, 32 + 48 + 16, 48 + 16]);
    expect(noiseOverheads('NXhfs')).toEqual([32 + 1184, 32 + 1104 + 48 + 16]);
    expect(noiseOverheads('NKhfs')).toEqual([32 + 1200 + 16, 32 + 1104 + 16]);
    expect(noiseOverheads('KKhfs+psk0')).toEqual([32 + 1200 + 16, 32 + 1104 + 16]);
  });

  it.each(['XX', 'NX', 'NXhfs'] as const)('tells the static keys that %s sends', (pattern) => {
    const options = pairOptions(pattern, nobleProvider);
    const { initiator, responder } = run(pairOf(options));
    expect(initiator.remoteStatic).toEqual(options.responder.staticKey?.publicKey);
    if (pattern === 'XX') {
      expect(responder.remoteStatic).toEqual(options.initiator.staticKey?.publicKey);
    } else {
      expect(() => responder.remoteStatic).toThrow(RangeError);
    }
  });

  it('carries payloads of any length up to the longest message', () => {
    const [overhead = 0] = noiseOverheads('NK');
    for (const length of [0, 1, NOISE_MESSAGE_BYTES_MAX - overhead]) {
      const { initiator, responder } = pairOf(pairOptions('NK', nobleProvider));
      const long = new SeededRng(length).fill(new Uint8Array(length));
      expect(responder.readMessage(initiator.writeMessage(long))).toEqual(long);
    }
    const { initiator } = pairOf(pairOptions('NK', nobleProvider));
    const tooLong = new Uint8Array(NOISE_MESSAGE_BYTES_MAX - overhead + 1);
    expect(() => initiator.writeMessage(tooLong)).toThrow(RangeError);
    const { responder } = pairOf(pairOptions('XX', nobleProvider));
    const received = new Uint8Array(NOISE_MESSAGE_BYTES_MAX + 1);
    expect(() => responder.readMessage(received)).toThrow(DecodeError);
  });

  it('takes no message whose payload is refused, and then the next', () => {
    const options = pairOptions('NX', nobleProvider);
    const { initiator, responder } = run(pairOf(options), 1);
    const message = responder.writeMessage(payload(1));
    const refuse = (): void => {
      throw new DecodeError('refused');
    };
    expect(() => initiator.readMessage(message, refuse)).toThrow('refused');
    expect(initiator.finished).toBe(false);
    const seen: (Uint8Array | undefined)[] = [];
    initiator.readMessage(message, (...given) => seen.push(...given));
    expect(seen).toEqual([payload(1), options.responder.staticKey?.publicKey]);
    expect(initiator.handshakeHash).toEqual(responder.handshakeHash);
  });

  it('leaves the message it reads as it is, and gives a payload of its own', () => {
    const { initiator, responder } = run(pairOf(pairOptions('XX', nobleProvider)), 2);
    const message = initiator.writeMessage(payload(2));
    const before = message.slice();
    const read = responder.readMessage(message);
    expect(message).toEqual(before);
    message.fill(0);
    expect(read).toEqual(payload(2));
  });

  it('calls it a bug to be used out of turn', () => {
    const pair = pairOf(pairOptions('NX', nobleProvider));
    const { initiator, responder } = pair;
    expect(() => responder.writeMessage()).toThrow(RangeError);
    expect(() => initiator.readMessage(new Uint8Array(32))).toThrow(RangeError);
    expect(() => initiator.split()).toThrow(RangeError);
    expect(() => initiator.exportSecret('call')).toThrow(RangeError);
    expect(() => initiator.handshakeHash).toThrow(RangeError);
    expect(() => initiator.remoteStatic).toThrow(RangeError);
    expect(() => run(pairOf(pairOptions('XX', nobleProvider)), 2).initiator.remoteStatic).toThrow(
      RangeError,
    );
    run(pair);
    expect(() => initiator.writeMessage()).toThrow(RangeError);
    expect(() => responder.readMessage(new Uint8Array(100))).toThrow(RangeError);
  });

  it('gives nothing away when it is wiped, but what it gave before', () => {
    const { initiator, responder } = run(pairOf(pairOptions('XX', nobleProvider)));
    const keys = initiator.split();
    initiator.wipe();
    expect(keys.send).toEqual(responder.split().receive);
    expect(() => initiator.split()).toThrow(RangeError);
    expect(() => initiator.exportSecret('call')).toThrow(RangeError);
    const half = run(pairOf(pairOptions('XX', nobleProvider)), 2).initiator;
    half.wipe();
    expect(() => half.writeMessage()).toThrow(RangeError);
    expect(() => half.remoteStatic).toThrow(RangeError);
  });

  it('forgets its ephemeral secrets with the last message, and no others', () => {
    const made: Uint8Array[] = [];
    const remember = (key: KeyPair): KeyPair => {
      made.push(key.secretKey);
      return key;
    };
    const provider: CryptoProvider = {
      ...nobleProvider,
      x25519KeyPair: (rng) => remember(nobleProvider.x25519KeyPair(rng)),
      kemKeyPair: (rng) => remember(nobleProvider.kemKeyPair(rng)),
    };
    run(pairOf(pairOptions('NXhfs', provider)));
    const wiped = made.map((secret) => secret.every((byte) => byte === 0));
    // The two static keys, then e and e1 of the initiator, and e of the responder.
    expect(wiped).toEqual([false, false, true, true, true]);
  });

  const kk = pairOptions('KKpsk0', nobleProvider).initiator;
  const nk = pairOptions('NK', nobleProvider).initiator;
  const xx = pairOptions('XX', nobleProvider).initiator;

  it.each<[string, NoiseOptions]>([
    ['no static key', { ...kk, staticKey: undefined }],
    ['no remote static key', { ...kk, remoteStatic: undefined }],
    ['no psk', { ...kk, psk: undefined }],
    ['a short psk', { ...kk, psk: new Uint8Array(31) }],
    ['a static key that the pattern ignores', { ...nk, staticKey: kk.staticKey }],
    ['a remote static key that the pattern ignores', { ...xx, remoteStatic: kk.remoteStatic }],
    ['a psk that the pattern ignores', { ...nk, psk: kk.psk }],
  ])('calls it a bug to be given %s', (_, options) => {
    expect(() => new NoiseHandshake(options)).toThrow(RangeError);
  });
});

describe('a cipher state', () => {
  const key = new Uint8Array(32).fill(3);

  it('opens what was sealed, in order, once', () => {
    const [seals, opens] = [
      new CipherState(nobleProvider, key),
      new CipherState(nobleProvider, key),
    ];
    const [first, second] = [sealed(seals, payload(1)), sealed(seals, payload(2))];
    expect(opens.open(second.slice())).toBe(false);
    expect(opens.open(first.slice())).toBe(true);
    expect(opens.open(first.slice())).toBe(false);
    expect(opens.open(second.slice(), utf8('other'))).toBe(false);
    expect(opens.open(second.slice(0, TAG_BYTES - 1))).toBe(false);
    expect(opens.open(second)).toBe(true);
    expect(second.subarray(0, -TAG_BYTES)).toEqual(payload(2));
  });

  it('keeps a key of its own and is of no use once it is wiped', () => {
    const lent = key.slice();
    const [seals, opens] = [
      new CipherState(nobleProvider, lent),
      new CipherState(nobleProvider, key),
    ];
    lent.fill(0);
    expect(opens.open(sealed(seals, payload(1)))).toBe(true);
    seals.wipe();
    expect(() => sealed(seals, payload(2))).toThrow(RangeError);
  });
});

function vectorPair({ pattern }: NoiseVector, provider: CryptoProvider): Pair {
  const options = pairOptions(pattern, provider);
  const keys = {
    initiator: keyPair(provider, STATIC.initiator),
    responder: keyPair(provider, STATIC.responder),
  };
  const published = (own: NoiseOptions): NoiseOptions => ({
    ...own,
    prologue: fromHex(PROLOGUE),
    rng: rngGiving(EPHEMERAL[own.role]),
    psk: own.psk && fromHex(PSK),
    staticKey: own.staticKey && keys[own.role],
    remoteStatic: own.remoteStatic && keys[otherRole(own.role)].publicKey,
  });
  return pairOf({
    initiator: published(options.initiator),
    responder: published(options.responder),
  });
}

function rngGiving(hex: string): Rng {
  return {
    fill(target) {
      target.set(fromHex(hex));
      return target;
    },
  };
}

function keyPair(provider: CryptoProvider, hex: string): KeyPair {
  return { secretKey: fromHex(hex), publicKey: provider.x25519Public(fromHex(hex)) };
}

/** The payloads from number `start` on, sealed by the two sides in turn and opened by the other. */
function sealAfter(pair: Pair, provider: CryptoProvider, start: number): string[] {
  const [a, b] = [pair.initiator.split(), pair.responder.split()];
  const forth = {
    seals: new CipherState(provider, a.send),
    opens: new CipherState(provider, b.receive),
  };
  const back = {
    seals: new CipherState(provider, b.send),
    opens: new CipherState(provider, a.receive),
  };
  return PAYLOADS.slice(start).map((hex, i) => {
    const { seals, opens } = (start + i) % 2 === 0 ? forth : back;
    const message = sealed(seals, fromHex(hex));
    const buffer = message.slice();
    expect(opens.open(buffer)).toBe(true);
    expect(toHex(buffer.subarray(0, -TAG_BYTES))).toBe(hex);
    return toHex(message);
  });
}

function sealed(cipher: CipherState, plaintext: Uint8Array): Uint8Array {
  const buffer = new Uint8Array(plaintext.length + TAG_BYTES);
  buffer.set(plaintext);
  cipher.seal(buffer);
  return buffer;
}

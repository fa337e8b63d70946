// Two ends of a Noise handshake for the tests: with all the keys the pattern wants, repeatable, and changeable one
// option at a time.

import { utf8 } from '../../bytes/index.ts';
import { SeededRng } from '../../runtime/index.ts';
import { NoiseHandshake, type NoiseOptions } from '../noise.ts';
import {
  hasStaticKey,
  hasToken,
  type NoisePattern,
  type NoiseRole,
  otherRole,
  PATTERNS,
} from '../noise-patterns.ts';
import type { CryptoProvider } from '../provider.ts';

export const ALL_PATTERNS = Object.keys(PATTERNS) as NoisePattern[];

export interface Pair {
  readonly initiator: NoiseHandshake;
  readonly responder: NoiseHandshake;
}

export interface PairOptions {
  readonly initiator: NoiseOptions;
  readonly responder: NoiseOptions;
}

export function pairOptions(
  pattern: NoisePattern,
  provider: CryptoProvider,
  seed: number = 1,
): PairOptions {
  const rng = new SeededRng(seed);
  const keys = { initiator: provider.x25519KeyPair(rng), responder: provider.x25519KeyPair(rng) };
  const optionsOf = (role: NoiseRole): NoiseOptions => ({
    pattern,
    role,
    provider,
    rng,
    prologue: utf8('prologue'),
    staticKey: hasStaticKey(pattern, role) ? keys[role] : undefined,
    remoteStatic: PATTERNS[pattern].known.includes(otherRole(role))
      ? keys[otherRole(role)].publicKey
      : undefined,
    psk: hasToken(pattern, 'psk') ? new Uint8Array(32).fill(7) : undefined,
  });
  return { initiator: optionsOf('initiator'), responder: optionsOf('responder') };
}

export function pairOf({ initiator, responder }: PairOptions): Pair {
  return {
    initiator: new NoiseHandshake(initiator),
    responder: new NoiseHandshake(responder),
  };
}

/** Who writes the message of this number, and who reads it. */
export function turn({ initiator, responder }: Pair, message: number) {
  return message % 2 === 0
    ? { writer: initiator, reader: responder }
    : { writer: responder, reader: initiator };
}

export function payload(message: number): Uint8Array {
  return utf8(`payload ${message}`);
}

/** Runs the messages from number `from` on, to the end or to the one before number `until`. */
export function run(pair: Pair, until: number = Number.POSITIVE_INFINITY, from: number = 0): Pair {
  for (let message = from; message < until && !pair.initiator.finished; message++) {
    const { writer, reader } = turn(pair, message);
    reader.readMessage(writer.writeMessage(payload(message)));
  }
  return pair;
}

import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import { chooseProvider } from '../crypto/index.ts';
import { testHostkey } from '../identity/testing/keys.ts';
import { SeededRng } from '../runtime/index.ts';
import {
  callHint,
  callPsk,
  pairwiseSecret,
  presenceEpochKey,
  presenceItemKey,
  presenceLabel,
  publicPairwise,
  publicPresenceSecret,
  rendezvousCookie,
} from './friend-keys.ts';

const provider = chooseProvider();
const people = (['alice', 'bob', 'carol'] as const).map((name, i) => {
  const { publicKey, identity } = testHostkey(name);
  const { publicKey: contactDh, secretKey: contactSecret } = provider.x25519KeyPair(
    new SeededRng(i),
  );
  return { publicKey, identity, contactDh, contactSecret };
});
const [alice, bob, carol] = people as [Person, Person, Person];
type Person = (typeof people)[number];

describe('what two friends share', () => {
  it('is the same for both, and nobody else’s', () => {
    const ours = pairwiseSecret(provider, alice, bob);
    expect(pairwiseSecret(provider, bob, alice)).toEqual(ours);
    expect(pairwiseSecret(provider, alice, carol)).not.toEqual(ours);
    expect(pairwiseSecret(provider, carol, bob)).not.toEqual(ours);
  });

  it('is not to be had from a key of small order', () => {
    expect(() =>
      pairwiseSecret(provider, alice, { ...bob, contactDh: new Uint8Array(32) }),
    ).toThrow('small order');
  });

  it('can be agreed on without cards, in the open', () => {
    const ours = publicPairwise(alice.publicKey, bob.publicKey);
    expect(publicPairwise(bob.publicKey, alice.publicKey)).toEqual(ours);
    expect(publicPairwise(alice.publicKey, carol.publicKey)).not.toEqual(ours);
  });

  it('gives another value for every purpose, round and meeting point', () => {
    const pairwise = pairwiseSecret(provider, alice, bob);
    const presence = publicPresenceSecret(alice.publicKey);
    const values = [
      pairwise,
      presence,
      ...[1, 2].flatMap((round) => [
        rendezvousCookie(pairwise, round, alice.identity),
        rendezvousCookie(pairwise, round, bob.identity),
        callHint(pairwise, round),
        callPsk(pairwise, round),
        presenceEpochKey(presence, round),
        presenceLabel(presenceEpochKey(presence, round)),
        presenceItemKey(presenceEpochKey(presence, round), new Uint8Array(16)),
      ]),
    ].map((value) => toHex(value).slice(0, 16));
    expect(new Set(values).size).toBe(values.length);
  });
});

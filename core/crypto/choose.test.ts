import { describe, expect, it } from 'vitest';
import { chooseProvider, firstRight, providers } from './choose.ts';
import { wrongAnswers } from './known-answers.ts';
import { nobleProvider } from './noble.ts';
import type { CryptoProvider } from './provider.ts';

/** One lie per promise that a known answer checks. */
const LIARS: readonly (readonly [string, Partial<CryptoProvider>])[] = [
  ['ChaCha20-Poly1305', { seal: () => {} }],
  ['ChaCha20-Poly1305', { open: () => true }],
  ['ChaCha20-Poly1305', { open: () => false }],
  ['ChaCha20', { stream: () => {} }],
  ['BLAKE2b', { prf: (out) => void out.fill(1) }],
  ['X25519', { x25519: () => new Uint8Array(32) }],
  ['X25519', { x25519: () => undefined }],
  ['X25519', { x25519Public: () => new Uint8Array(32) }],
  ['Ed25519', { ed25519Public: () => new Uint8Array(32) }],
  ['Ed25519', { ed25519Sign: () => new Uint8Array(64) }],
  ['Ed25519', { ed25519Verify: () => true }],
  ['Ed25519', { ed25519Verify: () => false }],
  ['ML-KEM-768', { kemKeyPair: () => nobleProvider.x25519KeyPair({ fill: (target) => target }) }],
  ['ML-KEM-768', { kemEncapsulate: () => undefined }],
  ['ML-KEM-768', { kemDecapsulate: () => new Uint8Array(32) }],
];

describe('choosing a provider', () => {
  it('finds both right here, and prefers libsodium', () => {
    expect(providers().map(({ name, provider, wrong }) => [name, provider?.name, wrong])).toEqual([
      ['libsodium', 'libsodium', []],
      ['noble', 'noble', []],
    ]);
    expect(chooseProvider().name).toBe('libsodium');
    expect(chooseProvider()).toBe(chooseProvider());
  });

  it.each(LIARS)('notices a provider that is wrong about %s', (primitive, lie) => {
    expect(wrongAnswers({ ...nobleProvider, ...lie })).toContain(primitive);
  });

  it('notices one that throws', () => {
    const broken = (): never => {
      throw new Error('no such function');
    };
    expect(wrongAnswers({ ...nobleProvider, prf: broken })).toEqual(['BLAKE2b']);
  });

  it('goes on to the next when one does not load or is wrong', () => {
    const missing = (): never => {
      throw new Error('no binary');
    };
    const wrong: CryptoProvider = { ...nobleProvider, name: 'libsodium', prf: () => {} };
    const noble = { name: 'noble', load: () => nobleProvider } as const;
    expect(firstRight([{ name: 'libsodium', load: missing }, noble])).toBe(nobleProvider);
    expect(firstRight([{ name: 'libsodium', load: () => wrong }, noble])).toBe(nobleProvider);
    expect(() => firstRight([{ name: 'libsodium', load: () => wrong }])).toThrow(
      'no cryptographic',
    );
  });
});

// What one cell and one handshake cost, with both crypto providers.

import {
  type CryptoProvider,
  Lioness,
  lionessKeys,
  NONCE_BYTES,
  providers,
  TAG_BYTES,
} from '../core/crypto/index.ts';
import { realRng } from '../core/runtime/index.ts';
import type { Recorder } from './harness.ts';

const CELL_BYTES = 520;
const BODY_BYTES = 512;

export function benchCrypto(recorder: Recorder): void {
  const loaded = providers().flatMap(({ provider }) => (provider === undefined ? [] : [provider]));
  const cases = loaded.flatMap((provider) =>
    [...Object.entries(perCell(provider)), ...Object.entries(perHandshake(provider))].map(
      ([name, call]) => [`${name}, ${provider.name}`, call] as const,
    ),
  );
  recorder.timeEach(Object.fromEntries(cases.toSorted(([a], [b]) => a.localeCompare(b))));
}

function perCell(provider: CryptoProvider): Record<string, () => unknown> {
  const sealed = new Uint8Array(CELL_BYTES + TAG_BYTES);
  const again = sealed.slice();
  const body = new Uint8Array(BODY_BYTES);
  const [key, nonce, aad] = [32, NONCE_BYTES, 16].map((length) => new Uint8Array(length)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const lioness = new Lioness(provider);
  const keys = lionessKeys(key, 'fwd');
  provider.seal(sealed, nonce, aad, key);
  return {
    'cell: seal 520 bytes': () => provider.seal(again, nonce, aad, key),
    'cell: copy and open 520 bytes': () => {
      again.set(sealed);
      if (!provider.open(again, nonce, aad, key)) throw new Error('does not open');
    },
    'cell: one LIONESS layer': () => lioness.encrypt(body, keys),
  };
}

function perHandshake(provider: CryptoProvider): Record<string, () => unknown> {
  const own = provider.x25519KeyPair(realRng);
  const theirs = provider.x25519KeyPair(realRng);
  const kem = provider.kemKeyPair(realRng);
  const { ciphertext } = provider.kemEncapsulate(realRng, kem.publicKey) ?? {
    ciphertext: new Uint8Array(),
  };
  return {
    'handshake: X25519 key pair': () => provider.x25519KeyPair(realRng),
    'handshake: X25519': () => provider.x25519(own.secretKey, theirs.publicKey),
    'handshake: ML-KEM-768 key pair': () => provider.kemKeyPair(realRng),
    'handshake: ML-KEM-768 encapsulate': () => provider.kemEncapsulate(realRng, kem.publicKey),
    'handshake: ML-KEM-768 decapsulate': () => provider.kemDecapsulate(kem.secretKey, ciphertext),
  };
}

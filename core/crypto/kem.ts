// ML-KEM-768 (FIPS 203) by @noble/post-quantum, for both providers: libsodium has none, and node:crypto's takes no
// coins for encapsulation, is missing from Electron's BoringSSL, and spends most of its time on reading keys. README.md
// has the measurements.

import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { type Rng, randomBytes } from '../runtime/index.ts';
import { expectLength } from './lengths.ts';
import {
  type CryptoProvider,
  KEM_CIPHERTEXT_BYTES,
  KEM_PUBLIC_BYTES,
  KEM_SECRET_BYTES,
} from './provider.ts';

/** d and z of FIPS 203, algorithm 16. */
const KEYGEN_COINS = 64;
/** m of FIPS 203, algorithm 17. */
const ENCAPSULATION_COINS = 32;

type Kem = Pick<CryptoProvider, 'kemKeyPair' | 'kemEncapsulate' | 'kemDecapsulate'>;

export const kem: Kem = {
  kemKeyPair(rng: Rng) {
    const coins = randomBytes(rng, KEYGEN_COINS);
    const { publicKey, secretKey } = ml_kem768.keygen(coins);
    coins.fill(0);
    return { publicKey, secretKey };
  },

  kemEncapsulate(rng, publicKey) {
    expectLength(publicKey, KEM_PUBLIC_BYTES, 'KEM public key');
    const coins = randomBytes(rng, ENCAPSULATION_COINS);
    try {
      const { cipherText, sharedSecret } = ml_kem768.encapsulate(publicKey, coins);
      return { ciphertext: cipherText, shared: sharedSecret };
    } catch {
      return undefined;
    } finally {
      coins.fill(0);
    }
  },

  kemDecapsulate(secretKey, ciphertext) {
    expectLength(secretKey, KEM_SECRET_BYTES, 'KEM secret key');
    expectLength(ciphertext, KEM_CIPHERTEXT_BYTES, 'KEM ciphertext');
    return ml_kem768.decapsulate(ciphertext, secretKey);
  },
};

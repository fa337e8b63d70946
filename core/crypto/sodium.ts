// The provider over libsodium, by sodium-native. It is loaded when asked for, because on some machines it is not
// there.
//
// Where a stranger's bytes decide whether libsodium says no, the native module is called directly: the package's own
// functions answer with a thrown Error, whose stack trace costs several times what the decryption does.

import { createRequire } from 'node:module';
import { randomBytes } from '../runtime/index.ts';
import { kem } from './kem.ts';
import { expectLength, expectPrf, expectSealable, isOpenable } from './lengths.ts';
import {
  type CryptoProvider,
  ED25519_SIGNATURE_BYTES,
  KEY_BYTES,
  NONCE_BYTES,
  TAG_BYTES,
} from './provider.ts';

type Sodium = typeof import('sodium-native');
type Native = typeof import('sodium-native/binding.js');
type Ciphers = Pick<CryptoProvider, 'seal' | 'open' | 'stream' | 'prf'>;
type Dh = Pick<CryptoProvider, 'x25519KeyPair' | 'x25519Public' | 'x25519'>;
type Signatures = Pick<CryptoProvider, 'ed25519Public' | 'ed25519Sign' | 'ed25519Verify'>;

/** Sealed buffers up to this length cost no allocation: a cell's has 536 bytes, a DHT datagram's up to 1200. */
const SCRATCH_BYTES = 1280;

/** libsodium's secret key: the seed and the public key. */
const ED25519_SECRET_BYTES = 64;

const ZERO_NONCE = new Uint8Array(NONCE_BYTES);

/** Throws when there is no binary for this machine. */
export function loadSodium(): CryptoProvider {
  const load = createRequire(import.meta.url);
  const sodium: Sodium = load('sodium-native');
  const native: Native = load('sodium-native/binding.js');
  return {
    name: 'libsodium',
    ...ciphers(sodium, native),
    ...dh(sodium, native),
    ...signatures(sodium),
    ...kem,
  };
}

/**
 * libsodium takes the plaintext as an array of its own length, and a view of the caller's buffer would be an
 * allocation. So a plaintext passes through a scratch array, whose views of every length are made once.
 */
function ciphers(sodium: Sodium, native: Native): Ciphers {
  const scratch = new Uint8Array(SCRATCH_BYTES);
  const views = Array.from({ length: SCRATCH_BYTES - TAG_BYTES + 1 }, (_, length) =>
    scratch.subarray(0, length),
  );

  function plaintextFor(buffer: Uint8Array): Uint8Array {
    const length = buffer.length - TAG_BYTES;
    return views[length] ?? buffer.subarray(0, length);
  }

  return {
    seal(buffer, nonce, aad, key) {
      expectSealable(buffer, nonce, key);
      if (buffer.length <= SCRATCH_BYTES) scratch.set(buffer);
      const plaintext = plaintextFor(buffer);
      sodium.crypto_aead_chacha20poly1305_ietf_encrypt(buffer, plaintext, aad, null, nonce, key);
    },

    open(buffer, nonce, aad, key) {
      if (!isOpenable(buffer, nonce, key)) return false;
      const plaintext = plaintextFor(buffer);
      const length = native.crypto_aead_chacha20poly1305_ietf_decrypt(
        plaintext,
        buffer,
        aad,
        nonce,
        key,
      );
      if (length !== plaintext.length) return false;
      buffer.set(plaintext);
      return true;
    },

    stream(buffer, key) {
      expectLength(key, KEY_BYTES, 'key');
      sodium.crypto_stream_chacha20_ietf_xor(buffer, buffer, ZERO_NONCE, key);
    },

    prf(out, key, input) {
      expectPrf(out, key);
      sodium.crypto_generichash(out, input, key);
    },
  };
}

function dh(sodium: Sodium, native: Native): Dh {
  function x25519Public(secretKey: Uint8Array): Uint8Array {
    expectLength(secretKey, KEY_BYTES, 'secret key');
    const publicKey = new Uint8Array(KEY_BYTES);
    sodium.crypto_scalarmult_base(publicKey, secretKey);
    return publicKey;
  }

  return {
    x25519Public,

    x25519KeyPair(rng) {
      const secretKey = randomBytes(rng, KEY_BYTES);
      return { publicKey: x25519Public(secretKey), secretKey };
    },

    x25519(secretKey, publicKey) {
      expectLength(secretKey, KEY_BYTES, 'secret key');
      expectLength(publicKey, KEY_BYTES, 'public key');
      const shared = new Uint8Array(KEY_BYTES);
      return native.crypto_scalarmult(shared, secretKey, publicKey) === 0 ? shared : undefined;
    },
  };
}

function signatures(sodium: Sodium): Signatures {
  function keyPair(seed: Uint8Array): { publicKey: Uint8Array; secretKey: Uint8Array } {
    expectLength(seed, KEY_BYTES, 'seed');
    const publicKey = new Uint8Array(KEY_BYTES);
    const secretKey = new Uint8Array(ED25519_SECRET_BYTES);
    sodium.crypto_sign_seed_keypair(publicKey, secretKey, seed);
    return { publicKey, secretKey };
  }

  return {
    ed25519Public(seed) {
      const { publicKey, secretKey } = keyPair(seed);
      secretKey.fill(0);
      return publicKey;
    },

    ed25519Sign(seed, message) {
      const { secretKey } = keyPair(seed);
      const signature = new Uint8Array(ED25519_SIGNATURE_BYTES);
      sodium.crypto_sign_detached(signature, message, secretKey);
      secretKey.fill(0);
      return signature;
    },

    ed25519Verify(publicKey, message, signature) {
      expectLength(publicKey, KEY_BYTES, 'public key');
      expectLength(signature, ED25519_SIGNATURE_BYTES, 'signature');
      return sodium.crypto_sign_verify_detached(signature, message, publicKey);
    },
  };
}

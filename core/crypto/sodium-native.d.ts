// The part of sodium-native 5.1 that sodium.ts calls; the package brings no types. Its functions check lengths and
// throw when libsodium says no. `binding.js` is the native module underneath: it gives back libsodium's status
// instead, and leaves lengths to the caller.

declare module 'sodium-native' {
  export function crypto_aead_chacha20poly1305_ietf_encrypt(
    ciphertext: Uint8Array,
    plaintext: Uint8Array,
    aad: Uint8Array,
    nsec: null,
    nonce: Uint8Array,
    key: Uint8Array,
  ): number;
  export function crypto_stream_chacha20_ietf_xor(
    output: Uint8Array,
    input: Uint8Array,
    nonce: Uint8Array,
    key: Uint8Array,
  ): void;
  export function crypto_generichash(output: Uint8Array, input: Uint8Array, key: Uint8Array): void;
  export function crypto_scalarmult_base(publicKey: Uint8Array, secretKey: Uint8Array): void;
  export function crypto_sign_seed_keypair(
    publicKey: Uint8Array,
    secretKey: Uint8Array,
    seed: Uint8Array,
  ): void;
  export function crypto_sign_detached(
    signature: Uint8Array,
    message: Uint8Array,
    secretKey: Uint8Array,
  ): void;
  export function crypto_sign_verify_detached(
    signature: Uint8Array,
    message: Uint8Array,
    publicKey: Uint8Array,
  ): boolean;
}

declare module 'sodium-native/binding.js' {
  /** The plaintext's length, or a negative number. */
  export function crypto_aead_chacha20poly1305_ietf_decrypt(
    plaintext: Uint8Array,
    ciphertext: Uint8Array,
    aad: Uint8Array,
    nonce: Uint8Array,
    key: Uint8Array,
  ): number;
  /** 0, or -1 when the result would be all zero. */
  export function crypto_scalarmult(
    shared: Uint8Array,
    secretKey: Uint8Array,
    publicKey: Uint8Array,
  ): number;
}

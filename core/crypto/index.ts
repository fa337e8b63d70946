export { chooseProvider, type ProviderCheck, providers } from './choose.ts';
export { equalSecrets, HASH_BYTES, hkdf, hmac, sha256 } from './hash.ts';
export {
  bareLabel,
  label,
  NETWORK_ID_BYTES,
  type NetworkParameters,
  networkId,
  type Purpose,
  SUITE,
  signedPrefix,
} from './labels.ts';
export {
  BODY_BYTES,
  type HopDirection,
  Lioness,
  type LionessKeys,
  lionessKeys,
} from './lioness.ts';
export { NoiseHandshake, type NoiseOptions } from './noise.ts';
export { type NoisePattern, type NoiseRole, noiseOverheads } from './noise-patterns.ts';
export { CipherState } from './noise-state.ts';
export { COUNTER_MAX, writeNonce } from './nonce.ts';
export {
  POW_NONCE_BYTES,
  type PowOptions,
  type PowTask,
  powZeroBits,
  solvePow,
  verifyPow,
} from './pow.ts';
export * from './provider.ts';
export { ReplayWindow } from './replay.ts';
export { RSA_SIGNATURE_BYTES, RsaPrivateKey, rsaVerify } from './rsa.ts';
export {
  decodeRsaPublicKey,
  decodeRsaSpki,
  RSA_SPKI_BYTES,
  type RsaPublicKey,
} from './rsa-public-key.ts';
export { SMALL_POW_BITS, solveSmallPow } from './small-pow.ts';

// What a provider must get right before it is used: published answers for every primitive, and the refusals on which
// security rests. Small enough for every start; the tests ask much more.

import { equalBytes, fromHex, utf8 } from '../bytes/index.ts';
import type { Rng } from '../runtime/index.ts';
import { sha256 } from './hash.ts';
import { type CryptoProvider, KEM_PUBLIC_BYTES, PRF_BYTES, TAG_BYTES } from './provider.ts';

/** The primitives that a provider gets wrong. */
export function wrongAnswers(provider: CryptoProvider): readonly string[] {
  return Object.entries(QUESTIONS)
    .filter(([, isRight]) => !holds(() => isRight(provider)))
    .map(([primitive]) => primitive);
}

function holds(question: () => boolean): boolean {
  try {
    return question();
  } catch {
    return false;
  }
}

function is(bytes: Uint8Array | undefined, hex: string): boolean {
  return bytes !== undefined && equalBytes(bytes, fromHex(hex));
}

/** RFC 8439, 2.8.2. */
function aead(provider: CryptoProvider): boolean {
  const key = fromHex('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f');
  const nonce = fromHex('070000004041424344454647');
  const aad = fromHex('50515253c0c1c2c3c4c5c6c7');
  const plaintext = utf8(
    "Ladies and Gentlemen of the class of '99: " +
      'If I could offer you only one tip for the future, sunscreen would be it.',
  );
  const buffer = new Uint8Array(plaintext.length + TAG_BYTES);
  buffer.set(plaintext);
  provider.seal(buffer, nonce, aad, key);
  const forged = buffer.slice();
  forged[0] = (forged[0] ?? 0) ^ 1;
  return (
    is(buffer.subarray(0, 16), 'd31a8d34648e60db7b86afbc53ef7ec2') &&
    is(buffer.subarray(-TAG_BYTES), '1ae10b594f09e26a7e902ecbd0600691') &&
    !provider.open(forged, nonce, aad, key) &&
    provider.open(buffer, nonce, aad, key) &&
    equalBytes(buffer.subarray(0, -TAG_BYTES), plaintext)
  );
}

/** RFC 8439, A.1, test vector 1. */
function stream(provider: CryptoProvider): boolean {
  const buffer = new Uint8Array(64);
  provider.stream(buffer, new Uint8Array(32));
  return is(
    buffer,
    '76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7' +
      'da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586',
  );
}

/** Computed with Python's hashlib.blake2b: key and input are 00 01 … 1f. */
function prf(provider: CryptoProvider): boolean {
  const counting = Uint8Array.from({ length: 32 }, (_, i) => i);
  const out = new Uint8Array(PRF_BYTES);
  provider.prf(out, counting, counting);
  return is(out, '9ea4a7c5f78b4c5b7775841e2a07db514c510b14f5006d27aee5e20f8406bdd8');
}

/** RFC 7748, 5.2 and 4.1 (the base point is 9), and a point of small order. */
function x25519(provider: CryptoProvider): boolean {
  const secret = fromHex('a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4');
  const point = fromHex('e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c');
  const base = new Uint8Array(32);
  base[0] = 9;
  const shared = provider.x25519(secret, base);
  return (
    is(
      provider.x25519(secret, point),
      'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552',
    ) &&
    shared !== undefined &&
    equalBytes(provider.x25519Public(secret), shared) &&
    provider.x25519(secret, new Uint8Array(32)) === undefined
  );
}

/** RFC 8032, 7.1, test 2; and another message. */
function ed25519(provider: CryptoProvider): boolean {
  const seed = fromHex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb');
  const publicKey = provider.ed25519Public(seed);
  const signature = provider.ed25519Sign(seed, Uint8Array.of(0x72));
  return (
    is(publicKey, '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c') &&
    is(
      signature,
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
        '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    ) &&
    provider.ed25519Verify(publicKey, Uint8Array.of(0x72), signature) &&
    !provider.ed25519Verify(publicKey, Uint8Array.of(0x73), signature)
  );
}

/** Wycheproof, mlkem_768 tcId 2 and mlkem_768_encaps tcId 14; long values by their SHA-256. A malformed key. */
function mlKem(provider: CryptoProvider): boolean {
  const pair = provider.kemKeyPair(
    fixed(
      '7c9935a0b07694aa0c6d10e4db6b1add2fd81a25ccb148032dcd739936737f2d' +
        '8626ed79d451140800e03b59b956f8210e556067407d13dc90fa9e8b872bfb8f',
    ),
  );
  const sent = provider.kemEncapsulate(
    fixed('147c03f7a5bebba406c8fae1874d7f13c80efe79a3a9a874cc09fe76f6997615'),
    pair.publicKey,
  );
  const shared = 'e7184a0975ee3470878d2d159ec83129c8aec253d4ee17b4810311d198cd0368';
  const malformed = new Uint8Array(KEM_PUBLIC_BYTES).fill(0xff);
  return (
    is(
      sha256(pair.publicKey),
      '86adbca81f4fee893e2fb58fb98aa2fe188f501fed268d7f4056f8c05c4e53c4',
    ) &&
    sent !== undefined &&
    is(
      sha256(sent.ciphertext),
      '36829a2f35cbf4deb62c0a12a15c22dae9f8d2c252566fc24f88abe805cb575e',
    ) &&
    is(sent.shared, shared) &&
    is(provider.kemDecapsulate(pair.secretKey, sent.ciphertext), shared) &&
    provider.kemEncapsulate(fixed('00'.repeat(32)), malformed) === undefined
  );
}

function fixed(hex: string): Rng {
  return {
    fill(target) {
      target.set(fromHex(hex));
      return target;
    },
  };
}

const QUESTIONS: Readonly<Record<string, (provider: CryptoProvider) => boolean>> = {
  'ChaCha20-Poly1305': aead,
  ChaCha20: stream,
  BLAKE2b: prf,
  X25519: x25519,
  Ed25519: ed25519,
  'ML-KEM-768': mlKem,
};

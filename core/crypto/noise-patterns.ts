// The handshake patterns we speak: Noise specification revision 34 (sections 7 and 9), and for the KEM tokens the
// HFS draft, revision 1 (e1 is an ML-KEM-768 public key, ekem1 the ciphertext made for it). Who speaks which:
// XX the link (protocol 3.1), NXhfs a hop and NKhfs the virtual hop to a friend (3.3), KKhfs+psk0 a call (10.1). The
// plain NX, NK and KKpsk0 are what has published vectors, and through them the engine is held to the specification.

import { KEM_CIPHERTEXT_BYTES, KEM_PUBLIC_BYTES, KEY_BYTES, TAG_BYTES } from './provider.ts';

export type NoiseRole = 'initiator' | 'responder';

export type DhToken = 'ee' | 'es' | 'se' | 'ss';
export type KeyToken = 'e' | 's' | 'e1';
export type Token = KeyToken | DhToken | 'ekem1' | 'psk';

export type NoisePattern = 'XX' | 'NX' | 'NK' | 'KKpsk0' | 'NXhfs' | 'NKhfs' | 'KKhfs+psk0';

interface Pattern {
  /** Whose static key the other side knows before the first message. */
  readonly known: readonly NoiseRole[];
  /** The initiator sends the first one, then they take turns. */
  readonly messages: readonly (readonly Token[])[];
}

/**
 * In KKhfs+psk0 the order is the draft's own for KKhfs, e1 before any DH: its tag then proves the psk before the
 * callee has spent a DH on a stranger (protocol 10.1).
 */
export const PATTERNS: Readonly<Record<NoisePattern, Pattern>> = {
  XX: {
    known: [],
    messages: [['e'], ['e', 'ee', 's', 'es'], ['s', 'se']],
  },
  NX: {
    known: [],
    messages: [['e'], ['e', 'ee', 's', 'es']],
  },
  NK: {
    known: ['responder'],
    messages: [
      ['e', 'es'],
      ['e', 'ee'],
    ],
  },
  KKpsk0: {
    known: ['initiator', 'responder'],
    messages: [
      ['psk', 'e', 'es', 'ss'],
      ['e', 'ee', 'se'],
    ],
  },
  NXhfs: {
    known: [],
    messages: [
      ['e', 'e1'],
      ['e', 'ee', 'ekem1', 's', 'es'],
    ],
  },
  NKhfs: {
    known: ['responder'],
    messages: [
      ['e', 'es', 'e1'],
      ['e', 'ee', 'ekem1'],
    ],
  },
  'KKhfs+psk0': {
    known: ['initiator', 'responder'],
    messages: [
      ['psk', 'e', 'e1', 'es', 'ss'],
      ['e', 'ee', 'ekem1', 'se'],
    ],
  },
};

/** Whose keys each Diffie-Hellman takes. */
export const DH_KEYS: Readonly<Record<DhToken, Readonly<Record<NoiseRole, 'e' | 's'>>>> = {
  ee: { initiator: 'e', responder: 'e' },
  es: { initiator: 'e', responder: 's' },
  se: { initiator: 's', responder: 'e' },
  ss: { initiator: 's', responder: 's' },
};

export function otherRole(role: NoiseRole): NoiseRole {
  return role === 'initiator' ? 'responder' : 'initiator';
}

export function senderOf(messageIndex: number): NoiseRole {
  return messageIndex % 2 === 0 ? 'initiator' : 'responder';
}

export function hasToken(pattern: NoisePattern, token: Token): boolean {
  return PATTERNS[pattern].messages.some((tokens) => tokens.includes(token));
}

/** Whether the pattern uses a static key of this side, known before or sent in a message. */
export function hasStaticKey(pattern: NoisePattern, role: NoiseRole): boolean {
  const { known, messages } = PATTERNS[pattern];
  return (
    known.includes(role) ||
    messages.some((tokens, i) => tokens.includes('s') && senderOf(i) === role)
  );
}

/** The KEM's name after a plus sign is the draft's rule. */
export function protocolName(pattern: NoisePattern): string {
  const kem = hasToken(pattern, 'e1') ? '+MLKEM768' : '';
  return `Noise_${pattern}_25519${kem}_ChaChaPoly_SHA256`;
}

/** What each message of a pattern is longer than its payload, in bytes. */
export function noiseOverheads(pattern: NoisePattern): readonly number[] {
  let keyed = false;
  return PATTERNS[pattern].messages.map((tokens) => {
    let bytes = 0;
    for (const token of tokens) {
      const tag = keyed ? TAG_BYTES : 0;
      if (token === 'e') bytes += KEY_BYTES;
      else if (token === 's') bytes += KEY_BYTES + tag;
      else if (token === 'e1') bytes += KEM_PUBLIC_BYTES + tag;
      else {
        if (token === 'ekem1') bytes += KEM_CIPHERTEXT_BYTES + tag;
        keyed = true;
      }
    }
    return bytes + (keyed ? TAG_BYTES : 0);
  });
}

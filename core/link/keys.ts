// The keys of a link's sessions (protocol 3.1): a chain that the Noise handshake starts, that the ML-KEM secret takes
// one step further before the link opens, and every rekeying one more:
//
//   ck' ‖ initiator's sending key ‖ responder's sending key = HKDF-SHA-256(secret, salt = ck, "VPv1/link keys", 96)
//
// with the first ck exported from Noise under the same label. A step replaces ck, so who learns today's keys cannot go
// back, and who learns one secret but not ck learns nothing.

import { bareLabel, hkdf, KEY_BYTES, type NoiseRole } from '../crypto/index.ts';

/** What one session is made of: all that is needed to seal and open packets. */
export interface TrafficKeys {
  readonly sendKey: Uint8Array;
  readonly receiveKey: Uint8Array;
  /** What we put into packets for the other side, and the other side into packets for us. */
  readonly sendIndex: number;
  readonly receiveIndex: number;
  /**
   * Whether to send in this session from now on. If not, the other side may not have it yet: the session before is
   * sent in until the first authentic packet of this one has come.
   */
  readonly sendsFirst: boolean;
}

export class KeyChain {
  readonly #role: NoiseRole;
  readonly #chainingKey: Uint8Array;

  /** Takes the chaining key over. */
  constructor(role: NoiseRole, chainingKey: Uint8Array) {
    this.#role = role;
    this.#chainingKey = chainingKey;
  }

  /** This chain stays as it is, for a step that may have to be taken again. */
  next(secret: Uint8Array): {
    readonly chain: KeyChain;
    readonly keys: Pick<TrafficKeys, 'sendKey' | 'receiveKey'>;
  } {
    const derived = hkdf(secret, this.#chainingKey, bareLabel('link keys'), 3 * KEY_BYTES);
    const [chainingKey, initiators, responders] = [0, 1, 2].map((i) =>
      derived.slice(i * KEY_BYTES, (i + 1) * KEY_BYTES),
    ) as [Uint8Array, Uint8Array, Uint8Array];
    derived.fill(0);
    const chain = new KeyChain(this.#role, chainingKey);
    return this.#role === 'initiator'
      ? { chain, keys: { sendKey: initiators, receiveKey: responders } }
      : { chain, keys: { sendKey: responders, receiveKey: initiators } };
  }

  wipe(): void {
    this.#chainingKey.fill(0);
  }
}

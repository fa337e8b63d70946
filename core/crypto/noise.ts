// Noise handshakes (specification revision 34, section 5.3; the KEM tokens by the HFS draft, revision 1) over the
// provider's X25519, ChaCha20-Poly1305 and ML-KEM-768, with SHA-256: protocol 2.1, 3.1, 3.3 and 10.1.
//
// One engine runs all patterns of noise-patterns.ts. The two sides write and read in turn until `finished`; then both
// have the same handshake hash, keys and exported secrets. A message is taken whole or not at all: one that is
// refused leaves the handshake as it was, so a forged packet ends nothing and the real one can still come.
//
// Not here: certificates, retransmission, cookies, and what a payload means.

import { DecodeError, Reader, Writer } from '../bytes/index.ts';
import type { Rng } from '../runtime/index.ts';
import { bareLabel, type Purpose } from './labels.ts';
import {
  DH_KEYS,
  type DhToken,
  hasStaticKey,
  hasToken,
  type KeyToken,
  type NoisePattern,
  type NoiseRole,
  noiseOverheads,
  otherRole,
  PATTERNS,
  protocolName,
  senderOf,
  type Token,
} from './noise-patterns.ts';
import { initialHash, SymmetricState } from './noise-state.ts';
import {
  type CryptoProvider,
  KEM_CIPHERTEXT_BYTES,
  KEM_PUBLIC_BYTES,
  KEY_BYTES,
  type KeyPair,
} from './provider.ts';

const EMPTY = new Uint8Array();

/** Section 3 of the specification. */
export const NOISE_MESSAGE_BYTES_MAX = 65_535;

/** In place of a message's number: no message and no result any more. */
const WIPED = -1;

export interface NoiseOptions {
  readonly pattern: NoisePattern;
  readonly role: NoiseRole;
  readonly provider: CryptoProvider;
  readonly rng: Rng;
  readonly prologue: Uint8Array;
  /** This one and the next two are given exactly when the pattern uses them. */
  readonly staticKey?: KeyPair | undefined;
  readonly remoteStatic?: Uint8Array | undefined;
  readonly psk?: Uint8Array | undefined;
}

type Accept = (payload: Uint8Array, remoteStatic: Uint8Array | undefined) => void;

const acceptAll: Accept = () => {};

/** Fails with DecodeError for what the peer did, with RangeError for what the caller did. */
export class NoiseHandshake {
  readonly #options: NoiseOptions;
  readonly #messages: readonly (readonly Token[])[];
  readonly #overheads: readonly number[];
  readonly #own: Partial<Record<KeyToken, KeyPair | undefined>>;
  readonly #theirs: Partial<Record<KeyToken, Uint8Array | undefined>>;
  #symmetric: SymmetricState;
  /** Messages written and read. */
  #done = 0;

  constructor(options: NoiseOptions) {
    checkKeys(options);
    const { pattern, role, staticKey, remoteStatic } = options;
    this.#options = options;
    this.#messages = PATTERNS[pattern].messages;
    this.#overheads = noiseOverheads(pattern);
    this.#own = { s: staticKey };
    this.#theirs = { s: remoteStatic };
    this.#symmetric = new SymmetricState(options.provider, initialHash(protocolName(pattern)));
    this.#symmetric.mixHash(options.prologue);
    for (const side of PATTERNS[pattern].known) {
      const key = side === role ? staticKey?.publicKey : remoteStatic;
      this.#symmetric.mixHash(present(key));
    }
  }

  get finished(): boolean {
    return this.#done === this.#messages.length;
  }

  /**
   * The next message, `payload.length` and this message's `noiseOverheads` long. DecodeError when a key that came in
   * a message before turns out to be bad now that it is used: nothing will come of this handshake.
   */
  writeMessage(payload: Uint8Array = EMPTY): Uint8Array {
    return this.#turn(this.#options.role, (tokens) => {
      const length = present(this.#overheads[this.#done]) + payload.length;
      if (length > NOISE_MESSAGE_BYTES_MAX) throw new RangeError(`a message of ${length} bytes`);
      const message = new Writer(length);
      for (const token of tokens) message.bytes(this.#write(token));
      return message.bytes(this.#symmetric.encryptAndHash(payload)).end();
    });
  }

  /**
   * The payload of the peer's next message, as a copy. `accept` may look at it, and at the peer's static key if that has
   * come by now, and refuse it by a DecodeError: for whoever is only known by a certificate in the payload.
   */
  readMessage(received: Uint8Array, accept: Accept = acceptAll): Uint8Array {
    return this.#turn(otherRole(this.#options.role), (tokens) => {
      if (received.length > NOISE_MESSAGE_BYTES_MAX) {
        throw new DecodeError(`a handshake message of ${received.length} bytes`);
      }
      const message = new Reader(received);
      for (const token of tokens) this.#read(token, message);
      const payload = this.#symmetric.decryptAndHash(message.rest());
      accept(payload, this.#theirs.s);
      return payload;
    });
  }

  /** The peer's static key: proven to be its own, but whose it is, a certificate must say. */
  get remoteStatic(): Uint8Array {
    this.#result();
    return present(this.#theirs.s);
  }

  /** The same on both sides, and different in every handshake: what a signature or an authentication string covers. */
  get handshakeHash(): Uint8Array {
    return this.#result().hash;
  }

  /** One AEAD key for each direction. */
  split(): { readonly send: Uint8Array; readonly receive: Uint8Array } {
    const keys = this.#result().derive(EMPTY, 2 * KEY_BYTES);
    const [first, second] = [keys.slice(0, KEY_BYTES), keys.slice(KEY_BYTES)];
    keys.fill(0);
    return this.#options.role === 'initiator'
      ? { send: first, receive: second }
      : { send: second, receive: first };
  }

  /** Another secret of both sides, 32 bytes, independent of the keys of `split` and of those for other purposes. */
  exportSecret(purpose: Purpose): Uint8Array {
    return this.#result().derive(bareLabel(purpose), KEY_BYTES);
  }

  /** Forgets all that was made here. The options' keys, and what was handed out, are the caller's to wipe. */
  wipe(): void {
    this.#wipeEphemerals();
    this.#symmetric.wipe();
    this.#done = WIPED;
  }

  #result(): SymmetricState {
    if (!this.finished) throw new RangeError('the handshake is not finished, or wiped');
    return this.#symmetric;
  }

  /** Runs one message of `sender`; if that throws, puts back the state from before. */
  #turn<T>(sender: NoiseRole, run: (tokens: readonly Token[]) => T): T {
    const tokens = this.#messages[this.#done];
    if (tokens === undefined) throw new RangeError('the handshake is over');
    if (senderOf(this.#done) !== sender) throw new RangeError(`not the ${sender}'s turn`);
    const before = this.#symmetric.clone();
    try {
      const result = run(tokens);
      before.wipe();
      this.#done++;
      if (this.finished) this.#wipeEphemerals();
      return result;
    } catch (error) {
      this.#symmetric.wipe();
      this.#symmetric = before;
      throw error;
    }
  }

  /** What the token adds to the message: nothing, for those that only mix. */
  #write(token: Token): Uint8Array {
    const { provider, rng } = this.#options;
    switch (token) {
      case 'e':
        this.#own.e = provider.x25519KeyPair(rng);
        this.#mixEphemeral(this.#own.e.publicKey);
        return this.#own.e.publicKey;
      case 's':
        return this.#symmetric.encryptAndHash(present(this.#own.s).publicKey);
      case 'e1':
        this.#own.e1 = provider.kemKeyPair(rng);
        return this.#symmetric.encryptAndHash(this.#own.e1.publicKey);
      case 'ekem1': {
        const made = provider.kemEncapsulate(rng, present(this.#theirs.e1));
        if (made === undefined) throw new DecodeError('a malformed KEM public key');
        const sent = this.#symmetric.encryptAndHash(made.ciphertext);
        this.#mixSecret(made.shared);
        return sent;
      }
      default:
        this.#mixKnown(token);
        return EMPTY;
    }
  }

  #read(token: Token, message: Reader): void {
    switch (token) {
      case 'e':
        this.#theirs.e = message.bytes(KEY_BYTES);
        this.#mixEphemeral(this.#theirs.e);
        return;
      case 's':
        this.#theirs.s = this.#decrypt(message, KEY_BYTES);
        return;
      case 'e1':
        this.#theirs.e1 = this.#decrypt(message, KEM_PUBLIC_BYTES);
        return;
      case 'ekem1': {
        const ciphertext = this.#decrypt(message, KEM_CIPHERTEXT_BYTES);
        const { secretKey } = present(this.#own.e1);
        this.#mixSecret(this.#options.provider.kemDecapsulate(secretKey, ciphertext));
        return;
      }
      default:
        this.#mixKnown(token);
    }
  }

  #decrypt(message: Reader, bytes: number): Uint8Array {
    return this.#symmetric.decryptAndHash(message.view(bytes + this.#symmetric.tagBytes));
  }

  /** Section 9.2 of the specification: where there is a psk, ephemeral keys go into the chaining key too. */
  #mixEphemeral(publicKey: Uint8Array): void {
    this.#symmetric.mixHash(publicKey);
    if (this.#options.psk) this.#symmetric.mixKey(publicKey);
  }

  #mixKnown(token: DhToken | 'psk'): void {
    if (token === 'psk') this.#symmetric.mixKeyAndHash(present(this.#options.psk));
    else this.#mixSecret(this.#dh(token));
  }

  #mixSecret(secret: Uint8Array): void {
    this.#symmetric.mixKey(secret);
    secret.fill(0);
  }

  #dh(token: DhToken): Uint8Array {
    const { role, provider } = this.#options;
    const keys = DH_KEYS[token];
    const { secretKey } = present(this.#own[keys[role]]);
    const publicKey = present(this.#theirs[keys[otherRole(role)]]);
    const shared = provider.x25519(secretKey, publicKey);
    if (shared === undefined) throw new DecodeError('a public key of small order');
    return shared;
  }

  #wipeEphemerals(): void {
    this.#own.e?.secretKey.fill(0);
    this.#own.e1?.secretKey.fill(0);
  }
}

function checkKeys({ pattern, role, staticKey, remoteStatic, psk }: NoiseOptions): void {
  const keys: [string, Uint8Array | undefined, boolean][] = [
    ['staticKey', staticKey?.publicKey, hasStaticKey(pattern, role)],
    ['remoteStatic', remoteStatic, PATTERNS[pattern].known.includes(otherRole(role))],
    ['psk', psk, hasToken(pattern, 'psk')],
  ];
  for (const [name, key, used] of keys) {
    if (key?.length !== (used ? KEY_BYTES : undefined)) {
      throw new RangeError(`${pattern} takes ${used ? 'a 32-byte' : 'no'} ${name}`);
    }
  }
}

/** What the pattern guarantees to be there by now. */
function present<T>(value: T | undefined): T {
  if (value === undefined) throw new RangeError('a key the pattern needs is missing');
  return value;
}

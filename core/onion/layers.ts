// The layers of a body (protocol 3.5), from the outside in: one wide-block layer per hop, and innermost a sealed
// plaintext for the hop that is addressed. Once per cell, in place, without allocation.
//
// Body, when all layers are off:   seq u64 | sealed plaintext 488 | tag 16
// The sequence number is the nonce and is sealed along (it is the AAD); each direction has its own key:
//
//   forward ‖ backward = HKDF-SHA-256(secret, no salt, "VPv1/hop keys", 64)
//
// with the secret of hop.ts, which also gives the wide-block keys (core/crypto/lioness.ts). Whether a body that does not
// open was for somebody else, noise or forged, nobody can tell, and so nobody asks.

import {
  bareLabel,
  COUNTER_MAX,
  type CryptoProvider,
  hkdf,
  KEY_BYTES,
  type Lioness,
  type LionessKeys,
  lionessKeys,
  NONCE_BYTES,
  ReplayWindow,
  writeNonce,
} from '../crypto/index.ts';
import { BODY_BYTES, INNER_PLAIN_BYTES, INNER_SEQ_BYTES } from './geometry.ts';

/** Protocol 3.5. */
const INNER_REPLAY_WINDOW = 1024;
const NO_SALT = new Uint8Array();

export type InnerRole = 'initiator' | 'hop';

/** The innermost seal between the initiator and one hop: both directions, seen from one side. */
export class InnerSeal {
  readonly #provider: CryptoProvider;
  readonly #sendKey: Uint8Array;
  readonly #receiveKey: Uint8Array;
  readonly #window = new ReplayWindow(INNER_REPLAY_WINDOW);
  readonly #nonce = new Uint8Array(NONCE_BYTES);
  /** Bodies are worked on in a copy, with its views ready made. */
  readonly #work = new Uint8Array(BODY_BYTES);
  readonly #seq = this.#work.subarray(0, INNER_SEQ_BYTES);
  readonly #sealed = this.#work.subarray(INNER_SEQ_BYTES);
  readonly #plaintext = this.#sealed.subarray(0, INNER_PLAIN_BYTES);
  #next = 0;

  constructor(provider: CryptoProvider, role: InnerRole, hopSecret: Uint8Array) {
    this.#provider = provider;
    const keys = hkdf(hopSecret, NO_SALT, bareLabel('hop keys'), 2 * KEY_BYTES);
    const [forward, backward] = [keys.subarray(0, KEY_BYTES), keys.subarray(KEY_BYTES)];
    this.#sendKey = role === 'initiator' ? forward : backward;
    this.#receiveKey = role === 'initiator' ? backward : forward;
  }

  /** Fills `body` with the sealed form of `message`, at most INNER_PLAIN_BYTES and padded with zeros. */
  seal(body: Uint8Array, message: Uint8Array): void {
    this.#plaintext.fill(0);
    this.#plaintext.set(message);
    writeSeq(this.#seq, this.#next);
    writeNonce(this.#nonce, this.#next);
    this.#next++;
    this.#provider.seal(this.#sealed, this.#nonce, this.#seq, this.#sendKey);
    body.set(this.#work);
  }

  /** The plaintext, valid until the next call; undefined when the body is not for us, or was seen before. */
  open(body: Uint8Array): Uint8Array | undefined {
    this.#work.set(body);
    const seq = readSeq(this.#seq);
    // Noise is tried like everything else: how long a body takes does not depend on what it is.
    writeNonce(this.#nonce, seq % COUNTER_MAX);
    const opened = this.#provider.open(this.#sealed, this.#nonce, this.#seq, this.#receiveKey);
    return opened && seq < COUNTER_MAX && this.#window.accept(seq) ? this.#plaintext : undefined;
  }

  wipe(): void {
    for (const secret of [this.#sendKey, this.#receiveKey, this.#work]) secret.fill(0);
  }
}

/** One hop's layer, as the hop sees it: it takes one off forwards and puts one on backwards. */
export class HopLayer {
  readonly #lioness: Lioness;
  readonly #forward: LionessKeys;
  readonly #backward: LionessKeys;

  constructor(lioness: Lioness, hopSecret: Uint8Array) {
    this.#lioness = lioness;
    this.#forward = lionessKeys(hopSecret, 'fwd');
    this.#backward = lionessKeys(hopSecret, 'bwd');
  }

  putOnForward(body: Uint8Array): void {
    this.#lioness.encrypt(body, this.#forward);
  }

  takeOffForward(body: Uint8Array): void {
    this.#lioness.decrypt(body, this.#forward);
  }

  putOnBackward(body: Uint8Array): void {
    this.#lioness.encrypt(body, this.#backward);
  }

  takeOffBackward(body: Uint8Array): void {
    this.#lioness.decrypt(body, this.#backward);
  }

  wipe(): void {
    for (const keys of [this.#forward, this.#backward]) {
      for (const key of Object.values(keys)) key.fill(0);
    }
  }
}

/** The initiator's stack of layers. Both directions are between it and the newest hop. */
export class OnionLayers {
  readonly #provider: CryptoProvider;
  readonly #lioness: Lioness;
  readonly #hops: { readonly layer: HopLayer; readonly seal: InnerSeal }[] = [];

  constructor(provider: CryptoProvider, lioness: Lioness) {
    this.#provider = provider;
    this.#lioness = lioness;
  }

  get hops(): number {
    return this.#hops.length;
  }

  addHop(hopSecret: Uint8Array): void {
    this.#hops.push({
      layer: new HopLayer(this.#lioness, hopSecret),
      seal: new InnerSeal(this.#provider, 'initiator', hopSecret),
    });
  }

  /** Fills `body` with `message` for the newest hop, of which there must be one, under all layers. */
  wrap(body: Uint8Array, message: Uint8Array): void {
    const newest = this.#hops.at(-1);
    if (newest === undefined) throw new RangeError('nobody to send to');
    newest.seal.seal(body, message);
    for (let i = this.#hops.length - 1; i >= 0; i--) this.#hops[i]?.layer.putOnForward(body);
  }

  /** Takes all layers off, in place, and answers what the newest hop sealed: see InnerSeal.open. */
  unwrap(body: Uint8Array): Uint8Array | undefined {
    for (const { layer } of this.#hops) layer.takeOffBackward(body);
    return this.#hops.at(-1)?.seal.open(body);
  }

  wipe(): void {
    for (const { layer, seal } of this.#hops.splice(0)) {
      layer.wipe();
      seal.wipe();
    }
  }
}

function writeSeq(target: Uint8Array, seq: number): void {
  let rest = seq;
  for (let i = INNER_SEQ_BYTES - 1; i >= 0; i--) {
    target[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}

/** Exact below COUNTER_MAX, which no sender reaches; what is larger stays larger. */
function readSeq(bytes: Uint8Array): number {
  let seq = 0;
  for (let i = 0; i < INNER_SEQ_BYTES; i++) seq = seq * 256 + (bytes[i] ?? 0);
  return seq;
}

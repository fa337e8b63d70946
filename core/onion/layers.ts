// The layers of a body (protocol 3.5), from the outside in: one wide-block layer per hop, and innermost a sealed
// plaintext for the hop that is addressed. Once per cell, in place, without allocation.
//
// Body, when all layers are off:   seq u64 | sealed plaintext 488 | tag 16
// The sequence number is the nonce and is sealed along (it is the AAD); each direction has its own key.

import {
  bareLabel,
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
const SEALED_AT = INNER_SEQ_BYTES;

export type InnerRole = 'initiator' | 'hop';

/** The innermost seal between the initiator and one hop: both directions, seen from one side. */
export class InnerSeal {
  readonly #provider: CryptoProvider;
  readonly #sendKey: Uint8Array;
  readonly #receiveKey: Uint8Array;
  readonly #window = new ReplayWindow(INNER_REPLAY_WINDOW);
  readonly #nonce = new Uint8Array(NONCE_BYTES);
  readonly #sealed: Uint8Array;
  readonly #seq: Uint8Array;
  readonly #work = new Uint8Array(BODY_BYTES);
  #next = 0;

  constructor(provider: CryptoProvider, role: InnerRole, hopSecret: Uint8Array) {
    this.#provider = provider;
    const keys = hkdf(hopSecret, new Uint8Array(), bareLabel('hop keys'), 2 * KEY_BYTES);
    const [forward, backward] = [keys.subarray(0, KEY_BYTES), keys.subarray(KEY_BYTES)];
    this.#sendKey = role === 'initiator' ? forward : backward;
    this.#receiveKey = role === 'initiator' ? backward : forward;
    this.#seq = this.#work.subarray(0, SEALED_AT);
    this.#sealed = this.#work.subarray(SEALED_AT);
  }

  /** Fills `body` with the sealed form of `message`, which is padded with zeros. */
  seal(body: Uint8Array, message: Uint8Array): void {
    if (message.length > INNER_PLAIN_BYTES)
      throw new RangeError(`${message.length} bytes in a cell`);
    this.#work.fill(0);
    this.#sealed.set(message);
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
    if (seq === undefined) return undefined;
    writeNonce(this.#nonce, seq);
    if (!this.#provider.open(this.#sealed, this.#nonce, this.#seq, this.#receiveKey))
      return undefined;
    return this.#window.accept(seq) ? this.#sealed.subarray(0, INNER_PLAIN_BYTES) : undefined;
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

/** The initiator's stack of layers: what it sends is for the newest hop. */
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

  /** Fills `body` with `message` for the newest hop, under all layers. */
  wrap(body: Uint8Array, message: Uint8Array): void {
    this.#hops.at(-1)?.seal.seal(body, message);
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

/** Undefined for a number no honest sender reaches: the body is noise or not for us. */
function readSeq(bytes: Uint8Array): number | undefined {
  if (bytes[0] !== 0 || (bytes[1] ?? 0) > 0) return undefined;
  let seq = 0;
  for (let i = 2; i < INNER_SEQ_BYTES; i++) seq = seq * 256 + (bytes[i] ?? 0);
  return seq;
}

// The messages of one handshake as datagrams and back (protocol 3.1): indices, MACs and cookies. The handshake itself
// (handshake.ts) knows none of these, so that streams and larger datagrams can carry it as well.

import { DecodeError } from '../bytes/index.ts';
import type { CryptoProvider } from '../crypto/index.ts';
import { cookieKey, openCookie } from './cookies.ts';
import type { NoiseMessage, SendNoise } from './handshake.ts';
import { hasMac1, mac1Key, mac1Of, writeMac1, writeMac2 } from './macs.ts';
import {
  decodeHandshakePacket,
  encodeHandshakePacket,
  type HandshakePacket,
  type NoiseStep,
} from './wire.ts';

export interface FramingOptions {
  readonly provider: CryptoProvider;
  readonly networkId: Uint8Array;
  /** The responder's, whichever side this is. */
  readonly identity: Uint8Array;
  /** What the other side is to put into its packets for us. */
  readonly index: number;
}

export class Framing {
  readonly #options: FramingOptions;
  readonly #identityMac1Key: Uint8Array;
  /** Of RESP, known from the INIT we sent or got. */
  #respMac1Key: Uint8Array | undefined;
  /** Of the INIT we sent, to open a COOKIE with. */
  #initMac1: Uint8Array | undefined;
  #cookie: Uint8Array | undefined;

  constructor(options: FramingOptions) {
    this.#options = options;
    this.#identityMac1Key = mac1Key(options.networkId, options.identity);
  }

  encode(message: SendNoise): Uint8Array {
    this.#learn(message);
    const bytes = encodeHandshakePacket(this.#packet(message));
    writeMac1(bytes, this.#mac1Key(message.step));
    if (message.step === 'init') {
      this.#initMac1 = new Uint8Array(mac1Of(bytes));
      if (this.#cookie) writeMac2(bytes, this.#cookie);
    }
    return bytes;
  }

  /** Undefined for a COOKIE, which the next INIT will carry. DecodeError for what does not belong to this handshake. */
  decode(bytes: Uint8Array): NoiseMessage | undefined {
    const packet = decodeHandshakePacket(bytes);
    if (packet.type !== 'init' && packet.index !== this.#options.index) {
      throw new DecodeError('a packet for another handshake');
    }
    if (packet.type === 'cookie') {
      this.#keepCookie(packet);
      return undefined;
    }
    if (!hasMac1(bytes, this.#mac1Key(packet.type))) throw new DecodeError('a wrong mac1');
    const senderIndex = senderIndexOf(packet);
    const message = { type: 'noise', step: packet.type, noise: packet.noise, senderIndex } as const;
    this.#learn(message);
    return message;
  }

  #packet({ step, noise, peerIndex }: SendNoise): HandshakePacket {
    const { index } = this.#options;
    if (step === 'init') return { type: step, index, noise };
    if (step === 'resp') return { type: step, index: peerIndex, senderIndex: index, noise };
    return { type: step, index: peerIndex, noise };
  }

  /** The first INIT is the one this handshake is about. */
  #learn({ step, noise }: { readonly step: NoiseStep; readonly noise: Uint8Array }): void {
    if (step === 'init') this.#respMac1Key ??= mac1Key(this.#options.networkId, noise);
  }

  #mac1Key(step: NoiseStep): Uint8Array {
    if (step !== 'resp') return this.#identityMac1Key;
    if (this.#respMac1Key === undefined) throw new DecodeError('a RESP before any INIT');
    return this.#respMac1Key;
  }

  #keepCookie(packet: HandshakePacket & { readonly type: 'cookie' }): void {
    const { provider, networkId, identity } = this.#options;
    if (this.#initMac1 === undefined) throw new DecodeError('a COOKIE before any INIT');
    const key = cookieKey(networkId, identity);
    const cookie = openCookie(packet, key, this.#initMac1, provider);
    if (cookie === undefined) throw new DecodeError('a forged COOKIE');
    this.#cookie = cookie;
  }
}

function senderIndexOf(packet: HandshakePacket): number {
  if (packet.type === 'init') return packet.index;
  return packet.type === 'resp' ? packet.senderIndex : 0;
}

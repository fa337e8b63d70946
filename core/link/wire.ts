// The datagrams of a link (protocol 3.1). All are DATAGRAM_BYTES long, whatever they carry, and start with one header:
//
//   type u8 | version u8 = 1 | reserved u16 = 0 | index u32 | counter u64
//
//   1 INIT    index = sender's; counter 0; Noise message 1 (32); zeros 472; mac1 16; mac2 16
//   2 RESP    index = receiver's; counter 0; sender's index u32; message 2 (96); zeros 404; mac1 16; mac2 16
//   3 FIN     index = receiver's; counter 0; message 3 (64); zeros 440; mac1 16; mac2 16
//   4 DATA    index = receiver's; counter; sealed cell 520 + 16; the header is what else the tag covers
//   5 COOKIE  index = receiver's; counter 0; nonce 12; sealed cookie 16 + 16; random 492
//
// Only INIT carries a mac2, in FIN and RESP it is zero. What the MACs are is in macs.ts, what is in a cell in cells.ts.

import { DecodeError, Reader, Writer } from '../bytes/index.ts';
import { NONCE_BYTES, noiseOverheads, TAG_BYTES } from '../crypto/index.ts';
import { CELL_BYTES } from './cells.ts';
import { readU32, writeU32 } from './u32.ts';

export const DATAGRAM_BYTES = 552;
export const HEADER_BYTES = 16;
export const WIRE_VERSION = 1;
export const MAC_BYTES = 16;
export const COOKIE_BYTES = 16;
export const SEALED_COOKIE_BYTES = COOKIE_BYTES + TAG_BYTES;
export const COOKIE_FILL_BYTES = DATAGRAM_BYTES - HEADER_BYTES - NONCE_BYTES - SEALED_COOKIE_BYTES;

/** Where the MACs of INIT, RESP and FIN stand. */
export const MAC1_AT = DATAGRAM_BYTES - 2 * MAC_BYTES;
export const MAC2_AT = DATAGRAM_BYTES - MAC_BYTES;

const TYPE = { init: 1, resp: 2, fin: 3, data: 4, cookie: 5 } as const;
const INDEX_AT = 4;
const COUNTER_AT = 8;

export type NoiseStep = 'init' | 'resp' | 'fin';

const [INIT_BYTES = 0, RESP_BYTES = 0, FIN_BYTES = 0] = noiseOverheads('XX');

/** The messages of Noise XX, whose payloads are empty: 32, 96 and 64 bytes. */
export const NOISE_BYTES: Readonly<Record<NoiseStep, number>> = {
  init: INIT_BYTES,
  resp: RESP_BYTES,
  fin: FIN_BYTES,
};

export type HandshakePacket =
  | { readonly type: 'init'; readonly index: number; readonly noise: Uint8Array }
  | {
      readonly type: 'resp';
      readonly index: number;
      readonly senderIndex: number;
      readonly noise: Uint8Array;
    }
  | { readonly type: 'fin'; readonly index: number; readonly noise: Uint8Array }
  | {
      readonly type: 'cookie';
      readonly index: number;
      readonly nonce: Uint8Array;
      readonly sealed: Uint8Array;
      readonly fill: Uint8Array;
    };

/** Leaves both MACs zero. */
export function encodeHandshakePacket(packet: HandshakePacket): Uint8Array {
  const writer = new Writer(DATAGRAM_BYTES);
  writer.u8(TYPE[packet.type]).u8(WIRE_VERSION).zeros(2).u32(packet.index).u64(0);
  if (packet.type === 'cookie') {
    return writer.bytes(packet.nonce).bytes(packet.sealed).bytes(packet.fill).end();
  }
  if (packet.type === 'resp') writer.u32(packet.senderIndex);
  return writer.bytes(packet.noise).zeros(writer.remaining).end();
}

/** Everything but DATA. The fields are views of `bytes`. */
export function decodeHandshakePacket(bytes: Uint8Array): HandshakePacket {
  if (bytes.length !== DATAGRAM_BYTES) throw new DecodeError(`a datagram of ${bytes.length} bytes`);
  const reader = new Reader(bytes);
  const type = reader.u8();
  if (reader.u8() !== WIRE_VERSION) throw new DecodeError('another version');
  reader.zeros(2);
  const index = reader.u32();
  reader.zeros(8);
  switch (type) {
    case TYPE.init:
      return { type: 'init', index, noise: decodeNoise(reader, NOISE_BYTES.init, true) };
    case TYPE.resp: {
      const senderIndex = reader.u32();
      const noise = decodeNoise(reader, NOISE_BYTES.resp, false);
      return { type: 'resp', index, senderIndex, noise };
    }
    case TYPE.fin:
      return { type: 'fin', index, noise: decodeNoise(reader, NOISE_BYTES.fin, false) };
    case TYPE.cookie: {
      const nonce = reader.view(NONCE_BYTES);
      const sealed = reader.view(SEALED_COOKIE_BYTES);
      return { type: 'cookie', index, nonce, sealed, fill: reader.rest() };
    }
    default:
      throw new DecodeError('no handshake packet');
  }
}

function decodeNoise(reader: Reader, length: number, mayHaveMac2: boolean): Uint8Array {
  const noise = reader.view(length);
  reader.zeros(reader.remaining - 2 * MAC_BYTES);
  reader.view(MAC_BYTES);
  if (!mayHaveMac2) reader.zeros(MAC_BYTES);
  return noise;
}

/** Whether it says it is a DATA packet, of any size: what decides where a packet goes, before anything is proven. */
export function isData(bytes: Uint8Array): boolean {
  return bytes.length > HEADER_BYTES && bytes[0] === TYPE.data && hasVersion(bytes);
}

/** Whether it says it is any of the others. */
export function isHandshake(bytes: Uint8Array): boolean {
  const type = bytes[0] ?? 0;
  return (
    type >= TYPE.init &&
    type <= TYPE.cookie &&
    type !== TYPE.data &&
    bytes.length === DATAGRAM_BYTES &&
    hasVersion(bytes)
  );
}

function hasVersion(bytes: Uint8Array): boolean {
  return bytes[1] === WIRE_VERSION && bytes[2] === 0 && bytes[3] === 0;
}

/** The index in the header of a DATA packet. */
export function dataIndex(bytes: Uint8Array): number {
  return readU32(bytes, INDEX_AT);
}

/** The counter of a DATA packet, exact below 2^53; what is larger stays larger than any counter in use. */
export function dataCounter(bytes: Uint8Array): number {
  return readU32(bytes, COUNTER_AT) * 2 ** 32 + readU32(bytes, COUNTER_AT + 4);
}

export function writeDataHeader(bytes: Uint8Array, index: number, counter: number): void {
  bytes[0] = TYPE.data;
  bytes[1] = WIRE_VERSION;
  bytes[2] = 0;
  bytes[3] = 0;
  writeU32(bytes, INDEX_AT, index);
  writeU32(bytes, COUNTER_AT, Math.floor(counter / 2 ** 32));
  writeU32(bytes, COUNTER_AT + 4, counter % 2 ** 32);
}

/**
 * Room for one DATA packet, with its views made once: sealing, opening and passing on a cell then allocates nothing.
 * A packet that arrived is copied into `bytes`.
 */
export class DataPacket {
  readonly bytes = new Uint8Array(DATAGRAM_BYTES);
  readonly header = this.bytes.subarray(0, HEADER_BYTES);
  /** The cell and the tag. */
  readonly sealed = this.bytes.subarray(HEADER_BYTES);
  readonly cell = this.bytes.subarray(HEADER_BYTES, HEADER_BYTES + CELL_BYTES);
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError, toHex } from '../bytes/index.ts';
import { survivesHostileBytes } from '../bytes/testing/hostile.ts';
import {
  DATAGRAM_BYTES,
  DataPacket,
  dataCounter,
  dataIndex,
  decodeHandshakePacket,
  encodeHandshakePacket,
  type HandshakePacket,
  isData,
  NOISE_BYTES,
  writeDataHeader,
} from './wire.ts';

const index = 0xa1a2a3a4;
const senderIndex = 0xb1b2b3b4;

const PACKETS: Readonly<Record<HandshakePacket['type'], HandshakePacket>> = {
  init: { type: 'init', index, noise: filled(NOISE_BYTES.init) },
  resp: { type: 'resp', index, senderIndex, noise: filled(NOISE_BYTES.resp) },
  fin: { type: 'fin', index, noise: filled(NOISE_BYTES.fin) },
  cookie: { type: 'cookie', index, nonce: filled(12), sealed: filled(32), fill: filled(492) },
};

function filled(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => 1 + (i % 255));
}

/** A copy with one byte changed. */
function changed(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  copy[at] = value;
  return copy;
}

describe('handshake packets', () => {
  it('have the Noise messages of XX with empty payloads', () => {
    expect(NOISE_BYTES).toEqual({ init: 32, resp: 96, fin: 64 });
  });

  it.each(Object.values(PACKETS))('$type is decoded as it was encoded', (packet) => {
    const bytes = encodeHandshakePacket(packet);
    expect(bytes).toHaveLength(DATAGRAM_BYTES);
    expect(decodeHandshakePacket(bytes)).toEqual(packet);
  });

  it.each<[HandshakePacket['type'], string]>([
    ['init', '01010000a1a2a3a40000000000000000' + '0102'],
    ['resp', '02010000a1a2a3a40000000000000000' + 'b1b2b3b40102'],
    ['fin', '03010000a1a2a3a40000000000000000' + '0102'],
    ['cookie', '05010000a1a2a3a40000000000000000' + '0102'],
  ])('%s begins as protocol 3.1 says', (type, start) => {
    expect(toHex(encodeHandshakePacket(PACKETS[type])).startsWith(start)).toBe(true);
  });

  it.each<[string, number, number]>([
    ['an unknown type', 0, 0],
    ['a DATA packet', 0, 4],
    ['another version', 1, 2],
    ['a reserved byte', 3, 1],
    ['a counter', 15, 1],
    ['a byte after the Noise message', 16 + NOISE_BYTES.init, 1],
    ['a byte before mac1', DATAGRAM_BYTES - 33, 1],
  ])('are refused with %s', (_, at, value) => {
    const bytes = changed(encodeHandshakePacket(PACKETS.init), at, value);
    expect(() => decodeHandshakePacket(bytes)).toThrow(DecodeError);
  });

  it('have a mac2 in INIT only', () => {
    const last = DATAGRAM_BYTES - 1;
    decodeHandshakePacket(changed(encodeHandshakePacket(PACKETS.init), last, 1));
    for (const packet of [PACKETS.resp, PACKETS.fin]) {
      const bytes = changed(encodeHandshakePacket(packet), last, 1);
      expect(() => decodeHandshakePacket(bytes)).toThrow(DecodeError);
    }
  });

  it('survive hostile bytes', () => {
    survivesHostileBytes(decodeHandshakePacket, Object.values(PACKETS).map(encodeHandshakePacket));
  });
});

describe('DATA packets', () => {
  it('have the header of protocol 3.1', () => {
    const packet = new DataPacket();
    writeDataHeader(packet.bytes, index, 0x0102_0304_0506);
    expect(toHex(packet.header)).toBe('04010000a1a2a3a40000010203040506');
    expect(isData(packet.bytes)).toBe(true);
  });

  it('keep every index and counter below 2^53', () => {
    const bytes = new Uint8Array(DATAGRAM_BYTES);
    const header = fc.tuple(fc.nat(0xffff_ffff), fc.maxSafeNat());
    fc.assert(
      fc.property(header, ([to, counter]) => {
        writeDataHeader(bytes, to, counter);
        expect([dataIndex(bytes), dataCounter(bytes)]).toEqual([to, counter]);
      }),
      { seed: 1 },
    );
  });

  it('never confuse a counter from 2^53 on with a small one', () => {
    const bytes = new Uint8Array(DATAGRAM_BYTES).fill(0xff);
    expect(dataCounter(bytes)).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
  });

  it.each([0, 1, 2, 3])('are recognised by byte %i of the header', (at) => {
    const bytes = new Uint8Array(DATAGRAM_BYTES);
    writeDataHeader(bytes, index, 0);
    expect(isData(changed(bytes, at, 9))).toBe(false);
    expect(isData(bytes.subarray(0, 16))).toBe(false);
  });

  it('are one buffer whose parts do not overlap by mistake', () => {
    const packet = new DataPacket();
    expect(packet.bytes).toHaveLength(552);
    expect([packet.header.length, packet.cell.length, packet.sealed.length]).toEqual([
      16, 520, 536,
    ]);
    packet.header.fill(1);
    packet.sealed.fill(2);
    packet.cell.fill(3);
    const expected = [...Array(16).fill(1), ...Array(520).fill(3), ...Array(16).fill(2)];
    expect([...packet.bytes]).toEqual(expected);
  });
});

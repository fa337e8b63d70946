import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, DecodeError } from '../bytes/index.ts';
import { CipherState, chooseProvider, KEY_BYTES, TAG_BYTES } from '../crypto/index.ts';
import {
  encodeFrame,
  FrameReader,
  isRecordLength,
  MessageReader,
  openRecord,
  sealRecords,
} from './records.ts';

const KEY = new Uint8Array(KEY_BYTES).fill(7);
const MESSAGE_MAX = 70_000;

function cipher(): CipherState {
  return new CipherState(chooseProvider(), KEY);
}

/** What a reader on the other side makes of these bytes, put in as they are cut. */
function received(pieces: readonly Uint8Array[]): Uint8Array[] {
  const [frames, messages, opening] = [new FrameReader(), new MessageReader(MESSAGE_MAX), cipher()];
  return pieces.flatMap((piece) => {
    const read: Uint8Array[] = [];
    frames.put(piece);
    for (;;) {
      const body = frames.next(isRecordLength);
      if (body === undefined) return read;
      const content = openRecord(opening, body);
      if (content === undefined) throw new Error('not authentic');
      read.push(...messages.push(content));
    }
  });
}

/** A sealed record with any plaintext. */
function sealed(plaintext: Uint8Array): Uint8Array {
  const body = concatBytes(plaintext, new Uint8Array(TAG_BYTES));
  cipher().seal(body);
  return body;
}

describe('records', () => {
  it.each([
    [0, [256]],
    [1, [256]],
    [250, [256]],
    [251, [512]],
    [1018, [1024]],
    [16_378, [16_384]],
    [16_379, [16_384, 256]],
    [65_547, [16_384, 16_384, 16_384, 16_384, 256]],
  ])('of a message of %i bytes have plaintexts of %j', (length, plains) => {
    const messages = length === 0 ? [] : [new Uint8Array(length)];
    const lengths = sealRecords(cipher(), messages).map((record) => record.length);
    expect(lengths).toEqual(plains.map((plain) => 2 + plain + TAG_BYTES));
  });

  it('have one of seven lengths', () => {
    const lengths = Array.from({ length: 65_536 }, (_, length) => length).filter(isRecordLength);
    expect(lengths).toEqual([272, 528, 1040, 2064, 4112, 8208, 16_400]);
  });

  it('bring messages of any lengths, cut anywhere', () => {
    const lengths = fc.array(
      fc.nat(40_000).map((length) => length + 1),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(lengths, fc.integer({ min: 1, max: 5000 }), (sizes, cut) => {
        const messages = sizes.map((size, i) => new Uint8Array(size).fill(i));
        const stream = concatBytes(...sealRecords(cipher(), messages));
        const pieces: Uint8Array[] = [];
        for (let at = 0; at < stream.length; at += cut) pieces.push(stream.subarray(at, at + cut));
        expect(received(pieces)).toEqual(messages);
      }),
      { numRuns: 30 },
    );
  });

  it('bring a message byte by byte', () => {
    const stream = concatBytes(...sealRecords(cipher(), [Uint8Array.of(1, 2, 3)]));
    const pieces = [...stream].map((byte) => Uint8Array.of(byte));
    expect(received(pieces)).toEqual([Uint8Array.of(1, 2, 3)]);
  });

  it('are authentic whole, in order and once', () => {
    const [first = new Uint8Array(), second = new Uint8Array()] = [1, 2].map((byte) =>
      concatBytes(...sealRecords(cipher(), [Uint8Array.of(byte)])).subarray(2),
    );
    const opening = cipher();
    expect(openRecord(opening, first.with(0, (first[0] ?? 0) ^ 1))).toBeUndefined();
    expect(openRecord(opening, first.slice())).toBeDefined();
    expect(openRecord(opening, first.slice())).toBeUndefined();
    expect(openRecord(opening, second.slice())).toBeUndefined();
  });

  it.each([
    ['more content than there is', Uint8Array.of(0xff, 0xff, ...new Uint8Array(254))],
    ['something in the padding', Uint8Array.of(0, 0, ...new Uint8Array(253), 1)],
    ['nothing but a tag', new Uint8Array()],
  ])('are refused with %s', (_, plaintext) => {
    expect(() => openRecord(cipher(), sealed(plaintext))).toThrow(DecodeError);
  });
});

describe('frames', () => {
  it('are as long as they may be, and nothing is set aside for longer ones', () => {
    const frames = new FrameReader();
    frames.put(Uint8Array.of(0, 5));
    expect(() => frames.next((length) => length < 5)).toThrow(DecodeError);
    const good = new FrameReader();
    good.put(encodeFrame(Uint8Array.of(1, 2)));
    expect(good.next(() => true)).toEqual(Uint8Array.of(1, 2));
    expect(good.next(() => true)).toBeUndefined();
  });
});

describe('messages', () => {
  it.each([
    ['0 bytes', Uint8Array.of(0, 0, 0, 0)],
    ['more than there may be', Uint8Array.of(0, 1, 0x11, 0x71)],
    ['4 GiB', Uint8Array.of(255, 255, 255, 255)],
  ])('of %s are refused', (_, header) => {
    expect(() => new MessageReader(MESSAGE_MAX).push(header)).toThrow(DecodeError);
  });

  it('are under way from their first byte to their last', () => {
    const reader = new MessageReader(MESSAGE_MAX);
    const midway = [...Uint8Array.of(0, 0, 0, 2, 7, 7)].map((byte) => {
      reader.push(Uint8Array.of(byte));
      return reader.isMidMessage;
    });
    expect(midway).toEqual([true, true, true, true, true, false]);
  });
});

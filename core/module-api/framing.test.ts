import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, fromHex } from '../bytes/index.ts';
import { fuzz, hostileBytes } from '../bytes/testing/hostile.ts';
import { Framing } from './framing.ts';
import { encodeMessage, type Message, type MessageType } from './message.ts';
import { TUNNEL_DATA_BYTES_MAX } from './onion.ts';
import { anyMessage, MESSAGES } from './testing/messages.ts';
import { VECTORS } from './testing/vectors.ts';
import { Violation } from './violation.ts';

const TYPES = Object.keys(MESSAGES) as MessageType[];
const messages = VECTORS.map(({ message }) => message);
const stream = concatBytes(...VECTORS.map(({ bytes }) => bytes));
const LARGEST: Message = {
  type: 'onion tunnel data',
  tunnelId: 1,
  data: new Uint8Array(TUNNEL_DATA_BYTES_MAX).map((_, i) => i),
};

/** What comes out when the bytes come in these segments, each in a buffer that is gone after the call. */
function received<T extends MessageType>(
  framing: Framing<T>,
  segments: Iterable<Uint8Array>,
): Message[] {
  return [...segments].flatMap((segment) => {
    const bytes = new Uint8Array(segment);
    const completed = [...framing.push(bytes)];
    bytes.fill(0xee);
    return completed;
  });
}

function cut(bytes: Uint8Array, ends: readonly number[]): Uint8Array[] {
  const all = [0, ...ends, bytes.length];
  return all.slice(1).map((end, i) => bytes.subarray(all[i], end));
}

function* byteByByte(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at++) yield bytes.subarray(at, at + 1);
}

describe('framing', () => {
  it('takes many messages from one segment, and from one byte each', () => {
    const framing = new Framing(TYPES);
    expect(received(framing, [stream])).toEqual(messages);
    expect(received(framing, byteByByte(stream))).toEqual(messages);
    expect(framing.midMessage).toBe(false);
  });

  it('does not mind where a segment ends', () => {
    const framing = new Framing(TYPES);
    for (let end = 0; end <= stream.length; end++) {
      expect(received(framing, cut(stream, [end]))).toEqual(messages);
    }
  });

  it('does not mind where several segments end', () => {
    const sentAndCut = fc.array(anyMessage, { maxLength: 8 }).chain((sent) => {
      const bytes = concatBytes(...sent.map(encodeMessage));
      const ends = fc.array(fc.nat(bytes.length), { maxLength: 10 });
      return ends.map((unordered) => ({
        sent,
        segments: cut(
          bytes,
          unordered.toSorted((a, b) => a - b),
        ),
      }));
    });
    fc.assert(
      fc.property(sentAndCut, ({ sent, segments }) => {
        expect(received(new Framing(TYPES), segments)).toEqual(sent);
      }),
      fuzz(),
    );
  });

  it('takes the largest message, and the next, a byte at a time', () => {
    const bytes = concatBytes(encodeMessage(LARGEST), encodeMessage({ type: 'nse query' }));
    expect(received(new Framing(TYPES), byteByByte(bytes))).toEqual([
      LARGEST,
      { type: 'nse query' },
    ]);
  });

  it('says whether a message is on its way', () => {
    const framing = new Framing(TYPES);
    expect(framing.midMessage).toBe(false);
    const states = [...byteByByte(fromHex('0008023200000001'))].map((byte) => {
      received(framing, [byte]);
      return framing.midMessage;
    });
    expect(states).toEqual([true, true, true, true, true, true, true, false]);
  });

  it.each([
    ['00', 'nothing yet'],
    ['0003', 'a message says it is shorter than its header'],
    ['0004', 'nothing yet'],
    ['ffff00', 'nothing yet'],
    ['ffff0000', 'a message has an unknown type'],
    ['00040208', 'a message has a type that is not taken here'],
    ['ffff0232', 'the size of a message does not fit its type'],
    ['00080232', 'nothing yet'],
  ])('judges %s without waiting for more', (hex, outcome) => {
    const judge = (segments: Iterable<Uint8Array>) => () =>
      received(new Framing(['onion tunnel incoming']), segments);
    for (const segments of [[fromHex(hex)], [...byteByByte(fromHex(hex))]]) {
      if (outcome === 'nothing yet') expect(judge(segments)()).toEqual([]);
      else expect(judge(segments)).toThrow(outcome);
    }
  });

  it('hands over what came before a violation', () => {
    const framing = new Framing(TYPES);
    const taken: Message[] = [];
    const take = (): void => {
      for (const message of framing.push(concatBytes(stream, fromHex('0000')))) taken.push(message);
    };
    expect(take).toThrow(Violation);
    expect(taken).toEqual(messages);
  });

  it('throws nothing but a violation at hostile bytes', () => {
    const whole = VECTORS.map(({ bytes }) => bytes);
    const segments = fc.array(hostileBytes([...whole, stream]), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(segments, (hostile) => {
        try {
          received(new Framing(TYPES), hostile);
        } catch (error) {
          expect(error).toBeInstanceOf(Violation);
        }
      }),
      fuzz({ runs: 1000 }),
    );
  });

  it('finds the same in hostile bytes whatever the segments', () => {
    fc.assert(
      fc.property(hostileBytes([stream]), fc.nat(), (bytes, at) => {
        const whole = outcomeOf([bytes]);
        expect(outcomeOf(byteByByte(bytes))).toEqual(whole);
        expect(outcomeOf(cut(bytes, [at % (bytes.length + 1)]))).toEqual(whole);
      }),
      fuzz(),
    );
  });
});

/** The messages, and then what was thrown. */
function outcomeOf(segments: Iterable<Uint8Array>): unknown[] {
  const framing = new Framing(TYPES);
  const outcome: unknown[] = [];
  try {
    for (const segment of segments) {
      for (const message of framing.push(segment)) outcome.push(message);
    }
  } catch (error) {
    outcome.push(String(error));
  }
  return outcome;
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../bytes/index.ts';
import { signDescriptor } from '../identity/index.ts';
import { testHostkey } from '../identity/testing/keys.ts';
import { decodeState, encodeState, type SavedState } from './state.ts';
import { NETWORK_ID, testPeer, WALL_MS } from './testing/fixtures.ts';

function signed(name: 'alice' | 'bob' | 'carol') {
  const { encoded, ...fields } = testPeer(1);
  return signDescriptor(testHostkey(name), NETWORK_ID, fields);
}

const STATE: SavedState = {
  secret: new Uint8Array(32).fill(9),
  anchors: [signed('alice'), signed('bob')],
  nodes: [
    { descriptor: signed('carol'), source: '20.1', isTried: false },
    { descriptor: signed('alice'), source: '', isTried: true },
  ],
  bans: [
    { whom: 'identity', key: 'ab'.repeat(32), untilMs: WALL_MS },
    { whom: 'address', key: '[2001:db8::1]:0', untilMs: WALL_MS + 1 },
  ],
};

describe('saved state', () => {
  it('comes back as it was', () => {
    expect(decodeState(encodeState(STATE))).toEqual(STATE);
    const empty = { ...STATE, anchors: [], nodes: [], bans: [] };
    expect(decodeState(encodeState(empty))).toEqual(empty);
  });

  it('is refused when it is cut off, goes on, or is of another version', () => {
    const encoded = encodeState(STATE);
    for (let length = 0; length < encoded.length; length += 7) {
      expect(() => decodeState(encoded.subarray(0, length))).toThrow(DecodeError);
    }
    expect(() => decodeState(new Uint8Array([...encoded, 0]))).toThrow(DecodeError);
    expect(() => decodeState(encoded.with(0, 2))).toThrow(DecodeError);
  });

  it('is decoded or refused, whatever the bytes', () => {
    const encoded = encodeState(STATE);
    fc.assert(
      fc.property(fc.nat(encoded.length - 1), fc.nat(255), (place, byte) => {
        try {
          decodeState(encoded.with(place, byte));
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });
});

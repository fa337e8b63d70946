import { describe, expect, it } from 'vitest';
import { DecodeError, toHex } from '../bytes/index.ts';
import { survivesHostileBytes } from '../bytes/testing/hostile.ts';
import { MESSAGE_BYTES_MAX, REQUEST_BYTES_MAX } from '../rpc/index.ts';
import { contact, filled, parted, record } from './testing/records.ts';
import {
  type DhtAnswer,
  type DhtRequest,
  decodeAnswer,
  decodeRequest,
  encodeAnswer,
  encodeRequest,
} from './wire.ts';

const key = filled(0xaa);
const token = new Uint8Array(16).fill(0xbb);
const variant = 'cc'.repeat(32);
const small = record(Uint8Array.of(1, 2, 3));
const longest = parted(new Uint8Array(65_495)).record;
const part = { index: 63, bytes: new Uint8Array(1024).fill(7) };

const REQUESTS: readonly DhtRequest[] = [
  { type: 'ping', nonce: new Uint8Array(8).fill(9) },
  { type: 'find node', key },
  { type: 'find value', key },
  { type: 'find parts', key, variant, indexes: [0, 63] },
  { type: 'store', key, token, record: small },
  { type: 'store', key, token, record: longest },
  { type: 'store parts', key, variant, parts: Array.from({ length: 8 }, () => part) },
];

const ANSWERS: readonly DhtAnswer[] = [
  { type: 'pong', nonce: new Uint8Array(8).fill(9) },
  { type: 'found', token, nodes: [], records: [] },
  { type: 'found', token, nodes: [contact([1]), contact([2])], records: [small, longest] },
  { type: 'parts', parts: [part, { index: 0, bytes: Uint8Array.of(1) }] },
  { type: 'stored', status: 'full', missing: [] },
  { type: 'stored', status: 'stored', missing: [0, 1, 63] },
];

describe('messages of the DHT', () => {
  it('have the layout that is written above them', () => {
    const hex = (request: DhtRequest) => toHex(encodeRequest(request));
    expect(REQUESTS.slice(0, 4).map(hex)).toEqual([
      `01${'09'.repeat(8)}`,
      `02${'aa'.repeat(32)}`,
      `03${'aa'.repeat(32)}`,
      `04${'aa'.repeat(32)}${'cc'.repeat(32)}02003f`,
    ]);
    expect(hex({ type: 'store', key, token, record: small })).toBe(
      `05${'aa'.repeat(32)}${'bb'.repeat(16)}${toHex(small.encoded)}`,
    );
    expect(toHex(encodeAnswer({ type: 'found', token, nodes: [contact([1])], records: [] }))).toBe(
      `02${'bb'.repeat(16)}0101${'00'.repeat(31)}${'00'.repeat(10)}ffff15000001${'0fa0'}00`,
    );
  });

  it('are decoded as they were encoded', () => {
    for (const request of REQUESTS) expect(decodeRequest(encodeRequest(request))).toEqual(request);
    for (const answer of ANSWERS) expect(decodeAnswer(encodeAnswer(answer))).toEqual(answer);
  });

  it('fit, however much there is to say', () => {
    const records = Array.from(
      { length: 8 },
      (_, i) => parted(new Uint8Array(65_495).fill(i)).record,
    );
    const nodes = Array.from({ length: 20 }, (_, i) => contact([i]));
    const answer = encodeAnswer({ type: 'found', token, nodes, records });
    expect(answer.length).toBeLessThanOrEqual(MESSAGE_BYTES_MAX);
    const decoded = decodeAnswer(answer);
    expect(decoded.type === 'found' && decoded.records.length).toBe(7);
    for (const request of REQUESTS) {
      expect(encodeRequest(request).length).toBeLessThanOrEqual(REQUEST_BYTES_MAX);
    }
  });

  it.each<[string, Uint8Array]>([
    ['of no known type', Uint8Array.of(9, ...key)],
    ['that asks for a part past the last', Uint8Array.of(4, ...key, ...key, 1, 64)],
    ['that asks for too many parts', Uint8Array.of(4, ...key, ...key, 9, ...key.subarray(0, 9))],
    ['with a byte too many', Uint8Array.of(2, ...key, 0)],
    ['that is empty', Uint8Array.of()],
  ])('a request %s is refused', (_, bytes) => {
    expect(() => decodeRequest(bytes)).toThrow(DecodeError);
  });

  it.each<[string, Uint8Array]>([
    ['with 21 nodes', Uint8Array.of(2, ...token, 21)],
    ['with 9 variants', Uint8Array.of(2, ...token, 0, 9)],
    ['with port 0', Uint8Array.of(2, ...token, 1, ...new Uint8Array(50), 0)],
    ['of no known status', Uint8Array.of(4, 5, 0)],
    ['with 65 parts missing', Uint8Array.of(4, 1, 65, ...new Uint8Array(65))],
  ])('an answer %s is refused', (_, bytes) => {
    expect(() => decodeAnswer(bytes)).toThrow(DecodeError);
  });

  it('survive hostile bytes', () => {
    survivesHostileBytes(decodeRequest, REQUESTS.map(encodeRequest));
    survivesHostileBytes(decodeAnswer, ANSWERS.map(encodeAnswer));
  });
});

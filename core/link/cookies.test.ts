import { describe, expect, it } from 'vitest';
import { chooseProvider } from '../crypto/index.ts';
import { SeededRng } from '../runtime/index.ts';
import { COOKIE_SECRET_MS, CookieSecrets, cookieKey, openCookie, sealCookie } from './cookies.ts';
import { hasMac1, hasMac2, mac1Key, mac1Of, writeMac1, writeMac2 } from './macs.ts';
import { NETWORK_ID } from './testing/nodes.ts';
import {
  DATAGRAM_BYTES,
  decodeHandshakePacket,
  encodeHandshakePacket,
  type HandshakePacket,
  MAC1_AT,
  MAC2_AT,
} from './wire.ts';

const ALICE = new Uint8Array(32).fill(1);
const BOB = new Uint8Array(32).fill(2);
const FROM = { ip: '192.0.2.1', port: 4000 };
const provider = chooseProvider();

function init(): Uint8Array {
  const bytes = encodeHandshakePacket({
    type: 'init',
    index: 7,
    noise: new Uint8Array(32).fill(9),
  });
  writeMac1(bytes, mac1Key(NETWORK_ID, BOB));
  return bytes;
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

describe('mac1', () => {
  it('holds for who knows the identity', () => {
    expect(hasMac1(init(), mac1Key(NETWORK_ID, BOB))).toBe(true);
    expect(hasMac1(init(), mac1Key(NETWORK_ID, ALICE))).toBe(false);
    expect(hasMac1(init(), mac1Key(new Uint8Array(16), BOB))).toBe(false);
  });

  it('covers all before it and nothing behind', () => {
    const key = mac1Key(NETWORK_ID, BOB);
    const holds = Array.from({ length: DATAGRAM_BYTES }, (_, at) =>
      hasMac1(flipped(init(), at), key),
    );
    expect(holds.indexOf(true)).toBe(MAC2_AT);
    expect(holds.lastIndexOf(false)).toBe(MAC2_AT - 1);
  });
});

describe('mac2', () => {
  it('covers all before it, mac1 too', () => {
    const cookie = new Uint8Array(16).fill(3);
    const bytes = init();
    writeMac2(bytes, cookie);
    expect(hasMac2(bytes, cookie)).toBe(true);
    expect(hasMac2(bytes, new Uint8Array(16))).toBe(false);
    for (const at of [4, MAC1_AT, MAC2_AT - 1, MAC2_AT, DATAGRAM_BYTES - 1]) {
      expect(hasMac2(flipped(bytes, at), cookie)).toBe(false);
    }
  });
});

describe('a cookie', () => {
  function secrets(): CookieSecrets {
    return new CookieSecrets(new SeededRng(1), 0);
  }

  /** An INIT with the cookie of `FROM`. */
  function withCookie(from: CookieSecrets, nowMs: number): Uint8Array {
    const bytes = init();
    writeMac2(bytes, from.cookieFor(FROM, nowMs));
    return bytes;
  }

  it('admits its address and port, and no other', () => {
    const ours = secrets();
    const bytes = withCookie(ours, 0);
    expect(ours.admits(bytes, FROM, 0)).toBe(true);
    expect(ours.admits(bytes, { ...FROM, port: 4001 }, 0)).toBe(false);
    expect(ours.admits(bytes, { ...FROM, ip: '192.0.2.2' }, 0)).toBe(false);
    expect(ours.admits(init(), FROM, 0)).toBe(false);
  });

  it.each([0, COOKIE_SECRET_MS - 1])('given at %i ms admits until its secret is two old', (at) => {
    const ours = secrets();
    const bytes = withCookie(ours, at);
    expect(ours.admits(bytes, FROM, COOKIE_SECRET_MS)).toBe(true);
    expect(ours.admits(bytes, FROM, 2 * COOKIE_SECRET_MS - 1)).toBe(true);
    expect(ours.admits(bytes, FROM, 2 * COOKIE_SECRET_MS)).toBe(false);
  });

  it('admits whatever its mac2 begins with', () => {
    const ours = secrets();
    const from = Array.from({ length: 5000 }, (_, port) => ({ ...FROM, port })).find((one) => {
      const bytes = init();
      writeMac2(bytes, ours.cookieFor(one, 0));
      return bytes[MAC2_AT] === 0;
    });
    const bytes = init();
    writeMac2(bytes, ours.cookieFor(from ?? FROM, 0));
    expect([bytes[MAC2_AT], ours.admits(bytes, from ?? FROM, 0)]).toEqual([0, true]);
  });

  it('does not outlive a long silence', () => {
    const ours = secrets();
    const bytes = withCookie(ours, 0);
    expect(ours.admits(bytes, FROM, 2 * COOKIE_SECRET_MS)).toBe(false);
  });
});

describe('COOKIE', () => {
  const cookie = new Uint8Array(16).fill(5);
  const key = cookieKey(NETWORK_ID, BOB);
  const reply = { cookie, init: init(), index: 7 };

  function sealed(): Uint8Array {
    return sealCookie(reply, key, { provider, rng: new SeededRng(1) });
  }

  function opened(
    bytes: Uint8Array,
    mac1 = mac1Of(init()),
    identity = BOB,
  ): Uint8Array | undefined {
    const packet = decodeHandshakePacket(bytes) as HandshakePacket & { type: 'cookie' };
    return openCookie(packet, cookieKey(NETWORK_ID, identity), mac1, provider);
  }

  it('is as long as the INIT it answers, and opens for who sent that', () => {
    expect(sealed()).toHaveLength(DATAGRAM_BYTES);
    expect(decodeHandshakePacket(sealed())).toMatchObject({ type: 'cookie', index: 7 });
    expect(opened(sealed())).toEqual(cookie);
  });

  it('does not open with another INIT, for another identity, or altered', () => {
    expect(opened(sealed(), new Uint8Array(16))).toBeUndefined();
    expect(opened(sealed(), mac1Of(init()), ALICE)).toBeUndefined();
    for (const at of [16, 28, 59]) expect(opened(flipped(sealed(), at))).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import { chooseProvider } from '../crypto/index.ts';
import { type Address, randomBytes, SeededRng } from '../runtime/index.ts';
import { cookieKey, openCookie } from './cookies.ts';
import {
  type GateDecision,
  InitGate,
  PENDING_MAX,
  PENDING_PER_NETGROUP_MAX,
  UNDER_LOAD_INITS,
  UNDER_LOAD_MS,
} from './gate.ts';
import { mac1Key, mac1Of, writeMac1, writeMac2 } from './macs.ts';
import { NETWORK_ID } from './testing/nodes.ts';
import { decodeHandshakePacket, encodeHandshakePacket, type HandshakePacket } from './wire.ts';

const IDENTITY = new Uint8Array(32).fill(2);
const provider = chooseProvider();
const rng = new SeededRng(1);

function gate(allowPrivate = false): InitGate {
  return new InitGate({
    provider,
    rng: new SeededRng(2),
    networkId: NETWORK_ID,
    identity: IDENTITY,
    allowPrivate,
    nowMs: 0,
  });
}

function init(identity = IDENTITY): Uint8Array {
  const noise = randomBytes(rng, 32);
  const bytes = encodeHandshakePacket({ type: 'init', index: 7, noise });
  writeMac1(bytes, mac1Key(NETWORK_ID, identity));
  return bytes;
}

/** The n-th of many addresses, each in a netgroup of its own. */
function address(n: number): Address {
  return { ip: `${1 + (n >> 8)}.${n & 0xff}.0.1`, port: 4000 };
}

function decide(by: InitGate, from: Address, nowMs: number, bytes = init()): GateDecision {
  return by.decide({ init: bytes, index: 7, from }, nowMs);
}

/** The same INIT with the cookie that it was answered with. */
function withCookie(bytes: Uint8Array, decision: GateDecision): Uint8Array {
  if (decision.type !== 'cookie') throw new Error(decision.type);
  const packet = decodeHandshakePacket(decision.packet) as HandshakePacket & { type: 'cookie' };
  const key = cookieKey(NETWORK_ID, IDENTITY);
  const cookie = openCookie(packet, key, mac1Of(bytes), provider);
  const again = new Uint8Array(bytes);
  writeMac2(again, cookie ?? new Uint8Array());
  return again;
}

/** A gate that has just seen more INITs in one second than it takes without cookies. */
function loaded(): InitGate {
  const busy = gate();
  for (let n = 0; n <= UNDER_LOAD_INITS; n++) {
    if (decide(busy, address(n), 0).type === 'admit') busy.leave(address(n));
  }
  return busy;
}

describe('the gate', () => {
  it('ignores who does not know our identity, and does not count him as load', () => {
    const quiet = gate();
    for (let n = 0; n < 100; n++) {
      const decision = decide(quiet, address(n), 0, init(new Uint8Array(32)));
      expect(decision).toEqual({ type: 'drop', why: 'stranger' });
    }
    expect(decide(quiet, address(0), 0)).toEqual({ type: 'admit' });
  });

  it('asks for cookies from the twenty-first INIT of a second on', () => {
    const busy = gate();
    const types = Array.from({ length: 25 }, (_, n) => decide(busy, address(n), 900).type);
    expect(types).toEqual([...Array(20).fill('admit'), ...Array(5).fill('cookie')]);
  });

  it('stops asking a second after the load', () => {
    const busy = loaded();
    expect(decide(busy, address(99), UNDER_LOAD_MS - 1).type).toBe('cookie');
    const later = loaded();
    expect(decide(later, address(99), UNDER_LOAD_MS).type).toBe('admit');
  });

  it('admits an INIT that comes back with its cookie, from its own address only', () => {
    const busy = loaded();
    const bytes = init();
    const again = withCookie(bytes, decide(busy, address(5), 10, bytes));
    expect(decide(busy, address(6), 20, again).type).toBe('cookie');
    expect(decide(busy, address(5), 20, again).type).toBe('admit');
  });

  it('takes twenty a second from one subnet, cookie or not', () => {
    const busy = loaded();
    const bytes = init();
    const again = withCookie(bytes, decide(busy, address(5), 10, bytes));
    const types = Array.from({ length: 8 }, () => {
      const { type } = decide(busy, address(5), 20, again);
      if (type === 'admit') busy.leave(address(5));
      return type;
    });
    expect(types).toEqual([...Array(5).fill('admit'), ...Array(3).fill('drop')]);
  });

  it('lets four of one netgroup wait at a time', () => {
    const quiet = gate();
    const from = address(1);
    const types = Array.from({ length: 6 }, () => decide(quiet, from, 0).type);
    expect(types.filter((type) => type === 'admit')).toHaveLength(PENDING_PER_NETGROUP_MAX);
    quiet.leave(from);
    expect(decide(quiet, from, 0).type).toBe('admit');
  });

  it('counts addresses and not netgroups in a test network', () => {
    const quiet = gate(true);
    const types = Array.from({ length: 6 }, (_, port) => {
      return decide(quiet, { ip: '127.0.0.1', port }, 0).type;
    });
    expect(types).toEqual(Array(6).fill('admit'));
  });

  it('is under load while half of the pending places are taken', () => {
    const busy = gate();
    for (let n = 0; n < PENDING_MAX / 2; n++) {
      expect(decide(busy, address(n), 100 * n).type).toBe('admit');
    }
    const nowMs = 10 * PENDING_MAX * 100;
    expect(decide(busy, address(300), nowMs).type).toBe('cookie');
    busy.leave(address(0));
    expect(decide(busy, address(300), nowMs).type).toBe('admit');
  });
});

describe('attack 13: a flood of INITs', () => {
  it('of 5000 a second from everywhere gets twenty answered by Noise, then cookies', () => {
    const busy = gate();
    const counts = { admit: 0, cookie: 0, drop: 0 };
    const flood = init();
    for (let n = 0; n < 5000; n++) {
      const { type } = decide(busy, address(n), n / 5, flood);
      counts[type]++;
      if (type === 'admit') busy.leave(address(n));
    }
    expect(counts).toEqual({ admit: UNDER_LOAD_INITS, cookie: 5000 - UNDER_LOAD_INITS, drop: 0 });
  });

  it('never holds more than 256 handshakes, even with cookies', () => {
    const busy = loaded();
    let admitted = 0;
    for (let n = 0; n < 2 * PENDING_MAX; n++) {
      const bytes = init();
      const decision = decide(busy, address(n), 10, bytes);
      const again = decide(busy, address(n), 20, withCookie(bytes, decision));
      if (again.type === 'admit') admitted++;
    }
    expect(admitted).toBe(PENDING_MAX);
  });
});

describe('attack 12: amplification', () => {
  it('what the gate sends is never longer than what it answers', () => {
    const busy = loaded();
    const bytes = init();
    const decision = decide(busy, address(5), 10, bytes);
    expect(decision.type === 'cookie' && decision.packet.length).toBe(bytes.length);
  });
});

describe('attack 2: replayed INITs', () => {
  it('cost a bounded number of places, and free ones stay for others', () => {
    const quiet = gate();
    const old = init();
    const from = address(1);
    const admitted = Array.from({ length: 10_000 }, (_, n) => decide(quiet, from, n, old)).filter(
      ({ type }) => type === 'admit',
    );
    expect(admitted).toHaveLength(PENDING_PER_NETGROUP_MAX);
    expect(decide(quiet, address(2), 20_000).type).toBe('admit');
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BOTH } from '../crypto/testing/providers.ts';
import { randomBytes, SeededRng, shuffled } from '../runtime/index.ts';
import type { TrafficKeys } from './keys.ts';
import { REPLAY_WINDOW, SESSION_LIMITS, Session, type SessionLimits } from './session.ts';
import { SIZE_CHECK_MS, SizeRule } from './size-rule.ts';
import { DATAGRAM_BYTES, DataPacket, dataIndex, HEADER_BYTES, writeDataHeader } from './wire.ts';

const [sodium = BOTH[0]] = BOTH;
const ONE = new Uint8Array(32).fill(1);
const TWO = new Uint8Array(32).fill(2);
const SENDER: TrafficKeys = {
  sendKey: ONE,
  receiveKey: TWO,
  sendIndex: 0xb0b,
  receiveIndex: 0xa11ce,
  sendsFirst: true,
};
const RECEIVER: TrafficKeys = {
  sendKey: TWO,
  receiveKey: ONE,
  sendIndex: 0xa11ce,
  receiveIndex: 0xb0b,
  sendsFirst: false,
};

function sessions(limits: Partial<SessionLimits> = {}, provider = sodium) {
  if (provider === undefined) throw new Error('no provider');
  const common = { provider, nowMs: 0, limits: { ...SESSION_LIMITS, ...limits } };
  return {
    sender: new Session({ ...common, keys: SENDER }),
    receiver: new Session({ ...common, keys: RECEIVER }),
  };
}

/** A sealed packet whose cell begins with `mark`. */
function sealed(by: Session, mark = 0, nowMs = 0): Uint8Array {
  const packet = new DataPacket();
  packet.cell[0] = mark;
  if (!by.seal(packet, nowMs)) throw new Error('the session is over');
  return new Uint8Array(packet.bytes);
}

function arrived(bytes: Uint8Array): DataPacket {
  const packet = new DataPacket();
  packet.bytes.set(bytes);
  return packet;
}

describe.each(BOTH)('a session with $name', (provider) => {
  it('carries cells, and nothing of them shows', () => {
    const { sender, receiver } = sessions({}, provider);
    const cell = randomBytes(new SeededRng(1), 520);
    const packet = new DataPacket();
    packet.cell.set(cell);
    expect(sender.seal(packet, 0)).toBe(true);
    expect([packet.bytes.length, dataIndex(packet.bytes)]).toEqual([DATAGRAM_BYTES, 0xb0b]);
    expect(packet.cell).not.toEqual(cell);
    expect(receiver.open(packet, 0)).toBe('ok');
    expect(packet.cell).toEqual(cell);
  });

  it('opens nothing that was altered anywhere', () => {
    const { sender, receiver } = sessions({}, provider);
    const bytes = sealed(sender);
    for (let at = 0; at < DATAGRAM_BYTES; at += 5) {
      const packet = arrived(bytes);
      packet.bytes[at] = (packet.bytes[at] ?? 0) ^ 0x80;
      expect(['forged', 'expired']).toContain(receiver.open(packet, 0));
    }
    expect(receiver.open(arrived(bytes), 0)).toBe('ok');
  });

  it('does not open what it sealed itself', () => {
    const { sender } = sessions({}, provider);
    expect(sender.open(arrived(sealed(sender)), 0)).toBe('forged');
  });
});

describe('attack 1: replay of packets of a link', () => {
  it('takes each packet once, in any order within the window, and none from before it', () => {
    const { sender, receiver } = sessions();
    const packets = Array.from({ length: REPLAY_WINDOW + 1 }, () => sealed(sender));
    const [first, ...others] = packets as [Uint8Array, ...Uint8Array[]];
    const mixed = shuffled(new SeededRng(1), others);
    expect(new Set(mixed.map((bytes) => receiver.open(arrived(bytes), 0)))).toEqual(
      new Set(['ok']),
    );
    const again = shuffled(new SeededRng(2), packets);
    expect(new Set(again.map((bytes) => receiver.open(arrived(bytes), 0)))).toEqual(
      new Set(['replayed']),
    );
    expect(receiver.open(arrived(first), 0)).toBe('replayed');
  });

  it('agrees with a slow window under every schedule', () => {
    const { sender } = sessions();
    const packets = Array.from({ length: 3 * REPLAY_WINDOW }, () => sealed(sender));
    const arrivals = fc.array(fc.nat(packets.length - 1), { maxLength: 300 });
    fc.assert(
      fc.property(arrivals, (order) => {
        const { receiver } = sessions();
        const seen = new Set<number>();
        let highest = -1;
        for (const i of order) {
          const isFresh = !seen.has(i) && i > highest - REPLAY_WINDOW;
          const opened = receiver.open(arrived(packets[i] ?? new Uint8Array()), 0);
          expect(opened).toBe(isFresh ? 'ok' : 'replayed');
          seen.add(i);
          highest = Math.max(highest, i);
        }
      }),
      { seed: 1, numRuns: 30 },
    );
  });

  it('lets no forged counter move the window', () => {
    const { sender, receiver } = sessions();
    const bytes = sealed(sender);
    const forged = arrived(bytes);
    writeDataHeader(forged.bytes, 0xb0b, 2 ** 47);
    expect(receiver.open(forged, 0)).toBe('forged');
    expect(receiver.open(arrived(bytes), 0)).toBe('ok');
  });
});

describe('a session ends', () => {
  it('when it is 360 s old, after being due for renewal from 240 s on', () => {
    const { sender, receiver } = sessions();
    expect([sender.isRekeyDue(239_999), sender.isRekeyDue(240_000)]).toEqual([false, true]);
    const bytes = [sealed(sender, 0, 0), sealed(sender, 0, 359_999)] as const;
    expect(receiver.open(arrived(bytes[0]), 359_999)).toBe('ok');
    expect(receiver.open(arrived(bytes[1]), 360_000)).toBe('expired');
    expect(sender.seal(new DataPacket(), 360_000)).toBe(false);
    expect([receiver.isOver(359_999), receiver.isOver(360_000)]).toEqual([false, true]);
  });

  it('before its counter wraps, on both sides', () => {
    const { sender, receiver } = sessions({ packetsMax: 5, packetsReserve: 2 });
    const due = Array.from({ length: 5 }, () => {
      const packet = arrived(sealed(sender));
      expect(receiver.open(packet, 0)).toBe('ok');
      return sender.isRekeyDue(0);
    });
    expect(due).toEqual([false, false, true, true, true]);
    const packet = new DataPacket();
    expect(sender.seal(packet, 0)).toBe(false);
    expect(packet.bytes).toEqual(new Uint8Array(DATAGRAM_BYTES));
    const beyond = arrived(sealed(sessions().sender));
    for (const counter of [5, 2 ** 48, 2 ** 53]) {
      writeDataHeader(beyond.bytes, 0xb0b, counter);
      expect(receiver.open(beyond, 0)).toBe('expired');
    }
  });

  it('has the limits of protocol 3.1', () => {
    expect([SESSION_LIMITS.packetsMax, SESSION_LIMITS.retireMs]).toEqual([2 ** 48, 10_000]);
  });

  it('ten seconds after its successor is in use, and seals nothing from then on', () => {
    const { sender, receiver } = sessions();
    const early = sealed(sender);
    const late = sealed(sender);
    receiver.retire(50_000);
    expect(receiver.open(arrived(early), 59_999)).toBe('ok');
    expect(receiver.open(arrived(late), 60_000)).toBe('expired');
    expect(receiver.seal(new DataPacket(), 50_000)).toBe(false);
    sender.retire(355_000);
    expect(sender.isOver(360_000)).toBe(true);
  });

  it('at once when it is wiped, and leaves the keys it was given alone', () => {
    const { sender, receiver } = sessions();
    const bytes = sealed(sender);
    receiver.wipe();
    expect(receiver.open(arrived(bytes), 0)).toBe('expired');
    expect(receiver.seal(new DataPacket(), 0)).toBe(false);
    expect(RECEIVER.sendKey).toEqual(new Uint8Array(32).fill(2));
  });
});

describe('attack 6: packets of the wrong size', () => {
  /** What a neighbour would send that seals other sizes. */
  function authentic(length: number, counter = 0): Uint8Array {
    const bytes = new Uint8Array(length);
    writeDataHeader(bytes, 0xb0b, counter);
    const nonce = new Uint8Array(12);
    nonce[4] = counter;
    sodium?.seal(bytes.subarray(HEADER_BYTES), nonce, bytes.subarray(0, HEADER_BYTES), ONE);
    return bytes;
  }

  it.each([32, 33, 551, 553, 1500, 9000])(
    'of %i bytes: the neighbour’s own end the link',
    (length) => {
      expect(new SizeRule().isViolation(sessions().receiver, authentic(length), 0)).toBe(true);
    },
  );

  it('by anybody else are dropped: cut, lengthened, altered, too short', () => {
    const { sender, receiver } = sessions();
    const bytes = sealed(sender);
    const forged = [
      bytes.subarray(0, 551),
      new Uint8Array([...bytes, 0]),
      authentic(600).fill(0, 20, 21),
      bytes.subarray(0, HEADER_BYTES),
      bytes.subarray(0, HEADER_BYTES + 15),
      new Uint8Array(),
    ];
    for (const packet of forged) {
      expect(new SizeRule().isViolation(receiver, packet, 0)).toBe(false);
    }
    expect(receiver.open(arrived(bytes), 0)).toBe('ok');
  });

  it('are tried once a second', () => {
    const rule = new SizeRule();
    const { receiver } = sessions();
    expect(rule.isViolation(receiver, new Uint8Array(60_000), 0)).toBe(false);
    expect(rule.isViolation(receiver, authentic(600), SIZE_CHECK_MS - 1)).toBe(false);
    expect(rule.isViolation(receiver, authentic(600), SIZE_CHECK_MS)).toBe(true);
  });
});

import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import { encodeControl } from './control.ts';
import {
  CALL_TIMEOUT_MS,
  type Handshake,
  type HandshakeInput,
  type HandshakeOptions,
  PENDING_TIMEOUT_MS,
  SETUP_CELLS_MAX,
  SETUP_TIMEOUT_MS,
} from './handshake.ts';
import { decodePqEk, encodePq } from './pq.ts';
import { ALICE, BOB, optionsOf, WALL_MS } from './testing/nodes.ts';
import { names, only, Talk, TICK, WELCOME } from './testing/talk.ts';

const CONFIRMED: HandshakeInput = { type: 'confirmed' };

function talk(a: Partial<HandshakeOptions> = {}, b: Partial<HandshakeOptions> = {}): Talk {
  return new Talk({ ...optionsOf(ALICE, 11), ...a }, { ...optionsOf(BOB, 12), ...b });
}

describe('a handshake without trouble', () => {
  it('says what protocol 3.1 says, in that order', () => {
    const both = talk();
    const init = both.a.handle(TICK, 0);
    const resp = both.toB(init);
    const fin = both.toA(resp);
    const cert = both.toB(fin);
    const known = both.toA(cert);
    const offer = both.a.handle(WELCOME, 0);
    const heard = both.toB(offer);
    const answer = both.b.handle(WELCOME, 0);
    const done = both.toA(answer);
    expect([init, resp, fin, cert, known, offer, heard, answer, done].map(names)).toEqual([
      ['send init'],
      ['send resp'],
      ['session setup', 'send fin'],
      ['session setup', 'control cert'],
      ['judge'],
      ['control cert', 'control pq ek'],
      ['judge'],
      ['session open', 'control pq ct'],
      ['session open', 'open', 'control ping'],
    ]);
    expect(names(both.b.handle(CONFIRMED, 0))).toEqual(['open']);
    expect(both.a.handle(CONFIRMED, 0)).toEqual([]);
    expect([both.a, both.b].map((side) => side.nextDeadlineMs())).toEqual([
      ...[Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    ]);
  });

  it('gives both sides the same keys, crosswise, with the indices they asked for', () => {
    const both = talk();
    const fin = both.toA(both.toB(both.a.handle(TICK, 0)));
    const cert = both.toB(fin);
    both.toA(cert);
    both.toB(both.a.handle(WELCOME, 0));
    const answer = both.b.handle(WELCOME, 0);
    const done = both.toA(answer);
    const pairs = [
      [only(fin, 'session').keys, only(cert, 'session').keys],
      [only(done, 'session').keys, only(answer, 'session').keys],
    ] as const;
    const [setup, final] = pairs.map(([ours, theirs]) => {
      expect(ours.sendKey).toEqual(theirs.receiveKey);
      expect(ours.receiveKey).toEqual(theirs.sendKey);
      expect([ours.sendIndex, ours.receiveIndex]).toEqual([theirs.receiveIndex, theirs.sendIndex]);
      return [ours, theirs];
    });
    expect(setup?.map(({ receiveIndex }) => receiveIndex)).toEqual([11_000, 12_000]);
    expect(final?.map(({ receiveIndex }) => receiveIndex)).toEqual([11_001, 12_001]);
    expect(setup?.map(({ sendsFirst }) => sendsFirst)).toEqual([true, true]);
    expect(final?.map(({ sendsFirst }) => sendsFirst)).toEqual([true, false]);
    const keys = pairs.flatMap(([{ sendKey, receiveKey }]) => [sendKey, receiveKey]);
    expect(new Set(keys.map(toHex)).size).toBe(4);
  });

  it('derives the keys it always derived: a change here is another protocol', () => {
    const { sendKey, receiveKey } = only(talk().upToAnswer(), 'session').keys;
    expect([sendKey, receiveKey].map((key) => toHex(key.subarray(0, 8)))).toEqual([
      'ff73766bc68c4985',
      '7177a6e70fc59228',
    ]);
  });

  it('tells who it is, and by how much clocks differ', () => {
    const both = talk({}, { wallMs: WALL_MS + 7000 });
    both.toB(both.upToOffer());
    const done = both.toA(both.b.handle(WELCOME, 0));
    expect(only(done, 'open')).toMatchObject({
      peer: { identity: BOB.descriptor.identity },
      postQuantum: true,
      clockAheadS: 7,
    });
    expect(only(both.b.handle(CONFIRMED, 0), 'open')).toMatchObject({
      peer: { identity: ALICE.descriptor.identity },
      clockAheadS: -7,
    });
  });

  it('never repeats a key, with the same people', () => {
    const keys = [1, 2, 3].flatMap((seed) => {
      const both = talk(optionsOf(ALICE, 2 * seed), optionsOf(BOB, 2 * seed + 1));
      const { sendKey, receiveKey } = only(both.upToAnswer(), 'session').keys;
      return [toHex(sendKey), toHex(receiveKey)];
    });
    expect(new Set(keys).size).toBe(6);
  });
});

/** All that a side says by itself from now on, and when. */
function saidBy(side: Handshake): [number, string[]][] {
  const said: [number, string[]][] = [];
  for (let nowMs = side.nextDeadlineMs(); nowMs < 60_000; nowMs = side.nextDeadlineMs()) {
    said.push([nowMs, names(side.handle(TICK, nowMs))]);
  }
  return said;
}

describe('what may be lost is said again', () => {
  it('INIT at 0, 0.4, 1.2 and 2.8 s', () => {
    expect(saidBy(talk().a)).toEqual([
      [0, ['send init']],
      [400, ['send init']],
      [1200, ['send init']],
      [2800, ['send init']],
      [CALL_TIMEOUT_MS, ['failed no answer']],
    ]);
  });

  it.each<[string, (both: Talk) => unknown, 'a' | 'b', string[]]>([
    ['FIN', (both) => both.upToCert(), 'a', ['send fin']],
    ['the first CERT', (both) => both.upToCert(), 'b', ['control cert']],
    ['PQ_EK', (both) => both.upToOffer(), 'a', ['control cert', 'control pq ek']],
    ['PQ_CT', (both) => both.upToAnswer(), 'b', ['control pq ct']],
    ['PING', (both) => both.toA(both.upToAnswer()), 'a', ['control ping']],
  ])('%s every 0.4 s, four times in all, and five seconds end it', (_, reach, side, what) => {
    const both = talk();
    reach(both);
    expect(saidBy(both[side])).toEqual([
      [400, what],
      [800, what],
      [1200, what],
      [SETUP_TIMEOUT_MS, ['failed timeout']],
    ]);
  });

  it('RESP only when INIT comes again, and it is the same then', () => {
    const both = talk();
    const init = both.a.handle(TICK, 0);
    const resp = both.toB(init);
    expect(both.toB(init, 400)).toEqual(resp);
    expect(saidBy(both.b)).toEqual([[PENDING_TIMEOUT_MS, ['failed no answer']]]);
  });

  it('once after a stall, however many times were missed', () => {
    const both = talk();
    both.a.handle(TICK, 0);
    expect(names(both.a.handle(TICK, 3000))).toEqual(['send init']);
    expect(both.a.handle(TICK, 3000)).toEqual([]);
    expect(both.a.nextDeadlineMs()).toBe(3800);
  });
});

describe('the initiator', () => {
  it('asks nothing while its peer is being looked at', () => {
    const both = talk();
    both.toA(both.upToCert());
    expect(both.a.nextDeadlineMs()).toBe(SETUP_TIMEOUT_MS);
    expect(both.a.handle(TICK, 4000)).toEqual([]);
  });

  it('ignores answers it has had', () => {
    const both = talk();
    const resp = both.toB(both.a.handle(TICK, 0));
    const cert = both.toB(both.toA(resp));
    expect(names(both.toA(resp))).toEqual(['drop not the next message']);
    both.toA(cert);
    expect(both.toA(cert)).toEqual([]);
    both.toB(both.a.handle(WELCOME, 0));
    const answer = both.b.handle(WELCOME, 0);
    both.toA(answer);
    expect(both.toA([...cert, ...answer])).toEqual([]);
  });

  it('gives up after a few forged RESPs, which cost it Diffie-Hellmans', () => {
    const both = talk();
    const resp = only(both.toB(both.a.handle(TICK, 0)), 'send');
    const forged = { ...resp, noise: new Uint8Array(resp.noise).fill(9, 40, 41) };
    const said = Array.from({ length: 9 }, () => names(both.toA([forged]))[0]);
    expect(said.slice(0, 8).every((name) => name?.startsWith('drop'))).toBe(true);
    expect(said[8]).toBe('failed no answer');
  });
});

describe('the responder', () => {
  it('is for one INIT only', () => {
    const both = talk();
    both.toB(both.a.handle(TICK, 0));
    const another = new Talk(optionsOf(ALICE, 99), optionsOf(BOB, 98)).a.handle(TICK, 0);
    expect(names(both.toB(another))).toEqual(['drop not the next message']);
  });

  it('takes FIN once, after any number of forged ones', () => {
    const both = talk();
    const fin = both.toA(both.toB(both.a.handle(TICK, 0)));
    const { noise, ...rest } = only(fin, 'send');
    for (let at = 0; at < noise.length; at++) {
      const forged = { ...rest, noise: noise.map((byte, i) => (i === at ? byte ^ 1 : byte)) };
      expect(names(both.toB([forged]))).toEqual(['drop a handshake message is not authentic']);
    }
    expect(names(both.toB(fin))).toEqual(['session setup', 'control cert']);
    expect(names(both.toB(fin))).toEqual(['drop not the next message']);
  });

  it('waits three seconds for FIN, then five for the rest', () => {
    const both = talk();
    const fin = both.toA(both.toB(both.a.handle(TICK, 0)));
    both.toB(fin, 2999);
    expect(saidBy(both.b).at(-1)).toEqual([2999 + SETUP_TIMEOUT_MS, ['failed timeout']]);
  });

  it('takes PQ_EK before CERT, and before the verdict', () => {
    const both = talk();
    const offer = both.upToOffer();
    expect(names(both.toB(offer.toReversed()))).toEqual(['judge']);
    expect(names(both.b.handle(WELCOME, 0))).toEqual(['session open', 'control pq ct']);
  });

  it('is not open before a packet under the final keys has come', () => {
    const both = talk();
    expect(both.toB(both.upToOffer())).not.toContainEqual(
      expect.objectContaining({ type: 'open' }),
    );
    expect(both.b.handle(CONFIRMED, 0)).toEqual([]);
    both.b.handle(WELCOME, 0);
    expect(names(both.b.handle(CONFIRMED, 0))).toEqual(['open']);
  });
});

describe('either side', () => {
  it.each(['banned', 'no proof of work'] as const)(
    'leaves a peer that is %s, and says who',
    (verdict) => {
      const both = talk();
      both.toA(both.upToCert());
      expect(both.a.handle({ type: 'verdict', verdict }, 0)).toEqual([
        { type: 'failed', why: verdict, peer: BOB.descriptor },
      ]);
      const other = talk();
      other.toB(other.upToOffer());
      expect(other.b.handle({ type: 'verdict', verdict }, 0)).toEqual([
        { type: 'failed', why: verdict, peer: ALICE.descriptor },
      ]);
    },
  );

  it('ends when the other closes, and says nothing more', () => {
    const close: HandshakeInput = {
      type: 'control',
      message: { type: 'close', data: new Uint8Array(1) },
    };
    const both = talk();
    both.upToCert();
    for (const side of [both.a, both.b]) {
      expect(names(side.handle(close, 0))).toEqual(['failed closed']);
      expect(side.handle(close, 0)).toEqual([]);
      expect(side.nextDeadlineMs()).toBe(Number.POSITIVE_INFINITY);
    }
  });

  it.each(['rekey', 'rekey ack', 'load', 'ping', 'pong'] as const)(
    'takes %s for a violation before it is open',
    (type) => {
      const both = talk();
      both.upToCert();
      const message = { type, data: new Uint8Array(8) };
      for (const side of [both.a, both.b]) {
        expect(names(side.handle({ type: 'control', message }, 0))).toEqual(['failed violation']);
      }
    },
  );

  it('takes the other side’s own messages for a violation', () => {
    const both = talk();
    const offer = both.upToOffer();
    expect(names(both.toA(offer.slice(1)))).toEqual(['failed violation']);
    const other = talk();
    expect(names(other.toB(other.upToAnswer()))).toEqual(['failed violation']);
  });

  it('takes a malformed PQ message, or two different ones, for a violation', () => {
    const long: HandshakeInput = {
      type: 'control',
      message: { type: 'pq ct', data: new Uint8Array(1101) },
    };
    const both = talk();
    both.upToOffer();
    expect(names(both.a.handle(long, 0))).toEqual(['failed violation']);
    const other = talk();
    other.toB(other.upToOffer());
    const short: HandshakeInput = {
      type: 'control',
      message: { type: 'pq ek', data: new Uint8Array(3) },
    };
    expect(names(other.b.handle(short, 0))).toEqual(['failed violation']);
  });

  it('sends no more cells into an unverified link than it takes, however long it takes', () => {
    const both = talk();
    const ticks = (side: Handshake, times: readonly number[]) =>
      times.flatMap((nowMs) => [...side.handle(TICK, nowMs)]);
    const certs = [...both.upToCert(), ...ticks(both.b, [400, 800, 1200])];
    both.toA(certs.slice(-1), 1200);
    const offers = [...both.a.handle(WELCOME, 1200), ...ticks(both.a, [1600, 2000, 2400])];
    both.toB(offers.slice(-2), 2400);
    const answers = [...both.b.handle(WELCOME, 2400), ...ticks(both.b, [2800, 3200, 3600])];
    for (const said of [[...certs, ...answers], offers]) {
      const messages = said.filter((one) => one.type === 'control');
      const cells = messages.flatMap(({ message }) => encodeControl(message));
      expect(cells).toHaveLength(SETUP_CELLS_MAX);
    }
  });
});

describe('PQ messages', () => {
  it('carry index, time and key', () => {
    const kem = new Uint8Array(1184).fill(3);
    const bytes = encodePq({ index: 0xa1a2a3a4, unixS: 0x0102_0304_05, kem });
    expect(toHex(bytes.subarray(0, 14))).toBe('a1a2a3a4' + '0000000102030405' + '0303');
    expect(decodePqEk(bytes)).toEqual({ index: 0xa1a2a3a4, unixS: 0x0102_0304_05, kem });
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../bytes/index.ts';
import { fuzz, hostileBytes } from '../bytes/testing/hostile.ts';
import { NoiseHandshake, signedPrefix } from '../crypto/index.ts';
import type { Identity } from '../identity/index.ts';
import { SeededRng } from '../runtime/index.ts';
import type { HandshakeInput, HandshakeOptions, HandshakeOutput } from './handshake.ts';
import { decodePqEk, encodePq } from './pq.ts';
import { LinkEnd } from './testing/end.ts';
import {
  ALICE,
  BOB,
  NETWORK_ID,
  optionsOf,
  type TestNode,
  testNode,
  WALL_MS,
} from './testing/nodes.ts';
import { type Fate, PROMPT, run } from './testing/run.ts';
import { names, only, Talk, TICK, WELCOME } from './testing/talk.ts';
import { DATAGRAM_BYTES } from './wire.ts';

const MALLORY = testNode('carol', 3);

/** What `node` brings, but for what an attacker does not play by. */
function as(
  node: TestNode,
  seed: number,
  changes: Partial<HandshakeOptions> = {},
): HandshakeOptions {
  return { ...optionsOf(node, seed), ...changes };
}

/** `node` with the certificate of another, or a false one. */
function posing(node: TestNode, certificate: TestNode): HandshakeOptions {
  const options = optionsOf(node, 13);
  return { ...options, self: { ...options.self, certificate: certificate.descriptor.encoded } };
}

/** Somebody who answers in the name of `identity` with keys of his own. */
function answering(options: HandshakeOptions, identity: Identity): HandshakeOptions {
  return { ...options, self: { ...options.self, identity } };
}

function ends(a: HandshakeOptions, b: HandshakeOptions, wanted = b.self.identity) {
  return { a: new LinkEnd(a, wanted), b: new LinkEnd(b) };
}

function failure(end: LinkEnd): string | undefined {
  return end.output('failed')?.why;
}

function changedAt(bytes: Uint8Array, at: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

describe('attack 2: replays of INIT and FIN', () => {
  it('give no session, and neither do packets of an old one', () => {
    const old: Uint8Array[] = [];
    const first = ends(as(ALICE, 11), as(BOB, 12));
    run(first, {
      fate: (packet, from, nowMs) => {
        if (from === 'a') old.push(packet);
        return PROMPT(packet, from, nowMs);
      },
    });
    expect(first.b.isOpen).toBe(true);
    const again = new LinkEnd(as(BOB, 14));
    for (const packet of [...old, ...old]) again.receive(packet, 0);
    expect(names(again.outputs).filter((name) => !name.startsWith('drop'))).toEqual([
      ...Array(2).fill('send resp'),
    ]);
  });
});

describe('attack 12: amplification', () => {
  it('never is more sent than was received, before FIN is authentic', () => {
    const samples: Uint8Array[] = [];
    run(ends(as(ALICE, 11), as(BOB, 12)), {
      fate: (packet, from, nowMs) => {
        if (from === 'a') samples.push(packet);
        return PROMPT(packet, from, nowMs);
      },
    });
    const packets = fc.array(fc.oneof(fc.constantFrom(...samples), hostileBytes(samples)), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(packets, (arrivals) => {
        const end = new LinkEnd(as(BOB, 14));
        for (const [i, packet] of arrivals.entries()) {
          end.receive(packet, i);
          expect(end.bytesOut).toBeLessThanOrEqual(end.bytesIn);
        }
        expect(names(end.outputs)).not.toContain('session setup');
      }),
      fuzz({ runs: 100 }),
    );
  });
});

describe('attack 14: somebody else', () => {
  it('is not answered when he is asked for under another name', () => {
    const { a, b } = ends(as(ALICE, 11), as(BOB, 12), MALLORY.descriptor.identity);
    run({ a, b });
    expect([a.bytesIn, failure(a), b.outputs]).toEqual([0, 'no answer', []]);
  });

  it('cannot answer for the one who was asked for, whatever the transport', () => {
    const talk = new Talk(as(ALICE, 11), as(BOB, 12), MALLORY.descriptor.identity);
    expect(names(talk.toA(talk.toB(talk.a.handle(TICK, 0))))).toEqual([
      'drop a handshake message is not authentic',
    ]);
  });

  it.each<[string, TestNode, string]>([
    ['the certificate of the one he plays', BOB, 'bad certificate'],
    ['his own', MALLORY, 'wrong identity'],
    [
      'one of his own for the other’s key',
      testNode('carol', 3, { linkDh: BOB.staticKey.publicKey }),
      'bad certificate',
    ],
  ])('cannot stand in the middle with %s', (_, certificate, why) => {
    const mallory = answering(posing(MALLORY, certificate), BOB.descriptor.identity);
    const { a, b } = ends(as(ALICE, 11), mallory);
    run({ a, b });
    expect(failure(a)).toBe(why);
    expect(a.outputs.some(({ type }) => type === 'open' || type === 'judge')).toBe(false);
  });

  it('cannot play the other to one whose key he has stolen', () => {
    const stolen = { ...MALLORY, staticKey: ALICE.staticKey };
    for (const thief of [MALLORY, stolen]) {
      const mallory = answering(posing(thief, BOB), BOB.descriptor.identity);
      const { a, b } = ends(as(ALICE, 11), mallory);
      run({ a, b });
      expect(failure(a)).toBe('bad certificate');
    }
  });

  it('cannot put more into a Noise message than belongs there', () => {
    const talk = new Talk(as(ALICE, 11), as(BOB, 12));
    const [init] = talk.a.handle(TICK, 0);
    const bob = new NoiseHandshake({
      pattern: 'XX',
      role: 'responder',
      provider: optionsOf(BOB, 12).provider,
      rng: new SeededRng(1),
      prologue: concatBytes(signedPrefix('link', NETWORK_ID), BOB.descriptor.identity),
      staticKey: BOB.staticKey,
    });
    bob.readMessage(init?.type === 'send' ? init.noise : new Uint8Array());
    const noise = bob.writeMessage(new Uint8Array(1));
    const input: HandshakeInput = { type: 'noise', step: 'resp', noise, senderIndex: 1 };
    expect(names(talk.a.handle(input, 0))).toEqual(['drop a Noise message with a payload']);
  });

  it('cannot call in another name', () => {
    for (const certificate of [
      ALICE,
      testNode('alice', 3, { linkDh: ALICE.staticKey.publicKey }),
    ]) {
      const { a, b } = ends(posing(MALLORY, certificate), as(BOB, 12));
      run({ a, b });
      expect([failure(b), b.isOpen, a.isOpen]).toEqual(['bad certificate', false, false]);
    }
  });

  it('cannot make one key count for two people: unknown key share', () => {
    const mine = testNode('carol', 3, { linkDh: ALICE.staticKey.publicKey });
    const claimed = ends(posing(MALLORY, mine), as(BOB, 12));
    run(claimed);
    expect(failure(claimed.b)).toBe('bad certificate');
    const forwarded = new Talk(as(ALICE, 11), as(BOB, 12), mine.descriptor.identity);
    expect(names(forwarded.toA(forwarded.toB(forwarded.a.handle(TICK, 0))))[0]).toMatch(/^drop/);
  });

  it('cannot talk a node into a link with itself', () => {
    const { a, b } = ends(as(BOB, 11), as(BOB, 12));
    run({ a, b });
    expect([failure(a), failure(b)]).toEqual(['timeout', 'wrong identity']);
  });

  it('cannot alter a packet without being ignored', () => {
    for (let at = 0; at < DATAGRAM_BYTES; at += 13) {
      const fate: Fate = (packet, from, nowMs) => {
        if (from === 'b') packet.set(changedAt(packet, at));
        return PROMPT(packet, from, nowMs);
      };
      const { a, b } = ends(as(ALICE, 11), as(BOB, 12));
      run({ a, b }, { fate });
      expect([at, failure(a), b.isOpen]).toEqual([at, 'no answer', false]);
    }
  });

  it.each<[string, TestNode]>([
    ['of another network', testNode('bob', 2, { networkId: new Uint8Array(16) })],
    [
      'not valid any more',
      testNode('bob', 2, { notBeforeS: WALL_MS / 1000 - 7200, notAfterS: WALL_MS / 1000 - 60 }),
    ],
    [
      'not valid yet',
      testNode('bob', 2, { notBeforeS: WALL_MS / 1000 + 60, notAfterS: WALL_MS / 1000 + 600 }),
    ],
  ])('gets nowhere with a certificate %s', (_, bob) => {
    const { a, b } = ends(as(ALICE, 11), as(bob, 12));
    run({ a, b });
    expect(failure(a)).toBe('bad certificate');
  });

  it('gets nowhere with bytes in place of a certificate', () => {
    fc.assert(
      fc.property(hostileBytes([BOB.descriptor.encoded]), (data) => {
        fc.pre(data.length < 1300);
        const talk = new Talk(as(ALICE, 11), as(BOB, 12));
        talk.upToCert();
        const said = talk.a.handle({ type: 'control', message: { type: 'cert', data } }, 0);
        expect(['judge', 'failed bad certificate']).toContain(names(said)[0]);
      }),
      fuzz({ runs: 50 }),
    );
  });
});

describe('attack 15: downgrade', () => {
  /** A's offer without its ML-KEM key. */
  function stripped(offer: readonly HandshakeOutput[]): HandshakeInput[] {
    return offer.flatMap((output) => {
      if (output.type !== 'control') return [];
      const { type, data } = output.message;
      if (type !== 'pq ek') return [output];
      return [
        {
          type: 'control',
          message: { type, data: encodePq({ ...decodePqEk(data), kem: undefined }) },
        },
      ];
    });
  }

  it('to no PQ_EK never opens the link', () => {
    const talk = new Talk(as(ALICE, 11), as(BOB, 12));
    talk.toB(talk.upToOffer().slice(0, 1));
    expect(talk.b.handle(WELCOME, 0)).toEqual([]);
    expect(names(talk.b.handle(TICK, 5000))).toEqual(['failed timeout']);
    expect(names(talk.a.handle(TICK, 5000))).toEqual(['failed timeout']);
  });

  it.each([true, false])(
    'to no ML-KEM is refused exactly where it is required: %s',
    (pqRequired) => {
      const talk = new Talk(as(ALICE, 11, { pqRequired }), as(BOB, 12, { pqRequired }));
      for (const input of stripped(talk.upToOffer())) talk.b.handle(input, 0);
      const answer = talk.b.handle(WELCOME, 0);
      expect(names(answer)).toEqual(
        pqRequired ? ['failed no post-quantum'] : ['session open', 'control pq ct'],
      );
      const data = encodePq({ index: 1, unixS: WALL_MS / 1000, kem: undefined });
      const done = talk.a.handle({ type: 'control', message: { type: 'pq ct', data } }, 0);
      expect(names(done)[0]).toBe(pqRequired ? 'failed no post-quantum' : 'session open');
      if (!pqRequired) expect(done).toContainEqual(expect.objectContaining({ postQuantum: false }));
    },
  );

  it('to another version is ignored', () => {
    const fate: Fate = (packet, from, nowMs) => {
      packet[1] = 0;
      return PROMPT(packet, from, nowMs);
    };
    const { a, b } = ends(as(ALICE, 11), as(BOB, 12));
    run({ a, b }, { fate });
    expect([a.bytesIn, failure(a), b.outputs]).toEqual([0, 'no answer', []]);
  });

  it.each<[string, Partial<HandshakeOptions>]>([
    ['suite or network', { networkId: new Uint8Array(16) }],
    ['purpose', { purpose: 'hop' }],
  ])('to another %s does not verify', (_, changes) => {
    const talk = new Talk(as(ALICE, 11, changes), as(BOB, 12));
    expect(names(talk.toA(talk.toB(talk.a.handle(TICK, 0))))[0]).toMatch(/^drop/);
    expect(NETWORK_ID).not.toEqual(new Uint8Array(16));
  });
});

describe('attack 16: odd keys', () => {
  const SMALL_ORDER = [new Uint8Array(32), concatBytes(Uint8Array.of(1), new Uint8Array(31))];

  it('of small order are refused in INIT, where they give no handshake, and in RESP', () => {
    for (const noise of SMALL_ORDER) {
      const talk = new Talk(as(ALICE, 11), as(BOB, 12));
      const init: HandshakeOutput = { type: 'send', step: 'init', noise, peerIndex: 0 };
      expect(() => talk.toB([init])).toThrow('small order');
      talk.a.handle(TICK, 0);
      const resp = {
        ...init,
        step: 'resp',
        noise: concatBytes(noise, new Uint8Array(64)),
      } as const;
      expect(names(talk.toA([resp]))).toEqual(['drop a public key of small order']);
    }
  });

  it('of ML-KEM are refused', () => {
    const talk = new Talk(as(ALICE, 11), as(BOB, 12));
    talk.toB(talk.upToOffer().slice(0, 1));
    talk.b.handle(WELCOME, 0);
    const data = encodePq({ index: 1, unixS: 0, kem: new Uint8Array(1184).fill(0xff) });
    const said = talk.b.handle({ type: 'control', message: { type: 'pq ek', data } }, 0);
    expect(names(said)).toEqual(['failed violation']);
  });

  it('as an ML-KEM ciphertext give keys nobody shares, and a link that never comes up', () => {
    const talk = new Talk(as(ALICE, 11), as(BOB, 12));
    const theirs = only(talk.upToAnswer(), 'session').keys;
    const data = encodePq({ index: 1, unixS: WALL_MS / 1000, kem: new Uint8Array(1088) });
    const done = talk.a.handle({ type: 'control', message: { type: 'pq ct', data } }, 0);
    expect(only(done, 'session').keys.sendKey).not.toEqual(theirs.receiveKey);
    expect(names(talk.a.handle(TICK, 5000))).toEqual(['failed timeout']);
    expect(names(talk.b.handle(TICK, 5000))).toEqual(['failed timeout']);
  });
});

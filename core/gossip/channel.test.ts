import { describe, expect, it } from 'vitest';
import { concatBytes, equalBytes } from '../bytes/index.ts';
import { type CryptoProvider, chooseProvider, type Purpose } from '../crypto/index.ts';
import { type Identity, type NodeDescriptor, signDescriptor } from '../identity/index.ts';
import { type TestHostkeyName, testHostkey } from '../identity/testing/keys.ts';
import { SeededRng } from '../runtime/index.ts';
import { Channel, type ChannelOutput, type ChannelRole, type Verdict } from './channel.ts';
import { encodeFrame } from './records.ts';
import { NETWORK_ID, testPeer, WALL_MS } from './testing/fixtures.ts';

const provider: CryptoProvider = chooseProvider();
const NOTHING = new Uint8Array();

interface Node {
  readonly descriptor: NodeDescriptor;
  readonly staticKey: ReturnType<CryptoProvider['x25519KeyPair']>;
}

function makeNode(name: TestHostkeyName, seed: number): Node {
  const staticKey = provider.x25519KeyPair(new SeededRng(seed));
  const { encoded: _, ...fields } = testPeer(seed);
  const descriptor = signDescriptor(testHostkey(name), NETWORK_ID, {
    ...fields,
    linkDh: staticKey.publicKey,
  });
  return { descriptor, staticKey };
}

const ALICE = makeNode('alice', 1);
const BOB = makeNode('bob', 2);

interface EndOptions {
  readonly purpose?: Purpose;
  readonly networkId?: Uint8Array;
  readonly verdict?: Verdict | undefined;
}

/** One end, that judges by itself and notes what it says. */
class End {
  readonly channel: Channel;
  readonly outputs: ChannelOutput[] = [];
  readonly #verdict: Verdict | undefined;

  constructor(node: Node, role: ChannelRole, options: EndOptions = {}) {
    const { descriptor, staticKey } = node;
    const { identity, encoded } = descriptor;
    this.#verdict = 'verdict' in options ? options.verdict : 'welcome';
    this.channel = new Channel(role, {
      messageBytesMax: 70_000,
      handshake: {
        provider,
        rng: new SeededRng(identity[0] ?? 0),
        networkId: options.networkId ?? NETWORK_ID,
        purpose: options.purpose ?? 'gossip',
        self: { identity, staticKey, certificate: encoded },
        indices: { setup: 0, final: 0 },
        pqRequired: true,
        allowPrivate: false,
        nowMs: 0,
        wallMs: WALL_MS,
      },
    });
    this.#take(this.channel.start(0));
  }

  /** In short: what happened so far, without writes. */
  get events(): string[] {
    return this.outputs.flatMap((output) => {
      if (output.type === 'write') return [];
      if (output.type === 'failed') return [`failed: ${output.why}`];
      return [output.type];
    });
  }

  get messages(): Uint8Array[] {
    return this.outputs.flatMap((output) => (output.type === 'message' ? [output.bytes] : []));
  }

  /** What it has to say; taken once. */
  said(): Uint8Array {
    const bytes = this.outputs.flatMap((output) => (output.type === 'write' ? [output.bytes] : []));
    const others = this.outputs.filter(({ type }) => type !== 'write');
    this.outputs.splice(0, this.outputs.length, ...others);
    return concatBytes(...bytes);
  }

  hear(bytes: Uint8Array, nowMs = 0): this {
    this.#take(this.channel.onData(bytes, nowMs));
    return this;
  }

  tick(nowMs: number): this {
    this.#take(this.channel.onTick(nowMs));
    return this;
  }

  judge(verdict: Verdict): this {
    this.#take(this.channel.judged(verdict, 0));
    return this;
  }

  #take(outputs: readonly ChannelOutput[]): void {
    for (const output of outputs) {
      this.outputs.push(output);
      if (output.type === 'judge' && this.#verdict) this.judge(this.#verdict);
    }
  }
}

function caller(wanted: Identity = BOB.descriptor.identity): End {
  return new End(ALICE, { type: 'caller', wanted });
}

/** It does not know whom it calls. */
function asker(options?: EndOptions): End {
  return new End(ALICE, { type: 'caller', wanted: undefined }, options);
}

function called(options?: EndOptions): End {
  return new End(BOB, { type: 'called' }, options);
}

type Change = (bytes: Uint8Array, from: 'a' | 'b', round: number) => Uint8Array;

/** Lets both talk until they have nothing more to say; how many bytes each step had. */
function talk(a: End, b: End, change: Change = (bytes) => bytes): number[] {
  const lengths: number[] = [];
  for (let round = 0; round < 20; round++) {
    const fromA = a.said();
    const fromB = b.said();
    if (fromA.length + fromB.length === 0) break;
    lengths.push(fromA.length, fromB.length);
    b.hear(change(fromA, 'a', round));
    a.hear(change(fromB, 'b', round));
  }
  return lengths;
}

function open(a = caller(), b = called()): readonly [End, End] {
  talk(a, b);
  return [a, b];
}

describe('a channel', () => {
  it('opens, and each side knows the other', () => {
    const [a, b] = open();
    expect([a.events, b.events]).toEqual([
      ['judge', 'open'],
      ['judge', 'open'],
    ]);
    expect(a.outputs.at(-1)).toEqual({ type: 'open', peer: BOB.descriptor, clockAheadS: 0 });
    expect(b.outputs.at(-1)).toEqual({ type: 'open', peer: ALICE.descriptor, clockAheadS: 0 });
    expect(a.channel.nextDeadlineMs()).toBeGreaterThan(0);
    expect(b.channel.nextDeadlineMs()).toBe(Number.POSITIVE_INFINITY);
  });

  it('opens byte by byte', () => {
    const [a, b] = [caller(), called()];
    for (let round = 0; round < 10; round++) {
      for (const byte of a.said()) b.hear(Uint8Array.of(byte));
      for (const byte of b.said()) a.hear(Uint8Array.of(byte));
    }
    expect([a.channel.isOpen, b.channel.isOpen]).toEqual([true, true]);
  });

  it('opens to somebody of whom only the address is known', () => {
    const [a, b] = open(asker());
    expect([a.channel.isOpen, b.channel.isOpen]).toEqual([true, true]);
  });

  it('carries messages of any size both ways', () => {
    const [a, b] = open();
    const long = new Uint8Array(70_000).map((_, i) => i);
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const messages = [Uint8Array.of(1), long, Uint8Array.of(2)];
      to.hear(concatBytes(...from.channel.seal(messages)));
      expect(to.messages).toEqual(messages);
    }
  });

  it('is confirmed to the caller by the first record of the called', () => {
    const [a, b] = open();
    a.hear(concatBytes(...b.channel.seal([Uint8Array.of(1)])));
    expect(a.channel.nextDeadlineMs()).toBe(Number.POSITIVE_INFINITY);
  });

  it('says each step once', () => {
    const a = caller();
    a.said();
    for (let ms = 0; ms < 4000; ms += 100) a.tick(ms);
    expect(a.said()).toHaveLength(0);
  });

  it('attack 12: never answers a stranger with more bytes than he sent, but what Noise needs', () => {
    const [a, b] = [asker(), called()];
    const lengths = talk(a, b);
    const [who, , , me, init, , , resp] = lengths;
    expect([who, me, init, resp]).toEqual([35, 35, 99, 99]);
  });
});

describe('a channel does not open', () => {
  it.each<[string, EndOptions]>([
    ['for another purpose', { purpose: 'link' }],
    ['in another network', { networkId: NETWORK_ID.with(0, 0) }],
  ])('%s', (_, options) => {
    const [a, b] = open(asker(options));
    expect(a.channel.isOpen || b.channel.isOpen).toBe(false);
    expect([...a.events, ...b.events]).toContain('failed: malformed');
  });

  it('to somebody else than who was wanted', () => {
    const [a, b] = open(caller(ALICE.descriptor.identity));
    expect([a.channel.isOpen, b.channel.isOpen]).toEqual([false, false]);
  });

  it('to oneself', () => {
    const [a, b] = open(asker(), new End(ALICE, { type: 'called' }));
    expect([a.channel.isOpen, b.channel.isOpen]).toEqual([false, false]);
  });

  it.each<Verdict>(['banned', 'no proof of work'])('to one who is judged %s', (verdict) => {
    const [, b] = open(caller(), called({ verdict }));
    expect(b.events).toEqual(['judge', `failed: ${verdict}`]);
    expect(b.outputs.at(-1)).toMatchObject({ peer: ALICE.descriptor });
  });

  it('before the judgement, however late it comes', () => {
    const [a, b] = open(caller(), called({ verdict: undefined }));
    expect([a.channel.isOpen, b.channel.isOpen]).toEqual([false, false]);
    b.judge('welcome');
    talk(a, b);
    expect([a.channel.isOpen, b.channel.isOpen]).toEqual([true, true]);
  });

  it.each([
    ['who says nothing', NOTHING, 3000],
    ['who asks for the name only', encodeFrame(new Uint8Array(33).with(0, 1)), 3000],
    ['who only begins', encodeFrame(new Uint8Array(97).fill(9, 1, 33).with(0, 3)), 3000],
  ])('to one %s, and waits 3 s', (_, bytes, ms) => {
    const b = called()
      .hear(bytes)
      .tick(ms - 1);
    expect(b.events).toEqual([]);
    expect(b.tick(ms).events).toHaveLength(1);
    expect(b.channel.nextDeadlineMs()).toBe(Number.POSITIVE_INFINITY);
  });

  it('when nobody answers', () => {
    expect(caller().tick(4400).events).toEqual(['failed: no answer']);
    expect(asker().tick(3000).events).toEqual(['failed: timeout']);
  });

  it('when a byte is changed on the way, wherever', () => {
    const lengths = talk(caller(), called());
    for (const [step, length] of lengths.entries()) {
      const [round, from] = [step >> 1, step % 2 === 0 ? 'a' : 'b'];
      for (let place = 0; place < length; place += 1 + Math.floor(length / 9)) {
        const [a, b] = [caller(), called()];
        talk(a, b, (bytes, sender, at) => {
          const isIt = sender === from && at === round && bytes.length > place;
          return isIt ? bytes.with(place, (bytes[place] ?? 0) ^ 0x80) : bytes;
        });
        const isLast = step === lengths.length - 2 && place >= 0;
        expect([a.channel.isOpen && b.channel.isOpen, isLast && a.channel.isOpen]).toEqual([
          false,
          isLast,
        ]);
      }
    }
  });

  it.each([
    ['a frame of no length', Uint8Array.of(0, 0)],
    ['a frame too long for any step', Uint8Array.of(0, 98)],
    ['an unknown frame', encodeFrame(Uint8Array.of(9))],
    ['the end of a handshake', encodeFrame(Uint8Array.of(5, ...new Uint8Array(64)))],
    ['a name that was not asked for', encodeFrame(Uint8Array.of(2, ...new Uint8Array(32)))],
    ['half a WHO', encodeFrame(Uint8Array.of(1, 0))],
    ['an INIT too short', encodeFrame(Uint8Array.of(3, ...new Uint8Array(95)))],
    ['an INIT filled up with something', encodeFrame(Uint8Array.of(3, ...new Uint8Array(95), 1))],
    ['HTTP', new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n')],
  ])('to one who sends %s', (_, bytes) => {
    const b = called().hear(bytes);
    expect(b.events).toEqual(['failed: malformed']);
    expect(b.said()).toHaveLength(0);
    expect(b.hear(bytes).tick(10_000).events).toHaveLength(1);
  });

  it('to one who asks twice who we are', () => {
    const who = encodeFrame(new Uint8Array(33).with(0, 1));
    expect(called().hear(who).hear(who).events).toEqual(['failed: malformed']);
  });
});

describe('an open channel', () => {
  it('ends with what is not authentic, repeated or out of order', () => {
    const change: readonly ((records: readonly Uint8Array[]) => readonly Uint8Array[])[] = [
      ([one = NOTHING]) => [one.with(50, (one[50] ?? 0) ^ 1)],
      ([one = NOTHING]) => [one, one],
      ([one = NOTHING, two = NOTHING]) => [two, one],
    ];
    for (const disturb of change) {
      const [a, b] = open();
      const records = [1, 2].flatMap((byte) => a.channel.seal([Uint8Array.of(byte)]));
      b.hear(concatBytes(...disturb(records)));
      expect(b.events.at(-1)).toBe('failed: forged');
      expect(b.channel.isOpen).toBe(false);
      expect(b.hear(concatBytes(...records)).events.at(-1)).toBe('failed: forged');
    }
  });

  it('ends with a record of another length, or a message too long, which is the sender’s own act', () => {
    const [, b] = open();
    expect(b.hear(Uint8Array.of(1, 0)).outputs.at(-1)).toEqual({
      type: 'failed',
      why: 'violation',
      peer: ALICE.descriptor,
    });
    const [c, d] = open();
    d.hear(concatBytes(...c.channel.seal([new Uint8Array(70_001)])));
    expect(d.events.at(-1)).toBe('failed: violation');
  });

  it('is given up by the caller when the called never uses it', () => {
    const [a] = open();
    expect(a.tick(6000).events).toEqual(['judge', 'open', 'failed: timeout']);
  });

  it('seals nothing when it has ended', () => {
    const [a] = open();
    a.channel.end();
    expect(() => a.channel.seal([Uint8Array.of(1)])).toThrow(RangeError);
    expect(equalBytes(a.said(), NOTHING)).toBe(true);
  });
});

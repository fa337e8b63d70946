import { describe, expect, it } from 'vitest';
import { utf8 } from '../bytes/index.ts';
import { hkdf, Lioness, lionessKeys } from '../crypto/index.ts';
import { randomBelow, randomBytes, SeededRng } from '../runtime/index.ts';
import { BODY_BYTES, INNER_PLAIN_BYTES } from './geometry.ts';
import { HopLayer, InnerSeal, OnionLayers } from './layers.ts';
import { countingProvider } from './testing/counting.ts';
import { provider } from './testing/hops.ts';

const lioness = new Lioness(provider);
const rng = new SeededRng(1);

interface Hop {
  readonly layer: HopLayer;
  readonly seal: InnerSeal;
}

interface Tunnel {
  readonly initiator: OnionLayers;
  readonly hops: readonly Hop[];
}

function hopOf(secret: Uint8Array): Hop {
  return { layer: new HopLayer(lioness, secret), seal: new InnerSeal(provider, 'hop', secret) };
}

function tunnel(length: number): Tunnel {
  const initiator = new OnionLayers(provider, lioness);
  const secrets = Array.from({ length }, () => randomBytes(rng, 32));
  for (const secret of secrets) initiator.addHop(secret);
  return { initiator, hops: secrets.map(hopOf) };
}

function wrapped({ initiator }: Tunnel, message: Uint8Array): Uint8Array {
  const body = new Uint8Array(BODY_BYTES);
  initiator.wrap(body, message);
  return body;
}

/** What the tunnel's end seals, as it reaches the initiator. */
function answered({ hops }: Tunnel, message: Uint8Array): Uint8Array {
  const body = new Uint8Array(BODY_BYTES);
  hops.at(-1)?.seal.seal(body, message);
  for (const { layer } of hops.toReversed()) layer.putOnBackward(body);
  return body;
}

function padded(message: Uint8Array): Uint8Array {
  const plaintext = new Uint8Array(INNER_PLAIN_BYTES);
  plaintext.set(message);
  return plaintext;
}

describe('the innermost seal', () => {
  const secret = new Uint8Array(32).fill(9);

  it('is what protocol 3.5 says, made here by hand', () => {
    const keys = hkdf(secret, new Uint8Array(), utf8('VPv1/hop keys'), 64);
    const body = new Uint8Array(BODY_BYTES);
    body.set([0, 0, 0, 0, 0, 0, 1, 2]);
    body.set(utf8('by hand'), 8);
    const nonce = Uint8Array.of(0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0);
    provider.seal(body.subarray(8), nonce, body.subarray(0, 8), keys.subarray(0, 32));
    expect(new InnerSeal(provider, 'hop', secret).open(body)).toEqual(padded(utf8('by hand')));
  });

  it('counts from zero, and seals nothing twice alike', () => {
    const seal = new InnerSeal(provider, 'initiator', secret);
    const bodies = [0, 1, 2].map(() => {
      const body = new Uint8Array(BODY_BYTES);
      seal.seal(body, utf8('the same'));
      return body;
    });
    expect(bodies.map((body) => body.subarray(0, 8).join(''))).toEqual([
      '00000000',
      '00000001',
      '00000002',
    ]);
    expect(new Set(bodies.map((body) => body.subarray(8).join())).size).toBe(3);
  });

  it('opens in any order, but nothing twice and nothing older than 1024', () => {
    const [ours, theirs] = [
      new InnerSeal(provider, 'initiator', secret),
      new InnerSeal(provider, 'hop', secret),
    ];
    const bodies = Array.from({ length: 1026 }, (_, i) => {
      const body = new Uint8Array(BODY_BYTES);
      ours.seal(body, utf8(`message ${i}`));
      return body;
    });
    const opened = (i: number) => theirs.open(bodies[i] ?? new Uint8Array(BODY_BYTES))?.slice();
    expect(opened(1)).toEqual(padded(utf8('message 1')));
    expect(opened(0)).toEqual(padded(utf8('message 0')));
    expect(opened(1)).toBeUndefined();
    expect(opened(1025)).toBeDefined();
    expect(opened(2)).toBeDefined();
    expect(opened(1025)).toBeUndefined();
    const late = new InnerSeal(provider, 'hop', secret);
    expect(late.open(bodies[1025] ?? new Uint8Array())).toBeDefined();
    expect(late.open(bodies[1] ?? new Uint8Array())).toBeUndefined();
  });

  it('opens nothing reflected, of another hop or with a number no sender reaches', () => {
    const ours = new InnerSeal(provider, 'initiator', secret);
    const body = new Uint8Array(BODY_BYTES);
    ours.seal(body, utf8('for the hop'));
    expect(ours.open(body)).toBeUndefined();
    const other = new InnerSeal(provider, 'hop', new Uint8Array(32).fill(8));
    expect(other.open(body)).toBeUndefined();
    const hop = new InnerSeal(provider, 'hop', secret);
    for (const at of [0, 1, 7]) {
      const changed = body.with(at, 0xff);
      expect(hop.open(changed)).toBeUndefined();
    }
    expect(hop.open(body)).toBeDefined();
  });

  it('takes as much as a cell holds and no more', () => {
    const seal = new InnerSeal(provider, 'initiator', secret);
    const body = new Uint8Array(BODY_BYTES);
    seal.seal(body, new Uint8Array(INNER_PLAIN_BYTES));
    expect(() => seal.seal(body, new Uint8Array(INNER_PLAIN_BYTES + 1))).toThrow(RangeError);
  });

  it('opens nothing once it is wiped', () => {
    const [ours, theirs] = [
      new InnerSeal(provider, 'initiator', secret),
      new InnerSeal(provider, 'hop', secret),
    ];
    const body = new Uint8Array(BODY_BYTES);
    ours.seal(body, utf8('late'));
    theirs.wipe();
    expect(theirs.open(body)).toBeUndefined();
  });
});

describe('the layers of a tunnel', () => {
  it('are LIONESS over whole bodies', () => {
    const secret = randomBytes(rng, 32);
    const body = randomBytes(rng, BODY_BYTES);
    const [ours, reference] = [body.slice(), body.slice()];
    new HopLayer(lioness, secret).putOnForward(ours);
    lioness.encrypt(reference, lionessKeys(secret, 'fwd'));
    expect(ours).toEqual(reference);
  });

  it.each([1, 3, 4])('come off at %i hops, and only the last can open what is inside', (length) => {
    const whole = tunnel(length);
    const body = wrapped(whole, utf8('to the end'));
    const opened = whole.hops.map(({ layer, seal }) => {
      layer.takeOffForward(body);
      return seal.open(body)?.slice();
    });
    expect(opened.slice(0, -1)).toEqual(Array(length - 1).fill(undefined));
    expect(opened.at(-1)).toEqual(padded(utf8('to the end')));
  });

  it.each([1, 3, 4])('come back from %i hops', (length) => {
    const whole = tunnel(length);
    for (const text of ['first', 'second']) {
      const body = answered(whole, utf8(text));
      expect(whole.initiator.unwrap(body)).toEqual(padded(utf8(text)));
    }
  });

  it('go to the newest hop while the tunnel grows', () => {
    const initiator = new OnionLayers(provider, lioness);
    expect(() => initiator.wrap(new Uint8Array(BODY_BYTES), utf8('nobody'))).toThrow(RangeError);
    const hops: Hop[] = [];
    for (let i = 0; i < 3; i++) {
      const secret = randomBytes(rng, 32);
      initiator.addHop(secret);
      hops.push(hopOf(secret));
      const body = wrapped({ initiator, hops }, utf8(`hop ${i}`));
      for (const { layer } of hops) layer.takeOffForward(body);
      expect(hops[i]?.seal.open(body)).toEqual(padded(utf8(`hop ${i}`)));
      expect(initiator.hops).toBe(i + 1);
    }
  });

  it('cost every hop the same, wherever it stands', () => {
    const { counting, calls } = countingProvider();
    const secrets = Array.from({ length: 3 }, () => randomBytes(rng, 32));
    const initiator = new OnionLayers(provider, lioness);
    for (const secret of secrets) initiator.addHop(secret);
    const body = wrapped({ initiator, hops: [] }, utf8('position'));
    const work = secrets.map((secret) => {
      const layer = new HopLayer(new Lioness(counting), secret);
      const seal = new InnerSeal(counting, 'hop', secret);
      calls.splice(0);
      layer.takeOffForward(body);
      seal.open(body);
      layer.putOnBackward(body.slice());
      return calls.join();
    });
    expect(new Set(work).size).toBe(1);
    expect(work[0]).toContain('open 504');
  });
});

type Tag = (body: Uint8Array) => void;

/** A bit or a byte flipped, two pieces swapped, or the end cut off and filled: each with its way back. */
function randomTag(): { readonly put: Tag; readonly undo: Tag } {
  const at = randomBelow(rng, BODY_BYTES);
  const mask = 1 + randomBelow(rng, 255);
  const flip: Tag = (body) => {
    body[at] = (body[at] ?? 0) ^ mask;
  };
  const [a, b] = [16 * randomBelow(rng, 16), 256 + 16 * randomBelow(rng, 16)];
  const swap: Tag = (body) => {
    const piece = body.slice(a, a + 16);
    body.copyWithin(a, b, b + 16);
    body.set(piece, b);
  };
  let cut = new Uint8Array();
  const truncate = {
    put: (body: Uint8Array) => {
      cut = body.slice(at);
      body.fill(0, at);
    },
    undo: (body: Uint8Array) => body.set(cut, at),
  };
  const kinds = [{ put: flip, undo: flip }, { put: swap, undo: swap }, truncate];
  return kinds[randomBelow(rng, kinds.length)] ?? truncate;
}

/** Bits that differ, of 4096. */
function distance(a: Uint8Array, b: Uint8Array): number {
  let bits = 0;
  for (let i = 0; i < a.length; i++) {
    for (let differing = (a[i] ?? 0) ^ (b[i] ?? 0); differing > 0; differing &= differing - 1)
      bits++;
  }
  return bits;
}

describe('a tag that H1 puts on a body (attack 4)', () => {
  /** Half of 4096 bits; the standard deviation is 32, and among 2000 draws none is eight of them away. */
  const HALF = 2048;
  const EIGHT_SIGMA = 256;
  const TAGS = 2000;

  it('is nothing but noise behind an honest H2, and cannot be taken off again', () => {
    const { initiator, hops } = tunnel(3);
    const [h1, h2, end] = hops as [Hop, Hop, Hop];
    let farthest = 0;
    for (let i = 0; i < TAGS; i++) {
      const clean = wrapped({ initiator, hops }, utf8(`message ${i}`));
      h1.layer.takeOffForward(clean);
      const tagged = clean.slice();
      const { put, undo } = randomTag();
      put(tagged);
      for (const body of [clean, tagged]) h2.layer.takeOffForward(body);
      farthest = Math.max(farthest, Math.abs(distance(clean, tagged) - HALF));
      const untagged = tagged.slice();
      undo(untagged);
      for (const body of [tagged, untagged]) {
        end.layer.takeOffForward(body);
        expect(end.seal.open(body)).toBeUndefined();
      }
    }
    expect(farthest).toBeLessThan(EIGHT_SIGMA);
  });

  it('is noise at the initiator when the endpoint puts it on, and at H1 before', () => {
    const whole = tunnel(3);
    const [h1, h2] = whole.hops as [Hop, Hop, Hop];
    let farthest = 0;
    for (let i = 0; i < TAGS; i++) {
      const clean = new Uint8Array(BODY_BYTES);
      const end = whole.hops[2];
      end?.seal.seal(clean, utf8(`message ${i}`));
      end?.layer.putOnBackward(clean);
      const tagged = clean.slice();
      const { put, undo } = randomTag();
      put(tagged);
      for (const body of [clean, tagged]) h2.layer.putOnBackward(body);
      farthest = Math.max(farthest, Math.abs(distance(clean, tagged) - HALF));
      const untagged = tagged.slice();
      undo(untagged);
      for (const body of [tagged, untagged]) {
        h1.layer.putOnBackward(body);
        expect(whole.initiator.unwrap(body)).toBeUndefined();
      }
    }
    expect(farthest).toBeLessThan(EIGHT_SIGMA);
  });
});

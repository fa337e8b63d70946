import { beforeAll, describe, expect, it } from 'vitest';
import { DecodeError, fromHex, toHex } from '../bytes/index.ts';
import { survivesHostileBytes } from '../bytes/testing/hostile.ts';
import { sha256 } from '../crypto/index.ts';
import {
  answerCreate,
  CREATE_BYTES,
  CREATED_BYTES,
  createChallenge,
  decodeCreate,
  encodeCreate,
  HopInitiator,
} from './hop.ts';
import { answered, parametersOf, ROUND, testHop, WALL_MS } from './testing/hops.ts';

const bob = testHop('bob');
const carol = testHop('carol');
const ASKED = { hop: bob.peer.publicKey, round: ROUND, budget: 7 };
/** Of order 8 on Curve25519: as a key it gives zero with every secret. */
const SMALL_ORDER = fromHex('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800');

/** Coprime to 8, so that bits in all positions are met; every single byte would take seconds. */
const STEP = 7;
/** The bytes of CREATE that the handshake binds: all but the proof of work. */
const BOUND = [0, 1, 2, 4, 5, 6, 7, ...every(STEP, 24, CREATE_BYTES)];

function initiator(seed: number = 1): HopInitiator {
  return new HopInitiator(parametersOf(seed), ASKED);
}

function every(step: number, from: number, to: number): number[] {
  return Array.from({ length: Math.ceil((to - from) / step) }, (_, i) => from + i * step);
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.with(at, (bytes[at] ?? 0) ^ (1 << (at % 8)));
}

describe('CREATE', () => {
  it('has the layout of protocol 3.3', () => {
    const noise = new Uint8Array(32 + 1184).fill(0xee);
    const nonce = new Uint8Array(8).fill(0xaa);
    const seedId = new Uint8Array(8).fill(0xbb);
    const proof = { bits: 9, nonce, seedId };
    const bytes = encodeCreate({ budget: 12, round: 0x01020304, proof, noise });
    expect(toHex(bytes.subarray(0, 26))).toBe(
      '010c010901020304aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbeeee',
    );
    expect([bytes.length, CREATE_BYTES, CREATED_BYTES]).toEqual([1240, 1240, 1796]);
    expect(decodeCreate(bytes)).toEqual({ budget: 12, round: 0x01020304, proof, noise });
  });

  it.each([
    ['another version', 0, 2],
    ['a budget of nothing', 1, 0],
    ['a budget above 12', 1, 13],
    ['another handshake', 2, 2],
  ])('is refused with %s', (_, at, value) => {
    expect(() => decodeCreate(initiator().create().with(at, value))).toThrow(DecodeError);
  });

  it('is refused at any other length', () => {
    const create = initiator().create();
    expect(() => decodeCreate(create.slice(0, -1))).toThrow(DecodeError);
    expect(() => decodeCreate(Uint8Array.of(...create, 0))).toThrow(DecodeError);
  });

  it('survives hostile bytes', () => {
    survivesHostileBytes(decodeCreate, [initiator().create()]);
  });

  it('asks for work over the hop, its seed and X', () => {
    const seed = new Uint8Array(16).fill(5);
    const create = decodeCreate(initiator().create());
    const label = new TextEncoder().encode('VPv1/create\0');
    expect(createChallenge(bob.peer.identity, seed, create.noise)).toEqual(
      sha256(label, bob.peer.identity, seed, create.noise.subarray(0, 32)),
    );
  });
});

describe('the handshake with a hop', () => {
  it('ends with the same secret on both sides, another one each time', () => {
    const secrets = [1, 2].map((seed) => {
      const asking = initiator(seed);
      const { created, secret } = answered(bob, asking.create());
      expect(created).toHaveLength(CREATED_BYTES);
      expect(asking.finish(created, WALL_MS)).toEqual(secret);
      return toHex(secret);
    });
    expect(new Set(secrets).size).toBe(2);
  });

  it('repeats the same CREATE, but for the proof of work, which is not bound', () => {
    const asking = initiator();
    const proof = {
      bits: 9,
      nonce: fromHex('0102030405060708'),
      seedId: fromHex('1112131415161718'),
    };
    expect(asking.create()).toEqual(asking.create());
    const { created, secret } = answered(bob, asking.create(proof));
    expect(asking.finish(created, WALL_MS)).toEqual(secret);
  });

  it('shares nothing in clear but two ephemeral keys', () => {
    const { created } = answered(bob, initiator().create());
    const sent = toHex(created);
    expect(sent).not.toContain(toHex(bob.peer.identity));
    expect(sent).not.toContain(toHex(bob.staticKey.publicKey));
  });
});

describe('whoever changes the handshake with a hop (attack 14)', () => {
  let asking: HopInitiator;
  let created: Uint8Array;

  beforeAll(() => {
    asking = initiator();
    created = answered(bob, asking.create()).created;
  });

  it('is noticed anywhere in CREATED, and ends nothing', () => {
    for (const at of every(STEP, 0, CREATED_BYTES)) {
      expect(() => asking.finish(flipped(created, at), WALL_MS)).toThrow(DecodeError);
    }
    for (const length of [0, 32, CREATED_BYTES - 1]) {
      expect(() => asking.finish(created.slice(0, length), WALL_MS)).toThrow(DecodeError);
    }
    expect(asking.finish(created, WALL_MS)).toHaveLength(32);
  });

  it('is noticed anywhere in CREATE but in the proof of work', () => {
    const other = initiator();
    const create = other.create();
    for (const at of BOUND) {
      expect(() => {
        other.finish(answered(bob, flipped(create, at)).created, WALL_MS);
      }).toThrow(DecodeError);
    }
    expect(other.finish(answered(bob, create).created, WALL_MS)).toHaveLength(32);
  });

  it('cannot replay the answer to another CREATE', () => {
    const other = initiator(2);
    const old = answered(bob, initiator(3).create()).created;
    expect(() => other.finish(old, WALL_MS)).toThrow(DecodeError);
  });
});

describe('a hop is not believed (attack 14)', () => {
  const asking = initiator();
  const create = asking.create();
  const expectRefused = (created: Uint8Array, why: string): void => {
    expect(() => asking.finish(created, WALL_MS)).toThrow(why);
  };

  it('when it is another than the one asked for', () => {
    expectRefused(answered(carol, create).created, 'another identity');
  });

  it('when it answers with the right certificate but another key', () => {
    const { certificate } = bob.credentials;
    const stolen = { ...carol, credentials: { ...carol.credentials, certificate } };
    expectRefused(answered(stolen, create).created, 'a certificate for another key');
  });

  it('when its certificate was signed by somebody else', () => {
    const certificate = Uint8Array.of(
      ...bob.credentials.certificate.subarray(0, 84),
      ...testHop('carol', { linkDh: bob.staticKey.publicKey }).credentials.certificate.subarray(84),
    );
    const forged = { ...bob, credentials: { ...bob.credentials, certificate } };
    expectRefused(answered(forged, create).created, 'signature');
  });

  it('when its certificate has expired, is not valid yet, or is for another network', () => {
    const nowS = WALL_MS / 1000;
    const expired = testHop('bob', { notBeforeS: nowS - 7200, notAfterS: nowS - 11 });
    expectRefused(answered(expired, create).created, 'expired');
    const early = testHop('bob', { notBeforeS: nowS + 11, notAfterS: nowS + 7200 });
    expectRefused(answered(early, create).created, 'not yet valid');
    const elsewhere = testHop('bob', { networkId: new Uint8Array(16).fill(1) });
    expectRefused(answered(elsewhere, create).created, 'signature');
  });

  it.each([
    ['network', {}, new Uint8Array(16).fill(1)],
    ['round', { round: ROUND + 1 }, undefined],
    ['budget', { budget: 6 }, undefined],
  ])('when it was told of another %s', (_, changes, networkId) => {
    const told = { ...decodeCreate(create), ...changes };
    const { created } = answerCreate(parametersOf(9, networkId), bob.credentials, told);
    expectRefused(created, 'not authentic');
  });

  it('and all that does not end the wait for the real one', () => {
    const { created, secret } = answered(bob, create);
    expect(asking.finish(created, WALL_MS)).toEqual(secret);
  });
});

describe('a hop refuses', () => {
  it('an initiator whose keys are malformed', () => {
    const create = decodeCreate(initiator().create());
    const smallOrder = Uint8Array.of(...SMALL_ORDER, ...create.noise.subarray(32));
    // Coefficients of 4095 are no residues modulo 3329 (FIPS 203, 7.2).
    const badKem = new Uint8Array(create.noise).fill(0xff, 32);
    for (const noise of [smallOrder, badKem]) {
      expect(() => answerCreate(parametersOf(9), bob.credentials, { ...create, noise })).toThrow(
        DecodeError,
      );
    }
  });
});

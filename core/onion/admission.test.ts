import { describe, expect, it } from 'vitest';
import { verifyPow } from '../crypto/index.ts';
import { SeededRng } from '../runtime/index.ts';
import { Admission, MAX_RELAY_CIRCUITS, type Neighbour } from './admission.ts';
import { REASON, type Refusal, refusal } from './control-cells.ts';
import { type Create, createChallenge, decodeCreate, HopInitiator, NO_PROOF } from './hop.ts';
import { parametersOf, ROUND, testHop } from './testing/hops.ts';
import { onionTiming } from './timing.ts';

const bob = testHop('bob');
const { identity, publicKey: hop } = bob.peer;
const timing = onionTiming(300);
const REFUSED = refusal(REASON.resourceLimit);
const CREATE = newCreate(1);

function newCreate(seed: number): Create {
  return decodeCreate(
    new HopInitiator(parametersOf(seed), { hop, round: ROUND, budget: 5 }).create(),
  );
}

function admission(circuitsMax: number = MAX_RELAY_CIRCUITS, allowPrivate = false): Admission {
  const rng = new SeededRng(1);
  return new Admission({ rng, identity, timing, circuitsMax, allowPrivate }, 0);
}

/** Each of its own link and netgroup. */
function stranger(i: number): Neighbour {
  return { link: 100 + i, netgroup: `20.${i}` };
}

/** Takes that many places while they are free. */
function fill(full: Admission, circuits: number): void {
  for (let i = 0; i < circuits; i++) full.admit(stranger(i), worked(full, i), 0);
  expect(full.circuits).toBe(circuits);
}

/** A CREATE with the work that is wanted of it now. */
function worked(full: Admission, i: number): Create {
  if (full.powBits === 0) return CREATE;
  const create = newCreate(50 + i);
  return proven(create, wanted(full.admit(stranger(i), create, 0)));
}

function wanted(why: Refusal | undefined): Refusal {
  if (why?.reason !== REASON.proofRequired) throw new Error('no work is wanted');
  return why;
}

function proven(create: Create, { powBits: bits, powSeed }: Refusal): Create {
  const challenge = createChallenge(identity, powSeed, create.noise);
  const nonce = new Uint8Array(8);
  for (let i = 0; !verifyPow({ kind: 'fast', challenge, bits }, nonce); i++) {
    nonce.set([i >> 16, i >> 8, i], 5);
  }
  return { ...create, proof: { bits, nonce, seedId: powSeed.slice(0, 8) } };
}

describe('the places of a relay', () => {
  it.each([
    [32, 8],
    [64, 16],
    [500, 125],
  ])('are of %i for a neighbour %i, and free again when a circuit ends', (max, each) => {
    const full = admission(max);
    const neighbour = (i: number) => ({ link: 1, netgroup: `20.${i}` });
    const answers = Array.from({ length: each }, (_, i) => full.admit(neighbour(i), CREATE, 0));
    expect(answers).toEqual(Array(each).fill(undefined));
    expect(full.admit(neighbour(each), CREATE, 0)).toEqual(REFUSED);
    full.leave(neighbour(3));
    expect(full.admit(neighbour(3), CREATE, 0)).toBeUndefined();
    expect(full.admit(stranger(1), CREATE, 0)).toBeUndefined();
  });

  it('are eight to a netgroup, and a refusal takes none', () => {
    const full = admission();
    const neighbour = (i: number) => ({ link: i, netgroup: '20.1' });
    const answers = Array.from({ length: 9 }, (_, i) => full.admit(neighbour(i), CREATE, 0));
    expect(answers).toEqual([...Array(8).fill(undefined), REFUSED]);
    expect(full.circuits).toBe(8);
    const elsewhere = Array.from({ length: 8 }, (_, i) =>
      full.admit({ link: 8, netgroup: `20.${10 + i}` }, CREATE, 0),
    );
    expect(elsewhere).toEqual(Array(8).fill(undefined));
  });

  it('are limited in all, however much work is shown', () => {
    const full = admission(4);
    fill(full, 4);
    expect(full.powBits).toBe(22);
    expect(full.admit(stranger(9), CREATE, 0)).toEqual(REFUSED);
  });

  it('are not counted by group in a test network', () => {
    const full = admission(20, true);
    const answers = Array.from({ length: 9 }, () =>
      full.admit({ link: 1, netgroup: '127.0' }, CREATE, 0),
    );
    expect(answers).toEqual(Array(9).fill(undefined));
  });

  it('change hands three times a round, and who goes on keeps what it has, and harms nobody', () => {
    const full = admission();
    const churner = (i: number) => ({ link: 1, netgroup: `20.${i}` });
    full.admit(churner(0), CREATE, 0);
    for (let i = 1; i < 24; i++) {
      expect(full.admit(churner(i), CREATE, 0)).toBeUndefined();
      full.leave(churner(i));
    }
    expect(full.admit(churner(24), CREATE, 0)).toEqual(REFUSED);
    expect(full.circuits).toBe(1);
    expect(full.admit(stranger(1), CREATE, 0)).toBeUndefined();
    const againMs = timing.roundMs / 24;
    expect(full.admit(churner(25), CREATE, againMs - 1)).toEqual(REFUSED);
    expect(full.admit(churner(26), CREATE, againMs)).toBeUndefined();
    expect(full.admit(churner(27), CREATE, againMs)).toEqual(REFUSED);
  });

  it('of those who are asked for work have not changed hands', () => {
    const full = admission(8);
    fill(full, 4);
    for (let i = 0; i < 100; i++) {
      expect(full.admit(stranger(50), CREATE, 0)?.reason).toBe(REASON.proofRequired);
    }
    expect(full.admit(stranger(50), worked(full, 50), 0)).toBeUndefined();
  });

  it('cannot be given back twice', () => {
    const full = admission();
    full.admit(stranger(1), CREATE, 0);
    full.leave(stranger(1));
    expect(() => full.leave(stranger(1))).toThrow(RangeError);
  });
});

describe('the work for a place', () => {
  it('is none below half, then grows to 22 bits', () => {
    const full = admission(8, true);
    const bits = [full.powBits];
    for (let i = 0; i < 6; i++) {
      full.admit(stranger(i), worked(full, i), 0);
      bits.push(full.powBits);
    }
    expect(bits).toEqual([0, 0, 0, 0, 8, 12, 15]);
  });

  it('buys a place once', () => {
    const full = admission(4);
    fill(full, 2);
    const why = wanted(full.admit(stranger(5), CREATE, 0));
    expect(why.powBits).toBe(8);
    expect(full.circuits).toBe(2);
    const create = proven(CREATE, why);
    expect(full.admit(stranger(5), create, 0)).toBeUndefined();
    full.leave(stranger(5));
    expect(full.admit(stranger(5), create, 0)).toEqual(why);
    expect(full.circuits).toBe(2);
  });

  it('is refused for another hop, seed, X or nonce, and when it is too little', () => {
    const full = admission(4);
    fill(full, 2);
    const why = wanted(full.admit(stranger(5), CREATE, 0));
    const good = proven(CREATE, why);
    const { proof } = good;
    const elsewhere = { ...CREATE, proof: proofElsewhere(why) };
    const wrong: Create[] = [
      CREATE,
      elsewhere,
      { ...newCreate(2), proof },
      {
        ...CREATE,
        proof: { ...proof, seedId: proof.seedId.with(0, proof.seedId[0] === 0 ? 1 : 0) },
      },
      { ...CREATE, proof: { ...NO_PROOF, bits: why.powBits, seedId: proof.seedId } },
      { ...CREATE, proof: { ...proof, bits: why.powBits - 1 } },
    ];
    for (const create of wrong) expect(full.admit(stranger(5), create, 0)).toEqual(why);
    expect(full.admit(stranger(5), good, 0)).toBeUndefined();
  });

  it('may be shown until the seed after the next', () => {
    const late = [119_999, 120_000, 239_999].map((nowMs) => {
      const full = admission(4);
      fill(full, 2);
      const create = proven(CREATE, wanted(full.admit(stranger(5), CREATE, 0)));
      return full.admit(stranger(5), create, nowMs);
    });
    expect(late).toEqual([undefined, undefined, undefined]);
    const full = admission(4);
    fill(full, 2);
    const before = wanted(full.admit(stranger(5), CREATE, 0));
    const between = wanted(full.admit(stranger(5), CREATE, 120_000));
    const after = wanted(full.admit(stranger(5), proven(CREATE, before), 240_000));
    expect(new Set([before, between, after].map(({ powSeed }) => powSeed.join())).size).toBe(3);
    expect(full.admit(stranger(5), proven(CREATE, between), 240_000)).toBeUndefined();
  });
});

/** A proof over the same seed that was made for another hop, and does not hold here by chance. */
function proofElsewhere({ powBits: bits, powSeed }: Refusal) {
  const { identity: other } = testHop('carol').peer;
  const nonce = new Uint8Array(8);
  const holds = (whose: typeof identity): boolean => {
    const challenge = createChallenge(whose, powSeed, CREATE.noise);
    return verifyPow({ kind: 'fast', challenge, bits }, nonce);
  };
  for (let i = 0; !holds(other) || holds(identity); i++) nonce.set([i >> 16, i >> 8, i], 5);
  return { bits, nonce, seedId: powSeed.slice(0, 8) };
}

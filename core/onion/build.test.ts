import { describe, expect, it } from 'vitest';
import { COMMAND, cellBody } from '../link/index.ts';
import { SeededRng } from '../runtime/index.ts';
import { type BuildOptions, type BuildOutput, type Now, TunnelBuild } from './build.ts';
import {
  CellCollector,
  controlCells,
  destroyCell,
  encodeRefusal,
  REASON,
  type Refusal,
  refusal,
} from './control-cells.ts';
import { decodeExtend, encodeExtend } from './extend.ts';
import { INNER_PLAIN_BYTES } from './geometry.ts';
import { createChallenge, decodeCreate, resumeToken } from './hop.ts';
import { encodeInner, INNER, InnerReceiver } from './inner.ts';
import { answered, parametersOf, ROUND, type TestHop, testHop, WALL_MS } from './testing/hops.ts';
import { onionTiming } from './timing.ts';

const bob = testHop('bob');
const carol = testHop('carol');
const dave = testHop('dave');
const mallory = testHop('erin');
const timing = onionTiming(300);

const OPTIONS: BuildOptions = {
  parameters: parametersOf(1),
  timing,
  circuit: 3,
  link: 5,
  circId: 0x8000_0001,
  round: ROUND,
  budget: 7,
  path: [bob.peer, carol.peer, dave.peer],
};

function at(nowMs: number): Now {
  return { nowMs, wallMs: WALL_MS + nowMs };
}

function begun(changes: Partial<BuildOptions> = {}): TunnelBuild {
  return new TunnelBuild({ ...OPTIONS, parameters: parametersOf(1), ...changes }, at(0));
}

function padded(message: Uint8Array): Uint8Array {
  const plaintext = new Uint8Array(INNER_PLAIN_BYTES);
  plaintext.set(message);
  return plaintext;
}

/** The CREATE in the only output, and that it is in the command it should be in. */
function sentCreate(outputs: readonly BuildOutput[], how: 'add own' | 'send cells'): Uint8Array {
  const [output] = outputs;
  const command = output?.type === 'plane' ? output.command : undefined;
  if (command?.type !== 'add own' && command?.type !== 'send cells') throw new Error('no cells');
  const collector = new CellCollector();
  const create = command.cells.map((cell) => collector.collect(cell, 0)).at(-1);
  if (create === undefined) throw new Error('no CREATE');
  const { circuit, link, circId } = OPTIONS;
  const cells = controlCells(circId, COMMAND.create, create);
  const place = how === 'add own' ? { link, circId } : { side: 'next' };
  expect(outputs).toEqual([{ type: 'plane', command: { type: how, circuit, ...place, cells } }]);
  return create;
}

/** The same for the CREATE in an EXTEND to `hop`. */
function sentExtend(outputs: readonly BuildOutput[], { peer }: TestHop, id: number): Uint8Array {
  const [output] = outputs;
  const command = output?.type === 'plane' ? output.command : undefined;
  if (command?.type !== 'send inner') throw new Error('no EXTEND');
  const receiver = new InnerReceiver();
  const message = command.messages.map((piece) => receiver.receive(padded(piece), 0)).at(-1);
  const { create } = decodeExtend(message?.data ?? new Uint8Array());
  const extend = encodeExtend({ address: peer.address, identity: peer.identity, create });
  const messages = encodeInner(INNER.extend, extend, id);
  const { circuit } = OPTIONS;
  expect(outputs).toEqual([
    { type: 'plane', command: { type: 'send inner', circuit, queue: 'control', messages } },
  ]);
  return create;
}

function added(secret: Uint8Array): BuildOutput {
  return { type: 'plane', command: { type: 'add hop', circuit: OPTIONS.circuit, secret } };
}

/** All that comes of the pieces of an inner message. */
function inner(build: TunnelBuild, type: number, data: Uint8Array, now: Now, id = 1) {
  return encodeInner(type, data, id).flatMap((piece) => build.onInner(padded(piece), now));
}

/** With bob in it, and asked to extend: the CREATE for carol. */
function withFirstHop(changes: Partial<BuildOptions> = {}) {
  const build = begun(changes);
  const { created } = answered(bob, sentCreate(build.onTimer(at(0)), 'add own'));
  build.onCreated(created, at(0));
  const nowMs = build.nextDeadlineMs();
  return { build, nowMs, create: sentExtend(build.onTimer(at(nowMs)), carol, 2) };
}

function destroyBody(why: Refusal): Uint8Array {
  return cellBody(destroyCell(new SeededRng(9), OPTIONS.circId, why));
}

const WORK = { reason: REASON.proofRequired, powBits: 12, powSeed: new Uint8Array(16).fill(0x5e) };

describe('the build of a tunnel', () => {
  it('adds three hops, one by one', () => {
    const build = begun();
    expect(build.nextDeadlineMs()).toBe(0);
    const first = answered(bob, sentCreate(build.onTimer(at(0)), 'add own'));
    expect(build.onCreated(first.created, at(60))).toEqual([added(first.secret)]);
    expect(build.hops).toBe(1);

    const secondMs = build.nextDeadlineMs();
    expect(build.onTimer(at(secondMs - 0.1))).toEqual([]);
    const second = answered(carol, sentExtend(build.onTimer(at(secondMs)), carol, 2));
    const secondAdded = inner(build, INNER.extended, second.created, at(secondMs + 90));
    expect(secondAdded).toEqual([added(second.secret)]);

    const thirdMs = build.nextDeadlineMs();
    const third = answered(dave, sentExtend(build.onTimer(at(thirdMs)), dave, 3));
    const thirdAdded = inner(build, INNER.extended, third.created, at(thirdMs + 120));
    const built = { type: 'built', resumeToken: resumeToken(third.secret) };
    expect(thirdAdded).toEqual([added(third.secret), built]);
    expect(build.hops).toBe(3);
    expect(build.nextDeadlineMs()).toBe(Number.POSITIVE_INFINITY);
    expect(build.onTimer(at(thirdMs + 10_000))).toEqual([]);
  });

  it('tells each hop of one hop less to come, and all of the same round', () => {
    const { build, nowMs, create } = withFirstHop();
    inner(build, INNER.extended, answered(carol, create).created, at(nowMs));
    const last = sentExtend(build.onTimer(at(nowMs + timing.extendGapMaxMs)), dave, 3);
    expect([create, last].map((bytes) => decodeCreate(bytes).budget)).toEqual([6, 5]);
    expect([create, last].map((bytes) => decodeCreate(bytes).round)).toEqual([ROUND, ROUND]);
  });

  it('waits up to 4 s before each further hop, as chance will have it', () => {
    const gaps = Array.from({ length: 20 }, (_, i) => {
      const build = begun({ parameters: parametersOf(i) });
      const { created } = answered(bob, sentCreate(build.onTimer(at(0)), 'add own'));
      build.onCreated(created, at(0));
      return build.nextDeadlineMs();
    });
    expect(Math.max(...gaps)).toBeLessThan(4000);
    expect(Math.max(...gaps) - Math.min(...gaps)).toBeGreaterThan(2000);
  });

  it.each([
    ['no path', { path: [] }],
    ['a budget that ends before the path', { budget: 2 }],
    ['a budget no hop accepts', { budget: 13 }],
  ])('is a bug with %s', (_, changes) => {
    expect(() => begun(changes)).toThrow(RangeError);
  });
});

describe('what is lost in a build', () => {
  it('is repeated after 0.8 and 1.6 s, and given up 3.2 s later', () => {
    const build = begun();
    const create = sentCreate(build.onTimer(at(0)), 'add own');
    for (const [waitMs, nextMs] of [
      [800, 2400],
      [2400, 5600],
    ] as const) {
      expect(build.nextDeadlineMs()).toBe(waitMs);
      expect(sentCreate(build.onTimer(at(waitMs)), 'send cells')).toEqual(create);
      expect(build.nextDeadlineMs()).toBe(nextMs);
    }
    expect(build.onTimer(at(5600))).toEqual([{ type: 'failed', hop: 0 }]);
    expect(build.nextDeadlineMs()).toBe(Number.POSITIVE_INFINITY);
    expect(build.onCreated(answered(bob, create).created, at(5601))).toEqual([]);
  });

  it('is waited for longer where ticks are slower', () => {
    const build = begun({ timing: onionTiming(300, 100) });
    build.onTimer(at(0));
    expect(build.nextDeadlineMs()).toBe(4000);
  });

  it('is counted from the start again at each hop', () => {
    const { build, nowMs, create } = withFirstHop();
    expect(build.nextDeadlineMs()).toBe(nowMs + 800);
    expect(sentExtend(build.onTimer(at(nowMs + 800)), carol, 2)).toEqual(create);
    build.onTimer(at(nowMs + 2400));
    expect(build.onTimer(at(nowMs + 5600))).toEqual([{ type: 'failed', hop: 1 }]);
  });

  it('makes no difference when it comes after all, once or twice', () => {
    const build = begun();
    const create = sentCreate(build.onTimer(at(0)), 'add own');
    build.onTimer(at(800));
    const { created, secret } = answered(bob, create);
    expect(build.onCreated(created, at(900))).toEqual([added(secret)]);
    expect(build.onCreated(created, at(1700))).toEqual([]);
    expect(inner(build, INNER.extended, created, at(1700))).toEqual([]);
  });
});

describe('a false answer (attack 14)', () => {
  it('of the first hop does not end the wait for the real one', () => {
    const build = begun();
    const create = sentCreate(build.onTimer(at(0)), 'add own');
    const { created, secret } = answered(bob, create);
    const { certificate } = bob.credentials;
    const thief = { ...mallory, credentials: { ...mallory.credentials, certificate } };
    const forged = [
      created.with(1000, 0),
      created.slice(1),
      new Uint8Array(created.length),
      answered(mallory, create).created,
      answered(thief, create).created,
    ];
    for (const one of [...forged, ...forged]) expect(build.onCreated(one, at(1))).toEqual([]);
    expect(inner(build, INNER.extended, created, at(1))).toEqual([]);
    expect(build.onCreated(created, at(2))).toEqual([added(secret)]);
  });

  it('of the hop before, for the one it was to ask, neither', () => {
    const { build, nowMs, create } = withFirstHop();
    const now = at(nowMs + 100);
    const { created, secret } = answered(carol, create);
    for (const liar of [bob, mallory]) {
      const lie = answered(liar, create).created;
      expect(inner(build, INNER.extended, lie, now, 7)).toEqual([]);
      expect(build.onCreated(lie, now)).toEqual([]);
    }
    expect(build.onInner(new Uint8Array(INNER_PLAIN_BYTES).fill(0xff), now)).toEqual([]);
    expect(inner(build, INNER.cover, new Uint8Array(3), now)).toEqual([]);
    expect(inner(build, INNER.extended, created, now, 8)).toEqual([added(secret)]);
  });
});

describe('a hop that wants work', () => {
  it('gets it over its seed and the same X, and may then say yes', () => {
    const build = begun();
    const create = decodeCreate(sentCreate(build.onTimer(at(0)), 'add own'));
    const challenge = createChallenge(bob.peer.identity, WORK.powSeed, create.noise);
    expect(build.onRefused(destroyBody(WORK))).toEqual([
      { type: 'proof wanted', challenge, bits: 12 },
    ]);
    expect(build.nextDeadlineMs()).toBe(Number.POSITIVE_INFINITY);
    const nonce = new Uint8Array(8).fill(0xab);
    const proven = sentCreate(build.onProof(nonce, at(9000)), 'send cells');
    const proof = { bits: 12, nonce, seedId: WORK.powSeed.slice(0, 8) };
    expect(decodeCreate(proven)).toEqual({ ...create, proof });
    expect(build.nextDeadlineMs()).toBe(9800);
    const { created, secret } = answered(bob, proven);
    expect(build.onCreated(created, at(9100))).toEqual([added(secret)]);
  });

  it('is asked again like any other when the proof is lost', () => {
    const build = begun();
    build.onTimer(at(0));
    build.onRefused(destroyBody(WORK));
    const proven = sentCreate(build.onProof(new Uint8Array(8), at(9000)), 'send cells');
    expect(sentCreate(build.onTimer(at(9800)), 'send cells')).toEqual(proven);
    build.onTimer(at(11_400));
    expect(build.onTimer(at(14_600))).toEqual([{ type: 'failed', hop: 0 }]);
  });

  it('may say so to each repetition, but not to the proof', () => {
    const build = begun();
    build.onTimer(at(0));
    build.onTimer(at(800));
    build.onRefused(destroyBody(WORK));
    expect(build.onRefused(destroyBody({ ...WORK, powBits: 13 }))).toEqual([]);
    build.onProof(new Uint8Array(8), at(9000));
    expect(build.onProof(new Uint8Array(8), at(9000))).toEqual([]);
    expect(build.onRefused(destroyBody(WORK))).toEqual([]);
    expect(build.onRefused(destroyBody({ ...WORK, powBits: 13 }))).toEqual([
      { type: 'failed', hop: 0 },
    ]);
  });

  it('further on says so through the hop before, and the repetition is a new message', () => {
    const { build, nowMs, create } = withFirstHop();
    const { noise } = decodeCreate(create);
    const challenge = createChallenge(carol.peer.identity, WORK.powSeed, noise);
    expect(inner(build, INNER.extendFail, encodeRefusal(WORK), at(nowMs))).toEqual([
      { type: 'proof wanted', challenge, bits: 12 },
    ]);
    const proven = sentExtend(build.onProof(new Uint8Array(8), at(nowMs)), carol, 3);
    expect(decodeCreate(proven).noise).toEqual(noise);
  });

  it('is given up when it wants more than any honest one', () => {
    const build = begun();
    build.onTimer(at(0));
    expect(build.onRefused(destroyBody({ ...WORK, powBits: 23 }))).toEqual([
      { type: 'failed', hop: 0 },
    ]);
  });
});

describe('a build fails', () => {
  it.each([REASON.normal, REASON.resourceLimit, REASON.connectFailed, REASON.protocol, 9])(
    'when the first hop refuses for reason %i',
    (reason) => {
      const build = begun();
      build.onTimer(at(0));
      expect(build.onRefused(destroyBody(refusal(reason)))).toEqual([{ type: 'failed', hop: 0 }]);
      expect(build.onTimer(at(800))).toEqual([]);
    },
  );

  it('when a further hop does, by a message of exactly a refusal', () => {
    const { build, nowMs } = withFirstHop();
    const no = encodeRefusal(refusal(REASON.connectFailed));
    expect(inner(build, INNER.extendFail, Uint8Array.of(...no, 0), at(nowMs))).toEqual([]);
    expect(inner(build, INNER.extendFail, no.slice(1), at(nowMs))).toEqual([]);
    expect(inner(build, INNER.extendFail, no, at(nowMs))).toEqual([{ type: 'failed', hop: 1 }]);
    expect(inner(build, INNER.extendFail, no, at(nowMs))).toEqual([]);
  });

  it('when the circuit is destroyed, even between two hops', () => {
    const build = begun();
    const { created } = answered(bob, sentCreate(build.onTimer(at(0)), 'add own'));
    build.onCreated(created, at(0));
    expect(build.onRefused(destroyBody(WORK))).toEqual([{ type: 'failed', hop: 1 }]);
    expect(build.onTimer(at(build.nextDeadlineMs()))).toEqual([]);
  });

  it('when its link is lost, which is the first hop\u2019s doing, and then nothing matters', () => {
    const { build, nowMs, create } = withFirstHop();
    expect(build.onLost()).toEqual([{ type: 'failed', hop: 0 }]);
    const { created } = answered(carol, create);
    expect(inner(build, INNER.extended, created, at(nowMs))).toEqual([]);
    expect(build.onRefused(destroyBody(WORK))).toEqual([]);
    expect(build.onProof(new Uint8Array(8), at(nowMs))).toEqual([]);
    expect(build.onLost()).toEqual([]);
    expect(build.hops).toBe(1);
  });
});

describe('pieces of an EXTENDED that were lost', () => {
  it('are completed by its repetition', () => {
    const { build, nowMs, create } = withFirstHop();
    const { created, secret } = answered(carol, create);
    const pieces = encodeInner(INNER.extended, created, 4).map(padded);
    const some = [pieces[0], pieces[2], pieces[3]].filter((piece) => piece !== undefined);
    for (const piece of some) expect(build.onInner(piece, at(nowMs))).toEqual([]);
    const again = build.onInner(pieces[1] ?? new Uint8Array(), at(nowMs + 800));
    expect(again).toEqual([added(secret)]);
  });
});

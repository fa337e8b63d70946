import { describe, expect, it } from 'vitest';
import { encodeRefusal, REASON, refusal } from './control-cells.ts';
import { decodeCreate } from './hop.ts';
import { INNER } from './inner.ts';
import { answered } from './testing/hops.ts';
import { read } from './testing/read.ts';
import {
  at,
  bob,
  carol,
  createFor,
  DISCONNECTED,
  dave,
  destroyedNext,
  extendOf,
  failedBecause,
  opened,
  says,
  TO,
  withCircuit,
  withNext,
  withTwoHops,
} from './testing/relays.ts';

describe('an EXTEND', () => {
  it('opens a link to the node, and sends it the CREATE', () => {
    const { create, outputs, circId } = withNext();
    const place = { link: TO.link, circId };
    const cells = [{ circId, create }];
    expect(read(outputs)).toEqual([
      { plane: { type: 'connect next', circuit: 1, ...place, cells } },
    ]);
    expect(circId).toBeGreaterThan(0);
    expect(circId).toBeLessThan(2 ** 31);
  });

  it('has a circuit number with the top bit on a link that we began', () => {
    const { relay, circuit } = withCircuit();
    says(relay, circuit, INNER.extend, extendOf(createFor(1)), 0);
    const outputs = read(relay.onLinkUp(carol.peer.identity, { ...TO, isInitiator: true }));
    const [{ plane }] = outputs as [{ plane: { circId: number } }];
    expect(plane.circId).toBeGreaterThan(2 ** 31);
  });

  it('is answered with what the next hop says, and bodies pass from then on', () => {
    const { relay, created, outputs } = withTwoHops();
    const messages = [{ what: 'extended', data: created }];
    expect(read(outputs)).toEqual([
      { plane: { type: 'send inner', circuit: 1, queue: 'control', messages } },
      { plane: { type: 'relay', circuit: 1 } },
    ]);
    expect(relay.onCreated(1, created)).toEqual([]);
  });

  it('that comes again is answered from memory', () => {
    const { relay, circuit, create, circId } = withNext();
    const again = (nowMs: number) => says(relay, circuit, INNER.extend, extendOf(create), nowMs);
    const cells = [{ circId, create }];
    const repeated = { plane: { type: 'send cells', circuit, side: 'next', cells } };
    for (let i = 0; i < 5; i++) expect(read(again(2000 + i))).toEqual([repeated]);
    const { created } = answered(carol, create);
    const [extended] = relay.onCreated(circuit, created);
    for (let i = 0; i < 5; i++) expect(again(3000 + i)).toEqual([extended]);
  });

  it('that comes again before there is a link only waits on', () => {
    const { relay, circuit } = withCircuit();
    const extend = extendOf(createFor(1));
    expect(says(relay, circuit, INNER.extend, extend, 0)).toEqual([opened()]);
    expect(says(relay, circuit, INNER.extend, extend, 800)).toEqual([]);
  });

  it('after another takes its place', () => {
    const { relay, circuit, circId } = withTwoHops();
    const extend = extendOf(createFor(2), dave.peer);
    expect(read(says(relay, circuit, INNER.extend, extend, 5000))).toEqual([
      destroyedNext(circId),
      DISCONNECTED,
      opened(dave.peer),
    ]);
  });

  it('fails with the call to the node', () => {
    const { relay, circuit } = withCircuit();
    says(relay, circuit, INNER.extend, extendOf(createFor(1)), 0);
    const { identity, address } = carol.peer;
    expect(read(relay.onLinkFailed({ identity, address }))).toEqual([
      failedBecause(REASON.connectFailed),
    ]);
    expect(relay.onLinkUp(identity, TO)).toEqual([]);
  });

  it('does not fail because somebody else had the node called elsewhere', () => {
    const { relay, circuit } = withCircuit();
    says(relay, circuit, INNER.extend, extendOf(createFor(1)), 0);
    const { identity, address } = carol.peer;
    const elsewhere = [
      { identity, address: { ...address, port: 4001 } },
      { identity, address: { ...address, ip: '20.66.0.1' } },
      { identity, address: { host: address.ip, port: address.port } },
      { identity: dave.peer.identity, address },
    ];
    for (const call of elsewhere) expect(relay.onLinkFailed(call)).toEqual([]);
    expect(relay.onLinkUp(dave.peer.identity, TO)).toEqual([]);
    expect(relay.onLinkUp(identity, TO)).toHaveLength(1);
  });

  it('fails when the node does not answer in 10 s', () => {
    const { relay, circId } = withNext();
    expect(relay.sweep(at(11_000))).toEqual([]);
    expect(read(relay.sweep(at(11_001)))).toEqual([
      destroyedNext(circId),
      DISCONNECTED,
      failedBecause(REASON.connectFailed),
    ]);
    expect(relay.sweep(at(20_000))).toEqual([]);
  });

  it('does not fail once it was answered', () => {
    const { relay } = withTwoHops();
    expect(relay.sweep(at(60_000))).toEqual([]);
  });

  const WORK = { reason: REASON.proofRequired, powBits: 12, powSeed: new Uint8Array(16).fill(3) };
  it.each([
    ['normal', refusal(REASON.normal), refusal(REASON.connectFailed)],
    ['resource limit', refusal(REASON.resourceLimit), refusal(REASON.resourceLimit)],
    ['proof of work required', WORK, WORK],
    ['connect failed', refusal(REASON.connectFailed), refusal(REASON.connectFailed)],
    ['protocol', refusal(REASON.protocol), refusal(REASON.connectFailed)],
    ['an unknown one', refusal(200), refusal(REASON.connectFailed)],
    ['one with a message', { ...WORK, reason: 1 }, refusal(REASON.resourceLimit)],
  ])('refused for this reason: %s, is told by one of 1 to 3', (_, why, told) => {
    const { relay } = withNext();
    expect(read(relay.onDestroy(1, 'next', encodeRefusal(why)))).toEqual([
      DISCONNECTED,
      failedBecause(told),
    ]);
    expect(relay.onCreated(1, new Uint8Array())).toEqual([]);
  });

  it('may be tried again after a refusal, with the work', () => {
    const { relay, circuit, create } = withNext();
    relay.onDestroy(1, 'next', encodeRefusal(WORK));
    const again = extendOf(create.with(3, 12));
    expect(says(relay, circuit, INNER.extend, again, 3000)).toEqual([opened()]);
    expect(relay.onLinkUp(carol.peer.identity, TO)).toHaveLength(1);
  });
});

describe('a next hop that has answered', () => {
  it('may go without a word to the initiator', () => {
    const { relay } = withTwoHops();
    const body = encodeRefusal(refusal(REASON.resourceLimit));
    expect(read(relay.onDestroy(1, 'next', body))).toEqual([DISCONNECTED]);
    expect(relay.onDestroy(1, 'next', body)).toEqual([]);
    expect(relay.circuits).toBe(1);
  });

  it('may lose its link without a word to the initiator', () => {
    const { relay } = withTwoHops();
    expect(read(relay.onLinkDown(TO.link))).toEqual([DISCONNECTED]);
    expect(relay.circuits).toBe(1);
  });
});

describe('the link of a next hop that has not answered', () => {
  it('is missed, and the initiator told', () => {
    const { relay } = withNext();
    expect(read(relay.onLinkDown(TO.link))).toEqual([
      DISCONNECTED,
      failedBecause(REASON.connectFailed),
    ]);
  });
});

describe('an EXTEND against the rules', () => {
  it('fails, and no link is opened', () => {
    const { relay, circuit } = withCircuit();
    const own = extendOf(createFor(1), bob.peer);
    expect(read(says(relay, circuit, INNER.extend, own, 0))).toEqual([
      failedBecause(REASON.connectFailed),
    ]);
    const malformed = extendOf(createFor(1)).with(0, 1);
    expect(read(says(relay, circuit, INNER.extend, malformed, 1))).toEqual([
      failedBecause(REASON.connectFailed),
    ]);
  });

  it('does not harm the hop that is there', () => {
    const { relay, circuit } = withTwoHops();
    const own = extendOf(createFor(2), bob.peer);
    expect(read(says(relay, circuit, INNER.extend, own, 5000))).toEqual([
      failedBecause(REASON.connectFailed),
    ]);
    expect(read(relay.onLinkDown(TO.link))).toEqual([DISCONNECTED]);
  });

  it('is one of a thirteenth hop: a path of twelve ends there (attack 10)', () => {
    let budget = 12;
    let hops = 1;
    for (let isRefused = false; !isRefused; ) {
      const { relay, circuit } = withCircuit({ budget });
      const next = Math.max(1, budget - 1);
      const extend = extendOf(createFor(hops, next));
      const [output] = says(relay, circuit, INNER.extend, extend, 0);
      isRefused = output?.type !== 'open link';
      if (isRefused) expect(read([output ?? { type: '' }])).toEqual([failedBecause(3)]);
      else hops++;
      budget = next;
    }
    expect(hops).toBe(12);
    expect(decodeCreate(createFor(1, 12)).budget).toBe(12);
    expect(() => decodeCreate(createFor(1, 13))).toThrow('a budget out of range');
  });
});

// Whom the machine calls, lets in and parts from. What items do to scores is in gossip.test.ts.

import { describe, expect, it } from 'vitest';
import { compareBytes } from '../bytes/index.ts';
import type { NodeDescriptor } from '../identity/index.ts';
import type { GossipOutput } from './port.ts';
import { addressOf, testPeer } from './testing/fixtures.ts';
import { Machine, SELF } from './testing/machine.ts';

const HOST = { host: 'relay.example.org', port: 6001 };
const OTHER_HOST = { host: 'relay.example.net', port: 6001 };
const [ALICE, BOB] = [11, 12];
/** One whose identity is greater than ours, and one whose is smaller. */
const [GREATER = 0, SMALLER = 0] = [1, -1].map((sign) =>
  [11, 12, 13, 14, 15, 16, 17, 18].find(
    (number) => sign * compareBytes(testPeer(number).identity, testPeer(SELF).identity) > 0,
  ),
);

type Dial = GossipOutput & { readonly type: 'dial' };

function numberOf({ target }: Dial): number | undefined {
  if (target.type !== 'node') return undefined;
  const [, second] = target.address.ip.split('.');
  return Number(second);
}

/** A machine that was told of these nodes by a neighbour whom it called. */
function informed(told: readonly NodeDescriptor[]) {
  const machine = new Machine({ bootstrappers: [HOST] });
  machine.isAnswered = true;
  const [call] = machine.wait(0).takeOf('dial');
  machine.join(200, { dial: call?.dial ?? 0 });
  machine.say(200, { type: 'peers', descriptors: told.map(({ encoded }) => encoded) }).take();
  return machine;
}

function nodes(from: number, count: number): NodeDescriptor[] {
  return Array.from({ length: count }, (_, i) => testPeer(from + i));
}

/** Lets time pass, and every call succeed at once; whom it called. */
function answering(machine: Machine, ms: number): number[] {
  const called: number[] = [];
  for (let passed = 0; passed < ms; passed += 100) {
    for (const dial of machine.wait(100).takeOf('dial')) {
      const number = numberOf(dial);
      if (number === undefined) continue;
      called.push(number);
      machine.join(number, { dial: dial.dial, id: 1000 + called.length });
    }
  }
  return called;
}

function neighboursOf(machine: Machine): string[] {
  return machine.gossip.status(machine.nowMs).neighbours.map(({ address }) => address.ip);
}

describe('calling', () => {
  it('begins with the bootstrappers, and goes on trying while they are away', () => {
    const machine = new Machine({ bootstrappers: [HOST] });
    const calledMs: number[] = [];
    for (let ms = 0; ms < 200_000; ms += 500) {
      for (const dial of machine.wait(500).takeOf('dial')) {
        expect(dial.target).toEqual({ type: 'bootstrapper', host: HOST });
        calledMs.push(ms);
        machine.handle({ type: 'dial failed', dial: dial.dial });
      }
    }
    const gaps = calledMs.slice(1).map((ms, i) => Math.round((ms - (calledMs[i] ?? 0)) / 1000));
    expect(gaps.slice(0, 5).every((gap, i) => gap >= 2 ** i && gap <= 2 ** i + 2)).toBe(true);
    expect(gaps.slice(5).every((gap) => gap >= 20 && gap <= 22)).toBe(true);
    expect(gaps.length).toBeGreaterThan(6);
  });

  it('takes two bootstrappers when there are two', () => {
    const machine = new Machine({ bootstrappers: [HOST, OTHER_HOST] });
    const targets = machine
      .wait(0)
      .takeOf('dial')
      .map(({ target }) => target);
    expect(new Set(targets)).toEqual(
      new Set([HOST, OTHER_HOST].map((host) => ({ type: 'bootstrapper', host }))),
    );
  });

  it('asks whom it called for nodes, and nobody else', () => {
    const machine = new Machine({ bootstrappers: [HOST] });
    const [call] = machine.wait(0).takeOf('dial');
    machine.join(ALICE, { dial: call?.dial ?? 0 });
    expect(machine.takeSent('peers request').map(({ to }) => to)).toEqual([ALICE]);
    machine.join(BOB);
    expect(machine.takeSent('peers request')).toEqual([]);
  });

  it('ends with eight, of different netgroups', () => {
    const alike = [1, 2, 3, 4].map((number) =>
      testPeer(number, { address: { ip: '20.30.9.9', port: 6001 } }),
    );
    const machine = informed([...nodes(30, 20), ...alike]);
    answering(machine, 20_000);
    const groups = neighboursOf(machine).map((ip) => ip.split('.').slice(0, 2).join('.'));
    expect(groups).toHaveLength(8);
    expect(new Set(groups).size).toBe(8);
  });

  it('is told of nodes only when it asked', () => {
    const machine = new Machine();
    machine.join(ALICE).take();
    machine.say(ALICE, { type: 'peers', descriptors: [testPeer(30).encoded] });
    expect(machine.take()).toEqual([{ type: 'drop', why: 'over quota' }]);
    expect(machine.gossip.status(0).knownNodes).toBe(1);
  });

  it('attack 19: does not take ourselves or nonsense for a node', () => {
    const machine = new Machine({ bootstrappers: [HOST] });
    const [call] = machine.wait(0).takeOf('dial');
    machine.join(ALICE, { dial: call?.dial ?? 0 }).take();
    machine.say(ALICE, { type: 'peers', descriptors: [Uint8Array.of(1), testPeer(SELF).encoded] });
    expect(machine.take()).toEqual([{ type: 'drop', why: 'not a peer' }]);
    expect(machine.gossip.status(0).knownNodes).toBe(1);
  });

  it('does not call who is banned, or is a neighbour already', () => {
    const machine = informed([testPeer(ALICE), testPeer(BOB)]);
    machine.join(ALICE).join(BOB, { id: 77 });
    machine.handle({ type: 'violation', from: 77 });
    expect(answering(machine, 30_000)).toEqual([]);
  });

  it('looks now and then whether a node of which it only heard is there', () => {
    const machine = informed(nodes(30, 20));
    answering(machine, 110_000);
    const reached = machine.gossip.status(machine.nowMs).reachedNodes;
    machine.take();
    const probes: Dial[] = [];
    for (let ms = 0; ms < 20_000; ms += 100) probes.push(...machine.wait(100).takeOf('dial'));
    const [probe] = probes;
    if (probe === undefined) throw new Error('nobody was called');
    expect(probes).toHaveLength(1);
    machine.join(numberOf(probe) ?? 0, { dial: probe.dial, id: 500 });
    expect(machine.takeOf('disconnect')).toEqual([
      { type: 'disconnect', neighbour: 500, reason: 'probe' },
    ]);
    expect(machine.gossip.status(machine.nowMs).reachedNodes).toBe(reached + 1);
  });

  it('begins after a restart with the neighbours of before, whatever bootstrappers say', () => {
    const before = informed(nodes(30, 20));
    answering(before, 60_000);
    const saved = before.gossip.saved();
    expect(saved.anchors).toHaveLength(2);
    const machine = new Machine({ bootstrappers: [HOST], saved }, 2);
    const called = machine.wait(0).takeOf('dial');
    expect(called.map(({ target }) => target.type)).toEqual(['node', 'node', 'node']);
    const identities = called.flatMap(({ target }) =>
      target.type === 'node' ? [target.identity] : [],
    );
    expect(identities.slice(0, 2)).toEqual(saved.anchors.map(({ identity }) => identity));
    expect(machine.gossip.status(0).knownNodes).toBe(before.gossip.status(0).knownNodes);
  });
});

describe('being called', () => {
  it('is open to as many as it may be, and then parts from whom it can spare', () => {
    const machine = new Machine({ inboundMax: 16 });
    for (let number = 11; number < 11 + 16; number++) machine.join(number).wait(100);
    machine.take();
    machine.join(99);
    const parted = machine.takeOf('disconnect');
    expect(parted).toHaveLength(1);
    expect(parted[0]?.reason).toBe('full');
    expect(neighboursOf(machine)).toContain(addressOf(99).ip);
    expect(neighboursOf(machine)).toHaveLength(16);
  });

  it('refuses one too many when nobody can be spared', () => {
    const machine = new Machine({ inboundMax: 2 });
    machine.join(ALICE).join(BOB).take();
    machine.join(99);
    expect(machine.take()).toEqual([{ type: 'disconnect', neighbour: 99, reason: 'full' }]);
  });

  it('keeps the newer of two channels of one node that called twice', () => {
    const machine = new Machine();
    machine.join(ALICE, { id: 1 }).take();
    machine.join(ALICE, { id: 2 });
    expect(machine.takeOf('disconnect')).toEqual([
      { type: 'disconnect', neighbour: 1, reason: 'duplicate' },
    ]);
  });

  it.each([
    ['ours to a greater one', GREATER, 1],
    ['that of a smaller one', SMALLER, 2],
  ])('of two channels, one each way, keeps %s', (_, number, parted) => {
    const machine = informed([testPeer(number)]);
    const [call] = machine.wait(2000).takeOf('dial');
    machine.join(number, { id: 1 });
    machine.join(number, { id: 2, dial: call?.dial ?? 0 });
    expect(machine.takeOf('disconnect')).toEqual([
      { type: 'disconnect', neighbour: parted, reason: 'duplicate' },
    ]);
  });

  it('asks for the proof of work of an identity', () => {
    const machine = new Machine({ hasProof: () => false });
    expect(machine.gossip.judge(testPeer(ALICE), 0)).toBe('no proof of work');
  });

  it('refuses an address from where somebody broke the protocol, for ten minutes, if it is one', () => {
    const { gossip } = new Machine();
    const [far, near] = [
      { ip: '20.1.2.3', port: 1 },
      { ip: '127.0.0.1', port: 1 },
    ];
    for (const address of [far, near]) gossip.fault(address, undefined, 0);
    expect(gossip.isRefused({ ...far, port: 2 }, 599_999)).toBe(true);
    expect(gossip.isRefused(far, 600_000)).toBe(false);
    expect(gossip.isRefused(near, 0)).toBe(false);
  });

  it('bans who broke the protocol after he had proven who he is, and not where he is', () => {
    const { gossip } = new Machine();
    const peer = testPeer(ALICE);
    gossip.fault(addressOf(ALICE), peer, 0);
    expect(gossip.judge(peer, 0)).toBe('banned');
    expect(gossip.isRefused(addressOf(ALICE), 0)).toBe(false);
  });

  it('remembers over a restart whom it has banned, and for how long', () => {
    const machine = new Machine();
    const peer = testPeer(ALICE);
    machine.gossip.fault(addressOf(ALICE), peer, 0);
    machine.gossip.fault(addressOf(BOB), undefined, 0);
    const { gossip } = new Machine({ saved: machine.wait(1000).gossip.saved() });
    expect(gossip.judge(peer, 3_598_000)).toBe('banned');
    expect(gossip.judge(peer, 3_600_000)).toBe('welcome');
    expect(gossip.isRefused(addressOf(BOB), 598_000)).toBe(true);
    expect(gossip.isRefused(addressOf(BOB), 600_000)).toBe(false);
  });

  it('thinks little of many from one subnet, but in test networks', () => {
    for (const [allowPrivate, score] of [
      [false, -45],
      [true, 0],
    ] as const) {
      const machine = new Machine({ allowPrivate });
      for (let number = 11; number < 16; number++) {
        machine.join(number, { address: { ip: `20.9.9.${number}`, port: 6001 } });
      }
      const { neighbours } = machine.gossip.status(0);
      expect(neighbours.map((one) => one.score)).toEqual(new Array(5).fill(score));
    }
  });
});

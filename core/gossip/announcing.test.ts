import { describe, expect, it } from 'vitest';
import { equalBytes, utf8 } from '../bytes/index.ts';
import { decodeItem } from './item.ts';
import { DEAR_TYPE, NETWORK_ID, WALL_MS } from './testing/fixtures.ts';
import {
  ALICE,
  approve,
  BOB,
  CAROL,
  CLIENT,
  Machine,
  notificationsOf,
  OTHER_CLIENT,
  pushOf,
  running,
} from './testing/machine.ts';

describe('an announcement', () => {
  const announcement = {
    type: 'announce',
    client: CLIENT,
    hops: 0,
    dataType: DEAR_TYPE,
    data: utf8('news'),
  } as const;

  it('goes to all neighbours with its proof, though nobody here wants it', () => {
    const machine = running([ALICE, BOB, CAROL]);
    const sent = machine.handle(announcement).takeSent('push');
    expect(sent.map(({ to }) => to)).toEqual([ALICE, BOB, CAROL]);
    const item = decodeItem(sent[0]?.message.item ?? new Uint8Array(), NETWORK_ID);
    expect(item).toMatchObject({ ttl: 255, dataType: DEAR_TYPE, data: utf8('news') });
    const taker = running([ALICE]);
    taker.handle({ type: 'notify', client: CLIENT, dataType: DEAR_TYPE }).take();
    taker.say(ALICE, { type: 'push', item: item.encoded });
    expect(notificationsOf(taker.take())).toHaveLength(1);
  });

  it('reaches the other subscribers of the node, who may object, and not who made it', () => {
    for (const opinion of ['pass on', 'refuse'] as const) {
      const machine = running([ALICE]);
      for (const client of [CLIENT, OTHER_CLIENT]) {
        machine.handle({ type: 'notify', client, dataType: DEAR_TYPE });
      }
      machine.handle(announcement);
      const outputs = approve(machine, opinion);
      expect(notificationsOf(outputs).map(({ client }) => client)).toEqual([OTHER_CLIENT]);
      expect(machine.takeSent('push')).toHaveLength(opinion === 'pass on' ? 1 : 0);
    }
  });

  it('goes out after 5 s when they do not answer', () => {
    const machine = running([ALICE]);
    machine.handle({ type: 'notify', client: OTHER_CLIENT, dataType: DEAR_TYPE });
    machine.handle(announcement).wait(5000);
    expect(machine.takeSent('push')).toHaveLength(1);
  });

  it('with a number of hops starts with it', () => {
    const machine = running([ALICE]);
    const [sent] = machine.handle({ ...announcement, hops: 2 }).takeSent('push');
    expect(sent?.message.item[3]).toBe(2);
  });

  it('does not come back to who made it', () => {
    const machine = running([ALICE, BOB]);
    machine.handle({ type: 'notify', client: CLIENT, dataType: DEAR_TYPE });
    const [sent] = machine.handle(announcement).takeSent('push');
    if (sent === undefined) throw new Error('nothing was sent');
    machine.say(BOB, sent.message);
    expect(machine.take()).toEqual([{ type: 'drop', why: 'known' }]);
  });

  it('waits for the proofs before it, and is dropped behind 256', () => {
    const { gossip } = new Machine();
    const now = { nowMs: 0, wallMs: WALL_MS };
    const outputs = Array.from({ length: 258 }, () => gossip.handle(announcement, now)).flat();
    expect(outputs.map(({ type }) => type)).toEqual(['solve', 'drop']);
  });

  it('does not go to neighbours with a bad score', () => {
    const machine = running([ALICE, BOB]);
    machine.say(ALICE, pushOf('bad'));
    approve(machine, 'refuse');
    expect(
      machine
        .handle(announcement)
        .takeSent('push')
        .map(({ to }) => to),
    ).toEqual([BOB]);
  });

  it('that hides its origin is counted down for a fixed half of the neighbours', () => {
    const numbers = Array.from({ length: 24 }, (_, i) => i + 11);
    const machine = running(numbers, { hidesOrigin: true });
    const first = machine.handle({ ...announcement, hops: 3 }).takeSent('push');
    const again = machine.handle({ ...announcement, hops: 3, data: utf8('more') }).takeSent('push');
    const ttls = first.map(({ message }) => message.item[3]);
    expect(again.map(({ message }) => message.item[3])).toEqual(ttls);
    expect(new Set(ttls)).toEqual(new Set([3 | 128, 2]));
    expect(ttls.filter((ttl) => ttl === 2).length).toBeGreaterThan(4);
    expect(ttls.filter((ttl) => ttl !== 2).length).toBeGreaterThan(4);
  });
});

describe('a flood', () => {
  it('attack 20: is taken up to a hundred items, and then at 20 a second', () => {
    const machine = running([ALICE]);
    const taken = (): number => {
      const drops = machine.takeOf('drop').filter(({ why }) => why === 'over quota');
      return 150 - drops.length;
    };
    const flood = (round: number): void => {
      for (let i = 0; i < 150; i++) machine.say(ALICE, pushOf(`${round} ${i}`));
    };
    flood(0);
    expect(taken()).toBe(100);
    machine.wait(1000).take();
    flood(1);
    expect(taken()).toBe(20);
  });

  it('attack 20: of one neighbour does not keep the item of another from being judged at once', () => {
    const machine = running([ALICE, BOB]);
    for (let i = 0; i < 100; i++) machine.say(ALICE, pushOf(`${i}`));
    machine.take();
    const honest = pushOf('honest');
    machine.say(BOB, honest);
    const [asked] = notificationsOf(machine.take());
    expect(asked && equalBytes(asked.data, utf8('honest'))).toBe(true);
  });
});

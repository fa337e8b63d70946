import { describe, expect, it } from 'vitest';
import { utf8 } from '../bytes/index.ts';
import { withTtl } from './item.ts';
import { DEAR_TYPE, encodedItem, FREE_TYPE, WALL_MS } from './testing/fixtures.ts';
import {
  ALICE,
  approve,
  BOB,
  CAROL,
  CLIENT,
  Machine,
  messageOf,
  notificationsOf,
  OTHER_CLIENT,
  pushOf,
  running,
  scoreOf,
} from './testing/machine.ts';

describe('a neighbour', () => {
  it('is greeted, and asked for what it has once it has said HELLO', () => {
    const machine = new Machine();
    machine.handle({ type: 'notify', client: CLIENT, dataType: 7 });
    machine.join(ALICE);
    expect(machine.take()).toEqual([
      { type: 'send', to: ALICE, message: { type: 'hello', dataTypes: [7] } },
      {
        type: 'send',
        to: ALICE,
        message: { type: 'pull', sinceMin: WALL_MS / 60_000 - 15, ids: [] },
      },
      { type: 'send', to: ALICE, message: { type: 'ping', nonce: expect.any(Uint8Array) } },
    ]);
  });

  it('that says anything before HELLO, or what cannot be right, is banned', () => {
    for (const input of [
      { type: 'message', from: ALICE, message: pushOf('a') },
      { type: 'violation', from: ALICE },
    ] as const) {
      const machine = new Machine();
      const peer = new Machine().join(ALICE).gossip.status(0).neighbours[0]?.peer;
      if (peer === undefined) throw new Error('nobody there');
      const address = { ip: '20.11.0.1', port: 6001 };
      machine.handle({ type: 'connected', neighbour: ALICE, peer, address, dial: undefined });
      machine.take();
      machine.handle(input);
      expect(machine.take()).toEqual([{ type: 'disconnect', neighbour: ALICE, reason: 'banned' }]);
      expect(machine.gossip.judge(peer, 3_599_999)).toBe('banned');
      expect(machine.gossip.judge(peer, 3_600_000)).toBe('welcome');
    }
  });

  it('that sends an item nobody can read is banned', () => {
    const machine = running([ALICE]);
    machine.say(ALICE, { type: 'push', item: Uint8Array.of(1) });
    expect(machine.take()).toEqual([{ type: 'disconnect', neighbour: ALICE, reason: 'banned' }]);
  });

  it('is told when modules want more, and asked for what it has of it', () => {
    const machine = running([ALICE]);
    machine.handle({ type: 'notify', client: CLIENT, dataType: DEAR_TYPE });
    machine.handle({ type: 'notify', client: OTHER_CLIENT, dataType: DEAR_TYPE }).wait(1100);
    const sent = machine.takeOf('send').map(({ message }) => message);
    expect(sent.filter(({ type }) => type === 'hello')).toEqual([
      { type: 'hello', dataTypes: [FREE_TYPE, DEAR_TYPE] },
    ]);
    expect(sent.filter(({ type }) => type === 'pull')).toHaveLength(1);
  });

  it('that says nothing is asked, and given up after a minute', () => {
    const machine = running([ALICE]);
    const pings = machine.wait(59_000).takeSent('ping');
    expect(pings.length).toBeGreaterThanOrEqual(2);
    const gone = machine.wait(3000).takeOf('disconnect');
    expect(gone).toEqual([{ type: 'disconnect', neighbour: ALICE, reason: 'silent' }]);
  });

  it('that answers stays, and its distance is known', () => {
    const machine = new Machine().join(ALICE);
    for (let i = 0; i < 10; i++) {
      for (const { message } of machine.takeSent('ping')) {
        machine.nowMs += 40;
        machine.say(ALICE, { type: 'pong', nonce: message.nonce });
      }
      machine.wait(10_000);
    }
    expect(machine.gossip.status(machine.nowMs).neighbours[0]?.pingMs).toBe(40);
  });

  it('that does not say HELLO within 10 s is given up', () => {
    const machine = new Machine();
    const [neighbour] = new Machine().join(ALICE).gossip.status(0).neighbours;
    if (neighbour === undefined) throw new Error('nobody there');
    machine.handle({ ...neighbour, type: 'connected', neighbour: ALICE, dial: undefined });
    machine.wait(9000).take();
    expect(machine.wait(3000).takeOf('disconnect')).toEqual([
      { type: 'disconnect', neighbour: ALICE, reason: 'silent' },
    ]);
  });
});

describe('an item of a neighbour', () => {
  it('goes to the subscriber, and once he approved on to the others', () => {
    const machine = running([ALICE, BOB, CAROL]);
    const push = pushOf('hello');
    machine.say(ALICE, push);
    const [notification] = machine.take();
    expect(notification).toEqual({
      type: 'notification',
      client: CLIENT,
      messageId: expect.any(Number),
      dataType: FREE_TYPE,
      data: utf8('hello'),
    });
    machine.handle({ type: 'validation', ...messageOf(notification), opinion: 'pass on' });
    expect(machine.take()).toEqual([
      { type: 'send', to: BOB, message: push },
      { type: 'send', to: CAROL, message: push },
    ]);
  });

  it('reaches two subscribers, and waits for both', () => {
    const machine = running([ALICE, BOB]);
    machine.handle({ type: 'notify', client: OTHER_CLIENT, dataType: FREE_TYPE });
    machine.say(ALICE, pushOf('hello'));
    const [first, second] = machine.take();
    machine.handle({ type: 'validation', ...messageOf(first), opinion: 'pass on' });
    expect(machine.take()).toEqual([]);
    machine.handle({ type: 'validation', ...messageOf(second), opinion: 'pass on' });
    expect(machine.takeSent('push').map(({ to }) => to)).toEqual([BOB]);
  });

  it('goes nowhere and costs the sender when it is not well-formed', () => {
    const machine = running([ALICE, BOB]);
    machine.say(ALICE, pushOf('bad'));
    approve(machine, 'refuse');
    expect(machine.take()).toEqual([{ type: 'drop', why: 'invalid' }]);
    expect(scoreOf(machine, ALICE)).toBe(-10);
  });

  it('is judged once, whoever brings it', () => {
    const machine = running([ALICE, BOB]);
    const push = pushOf('hello');
    machine.say(ALICE, push).say(BOB, push).say(ALICE, push);
    expect(approve(machine).map(({ type }) => type)).toEqual(['notification', 'drop', 'drop']);
    expect(machine.take()).toEqual([]);
  });

  it('goes nowhere when nobody wants its type', () => {
    const machine = running([ALICE, BOB]);
    machine.say(ALICE, { type: 'push', item: encodedItem(utf8('x'), { dataType: DEAR_TYPE }) });
    expect(machine.take()).toEqual([{ type: 'drop', why: 'unwanted' }]);
  });

  it('that nobody wanted is taken when somebody does', () => {
    const machine = running([ALICE]);
    const item = encodedItem(utf8('x'), { dataType: DEAR_TYPE });
    machine.say(ALICE, { type: 'push', item }).take();
    machine.handle({ type: 'notify', client: CLIENT, dataType: DEAR_TYPE });
    machine.say(ALICE, { type: 'push', item });
    expect(notificationsOf(machine.take())).toHaveLength(1);
  });

  it('goes nowhere, and costs nobody, when no module answers in 5 s', () => {
    const machine = running([ALICE, BOB]);
    machine.say(ALICE, pushOf('hello')).wait(4999);
    expect(machine.takeOf('drop')).toEqual([]);
    machine.wait(1);
    expect(machine.takeOf('drop')).toEqual([{ type: 'drop', why: 'not validated' }]);
    expect(scoreOf(machine, ALICE)).toBeGreaterThanOrEqual(0);
  });

  it('goes as far as its ttl says', () => {
    const machine = running([ALICE, BOB]);
    for (const [ttl, onward] of [
      [255, [255]],
      [3, [2]],
      [1, []],
    ] as const) {
      machine.say(ALICE, pushOf(`ttl ${ttl}`, ttl));
      approve(machine);
      expect(machine.takeSent('push').map(({ message }) => message.item[3])).toEqual(onward);
    }
  });

  it('attack 20: plays no games with its ttl', () => {
    const machine = running([ALICE, BOB]);
    const push = pushOf('hello', 1);
    machine.say(ALICE, push);
    approve(machine);
    machine.say(ALICE, { type: 'push', item: withTtl(push.item, 255) }).wait(5000);
    expect(machine.takeSent('push')).toEqual([]);
  });

  it.each([
    ['is over', WALL_MS - 3 * 3_600_000],
    ['has not begun', WALL_MS + 120_000],
  ])('is ignored when it %s', (_, wallMs) => {
    const machine = running([ALICE]);
    machine.say(ALICE, { type: 'push', item: encodedItem(utf8('x'), { wallMs }) });
    expect(machine.take()).toEqual([{ type: 'drop', why: 'not its time' }]);
    expect(scoreOf(machine, ALICE)).toBe(0);
  });

  it('attack 20: without its proof of work costs the sender', () => {
    const machine = running([ALICE]);
    machine.handle({ type: 'notify', client: CLIENT, dataType: DEAR_TYPE });
    const item = encodedItem(utf8('x'), { dataType: DEAR_TYPE });
    machine.say(ALICE, { type: 'push', item: item.with(18, (item[18] ?? 0) ^ 1) });
    expect(machine.take()).toEqual([{ type: 'drop', why: 'no proof of work' }]);
    expect(scoreOf(machine, ALICE)).toBe(-10);
  });

  it('attack 20: is ignored from one with three bad ones, who is then disconnected and banned', () => {
    const machine = running([ALICE]);
    for (const text of ['a', 'b']) {
      machine.say(ALICE, pushOf(text));
      approve(machine, 'refuse');
      machine.take();
    }
    machine.say(ALICE, pushOf('c'));
    expect(machine.take()).toEqual([{ type: 'drop', why: 'low score' }]);
    machine.wait(7 * 60_000).take();
    const again = running([ALICE]);
    again.say(ALICE, pushOf('a')).say(ALICE, pushOf('b')).say(ALICE, pushOf('c'));
    approve(again, 'refuse');
    expect(again.takeOf('disconnect')).toEqual([
      { type: 'disconnect', neighbour: ALICE, reason: 'banned' },
    ]);
  });

  it('is taken from a tunnel like from a neighbour, and nobody is blamed', () => {
    const machine = running([ALICE]);
    machine.handle({ type: 'inject', item: pushOf('hello').item });
    approve(machine);
    expect(machine.takeSent('push').map(({ to }) => to)).toEqual([ALICE]);
    machine.handle({ type: 'inject', item: pushOf('bad').item });
    approve(machine, 'refuse');
    machine.handle({ type: 'inject', item: Uint8Array.of(1) });
    expect(machine.take()).toEqual([
      { type: 'drop', why: 'invalid' },
      { type: 'drop', why: 'malformed' },
    ]);
  });
});
